package workload

import (
	"fmt"

	"github.com/railyard/railyard/collective"
)

// The sizes of a recommender's tables.
const (
	tableBytes = 4 // of a value of a table: FP32 in every precision of the rest
	stateBytes = 4 // of row-wise Adagrad, for a whole row

	// More than any published model has, few enough to unfold.
	maxTables = 10_000
	maxLinear = 100 // layers of an MLP
)

// dlrm unfolds a recommender (Naumov et al. 2019, arXiv:1906.00091): a bottom
// MLP turns DenseFeatures numbers into a vector of EmbeddingDim values, each
// table turns its Lookups rows into another by summing them, an interaction
// joins the F = Tables + 1 vectors, and a top MLP makes one logit of them, whose
// loss is the binary cross entropy.
//
// Tables are model-parallel, MLPs data-parallel: each of R replicas holds 1/R of
// the tables and looks up the rows of all R x B samples in it, so B samples'
// worth. An all-to-all then gives each replica the vectors of its own B samples:
//
//	B x Tables x EmbeddingDim values, the whole buffer of a replica
//
// and another takes their gradients back. Each runs beside the operator that
// follows it, the first of the bottom MLP and the first of its backward pass, and
// not beside the rest. Tables are shared out evenly, cut where they must be: the
// imbalance of whole tables is left out, and so are the indices, which pipelined
// trainers send during the iteration before.
//
// A row is read once however often a batch asks for it: of a table of n rows, k
// look-ups read min(k, n); rows to serve from are in the format of the pass. The backward pass updates the tables by row-wise
// Adagrad in the same kernel, as FBGEMM's fused optimizers do: it reads the
// vectors' gradients, reads and writes each row and its sum of squares, and
// keeps no gradient.
//
// Interactions:
//
//	dot        products of all pairs of vectors, F (F - 1) / 2 values, beside the
//	           bottom MLP's own vector. One kernel of F x F x EmbeddingDim a
//	           sample, padded to multiples of 8; the gradient is one more, since
//	           the product is symmetric.
//	crossing   DCN-V2 (Wang et al. 2021, arXiv:2008.13535): CrossLayers times
//	           x' = x0 * (W (V x) + b) + x over all n = F x EmbeddingDim values,
//	           V of CrossRank x n, W of n x CrossRank.
func (m Model) dlrm(b Batch) []Layer {
	b.Precision = wide(b.Precision)
	width := m.EmbeddingDim * (m.Tables + 1)
	interaction := newUnfolder("interaction", b)
	if m.CrossLayers > 0 {
		interaction.crossing(m, width)
	} else {
		width = interaction.dots(m)
	}

	top := newUnfolder("top MLP", b)
	top.mlp(width, m.TopMLP)
	if !b.Inference {
		top.pass("cross entropy", Loss, top.moves(b.Samples, 2, 0, siluSlots), top.moves(b.Samples, 2, 0, siluSlots))
	}
	return []Layer{m.dlrmFeatures(b), interaction.done(), top.done()}
}

// dlrmFeatures is the tables and the bottom MLP.
func (m Model) dlrmFeatures(b Batch) Layer {
	u := newUnfolder("tables and bottom MLP", b)
	replicas := max(b.Data, 1)
	vectors := b.Samples * m.Tables * m.EmbeddingDim
	u.tables(m, replicas)

	exchange := Operator{
		Name: "vectors", Class: Communication, Precision: b.Precision,
		Bytes: u.element * float64(vectors), Collective: collective.AllToAll, Group: DataGroup, Beside: true,
	}
	if replicas > 1 {
		u.add([]Operator{exchange}, nil)
	}
	u.mlp(m.DenseFeatures, m.BottomMLP)
	if replicas > 1 {
		exchange.Name += " gradient"
		u.add(nil, []Operator{exchange})
	}
	return u.done()
}

// tables is the look-up in this replica's share of the tables.
func (u *unfolder) tables(m Model, replicas int64) {
	var rows, read int64
	var lookups float64
	for i := range m.Tables {
		k := u.batch.Samples * replicas * m.Lookups[i]
		rows += m.Rows[i]
		read += min(k, m.Rows[i])
		lookups += float64(k)
	}
	share := func(n int64) int64 { return (n + replicas - 1) / replicas }
	u.layer.ShardedParameters = share(rows * m.EmbeddingDim)
	u.layer.ShardedBytes = share(rows) * (m.EmbeddingDim*tableBytes + stateBytes)

	const index = 8
	dim := float64(m.EmbeddingDim)
	row := dim * tableBytes
	if u.batch.Inference {
		row = dim * u.element
	}
	touched, asked := float64(share(read)), lookups/float64(replicas)
	vectors := u.element * float64(u.batch.Samples*m.Tables) * dim
	u.pass("tables", Embedding,
		traffic{touched*row + asked*index + vectors, asked * dim * moveSlots, 1},
		traffic{touched*2*(row+stateBytes) + asked*2*index + vectors, asked * dim * 2 * moveSlots, 4}) // sort of the indices first
}

// mlp is linear layers with biases of so many outputs each, a ReLU after each
// but one that ends in a single logit.
func (u *unfolder) mlp(in int64, sizes []int64) {
	rows := u.batch.Samples
	for i, out := range sizes {
		name := fmt.Sprintf("linear %d", i)
		u.keep(rows * in)
		u.weights(in, out, true)
		u.linear(name, rows, out, in)
		u.biasGradient(rows * out)
		if out > 1 || i < len(sizes)-1 {
			u.relu(rows * out)
		}
		in = out
	}
}

// dots is the interaction of all pairs. It returns the values of its result.
func (u *unfolder) dots(m Model) int64 {
	vectors := m.Tables + 1
	padded := (vectors + 7) / 8 * 8
	result := m.EmbeddingDim + vectors*(vectors-1)/2
	samples := u.batch.Samples
	u.keep(samples * vectors * m.EmbeddingDim)
	flops := 2 * float64(samples) * float64(vectors*vectors) * float64(m.EmbeddingDim)
	forward := u.product("dots", Attention, samples, padded, padded, m.EmbeddingDim)
	gradient := u.product("dots gradient", Attention, samples, padded, m.EmbeddingDim, padded)
	forward.FLOPs, gradient.FLOPs = flops, flops
	forward.Bytes = u.element * float64(samples*(vectors*m.EmbeddingDim+result))
	gradient.Bytes = u.element * float64(samples*(2*vectors*m.EmbeddingDim+result))
	u.add([]Operator{forward}, []Operator{gradient})
	return result
}

// crossing is the cross network over vectors of so many values.
func (u *unfolder) crossing(m Model, width int64) {
	rows := u.batch.Samples
	n := rows * width
	u.copies("concatenation", n, 1)
	for i := range m.CrossLayers {
		u.keep(2*n + rows*m.CrossRank) // x, V x and W (V x) + b
		u.weights(width, m.CrossRank, false)
		u.linear(fmt.Sprintf("cross %d down", i), rows, m.CrossRank, width)
		u.weights(m.CrossRank, width, true)
		u.linear(fmt.Sprintf("cross %d up", i), rows, width, m.CrossRank)
		u.biasGradient(n)
		// Backward, the gradient and x0 give that of the product; the gradient
		// and the product are added to the gradient of x0; x' passes it on.
		u.pass("cross", Elementwise, u.moves(n, 4, 0, moveSlots), u.moves(n, 6, 0, moveSlots))
		u.residualFork(n)
	}
}

// recommender is m with the defaults of the family filled in: one look-up a
// table, and one entry of Rows or Lookups for all Tables.
func (m *Model) recommender() {
	if m.Tables == 0 {
		m.Tables = int64(len(m.Rows))
	}
	if len(m.Lookups) == 0 {
		m.Lookups = []int64{1}
	}
	m.Rows, m.Lookups = repeated(m.Rows, m.Tables), repeated(m.Lookups, m.Tables)
	m.Sequence = 1 // a sample is one
}

// repeated is a list of one value, so many times, and any other as it is.
func repeated(list []int64, times int64) []int64 {
	if len(list) != 1 || times < 2 || times > maxTables {
		return list
	}
	all := make([]int64, times)
	for i := range all {
		all[i] = list[0]
	}
	return all
}

// checkRecommender reports what is wrong with a model of family dlrm.
func (m Model) checkRecommender(bad func(format string, args ...any)) {
	d := m
	d.recommender()
	if d.Tables < 1 || d.Tables > maxTables {
		bad("tables must be 1 to %d, got %d", maxTables, d.Tables)
	}
	if n := int64(len(d.Rows)); n != d.Tables {
		bad("rows has %d entries, and tables is %d: one for each, or one for all", n, d.Tables)
	}
	if n := int64(len(d.Lookups)); n != d.Tables {
		bad("lookups has %d entries, and tables is %d: one for each, or one for all", n, d.Tables)
	}
	positive(bad, "rows", m.Rows)
	positive(bad, "lookups", m.Lookups)
	positive(bad, "bottom_mlp", m.BottomMLP)
	positive(bad, "top_mlp", m.TopMLP)
	if n := max(len(m.BottomMLP), len(m.TopMLP)); n > maxLinear {
		bad("bottom_mlp and top_mlp may have %d layers, got %d", maxLinear, n)
	}
	positive(bad, "embedding_dim", []int64{m.EmbeddingDim})
	positive(bad, "dense_features", []int64{m.DenseFeatures})
	if n := len(m.BottomMLP); n == 0 || m.BottomMLP[n-1] != m.EmbeddingDim {
		bad("bottom_mlp must end in embedding_dim %d, as the vectors that it meets", m.EmbeddingDim)
	}
	if n := len(m.TopMLP); n == 0 || m.TopMLP[n-1] != 1 {
		bad("top_mlp must end in 1, the logit")
	}
	if m.CrossLayers < 0 || m.CrossRank < 0 || (m.CrossLayers == 0) != (m.CrossRank == 0) {
		bad("cross_layers %d and cross_rank %d: a cross network needs both, dot products neither", m.CrossLayers, m.CrossRank)
	}
}

// positive reports the first value of a list that is not.
func positive(bad func(format string, args ...any), key string, list []int64) {
	for _, v := range list {
		if v < 1 {
			bad("%s must be 1 or more, got %d", key, v)
			return
		}
	}
}
