package report_test

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0 s", 1e-12: "0.001000 ns", 2.5e-9: "2.500 ns", 1.5e-6: "1.500 us", 0.25: "250.0 ms", 1: "1.000 s", 59.94: "59.94 s",
		599: "599.0 s", 600: "10.00 min", 3600: "60.00 min", 7200: "2.000 h", 86400: "24.00 h", 30 * 86400: "30.00 days",
	} {
		if got := report.Seconds(s); got != want {
			t.Errorf("%v s prints %q, want %q", s, got, want)
		}
	}
}

func TestPrefixed(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0 B/s", 1: "1.000 B/s", 999: "999.0 B/s", 1000: "1.000 kB/s", 25e9: "25.00 GB/s", 1.5e16: "15.00 PB/s", 123456: "123.5 kB/s",
	} {
		if got := report.Prefixed(v, "B/s"); got != want {
			t.Errorf("%v prints %q, want %q", v, got, want)
		}
	}
}

func TestBinary(t *testing.T) {
	for v, want := range map[float64]string{
		1024: "1 KiB", 1536: "1.536 kB", 1 << 20: "1 MiB", 3 << 30: "3 GiB", 1 << 40: "1024 GiB", 1000: "1.000 kB", 1e9: "1.000 GB", 512: "512.0 B",
	} {
		if got := report.Binary(v); got != want {
			t.Errorf("%v prints %q, want %q", v, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 65536: "65,536", 1234567: "1,234,567", -1000: "-1,000", -999: "-999", -123456: "-123,456",
		0.25: "0.2500", 12.345: "12.35", 35774.4: "35,774", 999.5: "999.5",
	} {
		if got := report.Count(v); got != want {
			t.Errorf("%v prints %q, want %q", v, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0 %", 0.4444: "44.4 %", 1: "100.0 %"} {
		if got := report.Percent(v); got != want {
			t.Errorf("%v prints %q, want %q", v, got, want)
		}
	}
}

// summary is what a run of everything leaves, in round figures.
func summary() *result.Record {
	record := func(fields ...any) *result.Record {
		r := &result.Record{}
		for i := 0; i < len(fields); i += 2 {
			r.Add(fields[i].(result.Metric), fields[i+1])
		}
		return r
	}
	return record(
		result.Name, "case", result.Status, "horizon", result.Makespan, 10.0, result.Events, int64(12345),
		result.Cluster, record(result.TopologyKind, "rail", result.AcceleratorCount, int64(64), result.HostCount, int64(8), result.Host, "dgx-a100"),
		result.Training, []*result.Record{record(
			result.Name, "bert", result.Model, "bert-large", result.Precision, "fp16", result.AcceleratorCount, int64(64),
			result.GlobalBatch, int64(65536), result.Accumulation, int64(4), result.IterationCount, int64(5),
			result.IterationTime, 2.0, result.TimeToTrain, 10.0, result.TokensPerSecond, 4e6, result.SamplesPerSecond, 32768.0,
			result.ModelTFLOPS, 140.0, result.MFU, 0.45, result.MemoryPerAccelerator, int64(44e9),
			result.GradientAlgorithm, "ring", result.GradientBytes, int64(672e6), result.OverlappedTime, 0.001,
			result.Breakdown, record(result.ComputePart, 1.5, result.ExposedPart, 0.5, result.BubblePart, 0.0))},
		result.Collectives, []*result.Record{record(result.Workload, "all_reduce", result.CollectiveOp, "all_reduce", result.CollectiveAlgorithm, "ring",
			result.CollectiveRanks, int64(8), result.CollectiveSize, 1048576.0, result.CollectiveTime, 5e-5, result.AlgorithmBandwidth, 20e9, result.BusBandwidth, 35e9)},
		result.Flows, record(result.FlowCount, int64(15), result.FlowFinished, int64(14), result.FlowMean, 0.003, result.FlowLongest, 0.004),
		result.Network, record(result.ContendedLinks, int64(2), result.MostContended, []*result.Record{record(
			result.Link, "leaf6>spine0", result.Contended, 2.5, result.Utilization, 0.5,
			result.LinkContenders, []*result.Record{record(result.ContenderName, "north"), record(result.ContenderName, "south")})}),
		result.Expect, []*result.Record{
			record(result.ExpectMetric, "makespan_s", result.ExpectOp, "<", result.ExpectValue, 20.0, result.ExpectActual, 10.0, result.ExpectHolds, true),
			record(result.ExpectMetric, "events", result.ExpectOp, "<", result.ExpectValue, 9.0, result.ExpectActual, 12345.0, result.ExpectHolds, false),
		},
	)
}

// The terminal says the figures that a person looks for, and who contends.
func TestTerminal(t *testing.T) {
	var b strings.Builder
	if err := report.Terminal(&b, summary()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{
		"case  8 x dgx-a100, 64 accelerators (rail)",
		"bert-large, fp16, 64 accelerators, global batch 65,536 (4 micro-batches each)",
		"2.000 s", "32,768 samples/s, 4.000 Mtokens/s", "MFU 45.0 %, 140.0 TFLOP/s per accelerator", "(5 iterations)", "44.00 GB",
		"672.0 MB summed over the replicas (ring); 1.000 ms of communication behind compute",
		"##################......  75.0 %  1.500 s", "exposed communication  ######..................  25.0 %  500.0 ms",
		"1 MiB", "50.00 us", "20.00 GB/s", "35.00 GB/s",
		"flows: 14 of 15 ended, completion time 3.000 ms in the mean, 4.000 ms at most",
		"leaf6>spine0", "contended 2.500 s (25.0 %), used to 50.0 %: north, south",
		"expect makespan_s < 20: holds, it is 10", "expect events < 9: MISSED, it is 12,345",
		"simulated 10.00 s in 12,345 events; stopped before the work was done: horizon",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "bubble") {
		t.Error("a part that took no time is shown")
	}
	for _, line := range strings.Split(text, "\n") {
		if strings.TrimRight(line, " ") != line || len(line) > 160 {
			t.Errorf("line %q", line)
		}
	}
}

type full struct{}

var errFull = errors.New("no space left")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestTerminalThatCannotBeWritten(t *testing.T) {
	if err := report.Terminal(full{}, summary()); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}

// A run that ended before anything did still prints.
func TestTerminalOfNothing(t *testing.T) {
	s := &result.Record{}
	s.Add(result.Status, "interrupted")
	s.Add(result.Cluster, &result.Record{})
	s.Add(result.Network, &result.Record{})
	training := &result.Record{}
	training.Add(result.IterationTime, 0.0)
	s.Add(result.Training, []*result.Record{training})
	var b strings.Builder
	if err := report.Terminal(&b, s); err != nil || !strings.Contains(b.String(), "none ended") || strings.Contains(b.String(), "NaN") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func ExampleTerminal() {
	s := &result.Record{}
	s.Add(result.Name, "incast")
	s.Add(result.Makespan, 0.00326)
	s.Add(result.Events, int64(24))
	s.Add(result.Status, "done")
	c := &result.Record{}
	c.Add(result.TopologyKind, "fat-tree")
	c.Add(result.AcceleratorCount, int64(16))
	s.Add(result.Cluster, c)
	n := &result.Record{}
	n.Add(result.PeakUtilization, 0.92)
	s.Add(result.Network, n)
	if err := report.Terminal(os.Stdout, s); err != nil {
		panic(err)
	}
	// Output:
	// incast  16 accelerators (fat-tree)
	//
	// contention: none; the busiest link is used to 92.0 % of its rate over the run
	//
	// simulated 3.260 ms in 24 events
}

func TestDigitsNeverMislead(t *testing.T) {
	for _, v := range []float64{0.99995, 9.9996, 99.996, 999.96} {
		if got := report.Count(v); math.Abs(parse(got)-v) > 5e-4*v {
			t.Errorf("%v prints %q", v, got)
		}
	}
}

func parse(text string) float64 {
	var v, scale float64 = 0, 1
	point := false
	for _, d := range text {
		if d == '.' {
			point = true
			continue
		}
		v = 10*v + float64(d-'0')
		if point {
			scale *= 10
		}
	}
	return v / scale
}
