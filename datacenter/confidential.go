package datacenter

import (
	"math"

	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// What the confidential mode of an H100 takes where a scenario does not say.
const (
	// bounceRate is what the driver's core encrypts: NVIDIA, Confidential Computing on
	// NVIDIA H100 GPUs for Secure and Trustworthy AI, 2023 (recalled).
	bounceRate = 4e9
	// bounceLatency brings a step of Llama 3.1 8B for one request, 7.2 ms, near to the
	// most that Zhu et al. 2024 (arXiv:2409.03992) found of common prompts: 7 %.
	bounceLatency = sim.Time(500 * sim.Microsecond)
)

// confide has accelerators in confidential mode, if the scenario says so: what goes from
// them to NICs, to other accelerators by PCIe and to the memory of their host goes by a
// bounce buffer outside of both enclaves, encrypted by a core. What they compute, their
// memory and NVLink stay as they are.
func (b *builder) confide() {
	e := b.scenario.Topology.Encryption
	if e == nil || !e.Confidential.Value {
		return
	}
	if b.topology.Bare() {
		b.fault(e.Confidential.Pos, e.Path+".confidential", "there are no hosts whose memory to guard")
		return
	}
	rate := b.bounces(1)
	for _, l := range b.bounceLinks() {
		b.topology.Links[l].Payload = math.Min(b.topology.Links[l].Payload, rate)
	}
}

// bounces is the rate of the bounce buffers of so many accelerators, without bounds if
// there are none.
func (p *plant) bounces(accelerators int) float64 {
	e := p.scenario.Topology.Encryption
	switch {
	case e == nil || !e.Confidential.Value:
		return math.Inf(1)
	case e.BounceRate.Set:
		return float64(accelerators) * float64(e.BounceRate.Value)
	}
	return float64(accelerators) * bounceRate
}

// bounceLinks are those between accelerators and what is outside of their enclaves: PCIe
// switches, or NICs.
func (p *plant) bounceLinks() (all []topology.LinkID) {
	t := p.topology
	first := topology.NodeID(t.Accelerators())
	nics := first + topology.NodeID(t.NICs())
	for i := range t.Links {
		from, to := t.Links[i].From, t.Links[i].To
		accelerator, other := min(from, to), max(from, to)
		if accelerator < 0 || accelerator >= first || other < first {
			continue
		}
		if other < nics || t.Servers[t.Server(accelerator)].Spec.ScaleUp == topology.ScaleUpPCIe {
			all = append(all, topology.LinkID(i))
		}
	}
	return all
}

// confidentialEngine is an engine whose steps ask and answer by bounce buffers, where the
// scenario has them.
func (p *plant) confidentialEngine(e *serving.Engine) *serving.Engine {
	x := p.scenario.Topology.Encryption
	if x == nil || !x.Confidential.Value {
		return e
	}
	latency := bounceLatency
	if x.BounceLatency.Set {
		latency = sim.Time(x.BounceLatency.Value)
	}
	slower := *e
	slower.StepOverhead += latency.Seconds()
	return &slower
}

// swapRate is that of an accelerator and the memory of its host, 0 if it is not known.
func (p *plant) swapRate() float64 {
	host := p.topology.Servers[0].Spec
	return math.Min(float64(max(host.PCIeBandwidth, host.NICBandwidth)), p.bounces(1))
}

// bounced is how many bytes went through bounce buffers: of messages, and of what serving
// moved to the memory of hosts and back.
func (p *plant) bounced() float64 {
	bytes := 0.0
	for _, l := range p.bounceLinks() {
		bytes += p.cluster.Network.Use(l).Bytes
	}
	for _, s := range p.served {
		bytes += float64(s.Swapped) * s.SwapTime * p.swapRate() * float64(s.Tensor*s.Stages)
	}
	return bytes
}
