package datacenter_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/report/openmetrics"
	"github.com/railyard/railyard/result"
)

// monitored has training, inference and a queue of jobs, whose file is beside it.
const monitored = `
name = "monitored"

[topology]
kind = "rail"
host = "dgx-h100"
hosts = 4

[topology.power]
pue = 1.0

[[workload.training]]
name = "train"
model = "llama-3.1-8b"
accelerators = 16
tensor = 4
zero = 1
global_batch = 32
iterations = 400

[[workload.serving]]
name = "chat"
model = "llama-3.1-8b"
accelerators = 8
replicas = 8
rate = 4.0
count = 200
input = 200
output = 50

[[workload.jobs]]
file = "jobs.csv"
`

const monitoredJobs = "job,submit_s,accelerators,duration_s\na,0,4,20\nb,5,8,30\nc,6,2,30\n"

// TestPrometheus imports what a run wrote into a real Prometheus, which then answers with
// the values of the summary, and finds data for every panel of the dashboard.
func TestPrometheus(t *testing.T) {
	for _, tool := range []string{"promtool", "prometheus"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s on the path", tool)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jobs.csv"), []byte(monitoredJobs), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := railyard.Parse(filepath.Join(dir, "case.toml"), []byte(monitored))
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Usage: true})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var text bytes.Buffer
	if err := openmetrics.Write(&text, &r.Results, r.Usage, openmetrics.Options{Start: start, Run: "monitored"}); err != nil {
		t.Fatal(err)
	}
	metrics, data := filepath.Join(dir, "run.om"), filepath.Join(dir, "data")
	if err := os.WriteFile(metrics, text.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("promtool", "tsdb", "create-blocks-from", "openmetrics", metrics, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	server := lab.Prometheus(t, dir, data)
	end := number(t, r, "makespan_s")
	at := start.Add(time.Duration(end*1e9) + time.Millisecond)

	for query, path := range map[string]string{
		`railyard_training_iteration_seconds{name="train"}`:   "training.0.iteration_s",
		`railyard_training_mfu_ratio{training="0"}`:           "training.0.mfu_ratio",
		`railyard_training_breakdown_compute_seconds`:         "training.0.breakdown_s.compute",
		`railyard_serving_ttft_p99_seconds{name="chat"}`:      "serving.0.ttft_s.p99",
		`railyard_serving_output_tokens_per_second`:           "serving.0.output_tokens_per_s",
		`railyard_network_bytes`:                              "network.bytes",
		`railyard_makespan_seconds{run="monitored"}`:          "makespan_s",
		`vllm:request_success_total{model_name=~"llama-3.*"}`: "serving.0.requests",
		`vllm:time_to_first_token_seconds_count`:              "serving.0.requests",
	} {
		got := lab.Ask(t, server, query, at)
		if want := number(t, r, path); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %v, summary.json has %v as %s", query, got, want, path)
		}
	}
	// The bytes that NICs have sent in all are those on their cables.
	var sent float64
	links := r.Table("links")
	for i, from := range links.Column("from").Text {
		if strings.Contains(from, "/nic") && !strings.HasPrefix(links.Column("to").Text[i], "host") {
			sent += links.Column("bytes").Numbers[i]
		}
	}
	if got := lab.Ask(t, server, "sum(node_network_transmit_bytes_total)", at); len(got) != 1 || !near(got[0], sent, 1e-6) || sent == 0 {
		t.Errorf("NICs have sent %v, want %v", got, sent)
	}
	// What accelerators have drawn in all is the energy of the summary.
	if got, want := lab.Ask(t, server, "sum(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION)/1000", at), number(t, r, "energy.accelerators_J"); len(got) != 1 || !near(got[0], want, 1e-6) {
		t.Errorf("accelerators took %v J, want %v", got, want)
	}
	// In the middle of the training its accelerators hold what it says, and no other does.
	middle := start.Add(time.Duration(number(t, r, "training.0.iteration_s")*200*1e9) + time.Millisecond)
	if got, want := lab.Ask(t, server, `max(DCGM_FI_DEV_FB_USED{Hostname="host0"})*1048576`, middle), number(t, r, "training.0.memory_per_accelerator_bytes"); len(got) != 1 || !near(got[0], want, 1e-9) {
		t.Errorf("host0 holds %v bytes, want %v", got, want)
	}
	if got := lab.Ask(t, server, `count(DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE > 0)`, middle); len(got) != 1 || got[0] != 32 {
		t.Errorf("memory of %v accelerators", got)
	}
	checkDashboard(t, server, start, at.Add(5*time.Second))
}

// checkDashboard asks for what every panel shows, and what its variables may be.
func checkDashboard(t *testing.T, server string, start, end time.Time) {
	t.Helper()
	var b bytes.Buffer
	if err := openmetrics.Dashboard(&b); err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Query string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &board); err != nil {
		t.Fatal(err)
	}
	queries := 0
	fill := strings.NewReplacer("$run", "monitored", "$host", ".*", "$__range", strconv.Itoa(int(end.Sub(start).Seconds())+1)+"s")
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries++
			v := url.Values{"query": {fill.Replace(target.Expr)}, "start": {lab.Stamp(start)}, "end": {lab.Stamp(end)}, "step": {"1"}}
			var answer struct {
				Result []struct{ Values [][2]any }
			}
			lab.Query(t, server+"/api/v1/query_range?"+v.Encode(), &answer)
			values := 0
			for _, series := range answer.Result {
				for _, v := range series.Values {
					if v[1] != "NaN" {
						values++
					}
				}
			}
			if values == 0 {
				t.Errorf("panel %q shows nothing: %s", p.Title, target.Expr)
			}
		}
	}
	if queries < 10 {
		t.Errorf("the dashboard has %d queries", queries)
	}
	for _, v := range board.Templating.List {
		args := strings.TrimSuffix(strings.TrimPrefix(v.Query, "label_values("), ")")
		metric, label, found := strings.Cut(args, ", ")
		var values []string
		lab.Query(t, server+"/api/v1/label/"+label+"/values?"+url.Values{"match[]": {metric}, "start": {lab.Stamp(start)}, "end": {lab.Stamp(end)}}.Encode(), &values)
		if !found || len(values) == 0 {
			t.Errorf("%s has no values", v.Query)
		}
	}
}

// TestUsage holds the means over time of single accelerators to their totals.
func TestUsage(t *testing.T) {
	s, err := railyard.Parse("case.toml", []byte(lab.TwoStages))
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Usage: true})
	if err != nil {
		t.Fatal(err)
	}
	table := usageTable(t, r, "accelerator_usage")
	at, share := table.Column("time_s").Numbers, table.Column("compute_ratio").Numbers
	end := number(t, r, "makespan_s")
	var computed [2]float64 // of the first of each host
	for i, host := range table.Column("host").Text {
		if table.Column("device").Text[i] != "0" {
			continue
		}
		until := end
		if i+1 < len(at) && at[i+1] > at[i] {
			until = at[i+1]
		}
		computed[host[len("host")]-'0'] += share[i] * (until - at[i])
	}
	total := r.Table("accelerators").Column("compute_s").Numbers
	for host, got := range computed {
		if want := total[8*host]; !near(got, want, 1e-9) {
			t.Errorf("host%d/acc0 computes for %g s over time, %g in all", host, got, want)
		}
	}
}

// TestUsageEnergy: what accelerators and hosts draw one by one, with jobs of every kind,
// adds up to the energy of the summary.
func TestUsageEnergy(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "jobs.csv"), []byte(monitoredJobs), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := railyard.Parse(filepath.Join(dir, "case.toml"), []byte(monitored))
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Usage: true})
	if err != nil {
		t.Fatal(err)
	}
	end := number(t, r, "makespan_s")
	accelerators, hosts := number(t, r, "energy.accelerators_J"), number(t, r, "energy.hosts_J")
	for name, want := range map[string]float64{"accelerator_usage": accelerators, "host_usage": accelerators + hosts} {
		table := usageTable(t, r, name)
		at, power, sum := table.Column("time_s").Numbers, table.Column("power_W").Numbers, 0.0
		for i := range at {
			until := end
			if i+1 < len(at) && at[i+1] > at[i] {
				until = at[i+1]
			}
			sum += power[i] * (until - at[i])
		}
		if !near(sum, want, 1e-9) {
			t.Errorf("%s adds up to %v J, and the summary has %v", name, sum, want)
		}
	}
	// Jobs of a trace say nothing of memory; host3 has only these.
	table := usageTable(t, r, "accelerator_usage")
	held, free := table.Column("memory_bytes").Numbers, table.Column("free_memory_bytes").Numbers
	if want := number(t, r, "training.0.memory_per_accelerator_bytes"); held[0] != want || held[len(held)-1] != 0 {
		t.Errorf("the first accelerator holds %v bytes, the last %v; the training %v", held[0], held[len(held)-1], want)
	}
	for i := range held {
		if held[i]+free[i] != 80*(1<<30) && held[i]+free[i] != 80e9 {
			t.Fatalf("%v bytes in use and %v free", held[i], free[i])
		}
	}
}

// TestUsageIsBounded: of many accelerators there are the first, and fewer intervals.
func TestUsageIsBounded(t *testing.T) {
	s, err := railyard.Parse("case.toml", []byte("[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 256\n[topology.power]\n[[workload.training]]\nmodel = \"llama-3.1-8b\"\ntensor = 8\nzero = 1\nglobal_batch = 256\niterations = 500\n"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Usage: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, things := range map[string]int{"accelerator_usage": 1024, "host_usage": 128, "interface_usage": 1024} {
		if rows := usageTable(t, r, name).Rows(); rows > 1<<16+things || rows < 8*things {
			t.Errorf("%s has %d rows", name, rows)
		}
	}
	if len(r.Warnings) != 2 {
		t.Errorf("warnings %q", r.Warnings)
	}
}

// usageTable is a table of Result.Usage.
func usageTable(t *testing.T, r *railyard.Result, name string) *result.Table {
	t.Helper()
	i := slices.IndexFunc(r.Usage, func(u *result.Table) bool { return u.Name == name })
	if i < 0 {
		t.Fatalf("there is no %s", name)
	}
	return r.Usage[i]
}
