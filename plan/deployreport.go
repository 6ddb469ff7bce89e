package plan

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// report is what was found, as records and a table, and the scenarios.
func (d *deploying) report(ctx context.Context) (*Plan, error) {
	var found []*kind
	for _, k := range d.kinds {
		if k.best != nil {
			found = append(found, k)
		}
	}
	if found == nil {
		return nil, d.nearest()
	}
	slices.SortStableFunc(found, func(a, b *kind) int { return cmp.Compare(a.best.found().hourly, b.best.found().hourly) })
	plan := &Plan{Warnings: d.warnings}
	table := &builder{}
	points, lost := []*result.Record{}, []*result.Record{}
	for i, k := range found {
		beside, err := d.beside(ctx, k)
		if err != nil {
			return nil, err
		}
		file := fmt.Sprintf("deployment-%02d.toml", i+1)
		text, err := d.text(k.best, i+1)
		if err != nil {
			return nil, err
		}
		plan.Scenarios = append(plan.Scenarios, Scenario{file, text})
		x := d.point(k.best, i+1, file)
		table.add(x)
		x.Add(result.PlanAlternatives, beside)
		points = append(points, x)
	}
	for _, k := range d.kinds {
		if k.best == nil {
			x := &result.Record{}
			x.Add(result.PlanKind, k.label())
			x.Add(result.PlanReason, k.why())
			lost = append(lost, x)
		}
	}
	r := &result.Record{}
	r.Add(result.Name, "deployments of "+d.Model)
	r.Add(result.DeployModel, d.Model)
	if d.File == "" {
		r.Add(result.DeployRequests, int64(d.Count))
		r.Add(result.DeployRate, d.Demand.Rate)
	}
	r.Add(result.DeployPercentile, d.At)
	o := &result.Record{}
	for _, m := range []struct {
		result.Metric
		most float64
	}{{result.DeployFirst, d.First.Seconds()}, {result.DeployEach, d.Each.Seconds()}, {result.DeployWhole, d.Whole.Seconds()}} {
		if m.most > 0 {
			o.Add(m.Metric, m.most)
		}
	}
	r.Add(result.DeployObjectives, o)
	if d.Floor > 0 {
		r.Add(result.DeployFloor, d.Floor)
	}
	variants, simulated := 0, 0
	for _, k := range d.kinds {
		variants, simulated = variants+len(k.variants), simulated+k.simulated
	}
	r.Add(result.DeployVariants, int64(variants))
	r.Add(result.DeploySimulated, int64(simulated))
	r.Add(result.DeployPoints, points)
	r.Add(result.PlanLost, lost)
	plan.Summary = r
	plan.Tables = []*result.Table{table.table("deployments")}
	return plan, nil
}

// point is a row of the answer.
func (d *deploying) point(v *variant, number int, file string) *result.Record {
	x, r := v.found(), &result.Record{}
	r.Add(result.PlanPoint, int64(number))
	r.Add(result.PlanSite, v.place.name)
	r.Add(result.PlanKind, v.accelerator)
	r.Add(result.AcceleratorCount, int64(v.hosts(v.holds)*v.place.host.Accelerators))
	r.Add(result.DeployModel, v.Model)
	r.Add(result.PlanTensor, int64(v.tensor))
	r.Add(result.DeployReplicas, int64(v.holds))
	r.Add(result.DeployFormat, v.Quantization)
	r.Add(result.DeploySparsity, v.Sparsity)
	r.Add(result.DeployPruning, v.Pruning)
	r.Add(result.DeployBatching, v.limit.name)
	r.Add(result.DeployHourly, x.hourly)
	r.Add(result.DeployMillion, x.million)
	r.Add(result.DeployFirst, x.times[0])
	r.Add(result.DeployEach, x.times[1])
	r.Add(result.DeployWhole, x.times[2])
	r.Add(result.ReplicaUse, x.use)
	if d.scores != nil {
		r.Add(result.QualityScore, v.Score.Score)
	}
	r.Add(result.PlanScenario, file)
	return r
}

// beside are the variants one step from the best of a kind, and why they are not it.
func (d *deploying) beside(ctx context.Context, k *kind) (all []*result.Record, err error) {
	add := func(change, reason string) {
		r := &result.Record{}
		r.Add(result.PlanChange, change)
		r.Add(result.PlanReason, reason)
		all = append(all, r)
	}
	best := k.best
	if n := best.holds - 1; n > 0 {
		x, err := d.try(ctx, best, n)
		if err != nil {
			return nil, err
		}
		add(copies(n), x.why)
	}
	for _, v := range k.variants {
		if change := best.step(v); change != "" {
			add(change, v.reason(best))
		}
	}
	for _, x := range d.poor {
		add(weightsOf(x.Model, x.Quantization, x.Sparsity, x.Pruning), fmt.Sprintf("scores %v, less than %v", x.Score, d.Floor))
	}
	return all, nil
}

// step says in what a variant differs from another, "" if in nothing or in more than one.
func (v *variant) step(other *variant) string {
	var changes []string
	if v.Score != other.Score {
		changes = append(changes, weightsOf(other.Model, other.Quantization, other.Sparsity, other.Pruning))
	}
	if v.tensor != other.tensor {
		changes = append(changes, fmt.Sprintf("tensor %d", other.tensor))
	}
	if v.limit != other.limit {
		changes = append(changes, "batching "+other.limit.name)
	}
	if len(changes) != 1 {
		return ""
	}
	return changes[0]
}

// weightsOf names a model and its weights.
func weightsOf(model, quantization, sparsity string, pruning float64) string {
	text := model
	if quantization != "none" {
		text += ", " + quantization
	}
	if sparsity != "none" {
		text += ", " + sparsity + " sparse"
	}
	if pruning > 0 {
		text += fmt.Sprintf(", %s pruned", report.Percent(pruning))
	}
	return text
}

// reason says why a variant is not the best.
func (v *variant) reason(best *variant) string {
	switch {
	case v.refuse != "":
		return v.refuse
	case v.holds > 0:
		by := v.found().hourly/best.found().hourly - 1
		text := "takes " + copies(v.holds)
		if by < 5e-4 {
			return text + " and costs the same"
		}
		return fmt.Sprintf("%s, %s an hour, %s dearer", text, money(v.found().hourly), report.Percent(by))
	case len(v.runs) > 0:
		n := 0
		for tried := range v.runs { // of which there is the most
			n = max(n, tried)
		}
		return fmt.Sprintf("with %s, the most that cost less, %s", copies(n), v.runs[n].why)
	}
	return fmt.Sprintf("takes %s or more, which cost %s an hour or more", copies(v.least), money(v.floor))
}

// nearest is the trial of a kind that misses its objectives the least, nil if there is none.
func (k *kind) nearest() (nearest *variant, replicas int) {
	least := math.Inf(1)
	for _, v := range k.variants {
		for n, x := range v.runs { // the order of which decides nothing: of equals it is the fewest
			if x.over < least || x.over == least && nearest == v && n < replicas {
				nearest, replicas, least = v, n, x.over
			}
		}
	}
	return nearest, replicas
}

// why says why a kind has no deployment.
func (k *kind) why() string {
	if v, n := k.nearest(); v != nil {
		return fmt.Sprintf("the nearest, %s of %s with tensor %d and batching %s: %s", copies(n),
			weightsOf(v.Model, v.Quantization, v.Sparsity, v.Pruning), v.tensor, v.limit.name, v.runs[n].why)
	}
	if len(k.variants) == 0 {
		return "the model cannot be shared among its accelerators"
	}
	return k.variants[0].refuse
}

// nearest says what comes nearest where nothing keeps to the objectives.
func (d *deploying) nearest() error {
	var parts []string
	for _, k := range d.kinds {
		parts = append(parts, k.label()+": "+k.why())
	}
	return &InfeasibleError{strings.Join(parts, "\n  ")}
}

// text is a scenario, with a comment that says what it is.
func (d *deploying) text(v *variant, number int) (string, error) {
	made, err := d.scenario(v, v.holds, d.Count)
	if err != nil {
		return "", err
	}
	x := v.found()
	var b strings.Builder
	fmt.Fprintf(&b, "# Deployment %d of a plan for %s: %s of %s on %d x %s each,\n# batching %s. Simulated: %s an hour; %s to first token, %s for each, %s to the last (%s).\n\n",
		number, d.Model, copies(v.holds), weightsOf(v.Model, v.Quantization, v.Sparsity, v.Pruning), v.tensor, v.kind.label(), v.limit.name,
		money(x.hourly), report.Seconds(x.times[0]), report.Seconds(x.times[1]), report.Seconds(x.times[2]), d.At)
	b.WriteString(made.Text())
	return b.String(), nil
}

// copies is a number of replicas as a message has it.
func copies(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return report.Count(float64(n)) + " replicas"
}
