package serving

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
	"github.com/railyard/railyard/workload/serving"
)

// Passes are the costs of steps that are one forward pass over all their requests, by
// the roofline of the accelerator. Inputs are in its memory, and their number is not
// padded to one that an engine was built for.
type Passes struct {
	Pass     *serving.Pass
	Roofline cluster.Roofline
	Overhead float64 // s, of each pass
	Padded   bool    // samples are made as long as the longest of the pass

	lengths []int
	known   map[shape]cost
}

// shape is how many samples of which length.
type shape struct{ samples, length int }

// cost is the seconds of a pass, those of attention apart.
type cost struct{ rest, attention float64 }

// mostPasses is of how many shapes costs are kept.
const mostPasses = 1 << 16

// Place has nothing to find out: a pass is of one accelerator.
func (x *Passes) Place(*cluster.Cluster, []topology.NodeID) error { return nil }

// Time is the cost of a step, each chunk of which is a request.
func (x *Passes) Time(s *Step) (float64, error) {
	x.lengths = x.lengths[:0]
	for _, c := range s.Chunks {
		x.lengths = append(x.lengths, c.Tokens)
	}
	samples, length, attention := x.Pass.Shape(x.lengths, x.Padded)
	key := shape{samples, length}
	c, ok := x.known[key]
	if !ok {
		c = x.compute(samples, length)
		if x.known == nil || len(x.known) == mostPasses {
			x.known = map[shape]cost{}
		}
		x.known[key] = c
	}
	return x.Overhead + c.rest + c.attention*attention, nil
}

// compute adds the operators up. Those of the steps of a recurrence are alike, and follow
// each other in turns: of each turn the times are looked up, not computed.
func (x *Passes) compute(samples, length int) (c cost) {
	times := map[workload.Operator]float64{}
	for _, o := range x.Pass.Operators(samples, length) {
		t, ok := times[o]
		if !ok {
			t = x.Roofline.Time(o)
			times[o] = t
		}
		if o.Class == workload.FlashAttention {
			c.attention += t
		} else {
			c.rest += t
		}
	}
	return c
}
