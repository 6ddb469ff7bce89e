package trace_test

import (
	"bytes"
	"testing"

	"github.com/railyard/railyard/workload/trace"
)

// A capture of 10,000 nodes with 50 dependencies each, as many as the kernels of
// a real one have.
func BenchmarkRead(b *testing.B) {
	var nodes []message
	for id := uint64(100); id < 10_100; id++ {
		var on []uint64
		for k := uint64(1); k <= 50; k++ {
			on = append(on, id-k)
		}
		nodes = append(nodes, node(id, trace.Compute).number(7, 5).ids(4, id-1).ids(5, on...))
	}
	text := file(nodes...)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := trace.Read(bytes.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(nodes)*b.N)/b.Elapsed().Seconds(), "nodes/s")
}
