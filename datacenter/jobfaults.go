package datacenter

import (
	"slices"
	"strconv"

	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// jobRecovery is how the jobs of a file come back after failures.
func jobRecovery(w *scenario.Jobs) jobs.Recovery {
	r := jobs.Recovery{Interval: sim.Time(w.Interval.Value), Pause: sim.Time(w.Pause.Value), Restart: sim.Time(w.Restart.Value), Restarts: scenario.MaxRestarts}
	switch {
	case w.OnFailure.Value == "fail":
		r.Restarts = 0
	case w.MaxRestarts.Set:
		r.Restarts = int(w.MaxRestarts.Value)
	}
	return r
}

// fallible are the kinds of parts that may stop jobs where there is no fabric of hosts;
// nil where there is one.
func (b *builder) fallible() []string {
	switch {
	case b.nodes != nil:
		return []string{"accelerator", "host", "rack", "power-domain", "site"}
	case b.topology.Bare():
		return []string{"accelerator", "site"}
	}
	return nil
}

// bareParts are the parts of a kind of a pool, or of accelerators without hosts, each of
// which then stands for a host.
func (b *builder) bareParts(w *scenario.TopologyFault) (names []string, hosts [][]int32) {
	first := b.units()
	all := make([]int32, len(first)-1)
	for h := range all {
		all[h] = int32(h)
	}
	if w.Kind.Value == "site" {
		return []string{"site0"}, [][]int32{all}
	}
	if b.nodes == nil {
		for a := range all {
			names, hosts = append(names, b.topology.NodeName(topology.NodeID(a))), append(hosts, all[a:a+1])
		}
		return names, hosts
	}
	index := map[string]int{} // of racks and the like
	racks := 0
	for h, name := range b.nodes.Name {
		switch w.Kind.Value {
		case "accelerator":
			for a := range b.nodes.Accelerators[h] {
				names, hosts = append(names, name+"/acc"+strconv.Itoa(a)), append(hosts, all[h:h+1])
			}
		case "host":
			names, hosts = append(names, name), append(hosts, all[h:h+1])
		default:
			rack := b.nodes.Near[0][h]
			if rack == "" {
				continue
			}
			i, known := index[rack]
			if !known {
				if racks++; w.Kind.Value == "rack" || (racks-1)%int(max(1, w.Racks.Value)) == 0 {
					names, hosts = append(names, rack), append(hosts, nil)
				}
				i = len(names) - 1
				index[rack] = i
			}
			hosts[i] = append(hosts[i], int32(h))
		}
	}
	if w.Kind.Value == "power-domain" {
		for i := range names {
			names[i] = "power" + strconv.Itoa(i)
		}
	}
	return names, hosts
}

// units are the accelerators at which each host begins, and how many there are; where
// there are no hosts every accelerator is one.
func (b *builder) units() []int32 {
	first := []int32{0}
	switch {
	case b.nodes != nil:
		for _, n := range b.nodes.Accelerators {
			first = append(first, first[len(first)-1]+int32(n))
		}
	case b.topology.Bare():
		for a := range b.topology.Accelerators() {
			first = append(first, int32(a)+1)
		}
	default:
		for i := range b.topology.Servers {
			first = append(first, first[i]+int32(b.topology.Servers[i].Spec.Accelerators))
		}
	}
	return first
}

// unitName is the name of a host.
func (b *builder) unitName(host int32) string {
	switch {
	case b.nodes != nil:
		return b.nodes.Name[host]
	case b.topology.Bare():
		return b.topology.NodeName(topology.NodeID(host))
	}
	return b.topology.ServerName(int(host))
}

// failing is the hosts that the queue loses and gets back.
type failing struct {
	*fault.Capacity
	sources []fault.Source
	said    []*scenario.TopologyFault // of each
}

// addOutages has the queue lose the hosts that fail, unless a workload that sees to
// failures itself has all to itself, as a training job does that does not ask for a queue.
func (b *builder) addOutages() {
	w := &b.scenario.Workload
	asked := slices.ContainsFunc(w.Training, func(t scenario.Training) bool { return t.Checkpointing.Failure.Value == "requeue" })
	if b.queued == nil && !asked && len(w.Training)+len(w.Collective)+len(w.Replay)+len(w.Serving) < 2 {
		return
	}
	var sources []fault.Source
	var said []*scenario.TopologyFault
	if b.stopping != nil {
		sources, said = slices.Clone(b.stopping.sources), slices.Clone(b.stopping.said)
	}
	if b.broken != nil {
		for i, f := range b.broken.Faults {
			if hosts := b.topology.CutOff(f.Links); f.Rate == 0 && hosts != nil {
				sources, said = append(sources, cutOff(f, b.broken.said[i], hosts)), append(said, b.broken.said[i])
			}
		}
	}
	s := b.scenario
	for i := range w.Rollout {
		r := &w.Rollout[i]
		sources, said = append(sources, fault.Source{Name: r.Path, Names: []string{r.Path}, Planned: true}), append(said, r.Fault())
	}
	if len(sources) == 0 {
		return
	}
	outages := fault.NewOutages(uint64(s.Sim.Seed.Value), int(s.Topology.Spares.Value), sources)
	b.failing = &failing{fault.NewCapacity(b.cluster, outages, b.units(), b.unitName), sources, said}
}

// cutOff is a failure of links that leaves hosts without any: to the queue it is these
// that have failed.
func cutOff(f *fault.Fault, w *scenario.TopologyFault, hosts []int32) fault.Source {
	back := sim.Never
	if f.Repair > 0 {
		back = f.At.After(f.Repair)
	}
	name := w.Name.Value
	return fault.Source{
		Name: "fault/" + name, Parts: [][]int32{hosts}, Names: []string{name}, Listed: []fault.Outage{{At: f.At, Repaired: back}},
	}
}
