package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/railyard/railyard/result"
)

// Test is what the output of nccl-tests says beside the results.
type Test struct {
	Type         string
	ElementBytes int64
	Factor, Step int64 // between sizes; one is 0
}

// ranksShown is up to how many ranks are listed; if there are more none is.
const ranksShown = 1024

// redOps are the reduction and the root that nccl-tests print for an operation.
var redOps = map[string][2]string{
	"all_reduce": {"sum", "-1"}, "reduce_scatter": {"sum", "-1"}, "send_recv": {"sum", "-1"},
	"all_gather": {"none", "-1"}, "all_to_all": {"none", "-1"}, "broadcast": {"none", "0"}, "reduce": {"sum", "0"},
}

// testNames are the programs of nccl-tests that are not named after their operation.
var testNames = map[string]string{"all_to_all": "alltoall", "send_recv": "sendrecv"}

// NCCLTests writes the collectives of a summary as nccl-tests print what they have
// measured out of place, line by line and column by column, with the algorithm and the
// protocol of each row after it; and what was measured, if it is there.
func NCCLTests(w io.Writer, s *result.Record, test Test) error {
	p := &printer{w: w}
	rows := s.List(result.Collectives.Name)
	if len(rows) == 0 {
		return nil
	}
	op, ranks := rows[0].Text(result.CollectiveOp.Name), int64(rows[0].Float(result.CollectiveRanks.Name))
	name := op
	if other, ok := testNames[op]; ok {
		name = other
	}
	cluster := s.Record(result.Cluster.Name)
	accelerators, hosts := int64(cluster.Float(result.AcceleratorCount.Name)), int64(cluster.Float(result.HostCount.Name))
	size := func(row *result.Record) int64 { return int64(row.Float(result.CollectiveSize.Name)) }
	step := fmt.Sprintf("%d(factor)", test.Factor)
	if test.Factor == 0 {
		step = fmt.Sprintf("%d(bytes)", test.Step)
	}
	p.line("# Collective test starting: %s_perf", name)
	p.line("# nThread 1 nGpus 1 minBytes %d maxBytes %d step: %s warmup iters: 0 iters: 1 agg iters: 1 validation: 0 graph: 0", size(rows[0]), size(rows[len(rows)-1]), step)
	p.line("#")
	p.line("# Simulated: %s (%s)", s.Text(result.Name.Name), cluster.Text(result.TopologyKind.Name))
	p.line("# Using devices")
	perHost := accelerators / max(hosts, 1)
	if ranks > ranksShown {
		p.line("#  %d ranks, %d on a host", ranks, min(ranks, perHost))
	}
	for r := int64(0); ranks <= ranksShown && r < ranks; r++ {
		p.line("#  Rank %2d Group  0 Pid %6d on %10s device %2d [0x%02x] %s", r, 0, fmt.Sprintf("host%d", r/perHost), r%perHost, r%perHost, cluster.Text(result.Host.Name))
	}
	p.line("#")
	compared := false
	for _, r := range rows {
		compared = compared || r.Get(result.MeasuredBusBW.Name) != nil && !math.IsNaN(r.Float(result.MeasuredBusBW.Name))
	}
	head, units := "", ""
	if compared {
		head, units = "  measured   error", fmt.Sprintf("  %8s  %6s", "(GB/s)", "(%)")
	}
	p.line("#                                                              out-of-place")
	p.line("#       size         count      type   redop    root     time   algbw   busbw #wrong  algorithm         protocol%s", head)
	p.line("%s", strings.TrimRight("#        (B)    (elements)                               (us)  (GB/s)  (GB/s)                                   "+units, " "))
	var sum float64
	for _, r := range rows {
		bytes := size(r)
		count := bytes / test.ElementBytes
		if op == "all_gather" || op == "reduce_scatter" || op == "all_to_all" {
			count /= ranks
		}
		busbw := r.Float(result.BusBandwidth.Name) / 1e9
		sum += busbw
		line := fmt.Sprintf("%12d  %12d  %8s  %6s  %6s  %7s  %6.2f  %6.2f  %5s  %-16s  %-8s", bytes, count, test.Type, redOps[op][0], redOps[op][1],
			testTime(r.Float(result.CollectiveTime.Name)), r.Float(result.AlgorithmBandwidth.Name)/1e9, busbw, "N/A",
			r.Text(result.CollectiveAlgorithm.Name), r.Text(result.CollectiveProtocol.Name))
		if measured := r.Float(result.MeasuredBusBW.Name) / 1e9; r.Get(result.MeasuredBusBW.Name) != nil && !math.IsNaN(measured) {
			line += fmt.Sprintf("  %8.2f  %+6.1f", measured, 100*(busbw/measured-1))
		}
		p.line("%s", strings.TrimRight(line, " "))
	}
	p.line("# Out of bounds values : 0 OK")
	p.line("# Avg bus bandwidth    : %.4f", sum/float64(len(rows)))
	p.line("#")
	return p.err
}

// testTime is a time in us with the digits that nccl-tests print.
func testTime(seconds float64) string {
	us := 1e6 * seconds
	switch {
	case us >= 10000:
		return fmt.Sprintf("%7.0f", us)
	case us >= 100:
		return fmt.Sprintf("%7.1f", us)
	}
	return fmt.Sprintf("%7.2f", us)
}
