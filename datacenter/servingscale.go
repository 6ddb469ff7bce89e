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

// scaling has the replicas of a model scale and fail as the scenario says: those of each
// pool, of so many bytes an accelerator.
func (b *builder) scaling(w *scenario.Serving, f *serving.Fleet, weights ...float64) {
	f.MaxQueue = int(w.MaxQueue.Value)
	if s := b.stopping; s != nil {
		f.Failures = func(accelerators []topology.NodeID) serving.Failures {
			return hostFailures{s.outages.Stopping(serversOf(b.topology, accelerators))}
		}
	}
	for i, p := range f.Pools() {
		b.coldStart(w, p, weights[i])
	}
	if x := w.Disaggregate; x != nil {
		for i, k := range x.Pools() {
			b.autoscale(k.Autoscale, k.Replicas, f.Pools()[i])
		}
		return
	}
	b.autoscale(w.Autoscale, w.Replicas, &f.Pool)
}

// coldStart finds what replicas of a pool, of so many bytes an accelerator, do before they
// answer.
func (b *builder) coldStart(w *scenario.Serving, p *serving.Pool, weights float64) {
	host := b.topology.Servers[0].Spec
	onHost := float64(min(p.Ranks(), int(host.Accelerators)))
	c := &w.ColdStart
	p.Start = serving.Start{
		Provision: sim.Time(c.Provision.Value), Keep: sim.Time(c.Keep.Value), Engine: sim.Time(c.Engine.Value),
		Image:   sim.FromSeconds(float64(c.Image.Value) / float64(c.ImageRate.Value)),
		Weights: sim.FromSeconds(onHost * weights / math.Min(float64(c.WeightsRate.Value), b.bounces(int(onHost)))),
	}
	if c.Storage.Value {
		b.downloads(w, p, weights)
	}
}

// autoscale has the replicas of a pool come and go, so many of which are there at the
// start.
func (b *builder) autoscale(a *scenario.Autoscale, start scenario.Key[int64], p *serving.Pool) {
	if a == nil {
		return
	}
	if int(a.Min.Value) > p.Replicas || int(start.Value) > p.Replicas {
		b.fault(a.At, a.Path, "there is room for %d replicas", p.Replicas)
	}
	initial := a.Min.Value
	if start.Set {
		initial = start.Value
	}
	p.Scaling = &serving.Scaling{
		Autoscaling: scheduler.Autoscaling{
			Min: int(a.Min.Value), Max: p.Replicas, Target: a.Target.Value, Tolerance: a.Tolerance.Value, Cooldown: a.Cooldown.Value,
			Up:   scalingRules(a.UpWindow, a.UpSelect, a.Up, defaultUp),
			Down: scalingRules(a.DownWindow, a.DownSelect, a.Down, defaultDown),
		},
		Initial: int(initial), Sync: sim.Time(a.Sync.Value), Poll: sim.Time(a.Poll.Value), Grace: sim.Time(a.Grace.Value),
	}
	p.Scaling.Measure, _ = serving.ParseMeasure(a.Metric.Value)
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
	var of, pool []string
	var at, metric []float64
	var ready, starting, recommended, desired []int64
	several := false
	for _, s := range p.served {
		several = several || s.Decode != nil && s.Grown.Decisions != nil
		for _, d := range s.Grown.Decisions {
			pool = append(pool, s.poolName(d.Pool))
			of, at, metric = append(of, p.cluster.Jobs[s.job].Name), append(at, d.At.Seconds()), append(metric, d.Metric)
			ready, starting = append(ready, int64(d.Ready)), append(starting, int64(d.Starting))
			recommended, desired = append(recommended, int64(d.Recommended)), append(desired, int64(d.Desired))
		}
	}
	if at == nil {
		return nil
	}
	t := &result.Table{Name: "scaling", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.ScalingTime, Numbers: at},
		{Metric: result.ScalingMetric, Numbers: metric},
		{Metric: result.ScalingReady, Integers: ready},
		{Metric: result.ScalingStarting, Integers: starting},
		{Metric: result.ScalingRecommended, Integers: recommended},
		{Metric: result.ScalingDesired, Integers: desired},
	}}
	if several {
		t.Columns = append(t.Columns, result.Column{Metric: result.ScalingPool, Text: pool})
	}
	return t
}

// scalings is how many decisions changed the number of replicas of a pool.
func (s *served) scalings(pool int) (changes int64) {
	x := s.Pools()[pool].Scaling
	if x == nil {
		return 0
	}
	was := x.Initial
	for _, d := range s.Grown.Decisions {
		if d.Pool == pool && d.Desired != was {
			changes, was = changes+1, d.Desired
		}
	}
	return changes
}

// addReplicas adds to a workload's record how its replicas came, went and failed.
func (s *served) addReplicas(m *result.Record, l *levels) {
	m.Add(result.MeanReplicas, l.answering)
	m.Add(result.AcceleratorHours, l.holding/secondsPerHour)
	if s.Scales() {
		m.Add(result.MostReplicas, int64(s.Grown.Most))
		changes := int64(0)
		for i := range s.Pools() {
			changes += s.scalings(i)
		}
		m.Add(result.ScalingCount, changes)
	}
	if s.Scales() || s.Failures != nil {
		m.Add(result.ReplicaStarts, int64(s.Grown.Starts))
		m.Add(result.ReplicaFailures, int64(s.Grown.Failed))
		m.Add(result.RequestsMoved, int64(s.Grown.Moved))
	}
}
