package packet

import (
	"context"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// watch is what a test sees of a fabric.
type watch struct {
	f      *Fabric
	engine *sim.Engine
	ends   map[network.ID]sim.Time
	left   map[network.ID]sim.Time // senders, by all of a message
	sent   []float64               // payload over each link
	last   sim.Time

	// Called after each event on a link, if set.
	look func()
}

func (w *watch) Sent(l topology.LinkID, payload float64, from, now sim.Time) {
	w.sent[l] += payload
	if from > now || now < w.last {
		panic(fmt.Sprintf("time runs backwards: %v to %v after %v", from, now, w.last))
	}
	w.last = now
	if w.look != nil {
		w.look()
	}
}
func (w *watch) Waiting(topology.LinkID, bool, sim.Time) {}
func (w *watch) Left(id network.ID, now sim.Time)        { w.left[id] = now }
func (w *watch) Ended(id network.ID, now sim.Time)       { w.ends[id] = now }

// rate is that of links in the tests: a byte takes 2 ticks.
const (
	rate    = 50e9
	latency = sim.Microsecond
)

// star gives n links into a switch, numbered from 0, and n out of it.
func star(t testing.TB, n int, o Options) *watch { return links(t, 2*n, o) }

func links(t testing.TB, n int, o Options) *watch {
	t.Helper()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	bare := make([]topology.BareLink, n)
	for i := range bare {
		bare[i] = topology.BareLink{Name: fmt.Sprint(i), Capacity: rate, Latency: latency}
	}
	topo, err := topology.Links(bare)
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{engine: sim.New(), ends: map[network.ID]sim.Time{}, left: map[network.ID]sim.Time{}, sent: make([]float64, n)}
	w.f = New(w.engine, topo, o, w)
	return w
}

// carry sends messages over routes, all at once, and waits until all have ended.
func (w *watch) carry(t testing.TB, bytes float64, routes ...[]topology.LinkID) {
	t.Helper()
	for _, r := range routes {
		w.f.Join(r)
	}
	for i, r := range routes {
		w.f.Send(&network.Message{ID: network.ID(i), Bytes: bytes, Route: r})
	}
	w.run(t)
	if len(w.ends) != len(routes) {
		t.Fatalf("%d of %d messages ended", len(w.ends), len(routes))
	}
}

func (w *watch) run(t testing.TB) {
	t.Helper()
	if err := w.engine.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// incast is routes from all inputs but the first of a star to its first output.
func incast(n int) (routes [][]topology.LinkID) {
	for i := 1; i < n; i++ {
		routes = append(routes, []topology.LinkID{topology.LinkID(i), topology.LinkID(n)})
	}
	return routes
}

func ticks(bytes float64) sim.Time { return sim.Time(bytes * 2) }

// TestAloneOverHops: store and forward takes latencies + S/r + (n-1) MTU/r, and a
// last packet that is short catches up with nothing.
func TestAloneOverHops(t *testing.T) {
	o := Default()
	o.MTU = 1000
	for _, c := range []struct {
		hops  int
		bytes float64
		want  sim.Time
	}{
		{1, 1000, latency + ticks(1000)},
		{3, 1000, 3*latency + ticks(1000) + 2*ticks(1000)},
		{1, 1e6, latency + ticks(1e6)},
		{5, 1e6, 5*latency + ticks(1e6) + 4*ticks(1000)},
		// Only a short packet: each hop takes its own time.
		{4, 300, 4 * (latency + ticks(300))},
		// The short one waits behind the full one before it, on each hop.
		{4, 1300, 4*latency + ticks(1300) + 3*ticks(1000)},
	} {
		w := links(t, c.hops, o)
		route := make([]topology.LinkID, c.hops)
		for i := range route {
			route[i] = topology.LinkID(i)
		}
		w.carry(t, c.bytes, route)
		if w.ends[0] != c.want {
			t.Errorf("%v bytes over %d hops take %v, want %v", c.bytes, c.hops, w.ends[0], c.want)
		}
		if w.left[0] != ticks(c.bytes) {
			t.Errorf("%v bytes have left their sender at %v, want %v", c.bytes, w.left[0], ticks(c.bytes))
		}
	}
}

// TestHeadersAndAcknowledgement: 10 packets of 1000 bytes behind 64, and then 64
// bytes back over both hops.
func TestHeadersAndAcknowledgement(t *testing.T) {
	o := Default()
	o.MTU, o.Header, o.AwaitAcknowledge = 1000, 64, true
	w := links(t, 2, o)
	w.carry(t, 10_000, []topology.LinkID{0, 1})
	if want := 2*latency + 11*ticks(1064) + 2*(latency+ticks(64)); w.ends[0] != want {
		t.Errorf("ends at %v, want %v", w.ends[0], want)
	}
}

// TestOddRates: a packet that takes no whole number of ticks does not make a train
// of them late.
func TestOddRates(t *testing.T) {
	topo, err := topology.Links([]topology.BareLink{{Name: "a", Capacity: 900e9 / 7}})
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{engine: sim.New(), ends: map[network.ID]sim.Time{}, left: map[network.ID]sim.Time{}, sent: make([]float64, 1)}
	w.f = New(w.engine, topo, Default(), w)
	w.carry(t, 1e8, []topology.LinkID{0})
	if want := sim.FromSeconds(1e8 / (900e9 / 7)); w.ends[0] < want-1 || w.ends[0] > want+1 {
		t.Errorf("ends at %d ticks, want %d", w.ends[0], want)
	}
}

// TestFairShares: two messages that share their last link each get half of it, as do
// two that begin at one link.
func TestFairShares(t *testing.T) {
	const size = 1e6
	for name, routes := range map[string][][]topology.LinkID{
		"merge": {{0, 4}, {1, 4}},
		"split": {{0, 4}, {0, 5}},
	} {
		w := star(t, 4, Default())
		w.carry(t, size, routes...)
		for id, end := range w.ends {
			if e := float64(end-2*latency)/float64(ticks(2*size)) - 1; math.Abs(e) > 0.01 {
				t.Errorf("%s: message %d ends at %v, want both at about %v", name, id, end, 2*latency+ticks(2*size))
			}
		}
	}
}

// TestIncastPauses: with flow control seven senders to one keep its link busy to the
// end, lose nothing, and hold no more at a port than the threshold and what was on
// its way.
func TestIncastPauses(t *testing.T) {
	o := Default()
	o.Pause, o.Resume = 50_000, 10_000
	w := star(t, 8, o)
	most := int64(0)
	w.look = func() {
		for i := range w.f.ports {
			most = max(most, w.f.ports[i].held)
		}
	}
	w.carry(t, 1e6, incast(8)...)
	s := w.f.Stats()
	if s.Pauses == 0 || s.Lost != 0 {
		t.Errorf("%+v: want pauses and no losses", s)
	}
	headroom := int64(2*latency/2) + 2*o.MTU
	if bound := o.Pause + o.MTU + headroom; most > bound || most < o.Pause {
		t.Errorf("a port held up to %d bytes, want %d to %d", most, o.Pause, bound)
	}
	// The last link never waits: the first packet comes after a hop, then 7e6 bytes.
	if want := 2*latency + ticks(7e6) + ticks(4096); w.last != want-latency {
		t.Errorf("the last packet leaves at %v, want %v", w.last, want-latency)
	}
}

// TestHeadOfLineBlocking: a message to an idle output suffers from one that shares
// its input port with it and waits for a busy output.
func TestHeadOfLineBlocking(t *testing.T) {
	o := Default()
	o.Pause, o.Resume = 50_000, 10_000
	w := star(t, 8, o)
	routes := incast(8)
	w.carry(t, 1e6, append(routes, []topology.LinkID{1, 9})...)
	// Max-min would give the victim 6/7 of its input.
	alone := 2*latency + ticks(1e6)*7/6
	if victim := w.ends[network.ID(len(routes))]; victim < 2*alone {
		t.Errorf("the victim ends at %v, want far later than %v", victim, alone)
	}
}

// TestLossIsMadeGood: without flow control a small buffer loses packets, and still
// all messages come over whole.
func TestLossIsMadeGood(t *testing.T) {
	o := Default()
	o.PFC, o.Buffer = false, 40_000
	w := star(t, 8, o)
	w.carry(t, 1e6, incast(8)...)
	if s := w.f.Stats(); s.Lost == 0 || s.Pauses != 0 {
		t.Errorf("%+v: want losses and no pauses", s)
	}
	if w.sent[8] < 7e6 {
		t.Errorf("%v bytes over the last link, want all 7e6", w.sent[8])
	}
}

// TestDCQCNHoldsTheQueue: two senders of one link settle with its queue around the
// marking thresholds, far below the buffer, and the link stays busy. It takes a good
// ten milliseconds to recover from two line rates at once: 0.1 % of the line rate
// each 55 us.
func TestDCQCNHoldsTheQueue(t *testing.T) {
	o := Default()
	o.ECN, o.DCQCN = true, true
	w := star(t, 4, o)
	var sum, count, before float64
	const from = 20 * sim.Millisecond
	w.look = func() {
		if w.last < from {
			before = w.sent[4]
			return
		}
		sum += float64(w.f.ports[4].queued)
		count++
	}
	const size = 600e6
	w.carry(t, size, []topology.LinkID{0, 4}, []topology.LinkID{1, 4})
	low, high := float64(o.ECNMin)*rate/ReferenceRate, float64(o.ECNMax)*rate/ReferenceRate
	if mean := sum / count; mean > high || mean < low/10 {
		t.Errorf("the queue holds %.0f bytes in the mean, want it near %.0f to %.0f", mean, low, high)
	}
	if used := float64(ticks(w.sent[4]-before)) / float64(w.last-from); used < 0.9 {
		t.Errorf("the link is busy %.2f of the time", used)
	}
	if s := w.f.Stats(); s.Marked == 0 || s.Pauses != 0 {
		t.Errorf("%+v: want marks and no pauses", s)
	}
	if a, b := w.ends[0], w.ends[1]; math.Abs(float64(a-b)) > 0.2*float64(max(a, b)) {
		t.Errorf("unfair: %v and %v", a, b)
	}
}

// TestNDPIncast: in an incast over queues of eight packets nothing waits for a
// timeout: the last link is busy with data nearly all the time, and what was cut has
// come again.
func TestNDPIncast(t *testing.T) {
	o := Default()
	o.Transport = NDP
	w := star(t, 32, o)
	w.carry(t, 1e6, incast(32)...)
	s := w.f.Stats()
	if s.Trimmed == 0 || s.Lost != 0 {
		t.Errorf("%+v: want packets cut and none lost", s)
	}
	if w.sent[32] != 31e6 {
		t.Errorf("%v bytes of payload over the last link, want 31e6", w.sent[32])
	}
	if used := float64(ticks(31e6)) / float64(w.last); used < 0.95 {
		t.Errorf("the last link is busy %.3f of the time, want 0.95", used)
	}
}

// TestConservation sends random messages through leaves and spines: whatever the
// options, every byte goes over every link of its route, buffers stay within their
// bounds, and nothing is left behind.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const leaves, hosts, spines = 3, 3, 2
		o := Default()
		o.MTU = rapid.Int64Range(64, 5000).Draw(t, "mtu")
		o.Header = rapid.Int64Range(0, 100).Draw(t, "header")
		o.Buffer = rapid.Int64Range(20_000, 200_000).Draw(t, "buffer")
		o.PFC = rapid.Bool().Draw(t, "pfc")
		o.ECN = rapid.Bool().Draw(t, "ecn")
		o.DCQCN = o.ECN
		o.AwaitAcknowledge = rapid.Bool().Draw(t, "acknowledged")
		o.Resume = 2 * o.MTU
		if rapid.Bool().Draw(t, "ndp") {
			o.Transport = NDP
			o.MTU += 4 * signalSize
		}
		// Links: host up, host down, leaf up, leaf down.
		up := func(h int) topology.LinkID { return topology.LinkID(2 * h) }
		trunk := func(leaf, spine int) topology.LinkID {
			return topology.LinkID(2*leaves*hosts + 2*(leaf*spines+spine))
		}
		bare := make([]topology.BareLink, 2*leaves*(hosts+spines))
		for i := range bare {
			bare[i] = topology.BareLink{
				Name: fmt.Sprint(i), Capacity: rapid.SampledFrom([]float64{5e9, 50e9}).Draw(t, "rate"),
				Latency: rapid.SampledFrom([]sim.Time{0, sim.Microsecond}).Draw(t, "latency"),
			}
		}
		topo, err := topology.Links(bare)
		if err != nil {
			t.Fatal(err)
		}
		w := &watch{engine: sim.New(), ends: map[network.ID]sim.Time{}, left: map[network.ID]sim.Time{}, sent: make([]float64, len(bare))}
		w.f = New(w.engine, topo, o, w)
		w.look = func() {
			used := make([]int64, len(w.f.nodes))
			for i := range w.f.ports {
				p := &w.f.ports[i]
				used[w.f.whole(p.far)] += p.held
				if p.held < 0 || p.queued < 0 {
					t.Fatalf("link %d: %d held, %d queued", i, p.held, p.queued)
				}
				headroom := int64(2*float64(p.latency)/p.perByte) + 3*(o.MTU+o.Header)
				if threshold := int64(o.Alpha * float64(o.Buffer)); w.f.PFC && p.held > threshold+headroom {
					t.Fatalf("link %d holds %d at its end, more than %d and the headroom of %d", i, p.held, threshold, headroom)
				}
			}
			for i, u := range used {
				if w.f.nodes[i].over == int32(i) && u != w.f.nodes[i].used {
					t.Fatalf("node %d: %d used, its links hold %d", i, w.f.nodes[i].used, u)
				}
				if !w.f.PFC && w.f.Transport == RoCE && u > o.Buffer {
					t.Fatalf("node %d: %d used of a buffer of %d", i, u, o.Buffer)
				}
			}
		}
		want := make([]float64, len(bare))
		n := rapid.IntRange(1, 12).Draw(t, "messages")
		messages := make([]network.Message, n)
		for i := range messages {
			src := rapid.IntRange(0, leaves*hosts-1).Draw(t, "src")
			dst := rapid.IntRange(0, leaves*hosts-1).Draw(t, "dst")
			route := []topology.LinkID{up(src)}
			if src/hosts != dst/hosts {
				s := rapid.IntRange(0, spines-1).Draw(t, "spine")
				route = append(route, trunk(src/hosts, s), trunk(dst/hosts, s)+1)
			}
			route = append(route, up(dst)+1)
			bytes := rapid.Float64Range(0.5, 100_000).Draw(t, "bytes")
			messages[i] = network.Message{ID: network.ID(i), Bytes: bytes, Route: route}
			for _, l := range route {
				want[l] += bytes
			}
			w.f.Join(route)
		}
		for i := range messages {
			w.f.Send(&messages[i])
		}
		if err := w.engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(w.ends) != n {
			t.Fatalf("%d of %d messages ended", len(w.ends), n)
		}
		s := w.f.Stats()
		for l := range want {
			exact := math.Abs(w.sent[l]-want[l]) <= 1e-9*want[l]
			if !exact && (s.Lost == 0 && s.Trimmed == 0 || w.sent[l] < want[l]) {
				t.Fatalf("link %d: %v bytes, want %v (%+v)", l, w.sent[l], want[l], s)
			}
		}
		if w.f.PFC && s.Lost > 0 {
			t.Fatalf("%d packets lost with flow control", s.Lost)
		}
		for i := range w.f.nodes {
			if w.f.nodes[i].used != 0 {
				t.Fatalf("node %d still holds %d bytes", i, w.f.nodes[i].used)
			}
		}
		if len(w.f.idle) != len(w.f.messages)-1 {
			t.Fatalf("%d messages are not forgotten", len(w.f.messages)-1-len(w.f.idle))
		}
	})
}

// TestStopAndGo: a link that is down holds what there is, and goes on. Its sender does
// not take it for a slow one.
func TestStopAndGo(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"roce":  func(*Options) {},
		"dcqcn": func(o *Options) { o.ECN, o.DCQCN = true, true },
		"ndp":   func(o *Options) { o.Transport = NDP },
	} {
		for down := range topology.LinkID(2) {
			o := Default()
			change(&o)
			w := links(t, 2, o)
			route := []topology.LinkID{0, 1}
			w.f.Join(route)
			w.f.SetRate(down, 0)
			w.f.Send(&network.Message{Bytes: 1e5, Route: route})
			w.run(t)
			if len(w.ends) != 0 {
				t.Fatalf("%s: a message came over link %d, which is down", name, down)
			}
			up := w.engine.Now()
			w.f.SetRate(down, rate)
			w.run(t)
			if took := w.ends[0] - up; len(w.ends) != 1 || w.sent[1] != 1e5 || took > 3*latency+2*ticks(1e5) {
				t.Errorf("%s: %v bytes after %v: want the message to have come", name, w.sent[1], took)
			}
		}
	}
}

// TestSpray: on a fat tree of 4-port switches a message between pods has four shortest
// paths, which its packets take alike, and one NIC at each end.
func TestSpray(t *testing.T) {
	topo := fatTree(t, 4)
	o := Default()
	o.Transport = NDP
	w := &watch{engine: sim.New(), ends: map[network.ID]sim.Time{}, left: map[network.ID]sim.Time{}, sent: make([]float64, len(topo.Links))}
	w.f = New(w.engine, topo, o, w)
	const bytes = 400 * 4096
	w.f.Send(&network.Message{Bytes: bytes, Route: topo.Route(0, 12, 0, nil), From: 0, To: 12})
	w.run(t)
	count := map[float64]int{}
	for _, sent := range w.sent {
		count[sent]++
	}
	// Accelerator, NIC and back: 4 links with all; 2 up and 2 down with half; 4 and 4
	// to and from the core with a quarter.
	if count[bytes] != 4 || count[bytes/2] != 4 || count[bytes/4] != 8 {
		t.Errorf("links that carry so many bytes: %v", count)
	}
}

// TestSteadyStateAllocatesNothing runs the same messages again.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"roce":  func(*Options) {},
		"dcqcn": func(o *Options) { o.ECN, o.DCQCN = true, true },
		"loss":  func(o *Options) { o.PFC, o.Buffer = false, 100_000 },
		"ndp":   func(o *Options) { o.Transport = NDP },
	} {
		o := Default()
		change(&o)
		w := star(t, 8, o)
		routes := incast(8)
		for _, r := range routes {
			w.f.Join(r)
		}
		again := func() {
			for i, r := range routes {
				w.f.Send(&network.Message{ID: network.ID(i), Bytes: 1e6, Route: r})
			}
			w.run(t)
		}
		again()
		// The engine's queue grows by blocks now and then, and Validate's errors are none.
		if n := testing.AllocsPerRun(10, again); n > 20 {
			t.Errorf("%s: %v allocations for some 4,000 packet events", name, n)
		}
	}
}
