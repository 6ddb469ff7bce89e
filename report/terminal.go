package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
)

// Terminal writes a summary that a person reads in ten seconds: how long, how
// well used, where the time goes, and which links are contended by whom.
func Terminal(w io.Writer, s *result.Record) error {
	p := &printer{w: w}
	c := s.Record(result.Cluster.Name)
	p.line("%s  %s", s.Text(result.Name.Name), describeCluster(c))
	for _, t := range s.List(result.Training.Name) {
		p.training(t)
	}
	p.collectives(s.List(result.Collectives.Name))
	for _, r := range s.List(result.Replay.Name) {
		p.replay(r)
	}
	for _, r := range s.List(result.Serving.Name) {
		p.serving(r)
	}
	for _, r := range s.List(result.StorageLoads.Name) {
		p.storage(r)
	}
	for _, r := range s.List(result.Pipelines.Name) {
		p.pipeline(r)
	}
	for _, r := range s.List(result.Rollouts.Name) {
		p.rollout(r)
	}
	for _, r := range s.List(result.Backups.Name) {
		p.backup(r)
	}
	if f := s.Record(result.Flows.Name); f != nil {
		p.flows(f)
	}
	if j := s.Record(result.Jobs.Name); j != nil {
		p.jobs(j)
	}
	if x := s.Record(result.Placement.Name); x != nil {
		p.placement(x)
	}
	if f := s.Record(result.Faults.Name); f != nil {
		p.faults(f, s.Float(result.Makespan.Name))
	}
	if n := s.Record(result.Network.Name); n != nil {
		p.contention(n, s.Float(result.Makespan.Name))
	}
	p.packets(s.Record(result.Packets.Name))
	p.encryption(s.Record(result.EncryptionCosts.Name))
	p.monitoring(s.Record(result.Monitoring.Name))
	p.energy(s.Record(result.Energy.Name))
	p.cost(s.Record(result.Cost.Name))
	p.sites(s.Record(result.Sites.Name))
	p.alerts(s.List(result.Alerts.Name))
	p.expectations(s.List(result.Expect.Name))
	p.line("")
	end := "simulated " + Seconds(s.Float(result.Makespan.Name)) + " in " + Count(s.Float(result.Events.Name)) + " events"
	if status := s.Text(result.Status.Name); status != "done" {
		end += "; stopped before the work was done: " + status
	}
	p.line("%s", end)
	return p.err
}

// printer writes lines and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// item writes a name and a value in two columns.
func (p *printer) item(name, format string, args ...any) {
	p.line("  %-22s %s", name, fmt.Sprintf(format, args...))
}

func describeCluster(c *result.Record) string {
	text := fmt.Sprintf("%s accelerators", Count(c.Float(result.AcceleratorCount.Name)))
	if hosts := c.Float(result.HostCount.Name); hosts > 0 {
		text = fmt.Sprintf("%s x %s, %s", Count(hosts), c.Text(result.Host.Name), text)
	}
	if c.Float(result.AcceleratorCount.Name) == 0 {
		text = Count(c.Float(result.LinkCount.Name)) + " links"
	}
	return fmt.Sprintf("%s (%s)", text, c.Text(result.TopologyKind.Name))
}

func (p *printer) training(t *result.Record) {
	p.line("")
	p.line("training %s: %s, %s, %s accelerators, global batch %s (%s micro-batches each)", t.Text(result.Name.Name),
		t.Text(result.Model.Name), t.Text(result.Precision.Name), Count(t.Float(result.AcceleratorCount.Name)),
		Count(t.Float(result.GlobalBatch.Name)), Count(t.Float(result.Accumulation.Name)))
	iteration := t.Float(result.IterationTime.Name)
	if iteration == 0 {
		p.item("iteration", "none ended")
		return
	}
	p.item("iteration", "%s", Seconds(iteration))
	rate := Count(t.Float(result.SamplesPerSecond.Name)) + " samples/s"
	if tokens := t.Float(result.TokensPerSecond.Name); tokens > 0 {
		rate += ", " + Prefixed(tokens, "tokens/s")
	}
	p.item("throughput", "%s", rate)
	p.item("utilization", "MFU %s, %.1f TFLOP/s per accelerator", Percent(t.Float(result.MFU.Name)), t.Float(result.ModelTFLOPS.Name))
	p.item("time to train", "%s (%s iterations)", Seconds(t.Float(result.TimeToTrain.Name)), Count(t.Float(result.IterationCount.Name)))
	if n := t.Float(result.OuterCount.Name); n > 0 {
		p.item("outer steps", "%s each, %s of them in the time to train, between %s islands", Seconds(t.Float(result.OuterTime.Name)), Count(n), Count(t.Float(result.Islands.Name)))
	}
	if n := t.Float(result.EvaluationCount.Name); n > 0 {
		p.item("evaluation", "%s each, %s of them in the time to train", Seconds(t.Float(result.EvaluationTime.Name)), Count(n))
	}
	if trained := t.Float(result.TrainedParameters.Name); trained > 0 {
		p.item("adapters", "%s parameters trained, all others frozen", Prefixed(trained, ""))
	}
	p.item("memory", "%s per accelerator", Prefixed(t.Float(result.MemoryPerAccelerator.Name), "B"))
	if algorithm := t.Text(result.GradientAlgorithm.Name); algorithm != "" {
		size := Prefixed(t.Float(result.GradientBytes.Name), "B")
		if compressed := t.Float(result.CompressedBytes.Name); compressed > 0 {
			size += ", compressed to " + Prefixed(compressed, "B") + ","
		}
		p.item("gradients", "%s summed over the replicas (%s); %s of communication behind compute", size, algorithm, Seconds(t.Float(result.OverlappedTime.Name)))
	}
	p.input(t.Record(result.TrainingInput.Name))
	p.line("  where the time of an iteration goes")
	p.shares(t.Record(result.Breakdown.Name), iteration)
	p.reliability(t)
}

// bar draws a share of 1 in so many characters.
func bar(share float64, width int) string {
	full := int(math.Round(share * float64(width)))
	return strings.Repeat("#", full) + strings.Repeat(".", width-full)
}

// rowsShown is how many rows of a table the terminal gets.
const rowsShown = 24

func (p *printer) collectives(rows []*result.Record) {
	if len(rows) == 0 {
		return
	}
	p.line("")
	p.line("  %-16s %-14s %-20s %6s %10s %10s %12s %12s", "workload", "op", "algorithm", "ranks", "size", "time", "algbw", "busbw")
	for i, r := range rows {
		if i == rowsShown {
			p.line("  ... %d more in collectives.csv", len(rows)-i)
			break
		}
		how := r.Text(result.CollectiveAlgorithm.Name)
		if protocol := r.Text(result.CollectiveProtocol.Name); protocol != "" {
			how += ", " + protocol
		}
		p.line("  %-16s %-14s %-20s %6.0f %10s %10s %12s %12s", r.Text(result.Workload.Name), r.Text(result.CollectiveOp.Name),
			how, r.Float(result.CollectiveRanks.Name), Binary(r.Float(result.CollectiveSize.Name)),
			Seconds(r.Float(result.CollectiveTime.Name)), Prefixed(r.Float(result.AlgorithmBandwidth.Name), "B/s"),
			Prefixed(r.Float(result.BusBandwidth.Name), "B/s"))
	}
}

func (p *printer) flows(f *result.Record) {
	p.line("")
	count, ended := f.Float(result.FlowCount.Name), f.Float(result.FlowFinished.Name)
	p.line("flows: %s of %s ended, completion time %s in the mean, %s at most", Count(ended), Count(count),
		Seconds(f.Float(result.FlowMean.Name)), Seconds(f.Float(result.FlowLongest.Name)))
}

func (p *printer) replay(r *result.Record) {
	p.line("")
	p.line("replay %s: %s, %s ranks, %s nodes", r.Text(result.Name.Name), r.Text(result.TraceSchema.Name),
		Count(r.Float(result.ReplayRanks.Name)), Count(r.Float(result.TraceNodes.Name)))
	if finish, done := r.Get(result.ReplayFinish.Name).(float64); done {
		p.item("finish", "%s, the first rank %s", Seconds(finish), Seconds(r.Float(result.ReplayFirst.Name)))
	} else {
		p.item("finish", "not all ranks have")
	}
	p.item("compute", "%s in the mean of the ranks", Seconds(r.Float(result.ReplayCompute.Name)))
	p.item("exposed communication", "%s, and %s behind compute", Seconds(r.Float(result.ReplayCommunication.Name)), Seconds(r.Float(result.ReplayOverlapped.Name)))
}

// faults says what broke, what was moved because of it, and what it cost.
func (p *printer) faults(f *result.Record, makespan float64) {
	p.line("")
	p.line("faults")
	for i, r := range f.List(result.FaultList.Name) {
		if i == rowsShown {
			p.line("    ... %d more in faults.csv", len(f.List(result.FaultList.Name))-i)
			break
		}
		what := "is down"
		if left := r.Float(result.FaultRate.Name); left > 0 {
			what = "has " + Percent(left) + " of its rate"
		}
		what += " from " + Seconds(r.Float(result.FaultAt.Name))
		if repair, ends := r.Get(result.FaultRepair.Name).(float64); ends {
			what += " for " + Seconds(repair)
		} else {
			what += " on"
		}
		if r.Text(result.FaultState.Name) == "to come" {
			what += ": after the end"
		} else if n := r.Float(result.Rerouted.Name); n > 0 {
			what += fmt.Sprintf(": %s transfers rerouted with %s left to move", Count(n), Prefixed(r.Float(result.ReroutedBytes.Name), "B"))
		}
		p.line("    %-34s %s", r.Text(result.FaultKind.Name)+" "+r.Text(result.FaultName.Name), what)
	}
	without, known := f.Get(result.MakespanWithout.Name).(float64)
	if !known {
		return
	}
	p.line("  without them the run takes %s, with them %s", Seconds(without), Seconds(makespan))
	for _, r := range f.List(result.FaultLosses.Name) {
		p.line("    %-34s ends %s later", r.Text(result.Name.Name), Seconds(r.Float(result.LostToFaults.Name)))
	}
}

func (p *printer) contention(n *result.Record, makespan float64) {
	p.line("")
	links := n.List(result.MostContended.Name)
	if len(links) == 0 {
		p.line("contention: none; the busiest link is used to %s of its rate over the run", Percent(n.Float(result.PeakUtilization.Name)))
		return
	}
	first := "the longest contended"
	if len(n.List(result.Losses.Name)) > 0 {
		first = "those on which most was lost"
	}
	p.line("contention: %s; %s", plural(int(n.Float(result.ContendedLinks.Name)), "link"), first)
	for _, l := range links {
		var names []string
		for _, c := range l.List(result.LinkContenders.Name) {
			name := c.Text(result.ContenderName.Name)
			if lost := c.Float(result.LossOnLink.Name); lost > 0 {
				name += " lost " + Seconds(lost)
			}
			names = append(names, name)
		}
		share := 0.0
		if makespan > 0 {
			share = l.Float(result.Contended.Name) / makespan
		}
		p.line("    %-34s contended %s (%s), used to %s: %s", l.Text(result.Link.Name), Seconds(l.Float(result.Contended.Name)),
			Percent(share), Percent(l.Float(result.Utilization.Name)), strings.Join(names, ", "))
	}
	p.losses(n.List(result.Losses.Name))
}

// losses says what each job lost to others.
func (p *printer) losses(all []*result.Record) {
	if len(all) == 0 {
		return
	}
	p.line("  lost to others, against the same job alone")
	for i, r := range all {
		if i == rowsShown {
			p.line("    ... %d more in summary.json", len(all)-i)
			break
		}
		lost := "not known: it has not ended, or went back to the queue"
		if _, known := r.Get(result.LostToOthers.Name).(float64); known {
			lost = fmt.Sprintf("%s, %.2f times its time alone", Seconds(r.Float(result.LostToOthers.Name)), r.Float(result.Slowdown.Name))
		}
		p.line("    %-34s %s; most to %s at %s", r.Text(result.Name.Name), lost, r.Text(result.LossOther.Name), r.Text(result.Link.Name))
	}
}

func (p *printer) expectations(all []*result.Record) {
	if len(all) == 0 {
		return
	}
	p.line("")
	for _, e := range all {
		verdict := "holds"
		if holds, _ := e.Get(result.ExpectHolds.Name).(bool); !holds {
			verdict = "MISSED"
		}
		p.line("expect %s %s %s: %s, it is %s", e.Text(result.ExpectMetric.Name), e.Text(result.ExpectOp.Name),
			result.Number(e.Float(result.ExpectValue.Name)), verdict, Count(e.Float(result.ExpectActual.Name)))
	}
}

// Seconds prints a time with three or four digits and a unit that suits it.
func Seconds(s float64) string {
	switch a := math.Abs(s); {
	case a == 0:
		return "0 s"
	case a < 1e-6:
		return digits(s*1e9) + " ns"
	case a < 1e-3:
		return digits(s*1e6) + " us"
	case a < 1:
		return digits(s*1e3) + " ms"
	case a < 600:
		return digits(s) + " s"
	case a < 2*3600:
		return digits(s/60) + " min"
	case a < 3*86400:
		return digits(s/3600) + " h"
	}
	return digits(s/86400) + " days"
}

// Prefixed prints an amount with a decimal prefix: "25.0 GB/s".
func Prefixed(v float64, unit string) string {
	for _, p := range []struct {
		factor float64
		name   string
	}{{1e15, "P"}, {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(v) >= p.factor {
			return digits(v/p.factor) + " " + p.name + unit
		}
	}
	return digits(v) + " " + unit
}

// Binary prints a size with a binary prefix where that is exact, else decimal.
func Binary(v float64) string {
	for i, p := range []string{"GiB", "MiB", "KiB"} {
		factor := float64(uint64(1) << (30 - 10*i))
		if v >= factor && v == math.Trunc(v/factor)*factor {
			return strconv.FormatFloat(v/factor, 'f', -1, 64) + " " + p
		}
	}
	return Prefixed(v, "B")
}

// Percent prints a share of 1.
func Percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }

// Count prints a number with thousands separated, to four digits if it is not
// whole.
func Count(v float64) string {
	if v != math.Trunc(v) && math.Abs(v) < 1000 {
		return digits(v)
	}
	s := strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	first := len(s) % 3
	var b strings.Builder
	for i, d := range s {
		if i > 0 && i%3 == first && s[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// digits prints four significant digits.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	decimals := 3 - int(math.Floor(math.Log10(math.Max(math.Abs(v), 1e-9))))
	return strconv.FormatFloat(v, 'f', max(0, min(decimals, 9)), 64)
}
