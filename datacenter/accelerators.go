package datacenter

import (
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

func (p *plant) acceleratorTable(end sim.Time) *result.Table {
	t := p.cluster.Topology
	n := t.Accelerators()
	name, host, rack := make([]string, n), make([]string, n), make([]string, n)
	computes, waits, beside := make([]sim.Time, n), make([]sim.Time, n), make([]sim.Time, n)
	compute, exposed, overlapped := make([]float64, n), make([]float64, n), make([]float64, n)
	idle, used := make([]float64, n), make([]float64, n)
	for i := range n {
		a := topology.NodeID(i)
		name[i] = t.NodeName(a)
		if s := t.Server(a); s >= 0 {
			host[i], rack[i] = t.ServerName(s), t.Racks[t.Servers[s].Rack].Name
		}
	}
	for _, l := range p.cluster.Ledgers() {
		for _, a := range l.Accelerators {
			computes[a] += l.ComputeBy(end)
			waits[a] += l.Exposed
			beside[a] += l.Overlapped
		}
	}
	for i := range n {
		rest := max(0, end-computes[i])
		wait := min(waits[i], rest) // jobs that share the accelerator may both count a time
		compute[i], exposed[i], overlapped[i] = computes[i].Seconds(), wait.Seconds(), beside[i].Seconds()
		idle[i] = (rest - wait).Seconds()
		used[i] = result.Ratio(compute[i], end.Seconds())
	}
	return &result.Table{Name: "accelerators", Columns: []result.Column{
		{Metric: result.Accelerator, Text: name},
		{Metric: result.Host, Text: host},
		{Metric: result.RackName, Text: rack},
		{Metric: result.ComputeTime, Numbers: compute},
		{Metric: result.CommunicationTime, Numbers: exposed},
		{Metric: result.IdleTime, Numbers: idle},
		{Metric: result.ComputeUtilization, Numbers: used},
		{Metric: result.OverlappedPerAccel, Numbers: overlapped},
	}}
}

func (p *plant) acceleratorSeries(end sim.Time) *result.Table {
	s := p.cluster.Shares(end)
	if len(s.Compute) == 0 {
		return nil
	}
	n := len(s.Compute)
	at, compute, communication, idle := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		begin := sim.Time(i) * s.Width
		at[i] = begin.Seconds()
		// The last interval reaches beyond the end; its mean is over what it has.
		part := float64(min(s.Width, end-begin)) / float64(s.Width)
		compute[i] = min(1, s.Compute[i]/part)
		communication[i] = min(1-compute[i], s.Communication[i]/part)
		idle[i] = max(0, 1-compute[i]-communication[i])
	}
	return &result.Table{Name: "accelerator_series", Columns: []result.Column{
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.SeriesCompute, Numbers: compute},
		{Metric: result.SeriesCommunication, Numbers: communication},
		{Metric: result.SeriesIdle, Numbers: idle},
	}}
}
