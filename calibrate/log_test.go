package calibrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/collective"
)

const someLog = `# nccl-tests version 2.17.6 nccl-headers=22807 nccl-library=22807
# Collective test starting: all_gather_perf
# nThread 1 nGpus 1 minBytes 0 maxBytes 2048 step: 2(factor) warmup iters: 1 iters: 20 agg iters: 1 validation: 1 graph: 0
#
# Using devices
node1: NCCL INFO Bootstrap: Using eth0
#  Rank  0 Group  0 Pid   4711 on      node0 device  0 [0000:07:00] NVIDIA H100 80GB HBM3
#  Rank  1 Group  0 Pid   4712 on      node0 device  1 [0000:0a:00] NVIDIA H100 80GB HBM3
#  Rank  2 Group  0 Pid   4713 on      node1 device  0 [0000:07:00] NVIDIA H100 80GB HBM3
#  Rank  3 Group  0 Pid   4714 on      node1 device  1 [0000:0a:00] NVIDIA H100 80GB HBM3
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
           0             0     float    none      -1     0.21    0.00    0.00      0     0.20    0.00    0.00      0
        1024            64     float    none      -1    20.61    0.05    0.04      0    20.23    0.05    0.04      0
        2048           128     float    none      -1    21.02    0.10    0.07      0    20.85    0.10    0.07      0
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 0.055
`

func TestReadLog(t *testing.T) {
	got, err := ReadLog("l", strings.NewReader(someLog), Given{})
	if err != nil {
		t.Fatal(err)
	}
	want := Log{File: "l", Op: collective.AllGather, Ranks: 4, Hosts: 2, Size: []float64{1024, 2048}, Seconds: []float64{20.61e-6, 21.02e-6}}
	near := cmp.Comparer(func(a, b float64) bool { return a == b || a/b-1 < 1e-12 && b/a-1 < 1e-12 })
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, err = ReadLog("l", strings.NewReader(someLog), Given{Op: "alltoall", Ranks: 16, Hosts: 8})
	if err != nil || got.Op != collective.AllToAll || got.Ranks != 16 || got.Hosts != 8 {
		t.Errorf("got %+v, %v; what is given counts more", got, err)
	}

	rows := someLog[strings.Index(someLog, "#       size"):]
	for _, c := range []struct {
		name, text string
		given      Given
		want       string
	}{
		{"empty", "", Given{Op: "all_reduce", Ranks: 2}, "l: the log has no row of nccl-tests"},
		{"no operation", rows, Given{Ranks: 2}, "l: the log does not say which operation it measured; say so"},
		{"no ranks", rows, Given{Op: "all_reduce"}, "l: the log does not say over how many ranks it measured; say so"},
		{"unknown operation", rows, Given{Op: "gossip", Ranks: 2}, `l: there is no operation "gossip"`},
		{"a test of something else", "# Collective test starting: hypercube_perf\n" + rows, Given{Ranks: 2}, `l:1:1: there is no operation "hypercube"`},
		{"not a time", rows + "  4096 1024 float none -1 N/A 0 0 0\n", Given{Op: "reduce", Ranks: 2}, `l:8:1: "N/A" is not a time above 0 us`},
	} {
		_, err := ReadLog("l", strings.NewReader(c.text), c.given)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add(someLog)
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ReadLog("l", strings.NewReader(text), Given{})
		if err == nil && (l.Ranks < 2 || len(l.Size) == 0 || len(l.Size) != len(l.Seconds)) {
			t.Errorf("%+v", l)
		}
	})
}
