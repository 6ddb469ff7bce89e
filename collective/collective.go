// Package collective turns a collective operation over ranks into phases of
// transfers that a network can carry.
//
// # Model
//
// An algorithm is a list of rounds. In a round some ranks send messages of one
// size at once; a rank that sends waits for what it received before. A [Plan]
// is an algorithm laid over the routes of a topology, for any size. It comes in
// two forms:
//
//   - coupled: each round is one activity of the network whose hops all move at
//     the pace of the slowest; the equal rounds of a ring are a single one. The
//     cost is that of the links used, not of the messages sent.
//   - exploded: every message is a transfer of its own, which waits for the
//     messages that its sender needs. It is there for stragglers, for failed
//     links, and to check the coupled form by.
//
// On links that are alike and otherwise idle both take the same time. With n
// ranks, size S, bandwidth b and latency l (Thakur, Rabenseifner, Gropp,
// "Optimization of collective communication operations in MPICH", 2005):
//
//	ring all-reduce                 2(n-1) (l + S/n/b)
//	ring all-gather, reduce-scatter  (n-1) (l + S/n/b)
//	halving-doubling all-reduce     2 sum over i = 1..log2 n of (l + S/2^i/b)
//	direct all-to-all on a switch   l + (n-1) S/n/b
//	hierarchical all-reduce         2 sum over dimensions d of (k_d-1) (l_d + S/(k_1 .. k_d)/b_d)
//	the same on D alike rings       2 D (k-1) l + 2(n-1) S/n/(2 D b)
//
// An exploded message leaves once its sender has received what it passes on and the
// message before in its queue, to the same peer and by the same channel, has left; a
// queue of a ring so has one message at a time on a link, which has the share that a
// hop of the coupled form has.
//
// On links that are not alike the coupled form holds every hop to the pace of
// the slowest, where the exploded form lets fast ones run ahead until they wait
// for data; both end when the slowest link has carried its share. The coupled
// latency is that of the longest chain of messages, added to the time of the bytes;
// in the exploded form it passes while messages wait in queues. So without other
// traffic a ring takes at least half as long exploded as coupled, and at most as long.
// Beside other transfers it takes, in either form, no more than its latency and its
// bytes at the least share that a link can leave a hop, its capacity over hops and
// transfers. Rounds to several peers may meet on a link, which barriers forbid: over
// 332 topologies of all kinds coupled over exploded is 0.70 to 1.43 for
// halving-doubling and 0.58 to 2.15 for PAT, and 1 to 1.66 for what sends to all at
// once. Rings of several NICs agree to 0.5 % for large sizes and 5 % for small ones.
//
// Reduction is taken to keep pace with the links. Rings between hosts follow
// NCCL's channels: as many rings as a host has NICs, each of which enters and
// leaves a host by another one.
//
// # What the library adds
//
// Between bare accelerators nothing. On hosts a plan of t seconds of bytes at the
// rate of its links, of s steps inside hosts and r between them, takes
//
//	start + s step + r network + lost t + ramp(t) + t
//
// by the [Protocol] for which that is least. All but the last t pass before the first
// byte, so that links carry the payload and no more; start, step and network are
// figures of the host, and lost is
//
//   - what the protocol leaves of the rate, LL a quarter and LL128 less than half;
//   - what the algorithm leaves: sums in switches and trees reach less than rings;
//   - the copy of a rank's own part in all-gather, reduce-scatter and all-to-all.
//
// ramp is what Simple loses until its pipelines are full. [Planner.Plans] are the
// algorithms that NCCL has for an operation on such ranks, and [Plans.Fastest] takes as
// its tuner does the one that is predicted to be the fastest; NCCL predicts by bounds
// of its own and so changes over at other sizes. Errors against published runs are in
// docs/validation.md.
//
// # Sizes
//
// A size is the whole buffer of one rank as nccl-tests counts it: for
// all-reduce, broadcast and reduce the vector; for all-gather the gathered
// result; for reduce-scatter the input; for all-to-all all that one rank sends,
// its own part included; for send-recv the message.
package collective

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// Op is a collective operation.
type Op uint8

// The operations.
const (
	AllReduce Op = iota
	AllGather
	ReduceScatter
	AllToAll
	Broadcast // from rank 0
	Reduce    // to rank 0
	SendRecv  // every rank to the next
)

var opNames = []string{"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "send_recv"}

// String is the name as a scenario writes it: "all_reduce".
func (o Op) String() string { return opNames[o] }

// ParseOp finds an operation by its name.
func ParseOp(name string) (Op, bool) {
	for i, n := range opNames {
		if n == name {
			return Op(i), true
		}
	}
	return 0, false
}

// Algorithm is a way to perform an operation, by its name: one of those below, or one
// of the planner's [Own].
type Algorithm string

// The algorithms. Auto is the fastest predicted on an idle network.
const (
	Auto            Algorithm = ""
	Ring            Algorithm = "ring"
	HalvingDoubling Algorithm = "halving-doubling"
	Direct          Algorithm = "direct"
	Tree            Algorithm = "tree"         // double binary trees
	Hierarchical    Algorithm = "hierarchical" // along dimensions, or inside hosts and along rails
	NVLS            Algorithm = "nvls"         // sums in the switches of hosts; trees between them
	SHARP           Algorithm = "sharp"        // sums in the switches of the fabric, too
	PAT             Algorithm = "pat"          // Bruck's exchange, the farthest first
)

// Algorithms are the names of all of these.
func Algorithms() []string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = a.String()
	}
	return names
}

var algorithms = []Algorithm{Auto, Ring, HalvingDoubling, Direct, Tree, Hierarchical, NVLS, SHARP, PAT}

// String is the name as a scenario writes it: "halving-doubling".
func (a Algorithm) String() string {
	if a == Auto {
		return "auto"
	}
	return string(a)
}

// ParseAlgorithm gives the algorithm of a name, and whether it is one of those above.
func ParseAlgorithm(name string) (Algorithm, bool) {
	a := Algorithm(name)
	if name == Auto.String() {
		a = Auto
	}
	return a, name != "" && slices.Contains(algorithms, a)
}

// Bandwidth gives the algorithm bandwidth, size over time, and the bus
// bandwidth of nccl-tests in B/s: the rate of the wire that an ideal algorithm
// would need for that time (nccl-tests, doc/PERFORMANCE.md). Both are 0 for a
// time of 0.
func Bandwidth(op Op, ranks int, size, seconds float64) (algbw, busbw float64) {
	if seconds == 0 {
		return 0, 0
	}
	algbw = size / seconds
	n := float64(ranks)
	switch op {
	case AllReduce:
		return algbw, algbw * 2 * (n - 1) / n
	case AllGather, ReduceScatter, AllToAll:
		return algbw, algbw * (n - 1) / n
	}
	return algbw, algbw
}

// MaxHops bounds the links that all messages of a plan cross together, and so
// the time that planning takes: a second or so.
const MaxHops = 1 << 28

// MaxDirectRanks bounds the algorithms in which every rank sends to every
// other, whose messages grow with the square of the ranks.
const MaxDirectRanks = 4096

// round is messages of one size sent at once, repeated so many times. In a ring
// each repetition passes on what came in the one before.
type round struct {
	share  float64 // of the size, a message
	repeat int
	// ring is how many messages that follow each other form each of the rings that a
	// repeated round goes round.
	ring int
	// chain marks a pipeline: each message is passed on while it arrives. There may be
	// several lanes, which do not wait for each other, of as many messages each.
	chain bool
	lanes int
	sends iter.Seq2[int, int] // from, to; of a pipeline each after those it passes on
	// switched marks one whose sums are made in switches; see layReduction.
	switched bool
}

// layout is where the ranks of a group are: by number, the members of each host
// together, and for each channel the same with the ranks in the order of its ring.
type layout struct {
	hosts    [][]int
	channels [][][]int
}

// rounds gives the rounds of an algorithm over n ranks. order holds the rings,
// each a permutation of the ranks.
func rounds(op Op, a Algorithm, n int, order [][]int) ([]round, error) {
	if n == 1 {
		return nil, nil
	}
	switch a {
	case Ring:
		return ringRounds(op, n, order)
	case HalvingDoubling:
		return halvingRounds(op, n)
	case PAT:
		return patRounds(op, n)
	case Direct:
		if n > MaxDirectRanks {
			return nil, fmt.Errorf("direct takes at most %d ranks, not %d: its messages grow with their square", MaxDirectRanks, n)
		}
		return directRounds(op, n)
	}
	panic(fmt.Sprintf("collective: rounds of algorithm %v", a))
}

func unsupported(op Op, a Algorithm, takes ...Op) error {
	names := make([]string, len(takes))
	for i, t := range takes {
		names[i] = t.String()
	}
	return fmt.Errorf("%s has no %s form; %s takes %s", op, a, a, strings.Join(names, ", "))
}

func ringRounds(op Op, n int, order [][]int) ([]round, error) {
	around := func(yield func(from, to int) bool) {
		for _, ring := range order {
			for i, r := range ring {
				if !yield(r, ring[(i+1)%n]) {
					return
				}
			}
		}
	}
	shard := 1 / float64(n) / float64(len(order))
	switch op {
	case AllReduce:
		return []round{{share: shard, repeat: 2 * (n - 1), ring: n, sends: around}}, nil
	case AllGather, ReduceScatter:
		return []round{{share: shard, repeat: n - 1, ring: n, sends: around}}, nil
	case SendRecv:
		return []round{{share: 1, repeat: 1, sends: neighbours(n)}}, nil
	case Broadcast, Reduce:
		along := func(yield func(from, to int) bool) {
			for i := range n - 1 {
				from, to := i, i+1
				if op == Reduce {
					from, to = n-1-i, n-2-i
				}
				if !yield(from, to) {
					return
				}
			}
		}
		return []round{{share: 1, repeat: 1, chain: true, lanes: 1, sends: along}}, nil
	}
	return nil, unsupported(op, Ring, AllReduce, AllGather, ReduceScatter, Broadcast, Reduce, SendRecv)
}

func neighbours(n int) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for i := range n {
			if !yield(i, (i+1)%n) {
				return
			}
		}
	}
}

func directRounds(op Op, n int) ([]round, error) {
	pairs := func(yield func(from, to int) bool) {
		for i := range n {
			for d := 1; d < n; d++ {
				if !yield(i, (i+d)%n) {
					return
				}
			}
		}
	}
	all := round{share: 1 / float64(n), repeat: 1, sends: pairs}
	switch op {
	case AllReduce:
		return []round{all, all}, nil
	case AllGather, ReduceScatter, AllToAll:
		return []round{all}, nil
	case SendRecv:
		return []round{{share: 1, repeat: 1, sends: neighbours(n)}}, nil
	}
	root := func(yield func(from, to int) bool) {
		for i := 1; i < n; i++ {
			from, to := 0, i
			if op == Reduce {
				from, to = i, 0
			}
			if !yield(from, to) {
				return
			}
		}
	}
	return []round{{share: 1, repeat: 1, sends: root}}, nil
}

// halvingRounds is recursive vector halving with distance doubling, and its
// reverse (Rabenseifner 2004): the largest messages go to the nearest ranks. An
// all-reduce over other than a power of two first folds the ranks beyond it
// into the first ones and in the end sends them the result.
func halvingRounds(op Op, n int) ([]round, error) {
	p := 1 << (bits.Len(uint(n)) - 1)
	if p != n && op != AllReduce {
		return nil, fmt.Errorf("halving-doubling of %s takes a power of two of ranks, not %d; the nearest are %d and %d", op, n, p, 2*p)
	}
	exchange := func(distance int, share float64) round {
		return round{share: share, repeat: 1, sends: func(yield func(from, to int) bool) {
			for i := range p {
				if !yield(i, i^distance) {
					return
				}
			}
		}}
	}
	var halving, doubling []round
	for d, share := 1, 0.5; d < p; d, share = 2*d, share/2 {
		halving = append(halving, exchange(d, share))
		doubling = append([]round{exchange(d, share)}, doubling...)
	}
	// tree is the binomial tree between rank 0 and all shards: at distance d,
	// the multiples of 2d send the half that belongs to the upper ranks.
	tree := func(d int, toRoot bool) round {
		return round{share: float64(d) / float64(p), repeat: 1, sends: func(yield func(from, to int) bool) {
			for i := 0; i < p; i += 2 * d {
				from, to := i, i+d
				if toRoot {
					from, to = to, from
				}
				if !yield(from, to) {
					return
				}
			}
		}}
	}
	switch op {
	case AllReduce:
		all := append(halving, doubling...)
		if extra := n - p; extra > 0 {
			fold := func(back bool) round {
				return round{share: 1, repeat: 1, sends: func(yield func(from, to int) bool) {
					for i := range extra {
						from, to := p+i, i
						if back {
							from, to = to, from
						}
						if !yield(from, to) {
							return
						}
					}
				}}
			}
			all = append(append([]round{fold(false)}, all...), fold(true))
		}
		return all, nil
	case AllGather:
		return doubling, nil
	case ReduceScatter:
		return halving, nil
	case Broadcast: // scatter, then all-gather (van de Geijn)
		var all []round
		for d := p / 2; d >= 1; d /= 2 {
			all = append(all, tree(d, false))
		}
		return append(all, doubling...), nil
	case Reduce: // reduce-scatter, then gather
		all := halving
		for d := 1; d < p; d *= 2 {
			all = append(all, tree(d, true))
		}
		return all, nil
	}
	return nil, unsupported(op, HalvingDoubling, AllReduce, AllGather, ReduceScatter, Broadcast, Reduce)
}
