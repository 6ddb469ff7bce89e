package nccltests_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/nccltests"
	"github.com/railyard/railyard/result"
)

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		begin, end, factor, step int64
		want                     []int64
	}{
		{8, 64, 2, 0, []int64{8, 16, 32, 64}},
		{8, 100, 4, 0, []int64{8, 32}},
		{10, 30, 0, 10, []int64{10, 20, 30}},
		{5, 5, 2, 0, []int64{5}},
		{1 << 61, math.MaxInt64, 2, 0, []int64{1 << 61, 1 << 62}},
	} {
		got, err := nccltests.Sizes(c.begin, c.end, c.factor, c.step)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %v, %v", c, got, err)
		}
	}
	for _, c := range [][4]int64{{0, 8, 2, 0}, {8, 4, 2, 0}, {8, 16, 1, 0}, {8, 16, 0, 0}, {8, 16, -2, 0}, {1, 1 << 40, 0, 1}} {
		if got, err := nccltests.Sizes(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%v: got %d sizes", c, len(got))
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"8": 8, "1K": 1 << 10, "16m": 16 << 20, "8G": 8 << 30, "1T": 1 << 40, "0": 0} {
		if got, err := nccltests.ParseSize(text); err != nil || got != want {
			t.Errorf("%s: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "K", "-1", "8GB", "8KK", "1.5G", "9223372036854775807K"} {
		if got, err := nccltests.ParseSize(text); err == nil {
			t.Errorf("%q: got %d", text, got)
		}
	}
}

// A test takes the place of a scenario's workload, in whole elements of each rank; the
// rows that a log has too get what was measured.
func TestCollectiveTest(t *testing.T) {
	log, err := calibrate.ReadLog("l.log", strings.NewReader("# size count type time\n4096 256 float 10.0\n9000 9 float 20.0\n"),
		calibrate.Given{Op: "all_gather", Ranks: 4, Hosts: 1})
	if err != nil {
		t.Fatal(err)
	}
	test := &nccltests.Test{Host: "dgx-a100", Sizes: []int64{8, 1030}, Measured: &log}
	s, err := nccltests.Load("", test, "topology.link_latency=1us")
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.AddMeasured(&log)
	sizes, measured := lab.Column(t, r, "collectives", "size_bytes"), lab.Column(t, r, "collectives", result.MeasuredBusBW.Name)
	if !slices.Equal(sizes, []float64{1024, 4096, 8992}) {
		t.Errorf("sizes %v", sizes)
	}
	if math.IsNaN(measured[1]) || math.Abs(measured[1]/(4096/10e-6*3/4)-1) > 1e-12 || !math.IsNaN(measured[0]) || !math.IsNaN(measured[2]) {
		t.Errorf("measured %v", measured)
	}
	if got := lab.Number(t, r, "collectives.1."+result.MeasuredBusBW.Name); got != measured[1] {
		t.Errorf("the summary has %v measured", got)
	}

	s, err = nccltests.Load("../scenarios/allreduce-1k.toml", &nccltests.Test{Op: "sendrecv", Ranks: 9, Sizes: []int64{1 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err = railyard.Run(context.Background(), s, railyard.Options{}); err != nil || len(r.Missed) > 0 || lab.Number(t, r, "collectives.0.ranks") != 9 {
		t.Errorf("%v, missed %v", err, r.Missed)
	}
	for _, wrong := range []nccltests.Test{
		{Op: "gather"},
		{Op: "all_reduce", Type: "quad"},
		{Op: "all_reduce", Measured: &log},
		{Op: "all_gather", Ranks: 5, Measured: &log},
		{Op: "all_reduce", Host: "dgx-h100", Ranks: 9, Hosts: 1, Sizes: []int64{8}},
	} {
		if s, err := nccltests.Load("", &wrong); err == nil && railyard.Check(s) == nil {
			t.Errorf("%+v is accepted", wrong)
		}
	}
}
