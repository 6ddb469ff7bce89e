package calibrate_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/scenario"
)

// The catalogue's constants against kernels measured on the accelerators
// themselves, where those are at hand. Left out are FP8 of vLLM in blocks, whose
// times on H100 and B200 do not depend on the work, and that of TensorRT-LLM on
// B200, which does not use its tensor cores well (0.1 to 0.5 of peak). There are none of an
// H200, an H100 with faster memory: what stands for them is servers on it, whose time per
// token TestMeasuredServing of the root package has.
func TestMeasuredKernels(t *testing.T) {
	const file = "../../shared/reference/serving/kernels.csv"
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		t.Skip("no reference data")
	}
	for _, c := range []struct {
		accelerator, gpu, engine, op, dtype string

		// What is timed as one is several kernels: attention writes its cache
		// and prepares, narrow formats quantize the activations. Rows of fewer
		// tokens than from are bound by that, not by the product.
		launches int
		from     int64

		rows   int
		median float64 // bound of the median error
	}{
		{"a100-sxm-80gb", "A100-SXM4-80GB", "vllm 0.14.0", "gemm", "bfloat16", 1, 0, 112, 0.065},
		{"a100-pcie-80gb", "A100", "vidur-profile", "", "fp16", 1, 0, 832, 0.055},
		{"h100-sxm-80gb", "H100", "vidur-profile", "", "fp16", 1, 0, 448, 0.065},
		{"h100-sxm-80gb", "H100-SXM-80GB", "vllm 0.24.0", "gemm", "bfloat16", 1, 0, 112, 0.10}, // from a cool chip
		{"b200-sxm", "B200-SXM", "vllm 0.22.0", "gemm", "bfloat16", 1, 0, 112, 0.075},

		{"h100-sxm-80gb", "H100-SXM-80GB", "vllm 0.24.0", "gemm", "fp8", 2, 512, 40, 0.10},
		{"h100-sxm-80gb", "H100-SXM-80GB", "trtllm 1.2.0rc5", "gemm", "fp8_block", 1, 512, 40, 0.10},
		{"b200-sxm", "B200-SXM", "trtllm 1.2.0rc5", "gemm", "fp8", 4, 2048, 24, 0.10},
		{"b200-sxm", "B200-SXM", "vllm 0.22.0", "gemm", "nvfp4", 2, 2048, 24, 0.10},
		{"b200-sxm", "B200-SXM", "trtllm 1.2.0rc5", "gemm", "nvfp4", 2, 2048, 24, 0.10},

		{"a100-sxm-80gb", "A100-SXM4-80GB", "vllm 0.14.0", "attn_prefill", "bf16", 3, 512, 118, 0.05},
		{"h100-sxm-80gb", "H100-SXM-80GB", "vllm 0.24.0", "attn_prefill", "bf16", 3, 512, 118, 0.07},
		{"b200-sxm", "B200-SXM", "vllm 0.22.0", "attn_prefill", "bf16", 3, 512, 118, 0.07},
		{"a100-sxm-80gb", "A100-SXM4-80GB", "vllm 0.14.0", "attn_decode", "bf16", 3, 0, 172, 0.10},
		{"h100-sxm-80gb", "H100-SXM-80GB", "vllm 0.24.0", "attn_decode", "bf16", 3, 0, 194, 0.08},
		{"b200-sxm", "B200-SXM", "vllm 0.22.0", "attn_decode", "bf16", 3, 0, 234, 0.08},
	} {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		matches := []calibrate.Match{{"gpu", c.gpu}, {"engine", c.engine}, {"dtype", c.dtype}}
		if c.op != "" {
			matches = append(matches, calibrate.Match{Column: "op", Value: c.op})
		}
		kernels, _, err := calibrate.ReadKernels(file, f, matches)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		kernels = slices.DeleteFunc(kernels, func(k calibrate.Kernel) bool { return k.Operator.M < c.from })
		for i := range kernels {
			kernels[i].Operator.Launches = c.launches
		}
		a, faults := (&scenario.Scenario{}).Accelerator(c.accelerator)
		if faults != nil {
			t.Fatal(faults)
		}
		for _, r := range calibrate.Residuals(a, kernels) {
			t.Logf("%-14s %-16s %-21s %4d rows, median %4.1f %%, nine in ten %4.1f %%, bias %+5.1f %%",
				c.accelerator, c.engine, r.Group, r.Rows, 100*r.Median, 100*r.Ninth, 100*r.Bias)
			if r.Rows != c.rows || r.Median > c.median {
				t.Errorf("%+v: %+v", c, r)
			}
		}
	}
}
