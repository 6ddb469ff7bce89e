package calibrate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

func stock(t *testing.T, host string) topology.Host {
	t.Helper()
	h, faults := (&scenario.Scenario{}).Host(host)
	if faults != nil {
		t.Fatal(faults)
	}
	return h
}

// measure is kernels of an accelerator, with 3 % of noise.
func measure(t *testing.T, a topology.Accelerator, table string) []Kernel {
	t.Helper()
	kernels, skipped, err := ReadKernels("k.csv", strings.NewReader(table), nil)
	if err != nil || len(skipped) > 0 {
		t.Fatal(err, skipped)
	}
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range kernels {
		kernels[i].Seconds = cluster.Roofline{Accelerator: a}.Time(kernels[i].Operator) * math.Exp(0.03*noise.NormFloat64())
	}
	return kernels
}

// products is a table of the shapes of two models at 1 to 8192 tokens.
func products(dtype string, from int) string {
	var b strings.Builder
	b.WriteString("op,dtype,m,n,k,time_us\n")
	for _, shape := range [][2]int{{4096, 4096}, {6144, 4096}, {8192, 8192}, {10240, 8192}, {8192, 3584}} {
		for m := from; m <= 8192; m *= 2 {
			fmt.Fprintf(&b, "gemm,%s,%d,%d,%d,1\n", dtype, m, shape[0], shape[1])
		}
	}
	return b.String()
}

func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.Abs(got/want-1) > tolerance {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// A fit finds the constants that measurements were made with.
func TestAcceleratorIsFound(t *testing.T) {
	base := stock(t, "dgx-h100").Accelerator
	truth := base
	truth.MatrixEfficiency, truth.ReadEfficiency, truth.LaunchOverhead = 0.66, 0.93, 650_000 // 6.5 us
	truth.FP8Efficiency, truth.FlashEfficiency = 0.47, 0.71

	kernels := measure(t, truth, products("bf16", 1))
	kernels = append(kernels, measure(t, truth, products("fp8", 1024))...)
	var attention strings.Builder
	attention.WriteString("op,dtype,batch,m,kv_len,q_heads,kv_heads,head_dim,time_us\n")
	for m := 512; m <= 16384; m *= 2 {
		fmt.Fprintf(&attention, "attn_prefill,bf16,2,%d,0,32,8,128,1\n", m)
	}
	kernels = append(kernels, measure(t, truth, attention.String())...)

	got, constants, err := Accelerator(base, kernels)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "matrix", got.MatrixEfficiency, truth.MatrixEfficiency, 0.02)
	within(t, "read", got.ReadEfficiency, truth.ReadEfficiency, 0.03)
	within(t, "launch", got.LaunchOverhead.Seconds(), truth.LaunchOverhead.Seconds(), 0.10)
	within(t, "fp8", got.FP8Efficiency, truth.FP8Efficiency, 0.02)
	within(t, "flash", got.FlashEfficiency, truth.FlashEfficiency, 0.03)
	if len(constants) != 5 {
		t.Errorf("got constants %+v, want five", constants)
	}
	for _, c := range constants {
		if !c.Measured {
			t.Errorf("%+v: measured by these rows", c)
		}
	}
	for _, r := range Residuals(got, kernels) { // half of normal noise lies within 0.67 of its deviation
		if r.Median > 0.03 || math.Abs(r.Bias) > 0.02 {
			t.Errorf("%+v: the noise has 3 %%", r)
		}
	}
}

// What nothing measured depends on stays as it was.
func TestUnmeasuredStays(t *testing.T) {
	base := stock(t, "dgx-a100").Accelerator
	truth := base
	truth.MatrixEfficiency = 0.70
	got, constants, err := Accelerator(base, measure(t, truth, products("fp16", 4096)))
	if err != nil {
		t.Fatal(err)
	}
	within(t, "matrix", got.MatrixEfficiency, 0.70, 0.03)
	if got.ReadEfficiency != base.ReadEfficiency || constants[1].Measured || constants[1].Is != constants[1].Was {
		t.Errorf("large products say nothing of reading: %+v", constants[1])
	}

	if _, _, err := Accelerator(base, nil); err == nil {
		t.Error("a fit to nothing")
	}
	if _, _, err := Accelerator(base, measure(t, stock(t, "dgx-h100").Accelerator, products("fp8", 4096))); err == nil {
		t.Error("an A100 has no FP8")
	}
}

// Calls that take more than their kernel are told from kernels that reach less.
func TestCallsAreFound(t *testing.T) {
	base := stock(t, "dgx-h100").Accelerator
	truth := base
	truth.FP8Efficiency = 0.47
	for _, want := range []Call{{}, {Extra: 12e-6}, {Host: 60e-6}, {Extra: 12e-6, Host: 45e-6}} {
		kernels := measure(t, truth, products("fp8", 1))
		for i := range kernels {
			kernels[i].Seconds = want.time(kernels[i].Seconds)
		}
		if err := Calls(base, kernels); err != nil {
			t.Fatal(err)
		}
		got, _, err := Accelerator(base, kernels)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "fp8", got.FP8Efficiency, truth.FP8Efficiency, 0.02)
		call := Residuals(got, kernels)[0].Call
		for _, part := range []struct {
			what      string
			got, want float64
		}{{"extra", call.Extra, want.Extra}, {"host", call.Host, want.Host}} {
			if math.Abs(part.got-part.want) > 0.05*part.want+0.3e-6 { // 3 % of the shortest kernels
				t.Errorf("%v: %s is %.3g s, not %.3g", &want, part.what, part.got, part.want)
			}
		}
	}
}

// Products in 16 bits have a launch, and nothing beside it.
func TestCallOfWideProducts(t *testing.T) {
	base := stock(t, "dgx-h100").Accelerator
	truth := base
	truth.LaunchOverhead = 1_200_000 // 12 us
	kernels := measure(t, truth, products("bf16", 1))
	if err := Calls(base, kernels); err != nil {
		t.Fatal(err)
	}
	got, _, err := Accelerator(base, kernels)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "launch", got.LaunchOverhead.Seconds(), 12e-6, 0.10)
	if extra := kernels[0].Call.Extra; extra != 0 {
		t.Errorf("%v s beside the kernel", extra)
	}
}

// logOf is a log of ring all-reduces on a host, with 3 % of noise.
func logOf(t *testing.T, h topology.Host, ranks int) Log {
	t.Helper()
	l := Log{File: "l", Op: collective.AllReduce, Ranks: ranks}
	plans, err := l.plans(&h)
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.New(rand.NewPCG(uint64(ranks), 4))
	for size := 1024.; size < 4e9; size *= 2 {
		l.Size = append(l.Size, size)
		l.Seconds = append(l.Seconds, plans.Fastest(size).Predict(size)*math.Exp(0.03*noise.NormFloat64()))
	}
	return l
}

func TestNetworkIsFound(t *testing.T) {
	base := stock(t, "dgx-h100")
	truth := base
	truth.CollectiveOverhead, truth.StepOverhead = 1_500_000, 120_000 // 15 us, 1.2 us
	truth.ScaleUpEfficiency, truth.NICEfficiency, truth.NVLSEfficiency = 0.71, 0.60, 0.60

	logs := []Log{logOf(t, truth, 2), logOf(t, truth, 8), logOf(t, truth, 32)}
	got, constants, err := Network(base, logs)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "start", got.CollectiveOverhead.Seconds(), 15e-6, 0.10)
	within(t, "step", got.StepOverhead.Seconds(), 1.2e-6, 0.05)
	within(t, "scale-up", got.ScaleUpEfficiency, 0.71, 0.03)
	within(t, "NICs", got.NICEfficiency, 0.60, 0.03)
	within(t, "NVLS", got.NVLSEfficiency, 0.60, 0.03)
	if len(constants) != 5 {
		t.Errorf("got constants %+v, want five", constants)
	}

	// One log knows only the sum of the overheads: 15 us and 14 steps.
	got, _, err = Network(base, logs[1:2])
	if err != nil {
		t.Fatal(err)
	}
	within(t, "ratio of overheads", got.CollectiveOverhead.Seconds()/got.StepOverhead.Seconds(), 4.9/0.74, 0.01)
	within(t, "sum of overheads", got.CollectiveOverhead.Seconds()+14*got.StepOverhead.Seconds(), 15e-6+14*1.2e-6, 0.03)
	if got.NICEfficiency != base.NICEfficiency {
		t.Error("a log of one host says something of NICs")
	}

	for _, l := range []Log{{Ranks: 11}, {Ranks: 9, Hosts: 1}, {Ranks: 4096}} {
		l.Op, l.Size, l.Seconds = collective.AllReduce, []float64{1}, []float64{1}
		if _, _, err := Network(base, []Log{l}); err == nil {
			t.Errorf("a fit to %d ranks on hosts of eight", l.Ranks)
		}
	}
}

// A scenario may hold an override as it is written.
func TestOverride(t *testing.T) {
	o := Override{
		Table: "accelerators", Name: "our \"own\".1", Base: "h100-sxm-80gb", Data: "a\nb.csv",
		Constants: []Constant{
			{Key: "matrix_efficiency", Was: "0.760", Is: "0.700", Measured: true},
			{Key: "launch_overhead", Was: `"4us"`, Is: `"2.5us"`, Measured: true},
			{Key: "read_efficiency", Was: "0.870", Is: "0.870"},
		},
		Before: []Residual{{Group: "matrix bf16", Rows: 7, Median: 0.2, Ninth: 0.3, Bias: -0.1}},
		After:  []Residual{{Group: "matrix bf16", Rows: 7, Median: 0.02, Ninth: 0.03, Bias: 0.01}},
	}
	var b strings.Builder
	if err := o.WriteTOML(&b); err != nil {
		t.Fatal(err)
	}
	s, faults := scenario.Parse("case.toml", []byte(b.String()+`
[hosts.ours]
accelerator = 'our "own".1'
[topology]
kind = "single-host"
host = "ours"
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB"]
`), nil)
	if faults != nil {
		t.Fatalf("%v in\n%s", faults, b.String())
	}
	h, faults := s.Host("ours")
	if faults != nil {
		t.Fatal(faults)
	}
	base := stock(t, "dgx-h100").Accelerator
	want := base
	want.Name, want.MatrixEfficiency, want.LaunchOverhead = h.Accelerator.Name, 0.7, 250_000
	if h.Accelerator != want {
		t.Errorf("got %+v\nwant %+v in\n%s", h.Accelerator, want, b.String())
	}
}
