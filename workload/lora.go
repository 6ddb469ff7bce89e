package workload

import "fmt"

// What of a model is trained.
const (
	TuningFull = "full" // every weight: pre-training, or full fine-tuning
	// TuningLoRA freezes the weights and trains a pair of narrow matrices beside
	// each (Hu et al. 2021): with x W comes x A B, A of rank columns and B of as
	// many rows. Adapted are all matrices of the transformer blocks, each on its own
	// where products of several run as one (query, key and value; gate and up), as
	// all-linear has it in Hugging Face PEFT; embedding, norms, biases and head are
	// frozen.
	TuningLoRA = "lora"
)

// loraRank is the rank that adapters have unless a job says otherwise.
const loraRank = 16

// adapters is what an unfolder knows of LoRA.
//
// A frozen product of m rows with a k x n matrix keeps its product for the input's
// gradient and loses the one for the weights'. Its adapter of rank r adds two
// products forward, m x k x r and m x r x n, and four backward, two each, and has
// r (k + n) parameters. The product adds to the adapter's result, and so backward
// does the adapter to the product's; where passes run one by one, the scaling by
// alpha / r and the sums are passes of their own. The rows of the adapter's middle
// are kept. The adapters have no dropout.
//
// Nothing before the first block is trained, so no gradient goes beyond its first
// products' adapters.
//
// Tensor parallelism cuts of an adapter the matrix that meets the cut side of W and
// leaves the other whole on every rank: the partial sums of x A B are summed with
// those of x W, so that no exchange is added. That the gradients of the whole
// matrices are summed over the tensor-parallel ranks, once an iteration, is left
// out, as it is for norms.
type adapters struct {
	rank     int64 // of the adapters of the products that follow; 0: none
	first    bool  // nothing before the layer is trained
	unwanted bool  // nothing before what follows wants a gradient
	routed   bool  // what follows is that of routed experts

	trained, trainedExperts int64 // parameters
}

// adapt gives the products that follow adapters, if there are any.
func (u *unfolder) adapt(first bool) { u.rank, u.first = u.batch.LoRARank, first }

// fromInput adds what works on nothing but the layer's input.
func (u *unfolder) fromInput(add func()) {
	u.unwanted = u.first
	add()
	u.unwanted = false
}

// adapted is the operators of a frozen product with matrices of the given widths
// and their adapters. As the product comes last, a checkpoint that stops before a
// layer's last product need not compute it again.
func (u *unfolder) adapted(name string, product, toInput Operator, widths []int64) (forward, data, weight []Operator) {
	if !u.unwanted {
		data = []Operator{toInput}
	}
	if u.rank == 0 {
		return []Operator{product}, data, nil
	}
	batch, m, k, r := product.Batch, product.M, product.K, u.rank
	input, output := batch*m*k, batch*m*product.N
	for _, n := range widths {
		u.layer.Activations += batch * m * r * int64(u.element)
		if parameters := batch * r * (k + n); u.routed {
			u.trainedExperts += parameters
		} else {
			u.trained += parameters
		}
		forward = append(forward,
			u.product(name+" adapter down", Matrix, batch, m, r, k),
			u.product(name+" adapter up", Matrix, batch, m, n, r))
		data = append(data, u.product(name+" adapter up data gradient", Matrix, batch, m, r, n))
		if !u.unwanted {
			down := u.product(name+" adapter down data gradient", Matrix, batch, m, k, r)
			if !u.batch.Eager {
				down.Bytes += float64(input) * u.element
			}
			data = append(data, down)
		}
		up := u.product(name+" adapter up weight gradient", Matrix, batch, n, r, m)
		down := u.product(name+" adapter down weight gradient", Matrix, batch, r, k, m)
		up.Weight, down.Weight = true, true
		weight = append(weight, up, down)
	}
	if !u.batch.Eager {
		product.Bytes += float64(output) * u.element
		return append(forward, product), data, weight
	}
	pass := func(accesses float64, n int64, launches int) Operator {
		t := u.moves(n, accesses, 0, moveSlots)
		t.launches = launches
		return u.vector(name+" adapter", Elementwise, t)
	}
	count := len(widths)
	forward = append(forward, product, pass(2, output, count), pass(3, output, count)) // scaled, added
	data = append([]Operator{pass(2, output, count)}, data...)
	if !u.unwanted {
		data = append(data, pass(3, int64(count)*input, count))
	}
	return forward, data, weight
}

// freeze counts what the layer trains under LoRA, which is adapters alone.
func (u *unfolder) freeze() {
	if u.batch.LoRARank == 0 {
		return
	}
	l := &u.layer
	l.Frozen, l.FrozenExperts = l.Parameters, l.ExpertParameters
	l.Parameters, l.ExpertParameters = u.trained, u.trainedExperts
}

// checkTuning says what cannot be tuned as t asks.
func (t Training) checkTuning() error {
	switch {
	case t.Tuning != TuningFull && t.Tuning != TuningLoRA:
		return fmt.Errorf("tuning %q is unknown: %q or %q", t.Tuning, TuningFull, TuningLoRA)
	case t.Tuning == TuningFull && t.LoRARank != 0:
		return fmt.Errorf("lora_rank %d belongs to tuning = %q", t.LoRARank, TuningLoRA)
	case t.LoRARank < 0:
		return fmt.Errorf("lora_rank must be 1 or more, got %d", t.LoRARank)
	case t.Tuning == TuningLoRA && t.Model.Family != FamilyTransformer && t.Model.Family != FamilyBERT:
		return fmt.Errorf("tuning %q: adapters are built for families %q and %q, not for a %s", t.Tuning, FamilyTransformer, FamilyBERT, t.Model.Family)
	}
	return nil
}

// Trained is how many of the model's values are trained: all of them, or those of
// its adapters. t must be valid.
func (t Training) Trained() int64 {
	t = t.WithDefaults()
	if t.Tuning == TuningFull {
		return t.Model.Parameters()
	}
	var sum int64
	for _, l := range t.Model.Unfold(Batch{Samples: 1, Sequence: 1, LoRARank: int64(t.LoRARank)}) {
		sum += l.Parameters + l.ExpertParameters
	}
	return sum
}
