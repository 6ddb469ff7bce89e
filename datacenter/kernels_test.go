package datacenter_test

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/result"
)

// Kernels of a job without accumulation take the time that the summary has for their
// class, do the arithmetic that the model has, and none is above the roofline.
func TestKernels(t *testing.T) {
	r := run(t, bert, nil)
	table := r.Table("kernels")
	numbers := func(m result.Metric) []float64 { return table.Column(m.Name).Numbers }
	took, flops, bytes := numbers(result.KernelTime), numbers(result.KernelFLOPs), numbers(result.KernelBytes)
	byClass := map[string]float64{}
	product := 0.0
	for i, class := range table.Column(result.KernelClass.Name).Text {
		byClass[class] += took[i]
		if class == "matrix" {
			product += flops[i]
		}
		if peak := numbers(result.KernelPeak)[i] * 1e12; flops[i]/took[i] > peak*(1+1e-9) {
			t.Errorf("%s reaches %v FLOP/s of %v", table.Column(result.KernelName.Name).Text[i], flops[i]/took[i], peak)
		}
		if memory := numbers(result.KernelMemory)[i]; bytes[i]/took[i] > memory*(1+1e-9) {
			t.Errorf("%s moves %v B/s of %v", table.Column(result.KernelName.Name).Text[i], bytes[i]/took[i], memory)
		}
	}
	for _, class := range []string{"matrix", "embedding", "loss"} {
		if want := number(t, r, "training.0.compute_by_class_s."+class); !near(byClass[class], want, 1e-9) {
			t.Errorf("%s takes %v s, by the summary %v", class, byClass[class], want)
		}
	}
	// What the summary counts as the model's FLOPs of an iteration is products.
	iteration := number(t, r, "training.0.iteration_s")
	whole := number(t, r, "training.0.hardware_tflops_per_accelerator") * 1e12 * iteration
	if product > whole*(1+1e-9) || product < 0.9*whole {
		t.Errorf("products of %v FLOP, the summary has %v", product, whole)
	}
	if !slices.Contains(table.Column(result.KernelPass.Name).Text, "backward") {
		t.Error("there is no backward pass")
	}
}

// The classes of operators, and what communication beside them adds, make up the
// compute of the breakdown.
func TestComputeMakesUpItsClasses(t *testing.T) {
	r := run(t, everything, everythingFiles)
	for i, job := range r.Summary.List("training") {
		sum := job.Float("slowed_compute_s")
		for _, f := range job.Record("compute_by_class_s").Fields {
			sum += f.Value.(float64)
		}
		// Every step of a pass rounds to a tick of 10 ps.
		if got := job.Record("breakdown_s").Float("compute"); !near(got, sum, 1e-7) {
			t.Errorf("training.%d: compute %v, its parts sum to %v", i, got, sum)
		}
	}
}
