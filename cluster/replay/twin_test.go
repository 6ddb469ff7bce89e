package replay_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster/replay"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/workload/trace"
)

// A random graph of computations ends when a plain simulation says: at every
// microsecond that something ends, the lowest ready id for each of host and
// accelerator begins.
func TestTwin(t *testing.T) {
	ring := ring(t, 2)
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(rt, "nodes")
		micros, host, after := make([]int, n), make([]bool, n), make([][]int, n)
		var nodes []string
		for i := range n {
			micros[i] = rapid.IntRange(1, 4).Draw(rt, "micros")
			host[i] = rapid.Bool().Draw(rt, "host")
			for on := range n {
				// Of a later id too, in a fixed order that has no circles.
				if order(on, n) < order(i, n) && rapid.IntRange(0, 3).Draw(rt, "edge") == 0 {
					after[i] = append(after[i], on)
				}
			}
			nodes = append(nodes, fmt.Sprintf(`{"Id": %d, "NodeType": 4, "runtime": %d, "is_cpu_op": %v, "data_deps": %s}`, i, micros[i], host[i], list(after[i])))
		}
		want := plainly(micros, host, after)
		finish, err := run(t, ring, &replay.Job{Ranks: 1, Traces: []*trace.Trace{read(t, nodes...)}})
		if err != nil || !near(finish[0], float64(want)) {
			rt.Fatalf("%v us, %v; plainly %d", finish, err, want)
		}
	})
}

// order is a permutation of the nodes that is neither up nor down.
func order(i, n int) int { return (i%2)*n + i }

func plainly(micros []int, host []bool, after [][]int) (finish int) {
	n := len(micros)
	ends := make([]int, n) // -1: not begun
	for i := range ends {
		ends[i] = -1
	}
	for now := 0; ; now++ {
		for _, slot := range []bool{true, false} {
			busy, next := false, -1
			for i := range n {
				ready := ends[i] < 0 && host[i] == slot
				for _, on := range after[i] {
					ready = ready && ends[on] >= 0 && ends[on] <= now
				}
				if ready && next < 0 {
					next = i
				}
				busy = busy || host[i] == slot && ends[i] > now
			}
			if !busy && next >= 0 {
				ends[next] = now + micros[next]
				finish = max(finish, ends[next])
			}
		}
		done := true
		for _, e := range ends {
			done = done && e >= 0
		}
		if done {
			return finish
		}
	}
}

// One all-reduce and one computation after the other on 256 ranks.
func BenchmarkReplay(b *testing.B) {
	nodes := []string{compute(1, 10)}
	for i := 1; i < 600; i += 3 {
		nodes = append(nodes, compute(i+1, 10, i), compute(i+2, 10, i+1), collectively(i+3, trace.AllReduce, 1000, "", i+1))
	}
	tr, top := read(b, nodes...), ring(b, 256)
	for b.Loop() {
		if _, err := run(b, top, &replay.Job{Ranks: 256, Traces: []*trace.Trace{tr}, Algorithm: collective.Ring}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(256*len(nodes)*b.N)/b.Elapsed().Seconds(), "nodes/s")
}
