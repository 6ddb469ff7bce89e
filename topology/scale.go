package topology

import (
	"slices"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Scale multiplies the resources of a topology by factors; 0 leaves one as it is.
type Scale struct {
	Compute float64 // rate of the matrix and vector units
	Memory  float64 // bandwidth of HBM
	ScaleUp float64 // bandwidth between the accelerators of a host, and of all links without hosts
	NIC     float64 // bandwidth of NICs and their cables
	Spine   float64 // bandwidth of the cables between switches of a site
	WAN     float64 // bandwidth of the cables between sites, and to their gateways
	Latency float64 // of cables, switches and the scale-up network

	// Storage and CPU are for who puts drives, and work, into hosts: the bandwidth and
	// requests of file systems, and the cores.
	Storage, CPU float64

	Collective float64 // software overhead of starting a collective, and of each of its steps
	Launch     float64 // overhead of launching a kernel
	Host       float64 // time that the host takes to launch one
}

// Scaled is a copy of the topology with its resources multiplied. Routes stay. The
// links between accelerators and NICs stay too, unless they would be slower than
// the NICs, as a [Host] has it.
func (t *Topology) Scaled(by Scale) *Topology {
	factor := func(f float64) float64 {
		if f == 0 {
			return 1
		}
		return f
	}
	rate := func(r *units.Rate, f float64) { *r = units.Rate(float64(*r) * factor(f)) }
	span := func(d *units.Duration, f float64) { *d = units.Duration(float64(*d)*factor(f) + 0.5) }
	scaled := *t
	scaled.Servers = slices.Clone(t.Servers)
	specs := map[*Host]*Host{}
	for i := range scaled.Servers {
		was := scaled.Servers[i].Spec
		if specs[was] == nil {
			h := *was
			a := &h.Accelerator
			for p := range a.Peak {
				a.Peak[p] = units.Compute(float64(a.Peak[p]) * factor(by.Compute))
			}
			a.Vector = units.Compute(float64(a.Vector) * factor(by.Compute))
			rate(&a.MemoryBandwidth, by.Memory)
			span(&a.LaunchOverhead, by.Launch)
			span(&a.HostLaunch, by.Host)
			rate(&h.ScaleUpBandwidth, by.ScaleUp)
			rate(&h.NICBandwidth, by.NIC)
			span(&h.ScaleUpLatency, by.Latency)
			span(&h.LinkLatency, by.Latency)
			span(&h.SwitchLatency, by.Latency)
			span(&h.CollectiveOverhead, by.Collective)
			span(&h.StepOverhead, by.Collective)
			span(&h.NetworkOverhead, by.Collective)
			span(&h.SimpleOverhead, by.Collective)
			span(&h.NVLSOverhead, by.Collective)
			specs[was] = &h
		}
		scaled.Servers[i].Spec = specs[was]
	}
	scaled.Links = slices.Clone(t.Links)
	inside := t.hostSwitches()
	for i := range scaled.Links {
		l := &scaled.Links[i]
		f := 1.0
		switch t.tier(l, inside) {
		case tierScaleUp:
			f = factor(by.ScaleUp)
		case tierPCIe:
			nic := l.From
			if int(nic) < t.accelerators || int(nic) >= t.accelerators+t.nics {
				nic = l.To
			}
			f = max(1, float64(scaled.Servers[t.serverOfNIC(nic)].Spec.NICBandwidth)/l.Capacity)
		case tierNIC:
			f = factor(by.NIC)
		case tierSpine:
			f = factor(by.Spine)
		case tierWAN:
			f = factor(by.WAN)
		}
		l.Capacity *= f
		l.Payload *= f
		l.Latency = sim.Time(float64(l.Latency)*factor(by.Latency) + 0.5)
	}
	return &scaled
}

// tier is where in a data centre a link lies.
type tier uint8

const (
	tierScaleUp tier = iota // within a host, or wherever there are no hosts
	tierPCIe                // between accelerators and NICs
	tierNIC                 // between NICs and switches
	tierSpine               // between switches
	tierWAN                 // between the gateways of sites, and to them
)

// tier is that of a link, which the kinds of its ends tell.
func (t *Topology) tier(l *Link, inside []bool) tier {
	if t.Bare() {
		return tierScaleUp
	}
	// NICs are numbered after accelerators, switches after NICs.
	low, high := int(min(l.From, l.To)), int(max(l.From, l.To))
	nics := t.accelerators + t.nics
	switch {
	case low >= nics:
		if r, ok := t.router.(*siteRouter); ok && high >= int(r.firstGateway) {
			return tierWAN
		}
		return tierSpine
	case low >= t.accelerators && !inside[high-nics]:
		return tierNIC
	case low >= t.accelerators, high >= t.accelerators && high < nics:
		return tierPCIe
	}
	return tierScaleUp
}

// hostSwitches says of every switch whether it is inside a host: whether it joins
// accelerators.
func (t *Topology) hostSwitches() []bool {
	inside := make([]bool, len(t.switchNames))
	for i := range t.Links {
		l := &t.Links[i]
		if s := int(l.To) - t.accelerators - t.nics; s >= 0 && l.From >= 0 && int(l.From) < t.accelerators {
			inside[s] = true
		}
	}
	return inside
}

// InHosts tells the links inside hosts, those of services too, from those of the fabric
// and its NICs.
func (t *Topology) InHosts() func(*Link) bool {
	inside := t.hostSwitches()
	return func(l *Link) bool {
		if l.From == None {
			return true
		}
		at := t.tier(l, inside)
		return at == tierScaleUp || at == tierPCIe
	}
}
