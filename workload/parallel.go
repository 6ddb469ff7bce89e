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
// all-reduce, beside the one for the weights'. Pipelined, as Transformer Engine's
// user buffers do it (tp_comm_overlap), an exchange also goes piece by piece beside the
// product that needs it or makes it, here as if the two could begin together, from one
// rank to the next by copy engines, which take no multiprocessors (its ring exchange).

// columns is a product whose weight matrices, of height k, are cut by columns:
// widths are those of one rank's part of each. rows are those of the gathered
// input.
func (u *unfolder) columns(name string, batch, rows, k int64, widths ...int64) {
	forward, data, weight := u.weighted(name, batch, rows, k, widths...)
	if u.batch.Tensor == 1 {
		u.append(forward, append(data, weight...))
		return
	}
	input := float64(batch*rows*k) * u.element
	if u.batch.SequenceParallel {
		gather := u.exchange(collective.AllGather, TensorGroup, input)
		gather.Beside, gather.Copied = u.batch.TensorPipelining, u.batch.TensorPipelining
		forward = append([]Operator{gather}, forward...)
		if len(weight) > 0 { // which take the input
			again := u.exchange(collective.AllGather, TensorGroup, input)
			again.Beside = u.batch.TensorOverlap
			data = append([]Operator{again}, data...)
		}
	}
	if !u.unwanted {
		op := collective.AllReduce
		if u.batch.SequenceParallel {
			op = collective.ReduceScatter
		}
		sum := u.exchange(op, TensorGroup, input)
		sum.Beside = u.batch.TensorOverlap && len(weight) > 0
		data = append(data, sum)
	}
	u.append(forward, append(data, weight...))
}

// rows is a product whose weight matrix is cut by rows: k is the height of one
// rank's part.
func (u *unfolder) rows(name string, batch, m, n, k int64) {
	forward, data, weight := u.weighted(name, batch, m, k, n)
	backward := append(data, weight...)
	if u.batch.Tensor == 1 {
		u.append(forward, backward)
		return
	}
	output := float64(batch*m*n) * u.element
	if u.batch.SequenceParallel {
		scatter, gather := u.exchange(collective.ReduceScatter, TensorGroup, output), u.exchange(collective.AllGather, TensorGroup, output)
		if u.batch.TensorPipelining {
			scatter.Beside, gather.Beside = true, true
			scatter.Copied, gather.Copied = true, true
			forward = append([]Operator{scatter}, forward...)
		} else {
			forward = append(forward, scatter)
		}
		backward = append([]Operator{gather}, backward...)
	} else {
		forward = append(forward, u.exchange(collective.AllReduce, TensorGroup, output))
	}
	u.append(forward, backward)
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
func (b Batch) tokens() int64 { return b.Samples * Quotient(b.Sequence, b.Context) }

func (b Batch) shared() int64 {
	if b.SequenceParallel {
		return Quotient(b.tokens(), b.Tensor)
	}
	return b.tokens()
}

// part is one rank's share of n heads, features or rows, rounded up.
func (b Batch) part(n int64) int64 { return Quotient(n, b.Tensor) }

// Quotient is a / b, rounded up: the largest of b shares of a.
func Quotient(a, b int64) int64 { return (a + b - 1) / b }
