package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/railyard/railyard/result"
)

// Deployments writes a plan of deployments, and why what is next to them was not chosen.
func Deployments(w io.Writer, r *result.Record) error {
	p := &printer{w: w}
	demand := "the requests of the file"
	if n := r.Float(result.DeployRequests.Name); n > 0 {
		demand = fmt.Sprintf("%.4g requests a second", r.Float(result.DeployRate.Name))
	}
	var limits []string
	objectives := r.Record(result.DeployObjectives.Name)
	for _, o := range []struct {
		result.Metric
		words string
	}{{result.DeployFirst, "to first token"}, {result.DeployEach, "for each token"}, {result.DeployWhole, "to the last"}} {
		if objectives.Get(o.Name) != nil {
			limits = append(limits, Seconds(objectives.Float(o.Name))+" "+o.words)
		}
	}
	p.line("%s: %s; %s of %s", r.Text(result.Name.Name), demand, r.Text(result.DeployPercentile.Name), strings.Join(limits, ", "))
	p.line("  %s variants, %s simulations", Count(r.Float(result.DeployVariants.Name)), Count(r.Float(result.DeploySimulated.Name)))
	points := r.List(result.DeployPoints.Name)
	p.line("")
	p.deployments(points)
	for i, x := range points {
		p.line("")
		p.line("next to deployment %d", i+1)
		for _, a := range x.List(result.PlanAlternatives.Name) {
			p.line("    %-36s %s", a.Text(result.PlanChange.Name), a.Text(result.PlanReason.Name))
		}
	}
	if lost := r.List(result.PlanLost.Name); len(lost) > 0 {
		p.line("")
		p.line("kinds without a deployment")
		for _, x := range lost {
			p.line("    %-20s %s", x.Text(result.PlanKind.Name), x.Text(result.PlanReason.Name))
		}
	}
	return p.err
}

// deployments is the table of them.
func (p *printer) deployments(points []*result.Record) {
	if p.err != nil {
		return
	}
	t := tabwriter.NewWriter(p.w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "deployment\tcost an hour\taccelerators\tmodel\tweights\ttensor\treplicas\tbatching\tfirst token\teach\tlast\tused\tquality\t")
	for _, x := range points {
		number := func(m result.Metric) string { return Count(x.Float(m.Name)) }
		kind := fmt.Sprintf("%s x %s", number(result.AcceleratorCount), x.Text(result.PlanKind.Name))
		if site := x.Text(result.PlanSite.Name); site != "" {
			kind += " at " + site
		}
		weights := x.Text(result.DeployFormat.Name)
		if s := x.Text(result.DeploySparsity.Name); s != "none" {
			weights += ", " + s
		}
		if v := x.Float(result.DeployPruning.Name); v > 0 {
			weights += ", " + Percent(v) + " pruned"
		}
		quality := ""
		if x.Get(result.QualityScore.Name) != nil {
			quality = fmt.Sprintf("%.4g", x.Float(result.QualityScore.Name))
		}
		cells := []string{
			number(result.PlanPoint), dollars(x.Float(result.DeployHourly.Name)), kind, x.Text(result.DeployModel.Name), weights, number(result.PlanTensor),
			number(result.DeployReplicas), x.Text(result.DeployBatching.Name), Seconds(x.Float(result.DeployFirst.Name)), Seconds(x.Float(result.DeployEach.Name)),
			Seconds(x.Float(result.DeployWhole.Name)), Percent(x.Float(result.ReplicaUse.Name)), quality,
		}
		fmt.Fprintln(t, strings.Join(cells, "\t")+"\t")
	}
	p.err = t.Flush()
}
