package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// computing is so many accelerators that compute for a time, in the mean.
type computing struct {
	from, to     sim.Time
	accelerators float64
}

// events is what workloads that run event by event compute.
type events struct {
	total  float64 // accelerator-seconds
	shares cluster.Shares
}

// known says whether it is known when they do, as it is but in the largest clusters.
func (e *events) known() bool { return e.total == 0 || e.shares.Width > 0 }

func (p *plant) events(end sim.Time) (e events) {
	for _, l := range p.cluster.Ledgers() {
		e.total += float64(len(l.Accelerators)) * l.ComputeBy(end).Seconds()
	}
	if e.total > 0 {
		e.shares = p.cluster.Shares(end)
	}
	return e
}

// computed is the accelerator-seconds in which jobs computed.
func (r *jobResults) computed() float64 {
	sum := r.events.total
	for _, x := range r.computes {
		sum += x.accelerators * (x.to - x.from).Seconds()
	}
	return sum
}

// computing is how many accelerators compute over time.
func (r *jobResults) computing() (all result.Bins) {
	for _, x := range r.computes {
		all.Add(x.from, x.to, x.accelerators, jobBins)
	}
	width := r.events.shares.Width
	for i, share := range r.events.shares.Compute {
		begin := sim.Time(i) * width
		all.Add(begin, min(begin+width, r.end), share*float64(r.total)*float64(width)/float64(min(width, r.end-begin)), jobBins)
	}
	return all
}
