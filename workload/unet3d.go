package workload

import "fmt"

// unet3d unfolds a U-Net over cubes of Patch voxels a side: Çiçek et al. 2016
// in the variant of nnU-Net (Isensee et al. 2021) that MLPerf trains on KiTS19
// (mlcommons/training, image_segmentation/pytorch/model), filters 32, 64, 128,
// 256 and 320. Its 31.2 million parameters are those of nnU-Net; the 19 million
// that are also quoted are those of the network of 2016, with fewer levels.
//
// A level is two convolutions of 3 x 3 x 3, each followed by an instance norm
// and a leaky ReLU. Going down, the first of each level has stride 2; a level
// below the last of Filters has its width again. Going up, a transposed
// convolution of 2 x 2 x 2 doubles the side, its result is concatenated with
// what the level had going down, and two convolutions follow. A convolution of
// one voxel gives the Classes, and the loss is the mean of Dice loss and cross
// entropy.
//
// Every step is a kernel of its own, as PyTorch runs them. One layer here is a
// level in one direction, or the head.
func (m Model) unet3d(b Batch) []Layer {
	b.Precision = wide(b.Precision)
	levels := len(m.Filters)
	widths := append(append([]int64{}, m.Filters...), m.Filters[levels-1])
	layers := make([]Layer, 0, 2*levels+2)

	side, channels := m.Patch, m.Channels
	for i, width := range widths {
		u := newUnfolder(fmt.Sprintf("level %d down", i), b)
		stride := int64(2)
		if i == 0 {
			stride = 1
		}
		if i > 0 {
			u.residualFork(u.voxels(side) * channels) // gradients of the level below and of the way up
		}
		u.volume(channels, width, stride, side, i == 0)
		side /= stride
		u.volume(width, width, 1, side, false)
		channels = width
		layers = append(layers, u.done())
	}
	for i := levels - 1; i >= 0; i-- {
		u := newUnfolder(fmt.Sprintf("level %d up", i), b)
		width := widths[i]
		u.transposed(channels, width, side)
		side *= 2
		u.layout("concatenation", u.voxels(side)*2*width)
		u.volume(2*width, width, 1, side, false)
		u.volume(width, width, 1, side, false)
		channels = width
		layers = append(layers, u.done())
	}

	head := newUnfolder("head", b)
	voxels := head.voxels(side)
	head.layer.Parameters += m.Classes
	head.patches("classifier", channels, m.Classes, 1, voxels, voxels, false)
	head.biasGradient(voxels * m.Classes)
	head.loss(voxels*m.Classes, true)
	head.dice(voxels * m.Classes)
	return append(layers, head.done())
}

// voxels is the points of all samples in cubes of so many a side.
func (u *unfolder) voxels(side int64) int64 { return u.batch.Samples * side * side * side }

// volume is a convolution of 3 x 3 x 3 with norm and leaky ReLU.
func (u *unfolder) volume(in, out, stride, side int64, first bool) {
	to := u.voxels(side / stride)
	u.patches("convolution 3x3x3", in, out, 27, u.voxels(side), to, first)
	u.channelNorm("instance norm", out, to*out)
	u.relu(to * out)
}

// transposed is a convolution of 2 x 2 x 2 that doubles the side: its kernels
// do not overlap, so that it is a product with a row for each input voxel and a
// column for each channel of the eight voxels that it becomes.
func (u *unfolder) transposed(in, out, side int64) {
	const taps = 8
	voxels := u.voxels(side)
	u.keep(voxels * in)
	u.layer.Parameters += in*out*taps + out
	name := "transposed convolution 2x2x2"
	u.add(
		[]Operator{u.product(name, Convolution, 1, voxels, out*taps, in)},
		[]Operator{
			u.product(name+" data gradient", Convolution, 1, voxels, in, out*taps),
			u.product(name+" weight gradient", Convolution, 1, out*taps, in, voxels),
		})
	u.biasGradient(voxels * taps * out)
}

// dice is the Dice loss of n logits: softmax, the classes as vectors of zeros
// and a one, and three sums over voxels; backward, the gradient of the sums, of
// softmax, and its addition to that of the cross entropy.
func (u *unfolder) dice(n int64) {
	if u.batch.Inference {
		return
	}
	u.keep(2 * n)
	forward, backward := u.moves(n, 7, 0, softmaxSlots), u.moves(n, 9, 0, softmaxGradientSlots)
	forward.launches, backward.launches = 5, 3
	u.pass("dice", Loss, forward, backward)
}

// checkVolume reports what is wrong with a model of family unet3d.
func (m Model) checkVolume(bad func(format string, args ...any)) {
	const most = 10 // halvings of a side of 1024 voxels, already 2 GB a channel
	if n := len(m.Filters); n < 1 || n > most {
		bad("filters must have 1 to %d levels, got %d", most, n)
		return
	}
	positive(bad, "filters", m.Filters)
	positive(bad, "classes", []int64{m.Classes})
	positive(bad, "patch", []int64{m.Patch})
	positive(bad, "channels", []int64{m.WithDefaults().Channels})
	if step := int64(1) << len(m.Filters); m.Patch%step != 0 {
		bad("patch %d is not a multiple of %d: each of the %d filters halves it", m.Patch, step, len(m.Filters))
	}
}
