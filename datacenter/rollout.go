package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/rollout"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// rolledOut is a [[workload.rollout]] as it runs.
type rolledOut struct {
	*rollout.Job
	job int
}

// buildRegistries adds what registries read from to the topology.
func (b *builder) buildRegistries() {
	b.registries = map[string][]rollout.Registry{}
	for i := range b.scenario.Workload.Rollout {
		w := &b.scenario.Workload.Rollout[i]
		if b.topology.Bare() {
			b.fault(w.At, w.Path, "there are no hosts to bring software to: it needs a topology of hosts")
			return
		}
		for _, h := range b.named(w.Registry, w.Path+".registry") {
			r := rollout.Registry{Host: h}
			if w.RegistryRate.Set {
				with, link, err := b.topology.WithServices([]topology.Service{{Name: b.topology.ServerName(h) + "/registry", Rate: w.RegistryRate.Value}})
				if err != nil {
					b.fault(w.RegistryRate.Pos, w.Path+".registry_rate", "%v", err)
					return
				}
				b.topology, r.Services = with, []topology.LinkID{link}
			}
			b.registries[w.Path] = append(b.registries[w.Path], r)
		}
	}
}

// addRollout adds what brings software to hosts.
func (b *builder) addRollout(w *scenario.Rollout) {
	p := &rollout.Job{
		Image: float64(w.Image.Value), Registries: b.registries[w.Path], Batch: int(w.Batch.Value), Peers: w.Distribution.Value == "peer-to-peer",
		Piece: float64(w.Piece.Value), Drain: sim.Time(w.Drain.Value), Restart: sim.Time(w.Restart.Value),
	}
	if w.Unpack.Set {
		p.Unpack = sim.FromSeconds(p.Image / float64(w.Unpack.Value))
	}
	registry := func(h int) bool {
		return slices.ContainsFunc(p.Registries, func(r rollout.Registry) bool { return r.Host == h })
	}
	hosts := b.scenario.Topology.PoolHosts(w.Pool.Value)
	if !w.Pool.Set {
		for h := range b.topology.Servers {
			if b.topology.Servers[h].Spec.Accelerators > 0 && !registry(h) {
				hosts = append(hosts, h)
			}
		}
	}
	for _, h := range hosts {
		if registry(h) {
			b.fault(w.Registry.Pos, w.Path+".registry", "%s is one of the hosts that get the image", b.topology.ServerName(h))
			return
		}
		p.Hosts = append(p.Hosts, int32(h))
	}
	if len(p.Hosts) == 0 {
		b.fault(w.At, w.Path, "no host is left to bring the image to")
		return
	}
	if b.failing != nil { // its source is among the last
		p.Hold = b.failing.Hold(len(b.failing.said) - len(b.scenario.Workload.Rollout) + len(b.rollouts))
	}
	only := *w
	only.Name = scenario.Key[string]{Value: b.name(w.Name, "rollout"), Set: true}
	j := &cluster.Job{Name: only.Name.Value, Start: sim.Time(w.Start.Value), Shared: true, Program: p}
	b.rollouts = append(b.rollouts, &rolledOut{p, len(b.cluster.Jobs)})
	b.submit(j, scenario.Workload{Rollout: []scenario.Rollout{only}})
}

// collectRollouts tells how the batches of each rollout went.
func (p *plant) collectRollouts(r *Result) {
	if len(p.rollouts) == 0 {
		return
	}
	r.Tables = append(r.Tables, p.rolloutTable())
	r.Summary.Add(result.Rollouts, p.rolloutRecords())
}

// rolloutTable has a row for each batch.
func (p *plant) rolloutTable() *result.Table {
	var of []string
	var batch, hosts, interrupted []int64
	var start, pulled, drained, ended []float64
	seconds := func(t sim.Time) float64 {
		if t < 0 {
			return result.Missing
		}
		return t.Seconds()
	}
	for _, x := range p.rollouts {
		for i, r := range x.Rows {
			of, batch, hosts, interrupted = append(of, p.cluster.Jobs[x.job].Name), append(batch, int64(i)), append(hosts, int64(r.Hosts)), append(interrupted, int64(r.Interrupted))
			start, pulled = append(start, r.Start.Seconds()), append(pulled, seconds(r.Pulled))
			drained, ended = append(drained, seconds(r.Drained)), append(ended, seconds(r.Ended))
		}
	}
	return &result.Table{Name: "rollouts", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.RolloutBatch, Integers: batch},
		{Metric: result.HostCount, Integers: hosts},
		{Metric: result.RolloutStart, Numbers: start},
		{Metric: result.RolloutPulled, Numbers: pulled},
		{Metric: result.RolloutDrained, Numbers: drained},
		{Metric: result.RolloutEnded, Numbers: ended},
		{Metric: result.RolloutInterrupted, Integers: interrupted},
	}}
}

// rolloutRecords is a record for each rollout.
func (p *plant) rolloutRecords() []*result.Record {
	all := []*result.Record{}
	for _, x := range p.rollouts {
		var pull, down float64
		var interrupted int64
		for _, r := range x.Rows {
			interrupted += int64(r.Interrupted)
			if r.Pulled >= 0 {
				pull += (r.Pulled - r.Start).Seconds()
			}
			if r.Ended >= 0 {
				down += float64(r.Hosts) * (r.Ended - r.Pulled).Seconds()
			}
		}
		how := "registry"
		if x.Peers {
			how = "peer-to-peer"
		}
		registered, passed := x.Sent()
		r := &result.Record{}
		r.Add(result.Name, p.cluster.Jobs[x.job].Name)
		r.Add(result.RolloutHow, how)
		r.Add(result.HostCount, int64(len(x.Hosts)))
		r.Add(result.RolloutBatches, int64(len(x.Rows)))
		r.Add(result.RolloutImage, x.Image)
		if j := p.cluster.Jobs[x.job]; j.Finished {
			r.Add(result.RolloutTime, (j.FinishedAt - j.StartedAt).Seconds())
		}
		r.Add(result.RolloutPull, pull)
		r.Add(result.RolloutRegistered, registered)
		r.Add(result.RolloutPassed, passed)
		r.Add(result.RolloutDown, down)
		r.Add(result.RolloutInterrupted, interrupted)
		all = append(all, r)
	}
	return all
}
