package report

import (
	"cmp"
	"math"
	"slices"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
)

// Bounds of the roofline.
const (
	maxKernels  = 10_000
	fewLabelled = 6 // kernels, those that take most
)

// kernelPoint is a kernel under the roofline.
type kernelPoint struct {
	name, class              string
	intensity, reached, took float64
}

// plotRoofline draws what the kernels of a training job reach, by how much they compute
// for each byte of memory traffic, under what the accelerator's data sheet allows
// (Williams et al., CACM 2009). The areas are shares of the time.
func plotRoofline(dir string, s *summary) (figure.Figure, string, error) {
	const name = "kernels.csv"
	columns := []result.Metric{
		result.Workload, result.KernelName, result.KernelPass, result.KernelClass, result.KernelFLOPs, result.KernelBytes, result.KernelTime, result.KernelPeak, result.KernelMemory,
	}
	first, memory := "", 0.0
	var kernels []kernelPoint
	var peaks []float64
	found, err := readTable(dir, name, columns, func(r *row) {
		if first == "" {
			first, memory = r.text(0), r.number(8)
		}
		if r.text(0) != first {
			r.stop = true
			return
		}
		flops, bytes, took, peak := r.number(4), r.number(5), r.number(6), r.number(7)
		switch {
		case len(kernels) == maxKernels:
			r.fail(0, "more than %d kernels", maxKernels)
		case flops < 0 || bytes < 0 || took < 0 || peak < 0 || memory <= 0:
			r.fail(4, "a kernel of %v FLOP, %v bytes and %v s, at %v TFLOP/s and %v B/s: negative", flops, bytes, took, peak, memory)
		case flops > 0 && bytes > 0 && took > 0: // all else has no place on logarithmic axes
			k := kernelPoint{name: r.text(1), class: r.text(3), intensity: flops / bytes, reached: flops / took, took: took}
			kernels = append(kernels, k)
			if peak *= 1e12; peak > 0 && !slices.Contains(peaks, peak) {
				peaks = append(peaks, peak)
			}
		}
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if kernels == nil || len(peaks) == 0 {
		return nil, name + " has no kernel that computes and moves anything", nil
	}
	slices.SortStableFunc(kernels, func(a, b kernelPoint) int { return cmp.Compare(b.took, a.took) })
	f := figure.Lines{
		Title: s.title("kernels under the roofline"), Subtitle: s.subtitle(first, "memory "+Prefixed(memory, "B/s"), "areas are shares of the time"),
		X: figure.Axis{Label: "FLOP for each byte of memory traffic", Log: true},
		Y: figure.Axis{Label: "reached (FLOP/s)", Log: true},
	}
	// The legend has classes in the order of the time that their largest kernel takes.
	named := map[string]int{}
	low, high := math.Inf(1), 0.0
	labelled := map[string]bool{}
	for _, k := range kernels {
		low, high = min(low, k.intensity), max(high, k.intensity)
		n, seen := named[k.class]
		if !seen {
			n = len(f.Series)
			named[k.class] = n
			f.Series = append(f.Series, figure.Series{Name: k.class, Points: true})
		}
		one, label := &f.Series[n], ""
		if len(labelled) < fewLabelled && !labelled[k.name] {
			labelled[k.name], label = true, k.name
		}
		one.X, one.Y = append(one.X, k.intensity), append(one.Y, k.reached)
		one.Labels = append(one.Labels, label)
		one.Sizes = append(one.Sizes, k.took)
	}
	// Areas are relative to the largest of all, which each series is to know of.
	for i := range f.Series {
		f.Series[i].Largest = kernels[0].took
	}
	slices.Sort(peaks)
	left, right := low/2, max(high, peaks[len(peaks)-1]/memory)*8 // room for the labels of the roofs
	for i, peak := range peaks {
		const name = "data sheet" // of all of them; each has its rate at its end
		ridge := peak / memory
		roof := figure.Series{Name: name, Dashed: true, X: []float64{ridge, right}, Y: []float64{peak, peak}}
		if i > 0 {
			roof.Name, roof.Like = "", name
		}
		if ridge > left {
			roof.X, roof.Y = append([]float64{left}, roof.X...), append([]float64{left * memory}, roof.Y...)
		}
		roof.Labels = make([]string, len(roof.X))
		roof.Labels[len(roof.Labels)-1] = Prefixed(peak, "FLOP/s")
		f.Series = append(f.Series, roof)
	}
	return f, "", drawable(dir, name, f)
}
