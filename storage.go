package railyard

import (
	"math"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// stored is where checkpoints go, if the storage is on hosts of the topology.
type stored struct {
	targets []topology.NodeID // accelerators beside whose NICs it lies, those of different hosts in turn
	last    shards            // of the job that asked last
}

// shards is how a checkpoint travels of which every accelerator of a job writes a part:
// all at the pace of the slowest.
type shards struct {
	of          []topology.NodeID
	write, read stream
}

// stream is what the parts cross, and the latency of the farthest.
type stream struct {
	Links   []topology.LinkID
	Counts  []float64 // how many parts cross each
	latency sim.Time
}

// findStorage finds the hosts of the storage.
func (b *builder) findStorage() {
	k := &b.scenario.Topology.Storage
	if !k.Hosts.Set {
		return
	}
	t := b.topology
	if t.Bare() {
		b.fault(k.Hosts.Pos, k.Path+".hosts", "there are no hosts in this topology")
		return
	}
	names := make([]string, len(t.Servers))
	for h := range names {
		names[h] = t.ServerName(h)
	}
	var hosts []int
	for _, name := range k.Hosts.Value {
		h := slices.Index(names, name)
		switch {
		case h < 0:
			b.fault(k.Hosts.Pos, k.Path+".hosts", "%s", noneOf("host", name, names))
			return
		case slices.Contains(hosts, h):
			b.fault(k.Hosts.Pos, k.Path+".hosts", "%q is there twice", name)
			return
		case t.Servers[h].Spec.NICs == 0:
			b.fault(k.Hosts.Pos, k.Path+".hosts", "%s has no NIC", name)
			return
		}
		hosts = append(hosts, h)
	}
	s := &stored{}
	for slot, more := 0, true; more; slot++ {
		more = false
		for _, h := range hosts {
			if server := &t.Servers[h]; slot < server.Spec.Accelerators {
				s.targets = append(s.targets, topology.NodeID(int(server.FirstAccelerator)+slot))
				more = true
			}
		}
	}
	b.stored = s
}

// shards are those of a job on some accelerators.
func (p *plant) shards(accelerators []topology.NodeID) *shards {
	s := p.stored
	if !slices.Equal(s.last.of, accelerators) {
		s.last = shards{of: slices.Clone(accelerators)}
		s.last.write = p.stream(accelerators, func(a, target topology.NodeID) (from, to topology.NodeID) { return a, target })
		s.last.read = p.stream(accelerators, func(a, target topology.NodeID) (from, to topology.NodeID) { return target, a })
	}
	return &s.last
}

// stream is the parts of all accelerators together, each between it and a target.
func (p *plant) stream(accelerators []topology.NodeID, ends func(a, target topology.NodeID) (from, to topology.NodeID)) (s stream) {
	t := p.topology
	counts := make([]float64, len(t.Links))
	var way topology.Way
	for i, a := range accelerators {
		from, to := ends(a, p.stored.targets[i%len(p.stored.targets)])
		t.Way(from, to, uint64(i), nil, &way)
		for k, l := range way.Links {
			if counts[l] == 0 {
				s.Links = append(s.Links, l)
			}
			share := 1.0
			if way.Shares != nil {
				share = way.Shares[k]
			}
			counts[l] += share
		}
		s.latency = max(s.latency, way.Latency)
	}
	slices.Sort(s.Links)
	for _, l := range s.Links {
		s.Counts = append(s.Counts, counts[l])
	}
	return s
}

// takes is how long parts of so many bytes each are on their way over an idle network.
func (s *stream) takes(t *topology.Topology, bytes float64) sim.Time {
	rate := math.Inf(1)
	for i, l := range s.Links {
		rate = min(rate, t.Links[l].Payload/s.Counts[i])
	}
	return s.latency.After(sim.FromSeconds(bytes / rate))
}
