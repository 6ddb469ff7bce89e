package scenario

// Disaggregate is [workload.serving.disaggregate]: prompts are computed on replicas of
// their own, and keys and values go over the network to those that compute the tokens
// after the first (Zhong et al., DistServe, OSDI 2024; Patel et al., Splitwise, ISCA
// 2024).
type Disaggregate struct {
	Header
	Prefill       Key[int64]  `key:"prefill" required:"true" min:"1" max:"65536" doc:"replicas that compute prompts, on the first accelerators of the workload; router says which takes a request"`
	Decode        Key[int64]  `key:"decode" required:"true" min:"1" max:"65536" doc:"replicas that compute the tokens after the first, on those that follow"`
	PrefillTensor Key[int64]  `key:"prefill_tensor" min:"1" max:"1024" doc:"tensor-parallel degree of those of prompts; tensor where left out"`
	DecodeTensor  Key[int64]  `key:"decode_tensor" min:"1" max:"1024" doc:"tensor-parallel degree of the others; tensor where left out"`
	Router        Key[string] `key:"router" default:"\"least-loaded\"" enum:"round-robin least-loaded least-waiting random power-of-two" doc:"which of the others goes on with a request, once its prompt has been computed"`
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
		b.faultf(w.Autoscale.At, w.Autoscale.Path, "is not built yet with disaggregate: both kinds of replicas are as many as it says")
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
