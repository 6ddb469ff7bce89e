package serving

import (
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/workload"
)

// parts is what a step computes of products with weights and norms, and what its ranks
// exchange meanwhile.
type parts struct {
	compute   float64 // s
	exchanges []Exchange
}

// Split is Time without what goes between hosts.
func (x *Computed) Split(s *Step, crossing Crossing, to []Exchange) (float64, []Exchange) {
	d := x.parts(s.Tokens)
	t := d.compute + x.headTime(s) + x.rest(s)
	for _, e := range d.exchanges {
		if crossing[e.Group] {
			to = append(to, e)
		} else {
			t += float64(e.Times) * x.reduceTime(e.Bytes)
		}
	}
	if crossing[workload.TensorGroup] && s.Sequences > 0 {
		bytes := x.Forward.LogitBytes(s.Sequences + s.Guessed)
		t -= x.gather.Predict(bytes) // which headTime has
		to = append(to, Exchange{workload.TensorGroup, collective.AllGather, bytes, 1})
	}
	return t, to
}

// StageBytes is the residual stream.
func (x *Computed) StageBytes(tokens int) float64 {
	return 2 * float64(tokens) * float64(x.Forward.Model.Hidden)
}

// parts are known for each number of tokens once they have been asked for.
func (x *Computed) parts(tokens int) *parts {
	if d := x.known[tokens]; d != nil {
		return d
	}
	d := &parts{}
	x.Forward.Dense(tokens, func(o workload.Operator, times int) {
		if o.Class != workload.Communication {
			d.compute += float64(times) * x.Roofline.Time(o)
			return
		}
		e := Exchange{o.Group, o.Collective, o.Bytes, times}
		i := slices.IndexFunc(d.exchanges, func(k Exchange) bool { return k.Group == e.Group && k.Op == e.Op && k.Bytes == e.Bytes })
		if i < 0 {
			d.exchanges = append(d.exchanges, e)
		} else {
			d.exchanges[i].Times += times
		}
	})
	if x.known == nil || len(x.known) == mostParts {
		x.known = map[int]*parts{}
	}
	x.known[tokens] = d
	return d
}

// mostParts is of how many numbers of tokens parts are kept.
const mostParts = 1 << 16
