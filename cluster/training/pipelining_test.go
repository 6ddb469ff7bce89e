package training_test

import (
	"math"
	"testing"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// Exchanges that are pipelined send what they send otherwise and slow nothing: ranks
// compute for as long, and wait for what is longer than the product beside it.
func TestTensorPipelining(t *testing.T) {
	topo := leafSpine(dgx(), 1, 1)
	model := small
	model.Hidden, model.Sequence = 2048, 2048
	tr := workload.Training{Model: model, Precision: topology.BF16, GlobalBatch: 4, Tensor: 8, SequenceParallel: true}.WithDefaults()
	plain, plainly := iterate(t, topo, tr, 1, false, 0)
	tr.TensorPipelining = true
	if err := tr.Validate(); err != nil {
		t.Fatal(err)
	}
	pipelined, c := iterate(t, topo, tr, 1, false, 0)
	same := func(a, b float64) bool { return math.Abs(a-b) <= 1e-8*b } // steps are rounded to ticks
	if got, want := pipelined.Last, plain.Last; !same(got.Compute.Seconds(), want.Compute.Seconds()) || got.Overlapped != 0 || got.AllExposed() >= want.AllExposed() {
		t.Errorf("an iteration is\n%+v, one exchange after the other\n%+v", got, want)
	}
	for l := range topo.Links {
		got, want := c.Network.Use(topology.LinkID(l)).Bytes, plainly.Network.Use(topology.LinkID(l)).Bytes
		if math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s carries %v bytes, want %v", topo.LinkName(topology.LinkID(l)), got, want)
		}
	}
	tr.SequenceParallel = false
	if tr.Validate() == nil {
		t.Error("pipelining without sequence parallelism is taken")
	}
}
