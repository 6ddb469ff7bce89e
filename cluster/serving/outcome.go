package serving

import (
	"math"

	"github.com/railyard/railyard/sim"
)

// Outcome is what became of a request.
type Outcome struct {
	Arrival, First, Finish sim.Time // when it came, had its first token and its last; -1: has not
	Replica                int32
	Stops                  int32 // times that it lost its cache: preempted, or with its replica
	Rejected               bool  // it can never be served
	Refused                bool  // the queue was full
}

// Gaps counts the times between tokens, in intervals of equal ratio: what it tells is
// within half a percent.
type Gaps struct {
	counts []int64
	total  int64
	sum    float64

	// The last that was added, in seconds, too, and its interval: all that a step brings
	// have mostly the same gap.
	last    sim.Time
	seconds float64
	index   int
}

// gapsPerFactor is how many intervals a factor of e has.
const gapsPerFactor = 100

// add counts a gap.
func (g *Gaps) add(gap sim.Time) {
	if gap != g.last {
		g.last, g.seconds, g.index = gap, gap.Seconds(), 0
		if gap > 0 {
			g.index = 1 + int(gapsPerFactor*math.Log(float64(gap)))
		}
	}
	for g.index >= len(g.counts) {
		g.counts = append(g.counts, 0)
	}
	g.counts[g.index]++
	g.total++
	g.sum += g.seconds
}

// Mean is the mean in seconds, 0 if there are none.
func (g *Gaps) Mean() float64 { return g.sum / float64(max(g.total, 1)) }

// Quantile is the gap that a share of them does not exceed, in seconds.
func (g *Gaps) Quantile(share float64) float64 {
	rank := int64(math.Ceil(share * float64(g.total)))
	for i, n := range g.counts {
		if rank -= n; rank > 0 {
			continue
		}
		if i > 0 {
			return sim.Time(math.Exp((float64(i) - 0.5) / gapsPerFactor)).Seconds()
		}
		break
	}
	return 0
}

// Status is "finished", "rejected", "refused" or "unfinished".
func (o *Outcome) Status() string {
	switch {
	case o.Rejected:
		return "rejected"
	case o.Refused:
		return "refused"
	case o.Finish < 0:
		return "unfinished"
	}
	return "finished"
}

// Quantile is the value at a share of some in ascending order, the nearest rank; 0 if
// there are none.
func Quantile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
