package workload

// What the backward pass computes again.
const (
	RecomputeNone = "none"
	// RecomputeSelective computes attention without its products with weights
	// again, which is cheap for what it would keep (Korthikanti et al. 2022).
	RecomputeSelective = "selective"
	// RecomputeFull keeps nothing of a transformer layer but its input (Chen et
	// al. 2016) and runs its forward pass again.
	RecomputeFull = "full"
)

// recomputed is a layer that keeps what t.Recompute has it keep. Its backward
// pass begins with what is computed again.
func (t Training) recomputed(l Layer) Layer {
	var again []Operator
	switch {
	case l.Input == 0 || t.Recompute == RecomputeNone:
		return l
	case t.Recompute == RecomputeSelective:
		again = l.Forward[l.CoreFrom:l.CoreTo]
		l.Again = l.CoreActivations
	default:
		again = l.Forward
		if t.Zero == 3 {
			again = again[:neededAgain(again)]
		}
		l.Again = l.Activations - l.Input
	}
	l.Activations -= l.Again
	l.Backward = append(append(make([]Operator, 0, len(again)+len(l.Backward)), again...), l.Backward...)
	return l
}

// neededAgain is how much of a layer's forward pass the backward pass needs the
// results of. The last product and what follows it are kept nowhere: PyTorch's
// checkpoint, as FSDP uses it, stops before them, Megatron-LM's does not.
func neededAgain(forward []Operator) int {
	for i := len(forward) - 1; i >= 0; i-- {
		if forward[i].Class.Product() {
			return i
		}
	}
	return len(forward)
}
