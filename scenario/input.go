package scenario

import (
	"slices"

	"github.com/railyard/railyard/units"
)

// Input is [workload.training.input]: where the samples of a training job come from.
type Input struct {
	Header
	Profile  Key[string]         `key:"profile" enum:"text image speech multimodal" doc:"kind of the samples, which says what sample and cpu are where they are left out: text, token ids of 4 B, nothing to prepare; image, 114.66 kB and 3.7 ms (ImageNet: MLPerf Storage v1.0; Mohan et al., VLDB 2021); speech, 213 kB and 30 ms (LibriSpeech); multimodal, 41 kB and 4 ms (LAION-5B)"`
	Sample   Key[units.Bytes]    `key:"sample" positive:"true" doc:"bytes of a sample in storage"`
	CPU      Key[units.Duration] `key:"cpu" doc:"time that one core takes to prepare a sample: to decode, augment or tokenise it; nothing without a profile"`
	Workers  Key[float64]        `key:"workers" positive:"true" min:"0" max:"65536" doc:"cores for each accelerator of the job that prepare samples; the host's, divided by its accelerators, where left out"`
	Prefetch Key[int64]          `key:"prefetch" default:"2" min:"1" max:"64" doc:"iterations whose samples may be ready before they are taken; the prefetch_factor of PyTorch where left out"`
	From     Key[string]         `key:"from" doc:"name of the [[workload.pipeline]] that makes the samples: they are read once they have been made, be it while the rest is"`
	Cache    Key[units.Bytes]    `key:"cache" positive:"true" doc:"memory of each host that keeps samples once they are read, until it is full; none where left out. The first pass over the data set finds none of them; needs dataset"`
	Shuffle  Key[string]         `key:"shuffle" default:"\"global\"" enum:"global shard" doc:"global: each pass deals all samples anew to the hosts, which find in their caches what they happen to have; shard: each host keeps to its own part of the data set"`
	Request  Key[units.Bytes]    `key:"request" positive:"true" doc:"what is read at a time, for iops; a sample where left out, and no more than a block"`
	PerFile  Key[int64]          `key:"samples_per_file" min:"1" doc:"samples of a file, for opens; 1 where left out, of text 1048576"`
}

func (w *Input) check(t *Training, s *Scenario, b *binder) {
	if w == nil {
		return
	}
	if !w.Profile.Set && !w.Sample.Set && !b.inside(w.Path) {
		b.faultf(w.At, w.Path, `needs the key "profile" (kind of the samples) or "sample" (bytes of one)`)
	}
	if w.Cache.Set && !t.Dataset.Set {
		b.faultf(w.Cache.Pos, w.Path+".cache", "which part of the data set does it hold? dataset is missing: the number of its samples")
	}
	if w.Shuffle.Set && !w.Cache.Set {
		b.faultf(w.Shuffle.Pos, w.Path+".shuffle", "belongs to cache, which is missing")
	}
	if made := s.pipelines(); w.From.Set && !slices.Contains(made, w.From.Value) {
		b.faultf(w.From.Pos, w.Path+".from", "there is no [[workload.pipeline]] with the name %q%s", shown(w.From.Value), meant(w.From.Value, made))
	}
	s.checkReads("input", w.At, w.Path, b)
}

// pipelines are the names of those that make data sets.
func (s *Scenario) pipelines() (names []string) {
	for i := range s.Workload.Pipeline {
		names = append(names, s.Workload.Pipeline[i].Name.Value)
	}
	return names
}

// checkReads sees to it that there is a file system for what reads or writes it.
func (s *Scenario) checkReads(what string, at Position, path string, b *binder) {
	switch {
	case s.Topology == nil:
		return
	case !s.Topology.Storage.Layout.Set:
		b.faultf(at, path, "where from? [topology.storage] with a layout is missing")
	case s.Sim.Fidelity.Value == "packet":
		b.faultf(s.Sim.Fidelity.Pos, "sim.fidelity", `"packet" does not simulate %s; one of: fluid, analytic`, what)
	case s.Topology.Blocking.Value:
		b.faultf(s.Topology.Blocking.Pos, "topology.blocking", "does not simulate %s", what)
	}
	for i := range s.Topology.Fault {
		if f := &s.Topology.Fault[i]; f.Rerouted() {
			b.faultf(f.Header.At, f.Path, "breaks links, and %s does not find its way around them", what)
			return
		}
	}
}
