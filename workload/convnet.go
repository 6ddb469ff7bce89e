package workload

import "fmt"

// convnetBlocks is how many bottleneck blocks the four stages of a residual
// network of so many layers have (He et al. 2016, table 1), nil for others.
func convnetBlocks(layers int64) []int64 {
	switch layers {
	case 50:
		return []int64{3, 4, 6, 3}
	case 101:
		return []int64{3, 4, 23, 3}
	case 152:
		return []int64{3, 8, 36, 3}
	}
	return nil
}

// convnet unfolds a residual network of bottleneck blocks for 224 x 224 colour
// images: He et al. 2016 in the variant called v1.5, whose stages halve the
// image in the 3 x 3 convolution of their first block rather than in the 1 x 1
// before it (4.09 instead of 3.86 billion multiply-adds an image for 50
// layers). One layer here is the stem, a block, or the classifier.
//
// Batch norm, ReLU and the addition of a shortcut are a kernel each, as PyTorch
// runs them.
func (m Model) convnet(b Batch) []Layer {
	b.Precision = wide(b.Precision)
	stem := newUnfolder("stem", b)
	side := int64(imageSide)
	side = stem.convolution("convolution 7x7", 3, 64, 7, 2, side, true)
	stem.batchNorm(64, side, true, false)
	stem.pool(64, side)
	side /= 2
	layers := []Layer{stem.done()}

	channels, inner := int64(64), int64(64)
	for stage, blocks := range convnetBlocks(m.Layers) {
		for block := range blocks {
			stride := int64(1)
			if block == 0 && stage > 0 {
				stride = 2
			}
			u := newUnfolder(fmt.Sprintf("stage %d block %d", stage+1, block), b)
			u.residualFork(b.Samples * channels * side * side)
			outer := 4 * inner
			out := side / stride
			u.convolution("convolution 1x1", channels, inner, 1, 1, side, false)
			u.batchNorm(inner, side, true, false)
			u.convolution("convolution 3x3", inner, inner, 3, stride, side, false)
			u.batchNorm(inner, out, true, false)
			if block == 0 {
				u.convolution("shortcut 1x1", channels, outer, 1, stride, side, false)
				u.batchNorm(outer, out, false, false)
			}
			u.convolution("convolution 1x1", inner, outer, 1, 1, out, false)
			u.batchNorm(outer, out, true, true)
			layers = append(layers, u.done())
			channels, side = outer, out
		}
		inner *= 2
	}

	head := newUnfolder("head", b)
	pixels := b.Samples * channels * side * side
	head.pass("average pooling", Elementwise, head.moves(pixels, 1, 0, moveSlots), head.moves(pixels, 1, 0, moveSlots))
	head.keep(b.Samples * channels)
	head.weights(channels, imageClasses, true)
	head.linear("classifier", b.Samples, imageClasses, channels)
	head.biasGradient(b.Samples * imageClasses)
	head.loss(b.Samples*imageClasses, true)
	return append(layers, head.done())
}

// convolution is a square kernel over a square image. It returns the side of
// its output.
func (u *unfolder) convolution(name string, in, out, kernel, stride, side int64, first bool) int64 {
	result := side / stride
	u.patches(name, in, out, kernel*kernel, u.batch.Samples*side*side, u.batch.Samples*result*result, first)
	return result
}

// patches is a convolution of so many taps, from so many input to so many
// output points of all samples, as an implicit matrix product: a row for each
// output point, a column for each output channel, and the patch under the
// kernel as the inner dimension. The data gradient has a row for each input
// point and meets, of the kernel's outputs, the share that the stride leaves;
// the first layer's input needs none.
func (u *unfolder) patches(name string, in, out, taps, from, to int64, first bool) {
	u.layer.Parameters += in * out * taps
	u.keep(from * in)
	m, n, k := to, out, in*taps
	bytes := u.element * (float64(from*in) + float64(k*n) + float64(m*n))
	forward := u.product(name, Convolution, 1, m, n, k)
	weight := u.product(name+" weight gradient", Convolution, 1, n, k, m)
	forward.Bytes, weight.Bytes = bytes, bytes
	backward := []Operator{weight}
	if !first {
		data := u.product(name+" data gradient", Convolution, 1, from, in, out*taps*to/from)
		data.Bytes = bytes
		backward = []Operator{data, weight}
	}
	u.add([]Operator{forward}, backward)
}

// batchNorm normalises each channel over the batch, then adds a shortcut and
// applies ReLU where asked for.
func (u *unfolder) batchNorm(channels, side int64, relu, add bool) {
	n := u.batch.Samples * channels * side * side
	if u.batch.Inference {
		u.layer.Parameters += 2 * channels
		if add { // it is read by the product
			u.layer.Forward[len(u.layer.Forward)-1].Bytes += u.element * float64(n)
		}
		return
	}
	u.channelNorm("batch norm", channels, n)
	if add {
		u.pass("shortcut", Elementwise, u.moves(n, 3, 0, moveSlots), traffic{})
	}
	if relu {
		u.relu(n)
	}
}

// channelNorm normalises n values by channel, over the batch or within each
// sample. It reads its input twice (moments, then result), and backward the
// output's gradient and the input twice (sums, then result).
func (u *unfolder) channelNorm(name string, channels, n int64) {
	u.layer.Parameters += 2 * channels
	u.keep(n)
	forward, backward := u.moves(n, 3, 0, normSlots), u.moves(n, 5, 0, normGradientSlots)
	forward.launches, backward.launches = 2, 2
	u.pass(name, Elementwise, forward, backward)
}

// relu works in place and keeps its output, whose sign backward reads: what
// follows counts it.
func (u *unfolder) relu(n int64) {
	if u.batch.Inference {
		return
	}
	u.pass("relu", Elementwise, u.moves(n, 2, 0, moveSlots), u.moves(n, 3, 0, moveSlots))
}

// pool takes the maximum of 3 x 3 windows at stride 2.
func (u *unfolder) pool(channels, side int64) {
	n := u.batch.Samples * channels * side * side
	u.keep(n)
	u.pass("max pooling", Elementwise, u.moves(n, 1.25, 0, 3*moveSlots), u.moves(n, 2.5, 0, 3*moveSlots))
}
