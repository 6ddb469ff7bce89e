package workload

import (
	"testing"

	"github.com/railyard/railyard/topology"
)

var unet3D = Model{Name: "unet3d", Family: FamilyUNet3D, Filters: []int64{32, 64, 128, 256, 320}, Patch: 128, Classes: 3}

// The layers of MLPerf's reference (mlcommons/training, image_segmentation/
// pytorch/model), written out: convolutions of 27 taps without biases but with a
// norm of two values a channel, transposed ones of 8 taps with biases.
func TestVolume(t *testing.T) {
	if err := unet3D.Validate(); err != nil {
		t.Fatal(err)
	}
	var parameters int64
	var multiplyAdds float64
	for _, c := range []struct{ in, out, side int64 }{ // of the output
		{1, 32, 128},
		{32, 32, 128},
		{32, 64, 64},
		{64, 64, 64},
		{64, 128, 32},
		{128, 128, 32},
		{128, 256, 16},
		{256, 256, 16},
		{256, 320, 8},
		{320, 320, 8},
		{320, 320, 4},
		{320, 320, 4},
		{640, 320, 8},
		{320, 320, 8},
		{512, 256, 16},
		{256, 256, 16},
		{256, 128, 32},
		{128, 128, 32},
		{128, 64, 64},
		{64, 64, 64},
		{64, 32, 128},
		{32, 32, 128},
	} {
		parameters += 27*c.in*c.out + 2*c.out
		multiplyAdds += float64(27 * c.in * c.out * c.side * c.side * c.side)
	}
	for _, c := range []struct{ in, out, side int64 }{
		{320, 320, 8},
		{320, 256, 16},
		{256, 128, 32},
		{128, 64, 64},
		{64, 32, 128},
	} {
		parameters += 8*c.in*c.out + c.out
		multiplyAdds += float64(c.in * c.out * c.side * c.side * c.side)
	}
	parameters += 32*3 + 3
	multiplyAdds += 32 * 3 * 128 * 128 * 128

	if got := unet3D.Parameters(); got != parameters || got != 31_190_243 {
		t.Errorf("%d parameters, want %d", got, parameters)
	}
	const samples = 2
	for i, l := range unet3D.Unfold(Batch{Samples: samples, Precision: topology.FP16}) {
		forward := products(l.Forward)
		multiplyAdds -= forward / 2 / samples
		want := 2 * forward
		if i == 0 { // the image needs no gradient
			want -= 2 * samples * 27 * 32 * 128 * 128 * 128
		}
		if got := products(l.Backward); got != want {
			t.Errorf("%s: %g FLOPs backward, want %g", l.Name, got, want)
		}
	}
	if multiplyAdds != 0 {
		t.Errorf("%g multiply-adds a sample are missing", multiplyAdds)
	}
}
