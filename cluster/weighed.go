package cluster

import (
	"slices"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// Weighed is a quantity that accelerators have while they compute or communicate, such
// as the power that they draw beyond idling, summed over all in equal intervals of width
// from time 0 to end: the mean over each. weigh gives what all accelerators of a ledger
// have together in either state; others hold what else adds to it, in as many intervals.
// rates is nil if no series are kept.
func (c *Cluster) Weighed(end sim.Time, weigh func(*Ledger) (compute, communication float64), others ...*result.Bins) (width sim.Time, rates []float64) {
	if c.SeriesBins == 0 || end == 0 {
		return 0, nil
	}
	all := slices.Clone(others)
	for _, l := range c.ledgers {
		all = append(all, &l.compute, &l.comms)
	}
	shift := result.CommonShift(end, c.SeriesBins, all...)
	width = 1 << shift
	rates = make([]float64, (end+width-1)>>shift)
	add := func(b *result.Bins, weight float64) {
		if weight == 0 {
			return
		}
		for i, v := range b.Rates(shift, end) {
			rates[i] += weight * v
		}
	}
	for _, l := range c.ledgers {
		compute, communication := weigh(l)
		add(&l.compute, compute)
		add(&l.comms, communication)
	}
	for _, b := range others {
		add(b, 1)
	}
	if part := float64(end-width*sim.Time(len(rates)-1)) / float64(width); part < 1 {
		rates[len(rates)-1] /= part // the last interval reaches beyond the end
	}
	return width, rates
}
