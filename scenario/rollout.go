package scenario

import "github.com/railyard/railyard/units"

// Rollout is one [[workload.rollout]].
type Rollout struct {
	Header
	Name         Key[string]         `key:"name" doc:"name in results; \"rollout\" where left out"`
	Start        Key[units.Duration] `key:"start" default:"\"0s\"" doc:"when the first batch begins"`
	Image        Key[units.Bytes]    `key:"image" required:"true" positive:"true" doc:"bytes that each host pulls: of a container image, those of the layers that it has not"`
	Registry     Key[[]string]       `key:"registry" required:"true" doc:"the hosts that give the image, as in [\"host14\"]; hosts of a batch are dealt out to them in turn"`
	RegistryRate Key[units.Rate]     `key:"registry_rate" positive:"true" doc:"what such a host gives; that of its NICs where left out"`
	Pool         Key[string]         `key:"pool" doc:"name of the [[topology.pool]] whose hosts get it; all hosts with accelerators but the registry where left out"`
	Batch        Key[int64]          `key:"batch" required:"true" min:"1" max:"262144" doc:"hosts at a time; the next batch begins when all of one have restarted (maxUnavailable of a rolling update in Kubernetes)"`
	Distribution Key[string]         `key:"distribution" default:"\"registry\"" enum:"registry peer-to-peer" doc:"registry: each host pulls from the registry; peer-to-peer: hosts pass pieces on as they come (Kraken, Dragonfly), and the registry gives the image once to each chain"`
	Piece        Key[units.Bytes]    `key:"piece" default:"\"4MiB\"" positive:"true" doc:"peer-to-peer: what is passed on at a time; Kraken's and Dragonfly's pieces have 4 MiB"`
	Unpack       Key[units.Rate]     `key:"unpack" positive:"true" doc:"rate at which a host unpacks the image; at once where left out"`
	Drain        Key[units.Duration] `key:"drain" default:"\"0s\"" doc:"time for which hosts take no new jobs of the queue before they restart; jobs that are still on them then are put back"`
	Restart      Key[units.Duration] `key:"restart" default:"\"0s\"" doc:"time that a host is out of use"`
}

// checkRollouts judges what no key shows by itself.
func (s *Scenario) checkRollouts(b *binder) {
	if s.Topology == nil {
		return
	}
	for i := range s.Workload.Rollout {
		w := &s.Workload.Rollout[i]
		s.checkCarried(w.Header, b)
		switch {
		case w.Pool.Set && len(s.Topology.PoolHosts(w.Pool.Value)) == 0:
			b.faultf(w.Pool.Pos, w.Path+".pool", "%s", s.Topology.noPool(w.Pool.Value))
		case w.Piece.Set && w.Distribution.Value != "peer-to-peer":
			b.faultf(w.Piece.Pos, w.Path+".piece", `belongs to distribution = "peer-to-peer"; distribution is %q`, w.Distribution.Value)
		}
	}
}

// Fault is the rollout as what takes hosts out of use.
func (w *Rollout) Fault() *TopologyFault {
	return &TopologyFault{Kind: Key[string]{Value: "rollout"}, Planned: Key[bool]{Value: true}}
}
