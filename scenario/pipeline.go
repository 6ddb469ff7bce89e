package scenario

import "github.com/railyard/railyard/units"

// Pipeline is one [[workload.pipeline]]: a data set that is made of raw data.
type Pipeline struct {
	Header
	Name    Key[string]         `key:"name" default:"\"pipeline\"" doc:"name in results"`
	Start   Key[units.Duration] `key:"start" default:"\"0s\"" doc:"when it begins"`
	Items   Key[int64]          `key:"items" required:"true" min:"1" max:"1000000000000000" doc:"documents, images or recordings that go in"`
	Size    Key[units.Bytes]    `key:"size" required:"true" positive:"true" doc:"bytes of all of them"`
	Arrival Key[units.Rate]     `key:"arrival" positive:"true" doc:"rate at which they come in from outside, to the hosts, with nothing read for the first stage; where left out they lie in the file system"`
	Batches Key[int64]          `key:"batches" default:"128" min:"1" max:"16384" doc:"parts in which they go through the stages, which work at the same time, each on another one"`
	Pool    Key[string]         `key:"pool" doc:"name of the [[topology.pool]] on whose cores its stages work, an even part of each on every host; all hosts where left out"`
	Stage   []PipelineStage     `key:"stage" doc:"a stage: it reads what the one before has written, computes, and writes"`
}

// PipelineStage is one [[workload.pipeline.stage]].
type PipelineStage struct {
	Header
	Kind    Key[string]         `key:"kind" required:"true" enum:"ingest clean label anonymise tokenise decode shuffle" doc:"what it does, which says what cpu is where it is left out"`
	CPU     Key[units.Duration] `key:"cpu" doc:"time that one core takes for an item; where left out nothing to ingest and to shuffle, 6.4 us a byte to clean (CCNet, Wenzek et al. 2020), 0.32 us to tokenise (Hugging Face's tokenizers on 16 cores)"`
	Workers Key[float64]        `key:"workers" positive:"true" min:"0" max:"16777216" doc:"cores, on all hosts together; where left out an even part of what stages that say theirs leave"`
	Ratio   Key[float64]        `key:"output_ratio" default:"1" positive:"true" min:"0" max:"1000" doc:"bytes of an item that comes out, of those that it had"`
	Keep    Key[float64]        `key:"keep" default:"1" positive:"true" min:"0" max:"1" doc:"part of the items that come out"`
	PerFile Key[int64]          `key:"items_per_file" default:"1" min:"1" doc:"items of a file, for opens"`
}

// maxStages bounds the stages of a pipeline, each of which finds its ways to all servers.
const maxStages = 64

func (w *Pipeline) check(s *Scenario, b *binder) {
	if len(w.Stage) == 0 && !b.inside(w.Path) {
		b.faultf(w.At, w.Path, "has no stage: add a [[workload.pipeline.stage]]")
	}
	if len(w.Stage) > maxStages {
		b.faultf(w.Stage[maxStages].At, w.Path, "has more than %d stages", maxStages)
	}
	for i := range w.Stage {
		if g := &w.Stage[i]; !g.CPU.Set && (g.Kind.Value == "label" || g.Kind.Value == "anonymise" || g.Kind.Value == "decode") {
			b.faultf(g.At, g.Path, `needs the key "cpu" (time that one core takes for an item)`)
		}
	}
	if s.Topology == nil {
		return
	}
	if w.Pool.Set {
		s.Topology.checkPool(w.Pool, w.Path+".pool", b)
	}
	s.checkReads("[[workload.pipeline]]", w.At, w.Path, b)
}
