package datacenter

import (
	"math"

	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// scaling has the replicas of a model, of so many bytes an accelerator, scale and fail as
// the scenario says.
func (b *builder) scaling(w *scenario.Serving, f *serving.Fleet, weights float64) {
	f.MaxQueue = int(w.MaxQueue.Value)
	host := b.topology.Servers[0].Spec
	onHost := float64(min(f.Ranks(), int(host.Accelerators)))
	c := &w.ColdStart
	f.Start = serving.Start{
		Provision: sim.Time(c.Provision.Value), Keep: sim.Time(c.Keep.Value), Engine: sim.Time(c.Engine.Value),
		Image:   sim.FromSeconds(float64(c.Image.Value) / float64(c.ImageRate.Value)),
		Weights: sim.FromSeconds(onHost * weights / math.Min(float64(c.WeightsRate.Value), b.bounces(int(onHost)))),
	}
	if c.Storage.Value {
		b.downloads(w, f, weights)
	}
	if s := b.stopping; s != nil {
		f.Failures = func(accelerators []topology.NodeID) serving.Failures {
			return hostFailures{s.outages.Stopping(serversOf(b.topology, accelerators))}
		}
	}
	a := w.Autoscale
	if a == nil {
		return
	}
	if int(a.Min.Value) > f.Replicas || int(w.Replicas.Value) > f.Replicas {
		b.fault(a.At, a.Path, "there is room for %d replicas", f.Replicas)
	}
	initial := a.Min.Value
	if w.Replicas.Set {
		initial = w.Replicas.Value
	}
	f.Scaling = &serving.Scaling{
		Autoscaling: scheduler.Autoscaling{
			Min: int(a.Min.Value), Max: f.Replicas, Target: a.Target.Value, Tolerance: a.Tolerance.Value, Cooldown: a.Cooldown.Value,
			Up:   scalingRules(a.UpWindow, a.UpSelect, a.Up, defaultUp),
			Down: scalingRules(a.DownWindow, a.DownSelect, a.Down, defaultDown),
		},
		Initial: int(initial), Sync: sim.Time(a.Sync.Value), Poll: sim.Time(a.Poll.Value), Grace: sim.Time(a.Grace.Value),
	}
	f.Scaling.Measure, _ = serving.ParseMeasure(a.Metric.Value)
}

// The policies of Kubernetes where a scenario has none.
var (
	defaultDown = []scheduler.ScalingPolicy{{Percent: true, Value: 100, Period: units.Duration(15 * sim.Second)}}
	defaultUp   = []scheduler.ScalingPolicy{defaultDown[0], {Value: 4, Period: units.Duration(15 * sim.Second)}}
)

func scalingRules(window scenario.Key[units.Duration], choice scenario.Key[string], policies []scenario.ScalingPolicy, standard []scheduler.ScalingPolicy) scheduler.ScalingRules {
	r := scheduler.ScalingRules{Window: window.Value, Policies: standard}
	r.Select, _ = scheduler.ParsePolicySelect(choice.Value)
	if policies != nil {
		r.Policies = nil
	}
	for _, p := range policies {
		r.Policies = append(r.Policies, scheduler.ScalingPolicy{
			Percent: p.Percent.Set, Value: int(p.Pods.Value + p.Percent.Value), Period: p.Period.Value,
		})
	}
	return r
}

// hostFailures are the failures of the hosts of one replica.
type hostFailures struct{ *fault.Stops }

func (h hostFailures) Next() (at, until sim.Time) {
	f, until := h.Stops.Next()
	return f.At, until
}

// scalingTable is every decision of the autoscalers, nil if there is none.
func (p *plant) scalingTable() *result.Table {
	var of []string
	var at, metric []float64
	var ready, starting, recommended, desired []int64
	for _, s := range p.served {
		for _, d := range s.Grown.Decisions {
			of, at, metric = append(of, p.cluster.Jobs[s.job].Name), append(at, d.At.Seconds()), append(metric, d.Metric)
			ready, starting = append(ready, int64(d.Ready)), append(starting, int64(d.Starting))
			recommended, desired = append(recommended, int64(d.Recommended)), append(desired, int64(d.Desired))
		}
	}
	if at == nil {
		return nil
	}
	return &result.Table{Name: "scaling", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.ScalingTime, Numbers: at},
		{Metric: result.ScalingMetric, Numbers: metric},
		{Metric: result.ScalingReady, Integers: ready},
		{Metric: result.ScalingStarting, Integers: starting},
		{Metric: result.ScalingRecommended, Integers: recommended},
		{Metric: result.ScalingDesired, Integers: desired},
	}}
}

// addReplicas adds to a workload's record how its replicas came, went and failed.
func (s *served) addReplicas(m *result.Record, l *levels) {
	m.Add(result.MeanReplicas, ratio(l.up, l.lasted))
	m.Add(result.AcceleratorHours, l.holding/secondsPerHour)
	if s.Scaling != nil {
		m.Add(result.MostReplicas, int64(s.Grown.Most))
		changes := 0
		was := s.Scaling.Initial
		for _, d := range s.Grown.Decisions {
			if d.Desired != was {
				changes, was = changes+1, d.Desired
			}
		}
		m.Add(result.ScalingCount, int64(changes))
	}
	if s.Scaling != nil || s.Failures != nil {
		m.Add(result.ReplicaStarts, int64(s.Grown.Starts))
		m.Add(result.ReplicaFailures, int64(s.Grown.Failed))
		m.Add(result.RequestsMoved, int64(s.Grown.Moved))
	}
}
