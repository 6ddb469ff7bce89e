package collective

import (
	"math"
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Protocol is how the kernels of NCCL and RCCL hand data from one rank to the
// next. They differ in what a step costs and in how much of a link they fill:
//
//   - LL (low latency) sends every 4 bytes with a flag of 4 bytes, which the
//     receiver polls: no fence, but half of the wire and less of its rate;
//   - LL128 does the same with 120 bytes and a flag of 8, which needs links that
//     keep 128 bytes together, as NVLink does;
//   - Simple moves chunks into buffers and signals with a fence: the whole rate,
//     once the pipelines of the channels are full.
//
// Hu et al., "Demystifying NCCL" (arXiv:2507.04786), section III.
type Protocol uint8

// The protocols. NoProtocol is that of bare accelerators, which have no library.
const (
	NoProtocol Protocol = iota
	LL
	LL128
	Simple
)

var protocolNames = []string{"", "LL", "LL128", "Simple"}

// String is the name as NCCL writes it: "LL128".
func (p Protocol) String() string { return protocolNames[p] }

// The protocols beside each other. start and step multiply the host's
// CollectiveOverhead and StepOverhead, which are those of LL; fence multiplies
// SimpleOverhead, what setting up buffers costs; network multiplies NetworkOverhead,
// what a step between hosts adds to the latency of its links. efficiency is the share
// of the rate of Simple that is left for payload, and between that between hosts.
//
// A step of LL over InfiniBand was measured, see network_overhead in the catalogue. The
// multiple of LL128 is NCCL's own, 8.5 us over 5.0; that of Simple gives its 14 us; LL's
// efficiency is its tuner's quarter (NVIDIA/nccl at b6475625, src/graph/tuning.cc: hwLat,
// busBw). Between hosts LL is good for 8 KiB: over two of them all-reduces take 37 us up
// to 512 bytes and 50 us from 8 to 64 KiB, which is LL128 (azure-a100, oke-a100 and
// aws-p5 of docs/validation.md). The others are fitted to 1,008 times of nccl-tests
// inside hosts of 2, 4 and 8 A100, H100, H200 and B200, all together
// (reference/collectives), where NCCL's own are upper bounds. Fitted without one of the
// operations or numbers of ranks, they meet what was left out to 3 to 4 % from 16 MiB up
// and 9 % below, in the median.
var protocols = [...]struct {
	protocol                    Protocol
	start, fence, step, network float64
	efficiency, between         float64
}{
	{LL, 1, 0, 1, 1, 0.25, 0.02},
	{LL128, 1.15, 0, 1, 1.7, 0.425, 0.425},
	{Simple, 1, 1, 1.23, 1.8, 1, 1},
}

// rampDrain is the time of its bytes at which an operation of the Simple protocol
// has lost half of RampOverhead to the filling of its pipelines. What it loses is
// R x/(x + rampDrain) for a time x of its bytes at the final rate: short ones run
// at a lower rate, long ones at the full rate but R later. Fitted with the
// protocols.
const rampDrain = 115e-6

// Send and receive, of which all-to-all is made, open a connection to every peer,
// which costs peerFence of SimpleOverhead. NCCL takes LL up to peerLL bytes a message
// (NCCL_P2P_LL_THRESHOLD), else Simple; LL128 has no send and receive.
const (
	peerFence = 0.25
	peerLL    = 16384
)

// nvlsTreeEfficiency is the share of what sums in the switch of one host reach that is
// left where trees join several: 467 and 479 GB/s of bus bandwidth for 8 GiB over two
// hosts of eight H100 (InfiniBand: skypilot-org/skypilot, examples/nebius_infiniband;
// EFA: reference/collectives, aws-p5-16) of 513 that the traffic would allow.
const nvlsTreeEfficiency = 0.94

// treeEfficiency is the share of a link's rate that trees reach: they reduce and
// pass on in one kernel (NCCL's tuner: busBw*.92, and .85 of it where one rank of a
// host has all neighbours in the tree).
const treeEfficiency = 0.92 * 0.85

// cost is what the library adds to a plan by one protocol.
type cost struct {
	protocol Protocol
	start    sim.Time // once, and for the steps
	loss     float64  // of time, for each second of the bytes
	ramp     float64  // at most, in seconds; see rampDrain
	limit    float64  // bytes up to which it is taken

	// Simple keeps several chunks on their way between two ranks. Around a ring the
	// hidden steps between hosts, of all steps, wait for what the bytes of a step do not
	// cover of their network seconds: a ring over a thousand hosts is bound by its steps
	// for small messages and by its bytes for large ones, not by the sum of both.
	hidden, steps int
	network       float64
}

// costs are those of a plan over ranks of hosts like h, cheapest start first.
// loss is the time that the algorithm loses for each second of the bytes, copied the
// share of the size that every rank copies to itself.
func (p *Plan) costs(h *topology.Host, loss, copied float64) []cost {
	perStep := func(step, network float64) sim.Time {
		return sim.Time(step*float64(p.Steps-p.NetworkSteps)*float64(h.StepOverhead) +
			network*float64(p.NetworkSteps)*float64(h.NetworkOverhead) + 0.5)
	}
	around := slices.ContainsFunc(p.rounds, func(r round) bool { return r.repeat > 1 })
	ramp := sim.Time(h.RampOverhead).Seconds()
	if p.NetworkSteps > 0 {
		ramp += sim.Time(h.NetworkRamp).Seconds()
	}
	if h.CopyBandwidth > 0 && copied > 0 {
		if drain := p.drain(1); drain > 0 {
			loss += copied / float64(h.CopyBandwidth) / drain
		}
	}
	if p.Algorithm == NVLS || p.Algorithm == SHARP {
		simple := protocols[len(protocols)-1]
		return []cost{{
			protocol: Simple, start: sim.Time(h.NVLSOverhead) + perStep(0, simple.network), loss: loss, ramp: ramp, limit: math.Inf(1),
		}}
	}
	all := make([]cost, 0, len(protocols))
	for _, r := range protocols {
		efficiency := r.efficiency
		if p.NetworkSteps > 0 {
			efficiency = r.between
		}
		c := cost{protocol: r.protocol, loss: loss + 1/efficiency - 1, limit: math.Inf(1)}
		fence := r.fence
		if r.protocol == Simple {
			c.ramp = ramp
		}
		if p.Algorithm == Direct && len(p.Phases) > 0 { // one rank sends nothing
			switch r.protocol {
			case LL:
				fence, c.limit = peerFence, peerLL/p.Phases[0].Share
			case LL128:
				continue
			}
		}
		network := r.network
		if r.protocol == Simple && around {
			c.hidden, c.steps, c.network = p.NetworkSteps, p.Steps, network*sim.Time(h.NetworkOverhead).Seconds()
			network = 0
		}
		c.start = sim.Time(r.start*float64(h.CollectiveOverhead)+fence*float64(h.SimpleOverhead)+0.5) + perStep(r.step, network)
		all = append(all, c)
	}
	return all
}

// SetOverhead replaces all that the library adds by one time before the first byte.
func (p *Plan) SetOverhead(start sim.Time) {
	p.library, p.tuned = []cost{{start: start, limit: math.Inf(1)}}, tuned{}
}

// Launch is the time before the first byte of an operation of a size: the start and
// the steps of the protocol that takes the least, and what its bytes lose against
// the rate of the links.
func (p *Plan) Launch(size float64) sim.Time {
	_, launch := p.tune(size)
	return launch
}

// Protocol is the one that an operation of a size is done by.
func (p *Plan) Protocol(size float64) Protocol {
	protocol, _ := p.tune(size)
	return protocol
}

// tuned is what was found for a size: a plan is launched with the same again and again.
type tuned struct {
	size     float64
	protocol Protocol
	launch   sim.Time
}

// tune takes the protocol of the least time, of equals the first.
func (p *Plan) tune(size float64) (Protocol, sim.Time) {
	if p.library == nil {
		return NoProtocol, 0
	}
	if p.tuned.protocol == NoProtocol || p.tuned.size != size {
		p.tuned = p.choose(size)
	}
	return p.tuned.protocol, p.tuned.launch
}

func (p *Plan) choose(size float64) tuned {
	drain := p.drain(size)
	best := tuned{size: size, launch: sim.Never}
	for i := range p.library {
		c := &p.library[i]
		if size > c.limit {
			continue
		}
		lost := c.loss * drain
		if c.ramp > 0 {
			lost += c.ramp * drain / (drain + rampDrain)
		}
		if c.hidden > 0 {
			lost += float64(c.hidden) * max(0, c.network-drain/float64(c.steps))
		}
		if t := c.start.After(sim.FromSeconds(lost)); t < best.launch {
			best.protocol, best.launch = c.protocol, t
		}
	}
	return best
}
