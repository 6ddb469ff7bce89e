package cluster

import (
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Usage is what the first accelerators of the topology, so many of them, compute and
// communicate over time, a row each, in at most so many equal intervals from time 0 to
// end. It is empty if no series are kept.
func (c *Cluster) Usage(accelerators, intervals int, end sim.Time) (width sim.Time, compute, communication [][]float64) {
	if c.SeriesBins == 0 || end == 0 {
		return 0, nil, nil
	}
	var all []*result.Bins
	for _, l := range c.ledgers {
		all = append(all, &l.compute, &l.comms)
	}
	shift := result.CommonShift(end, min(intervals, c.SeriesBins), all...)
	columns := result.Intervals(shift, end)
	room := func() [][]float64 {
		rows := make([][]float64, accelerators)
		for i := range rows {
			rows[i] = make([]float64, columns)
		}
		return rows
	}
	compute, communication = room(), room()
	for _, l := range c.ledgers {
		for _, part := range []struct {
			rows  [][]float64
			rates []float64
		}{{compute, l.compute.Rates(shift, end)}, {communication, l.comms.Rates(shift, end)}} {
			for _, a := range l.Accelerators {
				if a >= topology.NodeID(accelerators) {
					continue
				}
				for i, rate := range part.rates {
					part.rows[a][i] += rate
				}
			}
		}
	}
	return 1 << shift, compute, communication
}
