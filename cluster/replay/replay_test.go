package replay_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/replay"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/trace"
)

// Links carry 1 MB in 20 us, and take 1 us to begin.
const (
	bandwidth = 50e9
	latency   = units.Duration(sim.Microsecond)
)

// Nodes as the feeder's JSON: the first few of what most tests need.
func compute(id, micros int, after ...int) string {
	return fmt.Sprintf(`{"Id": %d, "NodeType": 4, "runtime": %d, "data_deps": %s}`, id, micros, list(after))
}

func collectively(id int, kind trace.Kind, bytes int, group string, after ...int) string {
	g := ""
	if group != "" {
		g = fmt.Sprintf(`"pg_name": %q, `, group)
	}
	return fmt.Sprintf(`{"Id": %d, "NodeType": 7, "comm_type": %d, "comm_size": %d, %s"data_deps": %s}`, id, kind, bytes, g, list(after))
}

func send(id, to, tag, bytes int, after ...int) string {
	return fmt.Sprintf(`{"Id": %d, "NodeType": 5, "comm_dst": %d, "comm_tag": %d, "comm_size": %d, "data_deps": %s}`, id, to, tag, bytes, list(after))
}

func receive(id, from, tag, bytes int, after ...int) string {
	return fmt.Sprintf(`{"Id": %d, "NodeType": 6, "comm_src": %d, "comm_tag": %d, "comm_size": %d, "data_deps": %s}`, id, from, tag, bytes, list(after))
}

func list(ids []int) string { return strings.ReplaceAll(fmt.Sprint(ids), " ", ", ") }

// read makes a trace of nodes.
func read(t testing.TB, nodes ...string) *trace.Trace {
	t.Helper()
	got, err := trace.Read(strings.NewReader(`{"workload_graph": [` + strings.Join(nodes, ", ") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// run replays traces on so many accelerators and gives the finish of each rank
// in us.
func run(t testing.TB, top *topology.Topology, j *replay.Job) ([]float64, error) {
	t.Helper()
	if err := j.Validate(); err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	c := cluster.New(engine, top, 16)
	c.Submit(&cluster.Job{Name: "job", Count: j.Ranks, Program: j})
	err := engine.Run(context.Background())
	if err == nil {
		err = c.Err
	}
	finish := make([]float64, j.Ranks)
	for i := range finish {
		at, done := j.Finish(i)
		if !done {
			finish[i] = math.NaN()
			continue
		}
		finish[i] = at.Seconds() * 1e6
	}
	return finish, err
}

func ring(t testing.TB, n int) *topology.Topology {
	t.Helper()
	top, err := topology.Ring(n, bandwidth, latency)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func around(t testing.TB, n int) *topology.Topology { // a switch
	t.Helper()
	top, err := topology.Switch(n, bandwidth, latency)
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b)+1e-5 }

// Each collective alone, 1 MB given in by each of four ranks: 20 us on a link.
func TestCollectives(t *testing.T) {
	const n, whole, part = 4, 20.0, 5.0 // us for 1 MB and for a quarter
	for _, c := range []struct {
		kind      trace.Kind
		top       *topology.Topology
		algorithm collective.Algorithm
		want      float64
	}{
		{trace.AllReduce, ring(t, n), collective.Ring, 2 * 3 * (1 + part)},
		{trace.AllGather, ring(t, n), collective.Ring, 3 * (1 + whole)}, // a shard is what each gives in
		{trace.ReduceScatter, ring(t, n), collective.Ring, 3 * (1 + part)},
		{trace.ReduceScatterBlock, ring(t, n), collective.Ring, 3 * (1 + part)},
		{trace.AllToAll, around(t, n), collective.Direct, 1 + 3*part},
		{trace.AllToAll, around(t, n), collective.Ring, 1 + 3*part},  // a ring cannot
		{trace.Broadcast, ring(t, n), collective.Ring, 3*1 + whole},  // a pipeline
		{trace.Reduce, ring(t, n), collective.Ring, 3*1 + whole},     // a pipeline
		{trace.Gather, around(t, n), collective.Ring, 1 + 3*whole},   // all into the first
		{trace.Scatter, around(t, n), collective.Auto, 1 + 3*part},   // a quarter to each
		{trace.Barrier, ring(t, n), collective.Ring, 2 * 3 * 1.0000}, // of 4 bytes
	} {
		j := &replay.Job{Ranks: n, Traces: []*trace.Trace{read(t, collectively(1, c.kind, 1e6, ""))}, Algorithm: c.algorithm}
		finish, err := run(t, c.top, j)
		if err != nil {
			t.Errorf("%s: %v", c.kind, err)
			continue
		}
		for _, f := range finish {
			if math.Abs(f-c.want) > 2e-4 {
				t.Errorf("%s by %s: %v us, want %v", c.kind, c.algorithm, f, c.want)
			}
		}
		if warned := len(j.Warnings()) > 0; warned != (c.kind == trace.AllToAll && c.algorithm == collective.Ring) {
			t.Errorf("%s: %q", c.kind, j.Warnings())
		}
	}
}

// One computation, one of the host and one communication at a time, the lowest
// id first: of what is ready at one instant too.
func TestOrder(t *testing.T) {
	host := func(id, micros int, after ...int) string {
		return strings.Replace(compute(id, micros, after...), "{", `{"is_cpu_op": true, `, 1)
	}
	for _, c := range []struct {
		name  string
		nodes []string
		want  float64
	}{
		{"computations in a row", []string{compute(1, 10), compute(2, 20), compute(3, 30)}, 60},
		{"the host beside them", []string{compute(1, 10), host(2, 40), compute(3, 20), host(4, 5)}, 45},
		// 1 MB over a ring of two is 2 x (1 us + 10 us).
		{"a collective beside them", []string{compute(1, 10), collectively(2, trace.AllReduce, 1e6, ""), compute(3, 20)}, 30},
		{"collectives in a row", []string{collectively(1, trace.AllReduce, 1e6, ""), collectively(2, trace.AllReduce, 1e6, "")}, 44},
		// 4 becomes ready at 10 us, and so does 3, which goes first and lets 5 go.
		{"of one instant the lowest", []string{host(1, 10), compute(2, 10), compute(4, 100, 1), compute(3, 1, 2), host(5, 50, 3)}, 111},
		{"no time at all", []string{compute(1, 0), compute(2, 0, 1), compute(3, 0, 2)}, 0},
		{"nothing", nil, 0},
	} {
		finish, err := run(t, ring(t, 2), &replay.Job{Ranks: 2, Traces: []*trace.Trace{read(t, c.nodes...)}, Algorithm: collective.Ring})
		if err != nil || !near(finish[0], c.want) || !near(finish[1], c.want) {
			t.Errorf("%s: %v, %v; want %v", c.name, finish, err, c.want)
		}
	}
}

// A collective starts with the last of its members, and until it ends they are
// in exposed communication unless they compute.
func TestStraggler(t *testing.T) {
	traces := []*trace.Trace{
		read(t, compute(1, 10), collectively(2, trace.AllReduce, 1e6, "", 1), compute(3, 5, 1)),
		read(t, compute(1, 100), collectively(2, trace.AllReduce, 1e6, "", 1)),
	}
	j := &replay.Job{Ranks: 2, Traces: traces, Algorithm: collective.Ring}
	finish, err := run(t, ring(t, 2), j)
	if err != nil || !near(finish[0], 122) || !near(finish[1], 122) {
		t.Fatal(finish, err)
	}
	for rank, want := range [][3]float64{{15, 107, 5}, {100, 22, 0}} {
		l := j.Ledger(rank)
		got := [3]float64{l.Compute.Seconds() * 1e6, l.Exposed.Seconds() * 1e6, l.Overlapped.Seconds() * 1e6}
		for i := range got {
			if !near(got[i], want[i]) {
				t.Errorf("rank %d: compute, exposed, overlapped %v, want %v", rank, got, want)
			}
		}
	}
}

// Process groups: the ranks whose traces use them, those that the traces
// declare, and those of one trace moved along.
func TestGroups(t *testing.T) {
	// Ranks 0 and 2, and 1 and 3, on a ring of four: pairs two hops apart, whose
	// halves cross each link once, 2 x (2 us + 10 us).
	pair := func(name string) *trace.Trace { return read(t, collectively(1, trace.AllReduce, 1e6, name)) }
	finish, err := run(t, ring(t, 4), &replay.Job{Ranks: 4, Traces: []*trace.Trace{pair("a"), pair("b"), pair("a"), pair("b")}, Algorithm: collective.Ring})
	if err != nil || !near(finish[0], finish[2]) || !near(finish[1], finish[3]) {
		t.Fatal(finish, err)
	}
	// The pairs share the links, so each takes as long as alone only for the
	// latency: 2 x 2 us + 2 x 2 x 10 us.
	if !near(finish[0], 44) {
		t.Errorf("%v us, want 44", finish[0])
	}
	// One trace: members 0 and 2 of the first stand for pairs of four ranks.
	one := pair("a")
	one.Groups[1].Ranks = []int32{0, 2}
	moved, err := run(t, ring(t, 4), &replay.Job{Ranks: 4, Traces: []*trace.Trace{one}, Algorithm: collective.Ring})
	if err != nil || fmt.Sprint(moved) != fmt.Sprint(finish) {
		t.Errorf("%v, %v; each by its own trace %v", moved, err, finish)
	}
	// Members that cannot be moved along are taken as all, with a warning.
	one.Groups[1].Ranks = []int32{0, 1, 3}
	j := &replay.Job{Ranks: 4, Traces: []*trace.Trace{one}, Algorithm: collective.Ring}
	finish, err = run(t, ring(t, 4), j)
	if err != nil || !near(finish[0], 36) || len(j.Warnings()) != 1 { // 2 x 3 x (1 + 5)
		t.Errorf("%v, %v, %q", finish, err, j.Warnings())
	}
	// A group of one has nothing to do.
	one.Groups[1].Ranks = []int32{0}
	if finish, err = run(t, ring(t, 4), &replay.Job{Ranks: 4, Traces: []*trace.Trace{one}}); err != nil || finish[3] != 0 {
		t.Errorf("%v, %v", finish, err)
	}
}

// The second collective of one member meets the second of the other, whatever
// it is; the first's operation is taken.
func TestMismatch(t *testing.T) {
	traces := []*trace.Trace{
		read(t, collectively(1, trace.AllReduce, 1e6, ""), collectively(2, trace.AllReduce, 1e6, "")),
		read(t, collectively(1, trace.AllReduce, 1e6, ""), collectively(2, trace.AllGather, 1e6, "")),
	}
	j := &replay.Job{Ranks: 2, Traces: traces, Algorithm: collective.Ring}
	finish, err := run(t, ring(t, 2), j)
	if err != nil || !near(finish[0], 44) || len(j.Warnings()) != 1 {
		t.Errorf("%v, %v, %q", finish, err, j.Warnings())
	}
}

// Messages: the n-th receive under a tag takes the n-th message; a message goes
// off when it is sent.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []string // of ranks 0 and 1
		want [2]float64
	}{
		{"received at once", []string{send(1, 1, 0, 1e6)}, []string{receive(1, 0, 0, 1e6)}, [2]float64{21, 21}},
		{"received late", []string{send(1, 1, 0, 1e6)}, []string{compute(1, 50), receive(2, 0, 0, 1e6, 1)}, [2]float64{21, 50}},
		{"sent late", []string{compute(1, 50), send(2, 1, 0, 1e6, 1)}, []string{receive(1, 0, 0, 1e6)}, [2]float64{71, 71}},
		{
			"by tag",
			[]string{send(1, 1, 7, 1e6), send(2, 1, 8, 2e6, 1)},
			[]string{receive(1, 0, 8, 2e6), receive(2, 0, 7, 1e6), compute(3, 100, 2)},
			[2]float64{62, 121},
		}, // the receive of tag 7 does not wait for that of tag 8
		{
			"in turn",
			[]string{send(1, 1, 0, 1e6), send(2, 1, 0, 2e6)},
			[]string{receive(1, 0, 0, 1e6), compute(2, 5, 1), receive(3, 0, 0, 2e6, 2)},
			[2]float64{62, 62},
		},
		{"to itself", []string{send(1, 0, 0, 1e6), receive(2, 0, 0, 1e6)}, nil, [2]float64{0, 0}},
		{
			"both ways",
			[]string{send(1, 1, 0, 1e6), receive(2, 1, 0, 1e6, 1)},
			[]string{send(1, 0, 0, 1e6), receive(2, 0, 0, 1e6, 1)},
			[2]float64{21, 21},
		}, // though each receives only after it has sent
	} {
		finish, err := run(t, around(t, 2), &replay.Job{Ranks: 2, Traces: []*trace.Trace{read(t, c.a...), read(t, c.b...)}})
		if err != nil || !near(finish[0], c.want[0]) || !near(finish[1], c.want[1]) {
			t.Errorf("%s: %v, %v; want %v", c.name, finish, err, c.want)
		}
	}
}

// What cannot go on says who waits for what.
func TestDeadlock(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []string
		want []string
	}{
		{"no send", []string{compute(1, 5)}, []string{receive(4, 0, 7, 1)}, []string{"job rank 1 node 4 (receive) waits for a send of rank 0 with tag 7"}},
		{"no receive", []string{send(1, 1, 7, 1)}, []string{compute(1, 5)}, []string{"job rank 0 with 1 messages to rank 1 waits for a receive of them with tag 7"}},
		{"no partner", []string{collectively(3, trace.AllReduce, 8, "")}, nil, []string{"job rank 0 node 3 (all_reduce) waits for rank 1"}},
		{"a circle of data", []string{compute(1, 5), compute(2, 5, 4), compute(3, 5, 2), compute(4, 5, 3), compute(5, 1, 4)}, nil, []string{"deadlock: nothing is pending and 1 wait; job rank 0 node", "waits for it in turn"}},
	} {
		_, err := run(t, ring(t, 2), &replay.Job{Ranks: 2, Traces: []*trace.Trace{read(t, c.a...), read(t, c.b...)}})
		if _, ok := errors.AsType[*sim.DeadlockError](err); !ok {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", c.name, err, want)
			}
		}
	}
}

// num_ops and tensor_size stand for a duration where the accelerators have
// rates.
func TestRoofline(t *testing.T) {
	a := topology.Accelerator{MemoryBandwidth: 2e12, MemoryEfficiency: 0.9, MatrixEfficiency: 0.8}
	a.Peak[topology.BF16] = 300e12
	node := func(rest string) *trace.Trace { return read(t, `{"Id": 1, "NodeType": 4, `+rest+`}`) }
	for _, c := range []struct {
		node string
		want float64 // us
	}{
		{`"num_ops": 24e9, "tensor_size": 18e6`, 100},                  // 24e9 / (300e12 x 0.8), and 10 us of memory
		{`"num_ops": 24e8, "tensor_size": 18e7`, 100},                  // 18e7 / (2e12 x 0.9), and 10 us of arithmetic
		{`"num_ops": 24e9, "tensor_size": 18e6, "runtime": 7`, 7},      // a duration counts
		{`"num_ops": 24e9, "is_cpu_op": false, "tensor_size": 0`, 100}, // arithmetic alone
	} {
		j := &replay.Job{Ranks: 1, Traces: []*trace.Trace{node(c.node)}, Roofline: cluster.Roofline{Accelerator: a}}
		if finish, err := run(t, ring(t, 2), j); err != nil || !near(finish[0], c.want) {
			t.Errorf("%s: %v us, %v; want %v", c.node, finish, err, c.want)
		}
	}
	err := (&replay.Job{Ranks: 1, Traces: []*trace.Trace{node(`"num_ops": 5`)}}).Validate()
	if err == nil || !strings.Contains(err.Error(), "rank 0: node 1 has no duration but num_ops") {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	one := read(t, compute(1, 5))
	for _, c := range []struct {
		name string
		job  replay.Job
		want string
	}{
		{"no ranks", replay.Job{Traces: []*trace.Trace{one}}, "1 traces for 0 ranks"},
		{"too few traces", replay.Job{Ranks: 3, Traces: []*trace.Trace{one, one}}, "2 traces for 3 ranks"},
		{"messages of one trace", replay.Job{Ranks: 4, Traces: []*trace.Trace{read(t, send(1, 1, 0, 5))}}, "cannot stand for 4 ranks"},
		{"a rank that is not there", replay.Job{Ranks: 2, Traces: []*trace.Trace{one, read(t, send(1, 9, 0, 5))}}, "rank 1: node 1 is a send with rank 9"},
	} {
		if err := c.job.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	two := read(t, collectively(1, trace.AllReduce, 8, "g"))
	two.Groups[1].Ranks = []int32{0, 5}
	if err := (&replay.Job{Ranks: 2, Traces: []*trace.Trace{two, two}}).Validate(); err == nil || !strings.Contains(err.Error(), `process group "g" has rank 5`) {
		t.Error(err)
	}
	if (&replay.Job{Ranks: 2, Traces: []*trace.Trace{one}}).Validate() != nil {
		t.Error("one trace for two ranks is refused")
	}
}
