package calibrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

func TestReadKernels(t *testing.T) {
	kernels, skipped, err := ReadKernels("k.csv", strings.NewReader(`gpu,op,dtype,tokens_m,n,k,batch,kv_len,q_heads,kv_heads,head_dim,launches,measured_ms
a,gemm,bfloat16,8,16,32,,,,,,,1.5
b,gemm,bfloat16,8,16,32,,,,,,,1
a,gemm,fp8,8,16,32,,,,,,2,1
a,attn_prefill,bf16,3,,,2,10,4,2,64,3,1
a,attn_decode,fp16,,,,2,10,4,2,64,,1
a,gemm,int4_wo,8,16,32,,,,,,,1
a,gemm,int3,8,16,32,,,,,,,1
a,layernorm,bf16,8,,,,,,,,,1
a,layernorm,bf16,9,,,,,,,,,1
a,attn_decode,fp16,,,,2,10,,,,,1
`), []Match{{"gpu", "a"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Kernel{
		{Operator: workload.Operator{
			Name: "gemm", Class: workload.Matrix, Precision: topology.BF16, Batch: 1, M: 8, N: 16, K: 32,
			FLOPs: 2 * 8 * 16 * 32, Bytes: 2 * (8*32 + 32*16 + 8*16), Launches: 1,
		}, Seconds: 1.5e-3},
		{Operator: workload.Operator{ // the result in 16 bits
			Name: "gemm", Class: workload.Matrix, Precision: topology.FP8, Batch: 1, M: 8, N: 16, K: 32,
			FLOPs: 2 * 8 * 16 * 32, Bytes: 8*32 + 32*16 + 2*8*16, Launches: 2,
		}, Seconds: 1e-3},
		{Operator: workload.Operator{ // three tokens meet 11, 12 and 13 keys
			Name: "attn_prefill", Class: workload.FlashAttention, Precision: topology.BF16, Batch: 2 * 4, M: 3, N: 13, K: 64, Groups: 2 * 2,
			FLOPs: 4 * 8 * 64 * (11 + 12 + 13), Bytes: 2 * (2*8*3*64 + 2*2*2*13*64), Launches: 3,
		}, Seconds: 1e-3},
		{Operator: workload.Operator{
			Name: "attn_decode", Class: workload.FlashAttention, Precision: topology.FP16, Batch: 2 * 4, M: 1, N: 10, K: 64, Groups: 2 * 2,
			FLOPs: 4 * 8 * 64 * 10, Bytes: 2 * (2*8*64 + 2*2*2*10*64), Launches: 1,
		}, Seconds: 1e-3},
		{Operator: workload.Operator{ // a weight of 4 bits has 20 / 128 more for its scale and zero
			Name: "gemm", Class: workload.Matrix, Precision: topology.FP16, Batch: 1, M: 8, N: 16, K: 32,
			FLOPs: 2 * 8 * 16 * 32, Bytes: 2*8*32 + (4+20./128)/8*32*16 + 2*8*16, Launches: 1,
		}, Seconds: 1e-3},
	}
	if diff := cmp.Diff(want, kernels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	passed := map[string]int{
		`dtype "int3"`: 1, `op "layernorm" without n and k`: 2,
		`op "attn_decode" without q_heads, kv_heads and head_dim`: 1,
	}
	if diff := cmp.Diff(passed, skipped); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTableFaults(t *testing.T) {
	const header = "op,dtype,m,n,k,time_us\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", `k.csv:1:1: the table is empty`},
		{"no op", "dtype,m\n", `k.csv:1:1: the table has no column "op"`},
		{"no time", "op,dtype\n", `k.csv:1:1: the table has no column "measured_ms", "time_s" or "time_us"`},
		{"two times", "op,dtype,time_us,time_s\n", `k.csv:1:1: the table has two columns of time, "time_s" and "time_us"`},
		{"column twice", "op,dtype,op\n", `k.csv:1:1: the table has two columns "op"`},
		{"not a count", header + "gemm,bf16,1e3,16,32,1\n", `k.csv:2:11: m: "1e3" is not a count up to 2147483648`},
		{"a billion too many", header + "gemm,bf16,1,16,99999999999,1\n", `k.csv:2:16: k: "99999999999" is not a count up to 2147483648`},
		{"no time given", header + "gemm,bf16,1,16,32,\n", `k.csv:2:19: time_us: "" is not a time above 0`},
		{"negative time", header + "gemm,bf16,1,16,32,-1\n", `k.csv:2:19: time_us: "-1" is not a time above 0`},
		{"torn row", header + "gemm,bf16\n", `k.csv:2:1: wrong number of fields`},
	} {
		_, _, err := ReadKernels("k.csv", strings.NewReader(c.text), nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	_, _, err := ReadKernels("k.csv", strings.NewReader(header), []Match{{"gpu", "a"}})
	if want := `k.csv:1:1: the table has no column "gpu"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzReadKernels(f *testing.F) {
	f.Add("op,dtype,m,n,k,time_us\ngemm,bf16,1,16,32,1\n")
	f.Add("op,dtype,batch,m,kv_len,q_heads,kv_heads,head_dim,time_s\nattn_prefill,fp8,1,16,32,1,1,1,1e-9\n")
	f.Fuzz(func(t *testing.T, text string) {
		kernels, _, err := ReadKernels("k.csv", strings.NewReader(text), nil)
		for _, k := range kernels {
			if err != nil || !(k.Seconds > 0) || !(k.Operator.FLOPs >= 0) || k.Operator.M < 0 {
				t.Errorf("%+v, %v", k, err)
			}
		}
	})
}
