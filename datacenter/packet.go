package datacenter

import (
	"math"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// maxPacketHops bounds the packets of a run, each counted on every link that it
// crosses: some ten minutes of work.
const maxPacketHops = 1 << 31

// packetOptions is [topology.packet] in the words of the network.
func packetOptions(s *scenario.Scenario) packet.Options {
	p := &s.Topology.Packet
	o := packet.Options{
		MTU: int64(p.MTU.Value), Header: int64(p.HeaderSize.Value),
		Buffer: int64(p.Buffer.Value), PFC: p.PFC.Value, Alpha: p.Share.Value,
		Pause: int64(p.Pause.Value), Resume: int64(p.Resume.Value),
		DCQCN:  p.Congestion.Value == "dcqcn",
		ECNMin: int64(p.ECNMin.Value), ECNMax: int64(p.ECNMax.Value), ECNProbability: p.ECNProbability.Value,
		Window: p.Window.Value, Queue: p.Queue.Value, Paths: int(p.Paths.Value),
		AwaitAcknowledge: p.Completion.Value == "acknowledgement",
		Seed:             uint64(s.Sim.Seed.Value),
	}
	if !p.Resume.Set {
		o.Resume = 2 * o.MTU
		if o.Pause > 0 {
			o.Resume = min(o.Resume, o.Pause)
		}
	}
	if p.Transport.Value == "ndp" {
		o.Transport = packet.NDP
	}
	o.ECN = o.DCQCN
	return o
}

// usePackets has the cluster's network send packets.
func (b *builder) usePackets() {
	o := packetOptions(b.scenario)
	if err := o.Validate(); err != nil {
		p := &b.scenario.Topology.Packet
		for wrong := range strings.Lines(err.Error()) { // all of it, joined
			b.fault(p.At.Or(b.shippedAt()), "topology.packet", "%s", strings.TrimSpace(wrong))
		}
		return
	}
	if !b.singlePaths(o.Transport == packet.NDP) {
		return
	}
	b.cluster.Planner.Messages = true
	b.cluster.Network.Ship(func(w network.Observer) network.Carrier {
		b.packets = packet.New(b.engine, b.topology, o, w)
		return b.packets
	})
}

// singlePaths sees to it that messages take one path each, or are sprayed by those
// who can: what is sent one by one knows no other routing, and no failures yet.
func (b *builder) singlePaths(sprays bool) bool {
	t := b.scenario.Topology
	if len(t.Fault) > 0 {
		b.fault(t.Fault[0].Header.At, "topology.fault", "failures are simulated with fidelity = \"fluid\" without blocking only")
		return false
	}
	switch r := b.topology.Routing; {
	case r.QueuePairs > 1:
		b.fault(t.QueuePairs.Pos, "topology.queue_pairs", "must be 1 where messages are simulated one by one, with packets or blocking")
		return false
	case r.Policy.Adapts() || r.Policy == topology.Valiant || r.Policy == topology.Spray && !sprays:
		b.fault(t.Routing.Pos, "topology.routing", "%q is not simulated with packets or blocking: ecmp and static are, and spray with topology.packet.transport = \"ndp\"", r.Policy)
		return false
	}
	return true
}

// shippedAt is where the scenario asks for packets or blocking, if it does.
func (b *builder) shippedAt() scenario.Position {
	s := b.scenario
	return s.Sim.Fidelity.Pos.Or(s.Topology.Blocking.Pos.Or(scenario.Position{File: s.File}))
}

func packetRecord(s packet.Stats) *result.Record {
	r := &result.Record{}
	r.Add(result.PacketsSent, int64(s.Sent))
	r.Add(result.PacketsMarked, int64(s.Marked))
	r.Add(result.PacketsLost, int64(s.Lost))
	r.Add(result.PacketsTrimmed, int64(s.Trimmed))
	r.Add(result.Pauses, int64(s.Pauses))
	return r
}

// checkShipped sees to it that a collective over n ranks can be sent message by
// message, and counts its packets: size x the factor of its bus bandwidth leaves each
// rank. A simulation that repeats itself is cut short after three iterations.
func (b *builder) checkShipped(w *scenario.Collective, p *cluster.CollectiveBenchmark, n, messages, waits int) bool {
	at := w.Algorithm.Pos.Or(w.Op.Pos)
	if messages == 0 && n > 1 && p.Algorithm != collective.Auto {
		b.fault(at, w.Path+".algorithm", "%s over a ring is a pipeline of small pieces, which has no messages to simulate; algorithm = \"direct\" can be", p.Op)
		return false
	}
	if messages > maxMessages || waits > maxWaits {
		b.fault(at, w.Path, "%d messages that wait for %d others are more than can be sent one by one, %d and %d: take fewer ranks, another algorithm, or fidelity = \"fluid\"",
			messages, waits, maxMessages, maxWaits)
		return false
	}
	last := topology.NodeID(b.topology.Accelerators() - 1)
	links := len(b.topology.Route(0, last, 0, nil))
	for _, size := range p.Sizes {
		_, bytes := collective.Bandwidth(p.Op, n, size, 1)
		b.countMessages(float64(n)*float64(min(p.Iterations, 3)), bytes, links)
	}
	return true
}

func (b *builder) countMessages(messages, bytes float64, links int) {
	mtu := float64(b.scenario.Topology.Packet.MTU.Value)
	b.packetHops += messages * math.Ceil(bytes/mtu) * float64(links)
}

// checkFlows sees to it that flows and collectives are not more packets than can be
// sent in reasonable time, and that none has a weight if what carries them has none.
func (b *builder) checkFlows() {
	if !b.cluster.Network.Ships() {
		return
	}
	for _, s := range b.cluster.Flows {
		for i := range s.Flows {
			f := &s.Flows[i]
			b.countMessages(1, f.Bytes, len(f.Route))
			if f.Weight != 0 && f.Weight != 1 {
				b.fault(b.shippedAt(), "topology", "flow %s has a weight of %v, which neither packets nor queues with blocking heed: fidelity = \"fluid\" without blocking does", f.Name, f.Weight)
				return
			}
		}
	}
	if b.packets != nil && b.packetHops > maxPacketHops {
		b.fault(b.shippedAt(), "sim.fidelity", "%.3g packets over links are more than can be sent, %.3g: take fewer bytes, a larger topology.packet.mtu, or fidelity = \"fluid\"",
			b.packetHops, float64(maxPacketHops))
	}
}
