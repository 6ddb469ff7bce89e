package workload

// What the backward pass computes again.
const (
	RecomputeNone = "none"
	// RecomputeSelective computes attention without its products with weights
	// again, which is cheap for what it would keep (Korthikanti et al. 2022); under
	// PyTorch instead all but attention and every second product.
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
	case l.Input == 0:
		return l
	case t.Recompute == RecomputeSelective && t.Framework == FrameworkPyTorch:
		again, l.Again = l.halfAgain(ElementBytes(t.Precision))
	case t.Recompute == RecomputeSelective:
		again = l.Forward[l.CoreFrom:l.CoreTo]
		l.Again = l.CoreActivations
	default:
		again = l.Forward
		if t.Framework == FrameworkPyTorch {
			again = again[:neededAgain(again)]
		}
		l.Again = l.Activations - l.Input
	}
	l.Activations -= l.Again
	l.Backward = append(append(make([]Operator, 0, len(again)+len(l.Backward)), again...), l.Backward...)
	return l
}

// halfAgain is a layer's forward pass without attention and with half of the
// columns of each product, and how many bytes less are kept: of a layer, what is
// kept is its input, half of the products' results, and attention's.
// torchtitan's selective checkpoint keeps every second product, of which query,
// key and value, and gate and up, are several.
func (l Layer) halfAgain(element int64) (again []Operator, less int64) {
	kept := l.Input + l.CoreActivations
	for i, op := range l.Forward {
		switch {
		case i >= l.CoreFrom && i < l.CoreTo:
			if op.Class == FlashAttention2 || op.Class == FlashAttention {
				kept += op.Batch * op.M * op.K * element
			}
			continue
		case op.Class == Matrix:
			kept += op.Batch * op.M * op.N / 2 * element
			op.N = Quotient(op.N, 2)
			op.FLOPs /= 2
			op.Bytes /= 2
		}
		again = append(again, op)
	}
	return again, max(0, l.Activations-kept)
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
