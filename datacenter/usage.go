package datacenter

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// mostMonitored is of how many accelerators, and of how many network interfaces, the
// usage over time is kept one by one; mostSamples bounds the rows of each table, and so
// the intervals that there are of many.
const (
	mostMonitored = 1024
	mostSamples   = 1 << 16
)

// usage is the tables of accelerators, hosts and network interfaces one by one over time:
// the first of each, up to a bound, of which a warning tells.
func (p *plant) usage(end sim.Time) []*result.Table {
	var all []*result.Table
	accelerators, hosts := p.acceleratorUsage(end)
	for _, t := range []*result.Table{accelerators, hosts, p.interfaceUsage(end)} {
		if t != nil {
			all = append(all, t)
		}
	}
	return all
}

// acceleratorUsage is what accelerators do, draw and hold, and what their hosts draw. Where
// nobody asks for energy there is no power.
func (p *plant) acceleratorUsage(end sim.Time) (accelerators, hosts *result.Table) {
	t := p.topology
	n := min(t.Accelerators(), mostMonitored)
	if n == 0 || len(p.cluster.Ledgers()) == 0 && p.queued == nil {
		return nil, nil
	}
	width, compute, communication := p.cluster.Usage(n, mostSamples/n, end)
	if width == 0 {
		return nil, nil
	}
	p.addTraceUsage(compute, width, end)
	if n < t.Accelerators() {
		p.warnings = append(p.warnings, fmt.Sprintf("metrics have the first %d of %d accelerators one by one", n, t.Accelerators()))
	}
	held := p.memoryHeld(n, len(compute[0]), width, end)
	var host, device []string
	var at, computes, waits, power, used, free []float64
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
			compute[a][i], communication[a][i] = c, min(1-c, communication[a][i]/part)
			computes, waits = append(computes, c), append(waits, communication[a][i])
			if p.power != nil {
				d := p.draws(topology.NodeID(a)).Accelerator
				power = append(power, d.Idle+d.Above(c, communication[a][i]))
			}
		}
		if room := p.memoryOf(a); room > 0 {
			for _, bytes := range held[a] {
				used, free = append(used, bytes), append(free, max(0, room-bytes))
			}
		}
	}
	accelerators = &result.Table{Name: "accelerator_usage", Columns: []result.Column{
		{Metric: result.UsageHost, Text: host},
		{Metric: result.UsageDevice, Text: device},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.UsageCompute, Numbers: computes},
		{Metric: result.UsageExposed, Numbers: waits},
	}}
	if p.power != nil {
		accelerators.Columns = append(accelerators.Columns, result.Column{Metric: result.UsagePower, Numbers: power})
		hosts = p.hostUsage(compute, communication, width)
	}
	if len(used) == len(at) { // of none of bare accelerators
		accelerators.Columns = append(accelerators.Columns, result.Column{Metric: result.UsageMemory, Numbers: used}, result.Column{Metric: result.UsageFree, Numbers: free})
	}
	return accelerators, hosts
}

// addTraceUsage adds the jobs of which a trace has the duration: they compute all the time
// that they run.
func (p *plant) addTraceUsage(compute [][]float64, width, end sim.Time) {
	if p.queued == nil {
		return
	}
	for i, s := range p.queued.trace.Stretches(end) {
		part := p.partOf(int(s.Job))
		for _, span := range p.queued.trace.Spans(i) {
			for a := span.First; a <= span.Last && int(a) < len(compute); a++ {
				for at := s.From / width; at*width < s.To; at++ {
					compute[a][at] += part * float64(min(s.To, (at+1)*width)-max(s.From, at*width)) / float64(width)
				}
			}
		}
	}
}

// hostUsage is the power of the hosts all of whose accelerators are looked at, with these.
func (p *plant) hostUsage(compute, communication [][]float64, width sim.Time) *result.Table {
	var host []string
	var at, power []float64
	for s := range p.topology.Servers {
		first := int(p.topology.Servers[s].FirstAccelerator)
		last := first + p.topology.Servers[s].Spec.Accelerators
		if last > len(compute) {
			break
		}
		if first == last { // its power is that of its accelerators' parts
			continue
		}
		d := p.draws(topology.NodeID(first))
		for i := range compute[first] {
			watts := 0.0
			for a := first; a < last; a++ {
				watts += d.Idle() + d.Above(compute[a][i], communication[a][i])
			}
			host, at, power = append(host, p.topology.ServerName(s)), append(at, (sim.Time(i)*width).Seconds()), append(power, watts)
		}
	}
	if host == nil {
		return nil
	}
	return &result.Table{Name: "host_usage", Columns: []result.Column{
		{Metric: result.UsageHost, Text: host},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.UsagePower, Numbers: power},
	}}
}

// memoryOf is what an accelerator has, in bytes; 0 of a bare one.
func (p *plant) memoryOf(a int) float64 {
	if s := p.topology.Server(topology.NodeID(a)); s >= 0 {
		return float64(p.topology.Servers[s].Spec.Accelerator.Memory)
	}
	return 0
}

// memoryHeld is what jobs hold of the memory of the first accelerators over time, as far
// as models say.
func (p *plant) memoryHeld(accelerators, intervals int, width, end sim.Time) [][]float64 {
	held := make([][]float64, accelerators)
	for a := range held {
		held[a] = make([]float64, intervals)
	}
	hold := func(job int, bytes float64) {
		j := p.cluster.Jobs[job]
		if !j.Started {
			return
		}
		to := end
		if j.Finished {
			to = j.FinishedAt
		}
		for _, a := range j.Accelerators {
			for i := j.StartedAt / width; int(a) < accelerators && i*width < to; i++ {
				held[a][i] += bytes
			}
		}
	}
	for i, j := range p.training {
		hold(p.jobs[i], float64(j.Training.Memory().Total()))
	}
	for _, s := range p.served {
		hold(s.job, s.memory)
	}
	return held
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
	every := (int(last-first)*len(s.Rate[0]) + mostSamples - 1) / mostSamples // intervals between two samples
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
			if until := min(sim.Time(k+1)*s.Width, end); k%every == every-1 || until == end {
				host, device, at = append(host, server), append(device, "nic"+nic), append(at, until.Seconds())
				sent, received = append(sent, up), append(received, down)
			}
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
