package serving

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// The means of arrivals and lengths are those asked for, and so are their coefficients of
// variation: one for Poisson, none for constant gaps.
func TestDemand(t *testing.T) {
	const n = 100_000
	for _, c := range []struct {
		process Process
		cv      float64
		want    float64
	}{{Poisson, 0, 1}, {Constant, 0, 0}, {Gamma, 0.5, 0.5}, {Gamma, 3, 3}} {
		d := Demand{Count: n, Rate: 10, Process: c.process, CV: c.cv, Input: Lengths{Distribution: LogNormal, Mean: 1000, CV: 0.5, Min: 1, Max: 1 << 20}, Output: Lengths{Distribution: Uniform, Min: 10, Max: 20}}
		all := d.Requests(rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4)), nil)
		var sum, squares, input, output float64
		for i := 1; i < n; i++ {
			gap := all[i].Arrival - all[i-1].Arrival
			sum += gap
			squares += gap * gap
			input += float64(all[i].Input)
			output += float64(all[i].Output)
		}
		mean := sum / (n - 1)
		cv := math.Sqrt(max(0, squares/(n-1)-mean*mean)) / mean
		if math.Abs(mean-0.1) > 0.005 || math.Abs(cv-c.want) > 0.1 {
			t.Errorf("process %d: gaps of %.4f s, cv %.3f; want 0.1 and %.3f", c.process, mean, cv, c.want)
		}
		if in, out := input/(n-1), output/(n-1); math.Abs(in-1000) > 10 || math.Abs(out-15) > 0.1 {
			t.Errorf("prompts of %.1f, answers of %.2f in the mean; want 1000 and 15", in, out)
		}
	}
}

// Ten days of a rate of 10 a second that goes up and down by half of it: of 600 s around
// the peak, at a third of the day, the rate is 10 (1 + 0.5 sin(x) / x) with x = 600 pi /
// 3600, and around the opposite time 10 (1 - 0.5 sin(x) / x).
func TestDiurnal(t *testing.T) {
	const day, width = 3600.0, 600.0
	d := Demand{Count: 10 * 3600 * 10, Rate: 10, Process: Diurnal, Swing: 0.5, Period: day, Peak: day / 3, Input: Lengths{Mean: 1}, Output: Lengths{Mean: 1}}
	var high, low float64
	all := d.Requests(rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(3, 4)), nil)
	for _, r := range all {
		after := math.Mod(r.Arrival-d.Peak+day, day)
		if after < width/2 || after > day-width/2 {
			high++
		}
		if math.Abs(after-day/2) < width/2 {
			low++
		}
	}
	x := math.Pi * width / day
	days := all[len(all)-1].Arrival / day
	for name, c := range map[string][2]float64{"peak": {high, 1 + 0.5*math.Sin(x)/x}, "trough": {low, 1 - 0.5*math.Sin(x)/x}, "mean": {float64(len(all)) * width / day, 1}} {
		if got, want := c[0]/days/width, 10*c[1]; math.Abs(got/want-1) > 0.02 {
			t.Errorf("%s: %.3f requests a second, want %.3f", name, got, want)
		}
	}
}

// Llama-2-70B has 68,976,648,192 parameters (its model card says 70B), of which 2 x
// 262,144,000 are the embedding and the head, and two all-reduces a layer; a token takes
// 2 x 8 heads x 128 values in each of 80 layers of the cache.
func TestForward(t *testing.T) {
	m := workload.Model{Name: "llama-2-70b", Layers: 80, Hidden: 8192, Heads: 64, KVHeads: 8, FFN: 28672, Vocab: 32000, Activation: workload.ActivationSwiGLU}
	a := &topology.Accelerator{}
	a.Peak[topology.BF16], a.Peak[topology.FP8] = 1, 1
	f := NewForward(m, a, 1, Formats[0], 2)
	if got, want := f.WeightBytes(), 2*68_976_648_192.0; got != want {
		t.Errorf("weights of %.0f bytes, want %.0f", got, want)
	}
	if got, want := f.TokenBytes(), 2.0*8*128*80*2; got != want {
		t.Errorf("a token takes %.0f bytes, want %.0f", got, want)
	}
	f = NewForward(m, a, 2, Formats[1], 1)
	matrices := 2 * 262_144_000.0
	if got, want := f.WeightBytes(), (68_976_648_192-matrices)/2+matrices; math.Abs(got-want) > 1e-4*want {
		t.Errorf("in FP8 on two ranks %.0f bytes, want %.0f", got, want)
	}
	reduces, flops := 0, 0.0
	f.Dense(7, 7, func(o workload.Operator, times int) {
		switch o.Class {
		case workload.Communication:
			reduces += times
		case workload.Matrix:
			if o.Precision != topology.FP8 {
				t.Errorf("%s is computed in %s", o.Name, o.Precision)
			}
			flops += float64(times) * o.FLOPs
		}
	})
	// Products with all parameters but embedding, head and norms, on one of two ranks.
	norms := float64(161 * 8192)
	if want := 7 * (68_976_648_192 - matrices - norms); flops != want {
		t.Errorf("%g FLOPs, want %g", flops, want)
	}
	if want := 1 + 2*80; reduces != want {
		t.Errorf("%d all-reduces, want %d: the embedding and two a layer", reduces, want)
	}
	if d := f.Decode(3, 3, 300); d.Bytes < 300*2*4*128 {
		t.Errorf("decoding reads %v bytes, the cache alone is %v", d.Bytes, 300*2*4*128)
	}
}
