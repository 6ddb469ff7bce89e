package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// more and less are what Why multiplies resources by: rates and times.
const (
	more = 1.1
	less = 0.9
)

// resource is what Why changes, one at a time. A job that depends on one for at least
// half of its time is called bound.
type resource struct {
	name, bound string
	factor      float64
	scale       topology.Scale
	is          func(*scenario.Scenario) bool // in the scenario; nil: in all
}

var resources = []resource{
	{"compute", "compute-bound", more, topology.Scale{Compute: more}, nil},
	{"HBM bandwidth", "memory-bound", more, topology.Scale{Memory: more}, nil},
	{"scale-up bandwidth", "network-bound", more, topology.Scale{ScaleUp: more}, nil},
	{"NIC bandwidth", "network-bound", more, topology.Scale{NIC: more}, nil},
	{"spine bandwidth", "network-bound", more, topology.Scale{Spine: more}, nil},
	{"network latency", "latency-bound", less, topology.Scale{Latency: less}, nil},
	{"collective overhead", "latency-bound", less, topology.Scale{Collective: less}, nil},
	{"kernel launch overhead", "launch-bound", less, topology.Scale{Launch: less}, nil},
	{"launch time of the host", "host-bound, launching kernels", less, topology.Scale{Host: less}, nil},
	{"WAN bandwidth", "WAN-bound", more, topology.Scale{WAN: more}, func(s *scenario.Scenario) bool { return len(s.Topology.Site) > 1 }},
	{"storage", "storage-bound", more, topology.Scale{Storage: more}, hasInput},
	{"CPU cores for samples", "input-bound", more, topology.Scale{CPU: more}, hasInput},
}

// hasInput says whether a training job reads its samples.
func hasInput(s *scenario.Scenario) bool {
	return slices.ContainsFunc(s.Workload.Training, func(w scenario.Training) bool { return w.Input != nil })
}

// Why explains the training jobs of a scenario: the critical path of an
// iteration, and what 10 % more of each resource would gain, which it finds by
// running the scenario again with it. All else stays as it is; only what the
// scenario leaves open ("auto") is chosen anew each time. Jobs are cut to their
// first few iterations at most, of which the last is the one explained. With jitter,
// where each takes another time, the gains are of their mean, and the critical path
// is that of the iteration of median length. Nothing breaks meanwhile.
//
// Errors are those of Run; if ctx ends first there is no explanation.
func Why(ctx context.Context, s *scenario.Scenario, o datacenter.Options) (*result.Record, error) {
	if len(s.Workload.Training) == 0 {
		return nil, scenario.Faults{scenario.Position{File: s.File}.Faultf("workload.training", "there is no [[workload.training]] to explain")}
	}
	base, err := datacenter.Trace(ctx, s, o, topology.Scale{})
	if err != nil {
		return nil, err
	}
	with := make([][]sim.Time, len(base)) // iterations of each job with more of each resource
	changed := slices.DeleteFunc(slices.Clone(resources), func(r resource) bool { return r.is != nil && !r.is(s) })
	for _, r := range changed {
		jobs, err := datacenter.Trace(ctx, s, o, r.scale)
		if err != nil {
			return nil, err
		}
		for i, j := range jobs {
			with[i] = append(with[i], j.Last.Time)
		}
	}
	var all []*result.Record
	for i, j := range base {
		all = append(all, whyRecord(j, changed, with[i]))
	}
	r := &result.Record{}
	r.Add(result.Name, s.Name.Value)
	r.Add(result.Training, all)
	return r, nil
}

func whyRecord(j datacenter.Traced, changed []resource, with []sim.Time) *result.Record {
	r := &result.Record{}
	for _, m := range []result.Metric{result.Name, result.Model, result.AcceleratorCount, result.IterationTime, result.Breakdown} {
		r.Add(m, j.Record.Get(m.Name))
	}
	if j.Done == 0 {
		r.Add(result.Verdict, "no iteration ended")
		return r
	}
	sensitivity, verdict := sensitivityRecords(j.Last.Time, changed, with)
	r.Add(result.Verdict, verdict)
	r.Add(result.Sensitivity, sensitivity)
	path := j.Trace.Path
	if j.Stragglers.Jitter > 0 {
		path = j.Trace.Median()
	}
	r.Add(result.CriticalLength, path.Length().Seconds())
	r.Add(result.CriticalTotals, totalsRecord(path.Totals()))
	r.Add(result.CriticalPath, pathRecords(path, j.Training))
	return r
}

// sensitivityRecords are what each resource gains, and the verdict on that.
func sensitivityRecords(iteration sim.Time, resources []resource, with []sim.Time) (all []*result.Record, verdict string) {
	order := make([]int, len(with))
	gain := make([]float64, len(with))
	for i := range order {
		order[i] = i
		gain[i] = float64(iteration)/float64(max(with[i], 1)) - 1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(gain[b], gain[a]) })
	elasticity := func(i int) float64 { return math.Log1p(gain[i]) / math.Abs(math.Log(resources[i].factor)) }
	for _, i := range order {
		r := &result.Record{}
		r.Add(result.Resource, resources[i].name)
		r.Add(result.ResourceFactor, resources[i].factor)
		r.Add(result.IterationTime, with[i].Seconds())
		r.Add(result.ThroughputGain, gain[i])
		r.Add(result.TimeElasticity, elasticity(i))
		all = append(all, r)
	}
	best := order[0]
	bound := elasticity(best)
	if resources[best].scale.WAN != 0 { // a cable between sites binds by its latency, too
		for i := range resources {
			if resources[i].scale.Latency != 0 {
				bound += max(0, elasticity(i))
			}
		}
	}
	change := "10 % more " + resources[best].name
	if resources[best].factor < 1 {
		change = "10 % less " + resources[best].name
	}
	switch percent := report.Percent(gain[best]); {
	case gain[best] < 1e-3:
		verdict = "10 % more of any one resource gains less than 0.1 %"
	case bound >= 0.5:
		verdict = fmt.Sprintf("%s: %s gives %s", resources[best].bound, change, percent)
	default:
		verdict = fmt.Sprintf("no one resource bounds it: %s gives the most, %s", change, percent)
	}
	return all, verdict
}

func totalsRecord(t training.Totals) *result.Record {
	r := training.ByClass(t.Classes)
	for _, part := range []struct {
		metric result.Metric
		time   sim.Time
	}{{result.CriticalSlowed, t.Slowed}, {result.LaunchPart, t.Launch}, {result.OptimizerPart, t.Optimizer}, {result.StoragePart, t.Input}} {
		if part.time > 0 {
			r.Add(part.metric, part.time.Seconds())
		}
	}
	for k, time := range t.Exposed {
		if time > 0 {
			r.Add(training.Kind(k).Metric(), time.Seconds())
		}
	}
	return r
}

func pathRecords(path training.Path, t workload.Training) []*result.Record {
	all := []*result.Record{}
	for i, cycle := range path.Cycles(t.Pipeline) {
		for _, s := range cycle.Stretches {
			r := &result.Record{}
			r.Add(result.PathCycle, int64(i))
			r.Add(result.PathTimes, int64(cycle.Times))
			r.Add(result.PathShift, int64(cycle.Shift))
			r.Add(result.PathStep, describe(s, t.Pipeline > 1))
			r.Add(result.PathCount, int64(s.Count))
			r.Add(result.PathTime, s.Time.Seconds())
			r.Add(result.PathExposed, s.Communication.Seconds())
			all = append(all, r)
		}
	}
	return all
}

// describe says what a stretch of the critical path is, and on which stage if
// there are several.
func describe(s training.Stretch, stages bool) string {
	text := ""
	switch s.Activity {
	case training.Computing:
		text = s.Pass.String()
	case training.Updating:
		text = "optimizer"
	case training.Feeding:
		return "waiting for samples"
	case training.Exchanging:
		text = s.Kind.String()
		if s.Kind == training.Pipeline {
			text = "gradients of the shared table"
		}
	case training.Sending:
		return fmt.Sprintf("message stage %d > %d", s.Stage, s.Next)
	}
	if stages {
		text = fmt.Sprintf("stage %d %s", s.Stage, text)
	}
	return text
}
