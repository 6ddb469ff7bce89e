package datacenter_test

import "testing"

// What the libraries of trainings hold in 8 bits is for trainings in 8 bits alone: those in
// 16 bits take as long whatever it is, and one that holds more is faster.
func TestFP8OfTrainings(t *testing.T) {
	takes := func(precision, efficiency string) float64 {
		r := run(t, "[topology]\nkind = \"single-host\"\nhost = \"dgx-b200\"\n[accelerators.b200-sxm]\nbase = \"b200-sxm\"\n"+efficiency+
			"\n[[workload.training]]\nmodel = \"llama-3.1-8b\"\nglobal_batch = 16\nzero = 1\niterations = 1\nprecision = \""+precision+"\"\n", nil)
		return number(t, r, "training.0.iteration_s")
	}
	const half, most = "fp8_training_efficiency = 0.4", "fp8_training_efficiency = 0.8"
	if a, b := takes("bf16", half), takes("bf16", most); a != b {
		t.Errorf("in 16 bits %v and %v s", a, b)
	}
	// Products take half as long, and nothing else.
	if a, b := takes("fp8", half), takes("fp8", most); b >= a || 2*b <= a {
		t.Errorf("in 8 bits %v and, at twice the rate, %v s", a, b)
	}
}
