package study

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// CompareFidelity runs a scenario as a fluid and packet by packet, whatever its
// fidelity is, and says how far the times of its workloads are apart. Its
// expectations are not judged. Errors are those of Run; if ctx ends first there is
// no comparison.
func CompareFidelity(ctx context.Context, s *scenario.Scenario, o datacenter.Options) (*result.Record, error) {
	run := func(fidelity string) (*datacenter.Result, error) {
		with := *s
		with.Sim.Fidelity.Value = fidelity
		with.Expect = nil
		r, err := datacenter.Run(ctx, &with, o)
		if err == nil && r.Summary.Text(result.Status.Name) != "done" {
			err = errors.New("the horizon comes before the end: there is nothing to compare")
		}
		if _, faulty := errors.AsType[scenario.Faults](err); err != nil && !faulty {
			err = fmt.Errorf("with fidelity %q: %w", fidelity, err)
		}
		return r, err
	}
	packet, err := run("packet") // which may be refused
	if err != nil {
		return nil, err
	}
	fluid, err := run("fluid")
	if err != nil {
		return nil, err
	}
	c := &comparison{}
	c.add("the whole run", result.Makespan, fluid.Summary, packet.Summary)
	c.each(result.Training, fluid, packet, func(r *result.Record) string { return r.Text(result.Name.Name) }, result.IterationTime, result.TimeToTrain)
	c.each(result.Collectives, fluid, packet, collectiveName, result.CollectiveTime)
	c.each(result.Replay, fluid, packet, func(r *result.Record) string { return r.Text(result.Name.Name) }, result.ReplayFinish)
	if f := fluid.Summary.Record(result.Flows.Name); f != nil {
		p := packet.Summary.Record(result.Flows.Name)
		c.add("flows", result.FlowMean, f, p)
		c.add("flows", result.FlowLongest, f, p)
	}
	r := &result.Record{}
	r.Add(result.Name, s.Name.Value)
	r.Add(result.Comparison, c.rows)
	if off, ok := flowDifference(fluid.Table("flows"), packet.Table("flows")); ok {
		r.Add(result.FlowDifference, off)
	}
	r.Add(result.Packets, packet.Summary.Record(result.Packets.Name))
	return r, nil
}

// comparison gathers what is compared.
type comparison struct{ rows []*result.Record }

func (c *comparison) add(what string, m result.Metric, fluid, packet *result.Record) {
	f, p := fluid.Float(m.Name), packet.Float(m.Name)
	r := &result.Record{}
	r.Add(result.ComparedWhat, what)
	r.Add(result.ComparedMetric, m.Name)
	r.Add(result.FluidValue, f)
	r.Add(result.PacketValue, p)
	r.Add(result.FidelityDifference, result.Ratio(f-p, p))
	c.rows = append(c.rows, r)
}

// each compares metrics of all workloads of a kind.
func (c *comparison) each(kind result.Metric, fluid, packet *datacenter.Result, name func(*result.Record) string, metrics ...result.Metric) {
	others := packet.Summary.List(kind.Name)
	for i, f := range fluid.Summary.List(kind.Name) {
		for _, m := range metrics {
			c.add(name(f), m, f, others[i])
		}
	}
}

func collectiveName(r *result.Record) string {
	name, op := r.Text(result.Workload.Name), r.Text(result.CollectiveOp.Name)
	if name != op {
		name += ", " + op
	}
	return name + " of " + report.Binary(r.Float(result.CollectiveSize.Name))
}

// flowDifference is how far the completion times of flows are apart, in the mean of
// those that take time.
func flowDifference(fluid, packet *result.Table) (mean float64, ok bool) {
	if fluid == nil {
		return 0, false
	}
	took := func(t *result.Table, i int) float64 {
		return t.Column(result.FlowFinish.Name).Numbers[i] - t.Column(result.FlowStart.Name).Numbers[i]
	}
	var sum float64
	n := 0
	for i := range fluid.Rows() {
		if p := took(packet, i); p > 0 {
			sum += math.Abs(took(fluid, i)/p - 1)
			n++
		}
	}
	return result.Ratio(sum, float64(n)), true
}
