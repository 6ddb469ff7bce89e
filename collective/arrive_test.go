package collective_test

import (
	"fmt"
	"math"
	"math/bits"
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// accelerators are the first n accelerators.
func accelerators(n int) []topology.NodeID {
	all := make([]topology.NodeID, n)
	for i := range all {
		all[i] = topology.NodeID(i)
	}
	return all
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// star is n bare accelerators around a switch, 50 GB/s and 1 us.
func star(n int) *topology.Topology {
	return must(topology.Switch(n, 50e9, units.Duration(100_000)))
}

// content is what one message of an algorithm holds, by the algorithm's
// definition: shards of the vector, and whether the receiver adds them to its
// own (reduce) or takes them as they are.
type content struct {
	from, to int
	shards   []int
	reduce   bool
}

// ringContent is the ring algorithm of Thakur et al. 2005 (Patarasuk and Yuan
// 2009) over rings of n ranks each, each ring with n shards of its own: in step
// k the rank at place p passes on the shard that it received in the step before.
func ringContent(op collective.Op, rings [][]int) (all []content, shards int) {
	n := len(rings[0])
	steps, scatter := n-1, 0
	switch op {
	case collective.AllReduce:
		steps, scatter = 2*(n-1), n-1
	case collective.ReduceScatter:
		scatter = n - 1
	}
	for k := range steps {
		for c, ring := range rings {
			for p, r := range ring {
				s := p - k // own shard first, then what came
				if scatter > 0 && k >= scatter {
					s = p + 1 - (k - scatter)
				}
				all = append(all, content{r, ring[(p+1)%n], []int{c*n + ((s%n)+n)%n}, k < scatter})
			}
		}
	}
	return all, n * len(rings)
}

// halvingContent is recursive halving and doubling (Rabenseifner 2004), with
// binomial trees for broadcast (van de Geijn) and reduce.
func halvingContent(op collective.Op, n int) (all []content, shards int) {
	p := 1 << (bits.Len(uint(n)) - 1)
	holds := func(keep func(s int) bool) (some []int) {
		for s := range p {
			if keep(s) {
				some = append(some, s)
			}
		}
		return some
	}
	everything := holds(func(int) bool { return true })
	halving := func() {
		for d := 1; d < p; d *= 2 {
			for i := range p {
				// What both still work on agrees with i in the lower bits; the
				// part of the partner differs in this one.
				all = append(all, content{i, i ^ d, holds(func(s int) bool { return s&(2*d-1) == (i^d)&(2*d-1) }), true})
			}
		}
	}
	doubling := func() {
		for d := p / 2; d >= 1; d /= 2 {
			for i := range p {
				all = append(all, content{i, i ^ d, holds(func(s int) bool { return s&(2*d-1) == i&(2*d-1) }), false})
			}
		}
	}
	switch op {
	case collective.AllReduce:
		for i := p; i < n; i++ {
			all = append(all, content{i, i - p, everything, true})
		}
		halving()
		doubling()
		for i := p; i < n; i++ {
			all = append(all, content{i - p, i, everything, false})
		}
	case collective.AllGather:
		doubling()
	case collective.ReduceScatter:
		halving()
	case collective.Broadcast:
		for d := p / 2; d >= 1; d /= 2 {
			for i := 0; i < p; i += 2 * d {
				all = append(all, content{i, i + d, holds(func(s int) bool { return s >= i+d && s < i+2*d }), false})
			}
		}
		doubling()
	case collective.Reduce:
		halving()
		for d := 1; d < p; d *= 2 {
			for i := 0; i < p; i += 2 * d {
				all = append(all, content{i + d, i, holds(func(s int) bool { return s >= i+d && s < i+2*d }), false})
			}
		}
	}
	return all, p
}

// directContent is every rank to every other at once. Shards are n, of
// all-to-all n of each rank: shard i*n+j is what i has for j.
func directContent(op collective.Op, n int) (all []content, shards int) {
	pairs := func(shards func(from, to int) []int, reduce bool) {
		for i := range n {
			for d := 1; d < n; d++ {
				j := (i + d) % n
				all = append(all, content{i, j, shards(i, j), reduce})
			}
		}
	}
	everything := make([]int, n)
	for i := range everything {
		everything[i] = i
	}
	switch op {
	case collective.AllReduce, collective.ReduceScatter:
		pairs(func(_, to int) []int { return []int{to} }, true)
		if op == collective.AllReduce {
			pairs(func(from, _ int) []int { return []int{from} }, false)
		}
	case collective.AllGather:
		pairs(func(from, _ int) []int { return []int{from} }, false)
	case collective.AllToAll:
		pairs(func(from, to int) []int { return []int{from*n + to} }, false)
	case collective.Broadcast:
		for i := 1; i < n; i++ {
			all = append(all, content{0, i, everything, false})
		}
	case collective.Reduce:
		for i := 1; i < n; i++ {
			all = append(all, content{i, 0, everything, true})
		}
	}
	if op == collective.AllToAll {
		return all, n * n
	}
	return all, n
}

// patContent is Bruck's all-gather with the farthest first, and the same backwards
// with sums: at distance d rank i has the shards of i, i-2d, i-4d and so on, and
// i+d, which lacks them, gets those that are not its own.
func patContent(op collective.Op, n int) (all []content, shards int) {
	for d := 1 << (bits.Len(uint(n-1)) - 1); d >= 1; d /= 2 {
		for i := range n {
			var some []int
			for s := 0; s+d < n; s += 2 * d {
				some = append(some, (i-s+n)%n)
			}
			all = append(all, content{i, (i + d) % n, some, false})
		}
	}
	if op == collective.ReduceScatter {
		var back []content
		for first := len(all) - n; first >= 0; first -= n {
			for _, c := range all[first : first+n] {
				back = append(back, content{c.to, c.from, c.shards, true})
			}
		}
		all = back
	}
	return all, n
}

// sendContent is every rank's own vector to the next.
func sendContent(n int) (all []content, shards int) {
	for i := range n {
		all = append(all, content{i, (i + 1) % n, []int{i}, false})
	}
	return all, n
}

// buffers are the ranks' memories: of each shard, whose contributions are in it.
type buffers [][]uint64

// initial is what each rank has before the operation.
func initial(op collective.Op, n, shards int, owner func(shard int) (rank int)) buffers {
	b := make(buffers, n)
	for r := range b {
		b[r] = make([]uint64, shards)
		for s := range b[r] {
			mine := true
			switch op {
			case collective.AllGather, collective.AllToAll, collective.SendRecv:
				mine = owner(s) == r
			case collective.Broadcast:
				mine = r == 0
			}
			if mine {
				b[r][s] = 1 << r
			}
		}
	}
	return b
}

// promised says which contributions rank r must have in shard s at the end.
func promised(op collective.Op, n, s, r int, owner func(int) int) (want uint64, matters bool) {
	all := uint64(1)<<n - 1
	switch op {
	case collective.AllReduce:
		return all, true
	case collective.AllGather:
		return 1 << owner(s), true
	case collective.AllToAll:
		return 1 << owner(s), s%n == r
	case collective.Broadcast:
		return 1, true
	case collective.Reduce:
		return all, r == 0
	case collective.SendRecv:
		return 1 << owner(s), (owner(s)+1)%n == r || owner(s) == r
	}
	return 0, false // reduce-scatter is counted by the caller
}

// replay performs the messages as data. A message holds what its sender is
// certain to have: its own, and what came by messages that precede it by After.
func replay(t *testing.T, op collective.Op, n int, messages []collective.Message, want []content, shards int, size float64, owner func(int) int) {
	t.Helper()
	if len(messages) != len(want) {
		t.Fatalf("%d messages; the algorithm has %d", len(messages), len(want))
	}
	words := (len(messages) + 63) / 64
	before := make([][]uint64, len(messages)) // messages that have arrived when this one is sent
	payload := make([][]uint64, len(messages))
	start := initial(op, n, shards, owner)
	deliver := func(buffer []uint64, m int) {
		for i, s := range want[m].shards {
			if !want[m].reduce {
				buffer[s] = payload[m][i]
				continue
			}
			if buffer[s]&payload[m][i] != 0 {
				t.Fatalf("message %d adds contributions %b to shard %d of rank %d, which has %b: counted twice", m, payload[m][i], s, want[m].to, buffer[s])
			}
			buffer[s] |= payload[m][i]
		}
	}
	for m, message := range messages {
		if message.From != want[m].from || message.To != want[m].to {
			t.Fatalf("message %d goes from %d to %d; the algorithm sends from %d to %d", m, message.From, message.To, want[m].from, want[m].to)
		}
		if got, share := message.Share*size, float64(len(want[m].shards))*size/unit(op, n, shards); math.Abs(got-share) > 1e-9*share {
			t.Fatalf("message %d has %v bytes; %d shards are %v", m, got, len(want[m].shards), share)
		}
		before[m] = make([]uint64, words)
		for _, a := range message.After {
			if a >= m || messages[a].To != message.From && messages[a].From != message.From {
				t.Fatalf("message %d of rank %d waits for message %d from rank %d to rank %d", m, message.From, a, messages[a].From, messages[a].To)
			}
			before[m][a/64] |= 1 << (a % 64)
			for w := range words {
				before[m][w] |= before[a][w]
			}
		}
		buffer := append([]uint64(nil), start[message.From]...)
		for a := range m {
			if before[m][a/64]>>(a%64)&1 == 1 && messages[a].To == message.From {
				deliver(buffer, a)
			}
		}
		for _, s := range want[m].shards {
			if buffer[s] == 0 {
				t.Fatalf("message %d: rank %d is to send shard %d, which it is not certain to have", m, message.From, s)
			}
			payload[m] = append(payload[m], buffer[s])
		}
	}
	full := make([]int, n) // complete shards of each rank
	for m := range messages {
		deliver(start[messages[m].To], m)
	}
	for r := range n {
		for s := range shards {
			if want, matters := promised(op, n, s, r, owner); matters && start[r][s] != want {
				t.Fatalf("in the end rank %d has contributions %b in shard %d, not %b", r, start[r][s], s, want)
			}
			if start[r][s] == 1<<n-1 {
				full[r]++
			}
		}
	}
	if op == collective.ReduceScatter {
		for r, count := range full {
			if count*n != shards {
				t.Fatalf("in the end rank %d has %d complete shards of %d", r, count, shards)
			}
		}
	}
}

// unit is how many shards make up a size.
func unit(op collective.Op, n, shards int) float64 {
	switch op {
	case collective.AllToAll:
		return float64(n)
	case collective.SendRecv:
		return 1
	}
	return float64(shards)
}

func messagesOf(t *testing.T, p *collective.Plan) []collective.Message {
	t.Helper()
	var all []collective.Message
	if err := p.Explode(func(m collective.Message) {
		m.After = append([]int(nil), m.After...)
		all = append(all, m)
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// ringsOf reads the rings off the first step of a plan's messages.
func ringsOf(t *testing.T, messages []collective.Message, n int) [][]int {
	t.Helper()
	var rings [][]int
	for at := 0; at+n <= len(messages) && len(messages[at].After) == 0; at += n {
		var ring []int
		for _, m := range messages[at : at+n] {
			ring = append(ring, m.From)
		}
		rings = append(rings, ring)
	}
	return rings
}

var (
	everyOp        = []collective.Op{collective.AllReduce, collective.AllGather, collective.ReduceScatter, collective.AllToAll, collective.Broadcast, collective.Reduce, collective.SendRecv}
	everyAlgorithm = []collective.Algorithm{collective.Ring, collective.HalvingDoubling, collective.Direct, collective.PAT}
)

// totalShare is the bytes that all ranks send together, per byte of the size.
func totalShare(op collective.Op, a collective.Algorithm, n int) float64 {
	f := float64(n)
	p := math.Exp2(math.Floor(math.Log2(f)))
	switch {
	case n == 1:
		return 0
	case op == collective.SendRecv:
		return f
	case a == collective.HalvingDoubling && op == collective.AllReduce:
		return 2*(p-1) + 2*(f-p)
	case a == collective.HalvingDoubling && (op == collective.Broadcast || op == collective.Reduce):
		return math.Log2(p)/2 + p - 1
	case op == collective.AllReduce:
		return 2 * (f - 1)
	}
	return f - 1
}

// After the last message every rank has what the operation promises, whatever
// the order in which messages that do not wait for each other arrive.
func TestDataArrives(t *testing.T) {
	const size = 1 << 20
	for _, op := range everyOp {
		for _, a := range everyAlgorithm {
			for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 16, 17} {
				plan, err := collective.NewPlanner(star(n)).Plan(op, a, accelerators(n))
				if err != nil {
					continue // TestWhatAnAlgorithmCannot
				}
				t.Run(fmt.Sprintf("%v/%v/%d", op, a, n), func(t *testing.T) {
					var want []content
					var shards int
					owner := func(s int) int { return s }
					if a == collective.Ring && n > 1 && (op == collective.Broadcast || op == collective.Reduce) {
						if err := plan.Explode(func(collective.Message) {}); err == nil {
							t.Fatal("a pipelined chain was expanded")
						}
						if got := plan.Phases[0].Share; got != 1 {
							t.Errorf("every hop of the chain moves %v sizes, not 1", got)
						}
						return
					}
					messages := messagesOf(t, plan)
					switch {
					case n == 1:
						if len(messages) != 0 {
							t.Fatalf("one rank sends %d messages", len(messages))
						}
						return
					case op == collective.SendRecv:
						want, shards = sendContent(n)
					case a == collective.Ring:
						want, shards = ringContent(op, [][]int{ringsOf(t, messages, n)[0]})
					case a == collective.HalvingDoubling:
						want, shards = halvingContent(op, n)
					case a == collective.PAT:
						want, shards = patContent(op, n)
					default:
						want, shards = directContent(op, n)
						if op == collective.AllToAll {
							owner = func(s int) int { return s / n }
						}
					}
					replay(t, op, n, messages, want, shards, size, owner)
					sum := 0.0
					for _, m := range messages {
						sum += m.Share
					}
					if want := totalShare(op, a, n); math.Abs(sum-want) > 1e-9*want {
						t.Errorf("all ranks together send %v sizes, not %v", sum, want)
					}
					if count, _, err := collective.Messages(op, a, n); err != nil || count != len(messages) {
						t.Errorf("Messages is %d (%v); there are %d", count, err, len(messages))
					}
				})
			}
		}
	}
}

// The same over the several rings of hosts with several NICs.
func TestDataArrivesOverManyRings(t *testing.T) {
	for _, host := range []struct{ accelerators, nics, hosts int }{{4, 4, 3}, {8, 4, 2}, {4, 2, 4}, {3, 3, 2}, {2, 1, 5}} {
		for _, op := range []collective.Op{collective.AllReduce, collective.AllGather, collective.ReduceScatter} {
			t.Run(fmt.Sprintf("%v/%d_accelerators_%d_nics_%d_hosts", op, host.accelerators, host.nics, host.hosts), func(t *testing.T) {
				topo := rail(host.hosts, host.accelerators, host.nics)
				n := topo.Accelerators()
				plan, err := collective.NewPlanner(topo).Plan(op, collective.Ring, accelerators(n))
				if err != nil {
					t.Fatal(err)
				}
				messages := messagesOf(t, plan)
				rings := ringsOf(t, messages, n)
				if len(rings) != host.nics {
					t.Fatalf("%d rings over hosts of %d NICs", len(rings), host.nics)
				}
				want, shards := ringContent(op, rings)
				place := map[int]int{}
				for c, ring := range rings {
					for p, r := range ring {
						place[c*n+p] = r
					}
				}
				replay(t, op, n, messages, want, shards, 1<<20, func(s int) int { return place[s] })
			})
		}
	}
}

// The links out of the accelerators of a star carry what the ranks send: the
// coupled form moves the same bytes as the exploded one.
func TestCoupledBytes(t *testing.T) {
	for _, op := range everyOp {
		for _, a := range everyAlgorithm {
			for _, n := range []int{2, 3, 4, 7, 8, 32} {
				topo := star(n)
				plan, err := collective.NewPlanner(topo).Plan(op, a, accelerators(n))
				if err != nil {
					continue
				}
				sum := 0.0
				for _, f := range plan.Phases {
					for i, l := range f.Links {
						if int(topo.Links[l].From) < n {
							sum += f.Counts[i] * f.Share
						}
					}
				}
				if want := totalShare(op, a, n); math.Abs(sum-want) > 1e-9*want {
					t.Errorf("%v %v n=%d: accelerators send %v sizes, not %v", op, a, n, sum, want)
				}
			}
		}
	}
}
