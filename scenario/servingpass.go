package scenario

import (
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
	"github.com/railyard/railyard/workload/serving"
)

// SinglePass is what a [[workload.serving]] says of a model that answers in one forward
// pass, beside what it says of any.
type SinglePass struct {
	MaxQueueDelay Key[units.Duration] `key:"max_queue_delay" doc:"with a model that answers in one pass, how long the first request of a pass that has fewer than max_batch waits for more; 0s where left out, as in Triton (max_queue_delay_microseconds)"`
	Padding       Key[bool]           `key:"padding" doc:"with a bert or an rnnt, requests of a pass are made as long as its longest; true where left out"`
	PassOverhead  Key[units.Duration] `key:"pass_overhead" doc:"with a model that answers in one pass, what each pass costs beside its kernels and holds the accelerator up for; 0s where left out: servers prepare one while another runs"`
}

// family is that of the model, "" if it has faults.
func (r *resolver) family(name Key[string], path string) string {
	if !name.Set {
		return ""
	}
	return r.model(name.Value, name.Pos, path+".model").WithDefaults().Family
}

// checkPass judges the keys that belong to models that answer in one pass, or to all others.
func (w *Serving) checkPass(family string, b *binder) {
	x := &w.SinglePass
	type key struct {
		name string
		set  bool
		at   Position
	}
	refuse := func(keys []key, to string) {
		for _, k := range keys {
			if k.set {
				b.faultf(k.at, w.Path+"."+k.name, "belongs to %s", to)
			}
		}
	}
	if !serving.Answers(family) {
		refuse([]key{
			{"max_queue_delay", x.MaxQueueDelay.Set, x.MaxQueueDelay.Pos},
			{"padding", x.Padding.Set, x.Padding.Pos},
			{"pass_overhead", x.PassOverhead.Set, x.PassOverhead.Pos},
		}, "models that answer in one forward pass: bert, convnet, dlrm, unet3d, rnnt")
		return
	}
	draft := key{name: "speculative"}
	if w.Speculative != nil {
		draft.set, draft.at = true, w.Speculative.At
	}
	apart := key{name: "disaggregate"}
	if w.Disaggregate != nil {
		apart.set, apart.at = true, w.Disaggregate.At
	}
	refuse([]key{
		{"tensor", w.Tensor.Value > 1, w.Tensor.Pos},
		{"pipeline", w.Pipeline.Value > 1, w.Pipeline.Pos},
		{"engine", w.Engine.Set, w.Engine.Pos},
		{"batching", w.Batching.Set, w.Batching.Pos},
		{"chunk", w.Chunk.Set, w.Chunk.Pos},
		{"token_budget", w.TokenBudget.Set, w.TokenBudget.Pos},
		{"kv_cache", w.KVCache.Set, w.KVCache.Pos},
		{"block_size", w.BlockSize.Set, w.BlockSize.Pos},
		{"kv_blocks", w.KVBlocks.Set, w.KVBlocks.Pos},
		{"step_costs", w.StepCosts.Set, w.StepCosts.Pos},
		{"preemption", w.Preemption.Set, w.Preemption.Pos},
		{"prefix_cache", w.PrefixCache.Set, w.PrefixCache.Pos},
		{"shared_prefix", w.SharedPrefix.Set, w.SharedPrefix.Pos},
		{"output", w.Output.Set && w.Output.Value != Lengths{Mean: 1}, w.Output.Pos},
		draft, apart,
	}, "models that answer token by token; one of the family "+family+" does so in one forward pass, on one accelerator")
	for i := range w.Tenant {
		t := &w.Tenant[i]
		for _, k := range []key{{"output", t.Output.Set, t.Output.Pos}, {"shared_prefix", t.SharedPrefix.Set, t.SharedPrefix.Pos}} {
			if k.set {
				b.faultf(k.at, t.Path+"."+k.name, "belongs to models that answer token by token")
			}
		}
	}
	if a := w.Autoscale; a != nil {
		switch a.Metric.Value {
		case "kv":
			b.faultf(a.Metric.Pos, a.Path+".metric", "a model of the family %s has no cache of keys and values", family)
		case "prompt-tokens":
			b.faultf(a.Metric.Pos, a.Path+".metric", "a model of the family %s computes no prompts", family)
		}
	}
	if !serving.Long(family) {
		refuse([]key{{"padding", x.Padding.Set, x.Padding.Pos}}, "models whose requests have lengths: bert, rnnt")
	}
	if family != workload.FamilyBERT {
		refuse([]key{{"pruning", w.Pruning.Set, w.Pruning.Pos}}, "models with feed-forward layers: transformers and bert")
	}
}

// inferred says whether a key of a demand may be left out: all answers of one pass are
// one, and to most of their models a request is one sample.
func inferred(family, key string) bool {
	return serving.Answers(family) && (key == "output" || key == "input" && !serving.Long(family))
}
