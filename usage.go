package railyard

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// mostMonitored is of how many accelerators, and of how many network interfaces, the
// usage over time is kept one by one.
const mostMonitored = 1024

// usage is the tables of accelerators and network interfaces one by one over time: the
// first of each, up to a bound, of which a warning tells.
func (p *plant) usage(end sim.Time) []*result.Table {
	var all []*result.Table
	for _, t := range []*result.Table{p.acceleratorUsage(end), p.interfaceUsage(end)} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

func (p *plant) acceleratorUsage(end sim.Time) *result.Table {
	t := p.topology
	n := min(t.Accelerators(), mostMonitored)
	width, compute, communication := p.cluster.Usage(n, end)
	if width == 0 || len(p.cluster.Ledgers()) == 0 {
		return nil
	}
	if n < t.Accelerators() {
		p.warnings = append(p.warnings, fmt.Sprintf("metrics have the first %d of %d accelerators one by one", n, t.Accelerators()))
	}
	var host, device []string
	var at, computes, waits []float64
	for a := range n {
		name, own := "", a // bare accelerators are in no host
		if s := t.Server(topology.NodeID(a)); s >= 0 {
			name, own = t.ServerName(s), a-int(t.Servers[s].FirstAccelerator)
		}
		for i := range compute[a] {
			begin := sim.Time(i) * width
			part := float64(min(width, end-begin)) / float64(width)
			host, device, at = append(host, name), append(device, strconv.Itoa(own)), append(at, begin.Seconds())
			c := min(1, compute[a][i]/part)
			computes, waits = append(computes, c), append(waits, min(1-c, communication[a][i]/part))
		}
	}
	return &result.Table{Name: "accelerator_usage", Columns: []result.Column{
		{Metric: result.UsageHost, Text: host},
		{Metric: result.UsageDevice, Text: device},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.UsageCompute, Numbers: computes},
		{Metric: result.UsageExposed, Numbers: waits},
	}}
}

// interfaceUsage is what the NICs have sent and received by the end of each interval.
func (p *plant) interfaceUsage(end sim.Time) *result.Table {
	t := p.topology
	first := topology.NodeID(t.Accelerators())
	last := first + topology.NodeID(min(t.NICs(), mostMonitored))
	out, in := map[topology.NodeID]int{}, map[topology.NodeID]int{}
	var links []topology.LinkID
	for l, k := range t.Links {
		switch {
		case k.From >= first && k.From < last && k.To >= first+topology.NodeID(t.NICs()):
			out[k.From] = len(links)
		case k.To >= first && k.To < last && k.From >= first+topology.NodeID(t.NICs()):
			in[k.To] = len(links)
		default:
			continue
		}
		links = append(links, topology.LinkID(l))
	}
	s := p.cluster.Network.Series(links)
	if len(links) == 0 || len(s.Rate) == 0 {
		return nil
	}
	if t.NICs() > mostMonitored {
		p.warnings = append(p.warnings, fmt.Sprintf("metrics have the first %d of %d network interfaces one by one", mostMonitored, t.NICs()))
	}
	var host, device []string
	var at, sent, received []float64
	for n := first; n < last; n++ {
		o, sends := out[n]
		i, receives := in[n]
		if !sends || !receives {
			continue
		}
		server, nic, _ := strings.Cut(t.NodeName(n), "/nic")
		var up, down float64
		for k := range s.Rate[o] {
			up += s.Rate[o][k] * s.Width.Seconds()
			down += s.Rate[i][k] * s.Width.Seconds()
			until := min(sim.Time(k+1)*s.Width, end)
			host, device, at = append(host, server), append(device, "nic"+nic), append(at, until.Seconds())
			sent, received = append(sent, up), append(received, down)
		}
	}
	return &result.Table{Name: "interface_usage", Columns: []result.Column{
		{Metric: result.UsageHost, Text: host},
		{Metric: result.UsageDevice, Text: device},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.UsageTransmitted, Numbers: sent},
		{Metric: result.UsageReceived, Numbers: received},
	}}
}
