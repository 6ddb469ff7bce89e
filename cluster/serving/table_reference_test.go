package serving

import (
	"bufio"
	"context"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload/serving"
)

const reference = "../../../shared/reference/serving"

// readCSV reads the rows below a header, and the columns by their name.
func readCSV(t testing.TB, path string) ([][]string, map[string]int) {
	t.Helper()
	f, err := os.Open(filepath.Join(reference, path))
	if err != nil {
		t.Skip("no reference data here")
	}
	defer f.Close()
	rows, err := csv.NewReader(bufio.NewReader(f)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := map[string]int{}
	for i, name := range rows[0] {
		columns[name] = i
	}
	return rows[1:], columns
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// vidurTable is Vidur's profile of Llama-2-70B on two A100 as it reads it: per layer, of
// which there are 80; each of two all-reduces a layer has 20 us of launching, and
// attention of more than one sequence takes a tenth more.
func vidurTable(t testing.TB) *Table {
	const layers, launch, several = 80, 0.02, 1.1
	var rows []Row
	prefix := "vidur_steps/llama2-70b_a100_tp2_"
	ops, columns := readCSV(t, prefix+"ops_ms_per_layer.csv")
	for _, r := range ops {
		var ms float64
		for name, i := range columns {
			if name != "num_tokens" {
				ms += number(t, r[i])
			}
		}
		ms += number(t, r[columns["all_reduce"]]) + 2*launch
		rows = append(rows, Row{Part: DensePart, Tokens: int(number(t, r[0])), Seconds: layers * ms / 1e3})
	}
	decode, _ := readCSV(t, prefix+"attn_decode_ms_per_layer.csv")
	for _, r := range decode {
		x := Row{Part: DecodePart, Sequences: int(number(t, r[0])), Cached: int(number(t, r[1])), Seconds: layers * number(t, r[2]) / 1e3}
		if x.Sequences > 1 {
			x.Seconds *= several
		}
		rows = append(rows, x)
	}
	prefill, _ := readCSV(t, prefix+"attn_prefill_ms_per_layer.csv")
	for _, r := range prefill {
		x := Row{Part: PrefillPart, Sequences: 1, Cached: int(number(t, r[0])), Tokens: int(number(t, r[1])), Seconds: layers * number(t, r[2]) / 1e3}
		rows = append(rows, x)
		x.Sequences, x.Seconds = 2, several*x.Seconds
		rows = append(rows, x)
	}
	return NewTable(rows)
}

// fleetOf runs a fleet alone on a pool of accelerators.
func fleetOf(t interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}, f *Fleet,
) *sim.Engine {
	t.Helper()
	top, err := topology.Pool(f.Replicas * f.Tensor * f.Stages)
	if err != nil {
		t.Fatal(err)
	}
	engine := sim.New()
	c := cluster.New(engine, top, 0)
	c.Submit(&cluster.Job{Name: "fleet", Count: top.Accelerators(), Program: f})
	if err := engine.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	return engine
}

// vidurCase runs the requests of a case, and gives what Vidur says of them.
func vidurCase(t *testing.T, name string, p Pool) (f *Fleet, rows [][]string, columns map[string]int) {
	rows, columns = readCSV(t, "vidur_cases/"+name+".csv")
	p.Tensor, p.Stages = 1, 1
	f = &Fleet{Pool: p}
	for _, r := range rows {
		f.Requests = append(f.Requests, serving.Request{
			ID: r[0], Arrival: number(t, r[columns["arrived_s"]]),
			Input: int(number(t, r[columns["prefill_tokens"]])), Output: int(number(t, r[columns["decode_tokens"]])),
		})
	}
	fleetOf(t, f)
	return f, rows, columns
}

// Orca (Yu et al., OSDI 2022) as Vidur has it: whole prompts beside all that run, and no
// more of these than the cache has room for at their longest. The profile of its model is
// not given; with that of Llama-2-70B, the shapes of whose layers it shares, the steps are
// as many, and a request takes what it does within a twentieth.
func TestVidurOrca(t *testing.T) {
	orca := scheduler.Batching{Order: scheduler.Mixed, MaxBatch: 13, Budget: 13 * 4096, Blocks: 13 * 4096 / 16, BlockSize: 16}
	f, rows, columns := vidurCase(t, "V08", Pool{Replicas: 1, Batching: orca, Costs: vidurTable(t)})
	if math.Abs(float64(f.Steps)/10271-1) > 0.001 {
		t.Errorf("%d steps, Vidur has 10271", f.Steps)
	}
	var got, want float64
	for i, r := range rows {
		got, want = got+(f.Outcomes[i].Finish-f.Outcomes[i].Arrival).Seconds(), want+number(t, r[columns["e2e_s"]])
	}
	if math.Abs(got/want-1) > 0.05 {
		t.Errorf("a request takes %v s in the mean, %v s in Vidur", got/float64(len(rows)), want/float64(len(rows)))
	}
}

// Every request of the given Vidur cases, with its profile in place of the roofline. The
// cache has room for 13 requests of 4096 tokens: 0.9 x 80 GiB less weights, by 671 MB.
func TestVidurCases(t *testing.T) {
	blocks := 13 * 4096 / 16
	vllm := scheduler.Batching{
		Order: scheduler.PrefillFirst, MaxBatch: 128, Budget: 4096, Whole: true, Padded: true,
		Blocks: blocks, BlockSize: 16, Watermark: blocks / 100,
	}
	sarathi := scheduler.Batching{Order: scheduler.DecodeFirst, MaxBatch: 128, Budget: 512, Blocks: blocks, BlockSize: 16, Watermark: blocks / 100}
	table := vidurTable(t)
	for _, c := range []struct {
		name     string
		batching scheduler.Batching
		replicas int
		routing  scheduler.Routing
		steps    int64
	}{
		{"V01", vllm, 1, scheduler.RoundRobin, 5522},
		{"V02", sarathi, 1, scheduler.RoundRobin, 5895},
		{"V04", vllm, 4, scheduler.RoundRobin, 46219},
		{"V06", sarathi, 4, scheduler.LeastWaiting, 34288},
		{"V11", vllm, 1, scheduler.RoundRobin, 3239},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, rows, columns := vidurCase(t, c.name, Pool{Replicas: c.replicas, Batching: c.batching, Routing: c.routing, Costs: table})
			if f.Steps != c.steps {
				t.Errorf("%d steps, Vidur has %d", f.Steps, c.steps)
			}
			wrong, worst := 0, 0.0
			for i, r := range rows {
				o := f.Outcomes[i]
				first := (o.First - o.Arrival).Seconds() - number(t, r[columns["ttft_s"]])
				whole := (o.Finish - o.Arrival).Seconds() - number(t, r[columns["e2e_s"]])
				off := max(math.Abs(first), math.Abs(whole))
				worst = max(worst, off)
				// The files have times rounded to 1e-6 s, arrivals and durations each, and
				// the profile to 1e-6 ms: of 80 layers a step is off by some 1e-8 s.
				if off > 2.1e-6+1e-6*o.Finish.Seconds() {
					if wrong++; wrong <= 3 {
						t.Errorf("request %d: first token %+.7f s, end %+.7f s of Vidur's; %s stops there, %d here", i, first, whole, r[columns["restarts"]], o.Stops)
					}
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d requests are off by up to %g s", wrong, len(rows), worst)
			}
			t.Logf("worst %.2g s", worst)
		})
	}
}
