package serving

import (
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
	"github.com/railyard/railyard/workload/serving"
)

// What is kept from one fleet to the next changes no cost, be it of the same model, of one
// that is narrower, or of an engine that launches its kernels otherwise.
func TestStepCache(t *testing.T) {
	host := topology.Host{
		Name: "host", Accelerators: 2, NICs: 1, NICBandwidth: 1e9, NICEfficiency: 1, ScaleUp: topology.ScaleUpSwitch, ScaleUpBandwidth: 1e11, ScaleUpEfficiency: 1,
	}
	top, err := topology.LeafSpine(topology.Fabric{Host: host, Hosts: 1, HostsPerRack: 1, Oversubscription: 1, Planes: 1, ToRs: 1})
	if err != nil {
		t.Fatal(err)
	}
	accelerator := topology.Accelerator{Name: "a", Memory: 80e9, MemoryBandwidth: 2e12, LaunchOverhead: 2000, Multiprocessors: 108}
	accelerator.Peak[topology.BF16] = 312e12
	costs := func(ffn int64, tensor int, engine string, m *StepCache) *Computed {
		model := workload.Model{Family: workload.FamilyTransformer, Layers: 4, Hidden: 512, Heads: 8, FFN: ffn, Vocab: 1000}
		e, _ := ParseEngine(engine)
		x := &Computed{
			Forward: serving.NewForward(model, &accelerator, tensor, serving.Formats[0], 2), Engine: e,
			Roofline: cluster.Roofline{Accelerator: accelerator}, Steps: m,
		}
		if err := x.Place(cluster.New(sim.New(), top, 0), []topology.NodeID{0, 1}[:tensor]); err != nil {
			t.Fatal(err)
		}
		return x
	}
	step := &Step{Tokens: 40, Sequences: 9, Decodes: 8, Context: 800, Chunks: []Chunk{{Tokens: 32}}}
	m := &StepCache{}
	for i, c := range []struct {
		ffn    int64
		tensor int
		engine string
		kept   bool
	}{{2048, 1, "vllm", false}, {2048, 1, "vllm", true}, {1024, 1, "vllm", false}, {1024, 2, "vllm", false}, {1024, 2, "trtllm", false}, {1024, 2, "trtllm", true}} {
		x := costs(c.ffn, c.tensor, c.engine, m)
		if kept := len(m.dense) > 0; kept != c.kept {
			t.Errorf("%d: costs are kept: %v, want %v", i, kept, c.kept)
		}
		got, _ := x.Time(step)
		if want, _ := costs(c.ffn, c.tensor, c.engine, nil).Time(step); got != want {
			t.Errorf("%d: a step costs %v with what is kept, %v without", i, got, want)
		}
	}
}
