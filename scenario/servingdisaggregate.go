package scenario

// Disaggregate is [workload.serving.disaggregate]: prompts are computed on replicas of
// their own, and keys and values go over the network to those that compute the tokens
// after the first (Zhong et al., DistServe, OSDI 2024; Patel et al., Splitwise, ISCA
// 2024).
type Disaggregate struct {
	Header
	Prefill       Key[int64]  `key:"prefill" min:"1" max:"65536" doc:"replicas that compute prompts, on the first accelerators of the workload; router says which takes a request. Required without prefill_autoscale"`
	Decode        Key[int64]  `key:"decode" min:"1" max:"65536" doc:"replicas that compute the tokens after the first, on those that follow. Required without decode_autoscale"`
	PrefillTensor Key[int64]  `key:"prefill_tensor" min:"1" max:"1024" doc:"tensor-parallel degree of those of prompts; tensor where left out"`
	DecodeTensor  Key[int64]  `key:"decode_tensor" min:"1" max:"1024" doc:"tensor-parallel degree of the others; tensor where left out"`
	Router        Key[string] `key:"router" default:"\"least-loaded\"" enum:"round-robin least-loaded least-waiting random power-of-two" doc:"which of the others goes on with a request, once its prompt has been computed"`

	PrefillAutoscale *Autoscale `key:"prefill_autoscale" doc:"replicas of prompts come and go with their load: those of prefill are there at the start, and max have a place"`
	DecodeAutoscale  *Autoscale `key:"decode_autoscale" doc:"the same of the others: those of decode are there at the start"`
}

// ServingPool is the replicas of one kind of the two that a Disaggregate has.
type ServingPool struct {
	Name      string // of its keys
	Replicas  Key[int64]
	Tensor    Key[int64]
	Autoscale *Autoscale
}

// Pools are those that compute prompts, and the others.
func (x *Disaggregate) Pools() [2]ServingPool {
	return [...]ServingPool{
		{"prefill", x.Prefill, x.PrefillTensor, x.PrefillAutoscale},
		{"decode", x.Decode, x.DecodeTensor, x.DecodeAutoscale},
	}
}

// checkDisaggregate judges what goes with replicas for prompts alone.
func (w *Serving) checkDisaggregate(b *binder) {
	x := w.Disaggregate
	if x == nil {
		return
	}
	if w.Replicas.Set {
		b.faultf(w.Replicas.Pos, w.Path+".replicas", "contradicts disaggregate, which says how many there are of prefill and of decode")
	}
	if w.Autoscale != nil {
		b.faultf(w.Autoscale.At, w.Autoscale.Path, "is of replicas that do both: with disaggregate each kind has its own, disaggregate.prefill_autoscale and disaggregate.decode_autoscale")
	}
	for _, k := range x.Pools() {
		switch {
		case k.Autoscale != nil:
			k.Autoscale.check(b, k.Replicas, x.Path, k.Name)
			if !k.Autoscale.Max.Set {
				b.faultf(k.Autoscale.At, k.Autoscale.Path, "needs the key \"max\": how many replicas have a place beside those of the other kind")
			}
		case !k.Replicas.Set:
			b.faultf(x.At, x.Path, "needs the key %q", k.Name)
		}
	}
	if w.Batching.Value == "static" {
		b.faultf(w.Batching.Pos, w.Path+".batching", "static keeps a batch together to its end, and disaggregate takes it apart after the prompts: continuous or chunked")
	}
	if w.StepCosts.Set && x.tensor(w, x.PrefillTensor) != x.tensor(w, x.DecodeTensor) {
		b.faultf(w.StepCosts.Pos, w.Path+".step_costs", "is one table, and prefill_tensor and decode_tensor differ")
	}
}

func (x *Disaggregate) tensor(w *Serving, own Key[int64]) int64 {
	if own.Set {
		return own.Value
	}
	return w.Tensor.Value
}
