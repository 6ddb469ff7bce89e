package workload

import (
	"github.com/railyard/railyard/collective"
)

// Tensor parallelism shares a layer's matrices between the ranks of a group
// (Shoeybi et al. 2019, Megatron-LM). A pair of products takes two exchanges:
// the first matrix is cut by columns, so that every rank computes a part of the
// features from the whole input, the second by rows, so that every rank computes
// a partial sum of the whole output.
//
// Without sequence parallelism the input is everywhere: forward, the partial
// sums of the output are all-reduced; backward, those of the input's gradient
// are. With it (Korthikanti et al. 2022) what lies between the pairs is shared
// along the sequence: forward, the input is all-gathered and the output
// reduce-scattered; backward, the output's gradient is all-gathered and the
// input's reduce-scattered, and the input, of which a rank kept its part, is
// all-gathered again. With overlap, as Megatron-LM has it, that last all-gather
// runs beside the product for the input's gradient, and the reduce-scatter, or
// all-reduce, beside the one for the weights'.

// columns is a product whose weight matrix is cut by columns: n is the width of
// one rank's part. rows are those of the gathered input.
func (u *unfolder) columns(name string, batch, rows, n, k int64) {
	product := u.product(name, Matrix, batch, rows, n, k)
	gradients := u.gradients(name, batch, rows, n, k)
	if u.batch.Tensor == 1 {
		u.add([]Operator{product}, gradients)
		return
	}
	input := float64(batch*rows*k) * u.element
	if u.batch.SequenceParallel {
		again := u.exchange(collective.AllGather, TensorGroup, input)
		again.Beside = u.batch.TensorOverlap
		scatter := u.exchange(collective.ReduceScatter, TensorGroup, input)
		scatter.Beside = u.batch.TensorOverlap
		u.add([]Operator{u.exchange(collective.AllGather, TensorGroup, input), product},
			[]Operator{again, gradients[0], scatter, gradients[1]})
		return
	}
	sum := u.exchange(collective.AllReduce, TensorGroup, input)
	sum.Beside = u.batch.TensorOverlap
	u.add([]Operator{product}, []Operator{gradients[0], sum, gradients[1]})
}

// rows is a product whose weight matrix is cut by rows: k is the height of one
// rank's part.
func (u *unfolder) rows(name string, batch, m, n, k int64) {
	product := u.product(name, Matrix, batch, m, n, k)
	gradients := u.gradients(name, batch, m, n, k)
	if u.batch.Tensor == 1 {
		u.add([]Operator{product}, gradients)
		return
	}
	output := float64(batch*m*n) * u.element
	if u.batch.SequenceParallel {
		u.add([]Operator{product, u.exchange(collective.ReduceScatter, TensorGroup, output)},
			append([]Operator{u.exchange(collective.AllGather, TensorGroup, output)}, gradients...))
		return
	}
	u.add([]Operator{product, u.exchange(collective.AllReduce, TensorGroup, output)}, gradients)
}

// exchange is a collective of so many bytes, as package collective counts them.
func (u *unfolder) exchange(op collective.Op, group Group, bytes float64) Operator {
	return Operator{
		Name: group.String() + " " + op.String(), Class: Communication,
		Collective: op, Group: group, Bytes: bytes,
	}
}

// tokens is the tokens that a rank's products see, shared those that its
// norms, dropouts and residuals see: fewer with sequence parallelism.
func (b Batch) tokens() int64 { return b.Samples * quotient(b.Sequence, b.Context) }

func (b Batch) shared() int64 {
	if b.SequenceParallel {
		return quotient(b.tokens(), b.Tensor)
	}
	return b.tokens()
}

// part is one rank's share of n heads, features or rows, rounded up.
func (b Batch) part(n int64) int64 { return quotient(n, b.Tensor) }

// quotient is a / b, rounded up.
func quotient(a, b int64) int64 { return (a + b - 1) / b }
