package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/railyard/railyard/result"
)

// Why writes an explanation of training jobs: what bounds each, what more of each
// resource would gain, and the critical path of an iteration.
func Why(w io.Writer, r *result.Record) error {
	p := &printer{w: w}
	for i, t := range r.List(result.Training.Name) {
		if i > 0 {
			p.line("")
		}
		p.why(t)
	}
	return p.err
}

func (p *printer) why(t *result.Record) {
	iteration := t.Float(result.IterationTime.Name)
	p.line("%s: an iteration takes %s on %s accelerators", t.Text(result.Name.Name), Seconds(iteration), Count(t.Float(result.AcceleratorCount.Name)))
	p.line("  %s", t.Text(result.Verdict.Name))
	if iteration == 0 {
		return
	}
	p.line("")
	p.line("  %-34s %10s %8s %11s", "with", "iteration", "gain", "elasticity")
	for _, s := range t.List(result.Sensitivity.Name) {
		change := "more"
		if s.Float(result.ResourceFactor.Name) < 1 {
			change = "less"
		}
		p.line("    10 %% %s %-22s %10s %8s %11.2f", change, s.Text(result.Resource.Name), Seconds(s.Float(result.IterationTime.Name)),
			Percent(s.Float(result.ThroughputGain.Name)), s.Float(result.TimeElasticity.Name))
	}
	p.line("")
	p.line("  where the time of the mean accelerator goes")
	p.shares(t.Record(result.Breakdown.Name), iteration)
	p.line("")
	critical, in := t.Float(result.CriticalLength.Name), ""
	if critical != iteration {
		in = fmt.Sprintf(", in the iteration of median length, %s", Seconds(critical))
	}
	p.line("  where the time of the critical path goes%s", in)
	p.shares(t.Record(result.CriticalTotals.Name), critical)
	p.line("")
	p.line("  the critical path%s", in)
	p.path(t.List(result.CriticalPath.Name), critical)
}

// shares draws parts of a whole, those of nothing left out.
func (p *printer) shares(parts *result.Record, whole float64) {
	for _, f := range parts.Fields {
		if v, _ := f.Value.(float64); v > 0 {
			p.line("    %-22s %s  %6s  %s", strings.ReplaceAll(f.Metric.Name, "_", " "), bar(v/whole, 24), Percent(v/whole), Seconds(v))
		}
	}
}

// path writes the steps of a critical path, those that repeat once.
func (p *printer) path(steps []*result.Record, iteration float64) {
	cycle := -1.0
	for i, s := range steps {
		if i == rowsShown {
			p.line("    ... %d more steps with --json", len(steps)-i)
			break
		}
		times := s.Float(result.PathTimes.Name)
		if c := s.Float(result.PathCycle.Name); c != cycle {
			if cycle = c; times > 1 {
				p.line("    %s times in turn%s, all together:", Count(times), shifted(s.Float(result.PathShift.Name)))
			}
		}
		indent := 0
		if times > 1 {
			indent = 2
		}
		name := s.Text(result.PathStep.Name)
		if count := s.Float(result.PathCount.Name); count > 1 {
			name += " x " + Count(count)
		}
		time, communication := s.Float(result.PathTime.Name), s.Float(result.PathExposed.Name)
		of := ""
		if communication > 0 && communication < time {
			of = fmt.Sprintf("  communication %s", Seconds(communication))
		}
		p.line("    %*s%-*s %10s  %6s%s", indent, "", 40-indent, name, Seconds(time), Percent(time/iteration), of)
	}
}

// shifted says by how many stages a repeated part of the path moves each time.
func shifted(stages float64) string {
	way := "further"
	if stages < 0 {
		way = "back"
	}
	switch n := math.Abs(stages); n {
	case 0:
		return ""
	case 1:
		return ", each time a stage " + way
	default:
		return ", each time " + Count(n) + " stages " + way
	}
}
