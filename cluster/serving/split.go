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
	s, mean := x.share(s)
	d := x.parts(tokens{s.Tokens, mean})
	t := d.compute + x.headTime(s) + x.rest(s)
	for _, e := range d.exchanges {
		switch {
		case crossing[e.Group]:
			to = append(to, e)
		case e.Group == workload.ExpertGroup:
			t += float64(e.Times) * x.dispatch.Predict(e.Bytes)
		case e.Op == collective.AllGather:
			t += float64(e.Times) * x.gather.Predict(e.Bytes)
		default:
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

// share is what the busiest of the groups that share experts has of a step, and the tokens
// of each in the mean. All wait for it at each exchange. Prompts go to the group that has
// the fewest tokens of them; sequences that decode are spread evenly.
func (x *Computed) share(s *Step) (*Step, int) {
	groups := x.Forward.Expert
	if groups <= 1 {
		return s, s.Tokens
	}
	each := func(n int) int { return (n + groups - 1) / groups }
	prompts, busiest, all := make([]int, groups), 0, 0 // tokens of prompts
	of := make([]int, len(s.Chunks))                   // group of each chunk
	for i, c := range s.Chunks {
		least := 0
		for g, n := range prompts {
			if n < prompts[least] {
				least = g
			}
		}
		of[i] = least
		all += c.Tokens
		if prompts[least] += c.Tokens; prompts[least] > prompts[busiest] {
			busiest = least
		}
	}
	own := &Step{
		Tokens: prompts[busiest] + each(s.Tokens-all), Sequences: each(s.Sequences),
		Decodes: each(s.Decodes), Guessed: each(s.Guessed), Context: (s.Context + int64(groups) - 1) / int64(groups),
	}
	for i, c := range s.Chunks {
		if of[i] == busiest {
			own.Chunks = append(own.Chunks, c)
		}
	}
	return own, each(s.Tokens)
}

// tokens are those of the busiest group that shares experts, and of each in the mean.
type tokens struct{ own, mean int }

// parts are known for each number of tokens once they have been asked for.
func (x *Computed) parts(n tokens) *parts {
	m := x.Steps
	if d := m.known[n]; d != nil {
		return d
	}
	d := &parts{}
	x.Forward.Dense(n.own, n.mean, func(o workload.Operator, times int) {
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
	if m.known == nil || len(m.known) == mostParts {
		m.known = map[tokens]*parts{}
	}
	m.known[n] = d
	return d
}

// mostParts is of how many numbers of tokens parts are kept.
const mostParts = 1 << 16
