package trace_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard/workload/trace"
)

// header is that of 16 GPUs: tensor parallelism of 2, experts of 4, one stage.
const header = "HYBRID_TRANSFORMER_FWD_IN_BCKWD model_parallel_NPU_group: 2 ep: 4 pp: 1 vpp: 1 ga: 1 all_gpus: 16 checkpoints: 0 checkpoint_initiates: 0"

// Two layers as a graph: forward one after the other, each behind the
// collective of the one before; backward the collective of the input's gradient
// beside the weights' gradient.
func TestLayers(t *testing.T) {
	l, err := trace.ReadLayers(strings.NewReader(header + `
2
a -1 10 ALLREDUCE 100 20 ALLGATHER 200 30 REDUCESCATTER 300 5
b	-1	40	ALLTOALL_EP	400	50	NONE	0	60	ALLGATHER_DP_EP	600	0
`))
	if err != nil || len(l.Warnings) > 0 {
		t.Fatal(err, l.Warnings)
	}
	tr, err := l.Trace(16)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, n := range tr.Nodes {
		what := fmt.Sprintf("%.0f ns", n.Seconds*1e9)
		if n.Type == trace.Collective {
			what = fmt.Sprintf("%s of %.0f in %s %v", n.Kind, n.Size, tr.Groups[n.Group].Name, tr.Groups[n.Group].Ranks)
		}
		got = append(got, fmt.Sprintf("%d %s, then %v", i, what, tr.Next[tr.NextAt[i]:tr.NextAt[i+1]]))
	}
	want := []string{
		"0 10 ns, then [1]",
		"1 all_reduce of 100 in TP [0 1], then [2]",
		"2 40 ns, then [3]",
		"3 all_to_all of 400 in EP [0 2 4 6], then [4]",
		"4 50 ns, then [5 7]", // of b, which has nothing to communicate; its weights next
		"5 60 ns, then [6 7]",
		"6 all_gather of 300 in DP_EP [0 8], then []", // each of 2 gives in half
		"7 20 ns, then [8 9]",
		"8 all_gather of 100 in TP [0 1], then []",
		"9 30 ns, then [10]",
		"10 reduce_scatter of 300 in DP [0 2 4 6 8 10 12 14], then [11]",
		"11 5 ns, then []",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range []struct {
		ranks int
		want  string
	}{{15, "no multiple of tensor"}, {12, "no multiple of the expert"}} {
		if _, err := l.Trace(c.ranks); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d ranks: %v, want %q", c.ranks, err, c.want)
		}
	}
}

// In a purely data-parallel text every operation is over all ranks, and the
// weights' gradients come first, so that they are reduced behind the others.
func TestDataParallelLayers(t *testing.T) {
	l, err := trace.ReadLayers(strings.NewReader("DATA\n1\na -1 10 NONE 0 20 NONE 0 30 ALLREDUCE 300 0\n"))
	if err != nil || len(l.Warnings) > 0 {
		t.Fatal(err, l.Warnings)
	}
	tr, err := l.Trace(6)
	if err != nil {
		t.Fatal(err)
	}
	times := 0.0
	for i, want := range []float64{10, 30, 0, 20} { // the collective is the third
		if math.Abs(tr.Nodes[i].Seconds-want*1e-9) > 1e-15 {
			t.Errorf("node %d takes %v", i, tr.Nodes[i].Seconds)
		}
		times += want
	}
	if tr.Nodes[2].Group != 0 || fmt.Sprint(tr.Waits) != "[0 1 1 1]" {
		t.Errorf("%+v %v", tr.Nodes[2], tr.Waits)
	}
}

// Older headers leave degrees out, and texts count their layers wrong.
func TestLayersUntidy(t *testing.T) {
	l, err := trace.ReadLayers(strings.NewReader("HYBRID_TRANSFORMER_FWD_IN_BCKWD\tmodel_parallel_NPU_group: 8 pp: 4 checkpoints: 2 1 2 checkpoint_initiates: 0\n839\n\nnorm\t-1\t0\tBROADCAST\t16384\t1\tNONE\t0\t1\tNONE\t0\t100"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(l.Warnings, "\n")
	for _, want := range []string{
		"the header leaves out ep, all_gpus", "1 layers, not the 839", "one of 4 pipeline stages", "checkpoints repeat are left out",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
	if l.Tensor != 8 || l.Expert != 1 || l.Pipeline != 4 || l.Ranks != 0 {
		t.Errorf("%+v", l)
	}
}

func TestNotLayers(t *testing.T) {
	const layer = "a -1 1 NONE 0 1 NONE 0 1 NONE 0 1\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "line 1: the file is empty"},
		{"no mode", "GPT\n1\n" + layer, `line 1: "GPT" is no mode`},
		{"no count", header + "\n" + layer, "line 2: "},
		{"no layers", header + "\n1\n", "line 2: there are no layers"},
		{"degree", strings.Replace(header, "ep: 4", "ep: 0", 1) + "\n1\n" + layer, `line 1: ep is "0"`},
		{"columns", header + "\n1\na -1 1 NONE 0 1\n", "line 3: a layer has 12 columns, not 6"},
		{"time", header + "\n1\n" + strings.Replace(layer, "-1 1", "-1 x", 1), `line 3: column 3: "x" is no time`},
		{"infinite", header + "\n1\n" + strings.Replace(layer, "-1 1", "-1 inf", 1), `line 3: column 3: "inf" is no time`},
		{"negative", header + "\n1\n" + strings.Replace(layer, "NONE 0", "ALLREDUCE -5", 1), `line 3: column 5: "-5" is no number of bytes`},
		{"operation", header + "\n1\n" + strings.Replace(layer, "NONE", "ALLSORTS", 1), `line 3: column 4: "ALLSORTS" is no operation`},
		{"long line", header + "\n1\n" + strings.Repeat("x", 1<<17), "line 3: a line of more than 65536 bytes"},
	} {
		l, err := trace.ReadLayers(strings.NewReader(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, l, err, c.want)
		}
	}
}
