package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/railyard/railyard/result"
)

// Plan writes the front of a plan, and why what is next to its ends was not chosen.
func Plan(w io.Writer, r *result.Record) error {
	p := &printer{w: w}
	number := func(m result.Metric) string { return Count(r.Float(m.Name)) }
	of, batch := " tokens", "sequences of "+number(result.PlanSequence)+" tokens"
	if r.Float(result.PlanSequence.Name) <= 1 {
		of, batch = " samples", "samples"
	}
	p.line("%s: %s in %s, %s %s an iteration", r.Text(result.Name.Name), number(result.PlanTokens)+of, r.Text(result.Precision.Name), number(result.GlobalBatch), batch)
	p.line("  %s choices, of which %s fit in memory, %s were tried without contention and %s simulated",
		number(result.PlanConsidered), number(result.PlanFitting), number(result.PlanTried), number(result.PlanSimulated))
	points := r.List(result.PlanPoints.Name)
	p.line("")
	p.front(points)
	for _, x := range ends(points) {
		p.line("")
		p.line("next to point %s, %s", Count(x.point.Float(result.PlanPoint.Name)), strings.Join(x.why, ", "))
		for _, a := range x.point.List(result.PlanAlternatives.Name) {
			p.line("    %-36s %s", a.Text(result.PlanChange.Name), a.Text(result.PlanReason.Name))
		}
	}
	if lost := r.List(result.PlanLost.Name); len(lost) > 0 {
		p.line("")
		p.line("kinds without a point")
		for _, x := range lost {
			p.line("    %-20s %s", x.Text(result.PlanKind.Name), x.Text(result.PlanReason.Name))
		}
	}
	return p.err
}

// front is the table of the points.
func (p *printer) front(points []*result.Record) {
	if p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "point\ttime\tcost\tenergy\taccelerators\ttensor\tpipeline\tdata\tzero\tmicro-batch\tMFU\tmost power\t")
	for _, x := range points {
		number := func(m result.Metric) string { return Count(x.Float(m.Name)) }
		kind := fmt.Sprintf("%s x %s", number(result.AcceleratorCount), x.Text(result.PlanKind.Name))
		if site := x.Text(result.PlanSite.Name); site != "" {
			kind += " at " + site
		}
		pipeline := number(result.PlanPipeline)
		if v := x.Float(result.PlanVirtual.Name); v > 1 {
			pipeline += " x " + Count(v)
		}
		cells := []string{
			number(result.PlanPoint), Seconds(x.Float(result.PlanTime.Name)), dollars(x.Float(result.PlanCost.Name)), wattHours(x.Float(result.PlanEnergy.Name)),
			kind, number(result.PlanTensor), pipeline, number(result.PlanData), number(result.PlanZero), number(result.MicroBatch),
			Percent(x.Float(result.MFU.Name)), Prefixed(x.Float(result.PlanPower.Name), "W"),
		}
		fmt.Fprintln(t, strings.Join(cells, "\t")+"\t")
	}
	p.err = t.Flush()
}

// end is a point and what it is the best in.
type end struct {
	point *result.Record
	why   []string
}

// ends are the points that are the best in something.
func ends(points []*result.Record) (all []end) {
	for _, by := range []struct {
		result.Metric
		why string
	}{{result.PlanTime, "the fastest"}, {result.PlanCost, "the cheapest"}, {result.PlanEnergy, "of the least energy"}} {
		var best *result.Record
		for _, x := range points {
			if best == nil || x.Float(by.Name) < best.Float(by.Name) {
				best = x
			}
		}
		known := false
		for i := range all {
			if all[i].point == best {
				all[i].why, known = append(all[i].why, by.why), true
			}
		}
		if best != nil && !known {
			all = append(all, end{best, []string{by.why}})
		}
	}
	return all
}
