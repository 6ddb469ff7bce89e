package openmetrics

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/railyard/railyard/result"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func Example() {
	job := &result.Record{}
	job.Add(result.Name, `the "job"`)
	job.Add(result.IterationTime, 1.5)
	s := &result.Record{}
	s.Add(result.Makespan, 3.25)
	s.Add(result.Training, []*result.Record{job})
	links := &result.Table{Name: "link_series", Columns: []result.Column{
		{Metric: result.Link, Text: []string{"a>b", "a>b", "a>b"}},
		{Metric: result.SeriesTime, Numbers: []float64{0, 1, 1.0001}},
		{Metric: result.SeriesLinkUtilization, Numbers: []float64{0.5, 0.25, 1}},
	}}
	r := &result.Results{Summary: s, Tables: []*result.Table{links}}
	if err := Write(os.Stdout, r, nil, Options{Start: start, Run: "demo"}); err != nil {
		panic(err)
	}
	// Output:
	// # TYPE railyard_makespan_seconds gauge
	// # UNIT railyard_makespan_seconds seconds
	// # HELP railyard_makespan_seconds virtual time from 0 to the end of the last work
	// railyard_makespan_seconds{run="demo"} 3.25 1767225603.250
	// # TYPE railyard_training_iteration_seconds gauge
	// # UNIT railyard_training_iteration_seconds seconds
	// # HELP railyard_training_iteration_seconds time of one iteration in the steady state
	// railyard_training_iteration_seconds{run="demo",training="0",name="the \"job\""} 1.5 1767225603.250
	// # TYPE railyard_link_utilization_ratio gauge
	// # UNIT railyard_link_utilization_ratio ratio
	// # HELP railyard_link_utilization_ratio share of the wire used, mean over the interval
	// railyard_link_utilization_ratio{run="demo",link="a>b"} 0.5 1767225600.000
	// railyard_link_utilization_ratio{run="demo",link="a>b"} 0.25 1767225601.000
	// # EOF
}

func TestNamed(t *testing.T) {
	for path, want := range map[string]string{
		"training.iteration_s":                 "railyard_training_iteration_seconds",
		"training.breakdown_s.compute":         "railyard_training_breakdown_compute_seconds",
		"serving.ttft_s.p99":                   "railyard_serving_ttft_p99_seconds",
		"training.tokens_per_s":                "railyard_training_tokens_per_second",
		"collectives.busbw_Bps":                "railyard_collectives_busbw_bytes_per_second",
		"energy.peak_power_W":                  "railyard_energy_peak_power_watts",
		"network.peak_utilization_ratio":       "railyard_network_peak_utilization_ratio",
		"training.memory_bytes.optimizer":      "railyard_training_memory_optimizer_bytes",
		"training.exposed_by_kind_s.pipe-line": "railyard_training_exposed_by_kind_pipe_line_seconds",
	} {
		if got, _ := named(strings.Split(path, ".")...); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// TestRequests counts two requests by hand, over 64 moments of 64 s.
func TestRequests(t *testing.T) {
	s := &result.Record{}
	s.Add(result.Makespan, 64.0)
	table := &result.Table{Name: "requests", Columns: []result.Column{
		{Metric: result.Workload, Text: []string{"chat", "chat", "chat"}},
		{Metric: result.RequestArrival, Numbers: []float64{0, 1, 60}},
		{Metric: result.RequestFirstToken, Numbers: []float64{0.5, 10, math.NaN()}},
		{Metric: result.RequestFinish, Numbers: []float64{10.5, 30, math.NaN()}},
		{Metric: result.RequestInput, Integers: []int64{100, 1000, 7}},
		{Metric: result.RequestOutput, Integers: []int64{11, 21, 7}},
	}}
	var b bytes.Buffer
	if err := Write(&b, &result.Results{Summary: s, Tables: []*result.Table{table}}, nil, Options{Start: start, Run: "r"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"vllm:prompt_tokens_total{L} 0 1767225600.000",
		"vllm:prompt_tokens_total{L} 100 1767225601.000",
		"vllm:prompt_tokens_total{L} 1100 1767225610.000",
		"vllm:generation_tokens_total{L} 6 1767225605.000",  // 1 and 10 in 10 s, rounded
		"vllm:generation_tokens_total{L} 22 1767225620.000", // 11, and 1 and 20 in 20 s
		"vllm:generation_tokens_total{L} 32 1767225664.000",
		`vllm:request_success_total{L,finished_reason="length"} 1 1767225611.000`,
		`vllm:request_success_total{L,finished_reason="length"} 2 1767225664.000`,
		`vllm:time_to_first_token_seconds_bucket{L,le="0.25"} 0 1767225664.000`,
		`vllm:time_to_first_token_seconds_bucket{L,le="0.5"} 1 1767225664.000`,
		`vllm:time_to_first_token_seconds_bucket{L,le="+Inf"} 1 1767225609.000`,
		`vllm:time_to_first_token_seconds_bucket{L,le="10.0"} 2 1767225664.000`,
		`vllm:time_to_first_token_seconds_sum{L} 9.5 1767225664.000`,
		`vllm:e2e_request_latency_seconds_count{L} 2 1767225664.000`,
	} {
		want = strings.Replace(want, "{L", `{run="r",model_name="",workload="chat"`, 1)
		if !strings.Contains(b.String(), "\n"+want+"\n") {
			t.Errorf("there is no %s", want)
		}
	}
}
