package datacenter

import (
	"github.com/railyard/railyard/record"
	"github.com/railyard/railyard/result"
)

// timeline is what a recorder was told of, with what the plant knows once it has run: which
// jobs had which accelerators when, and what broke.
func (p *plant) timeline(r *record.Recorder, tables []*result.Table) *result.Timeline {
	end := p.engine.Now()
	for n, j := range p.cluster.Jobs {
		if !j.Started || p.row(n) >= 0 {
			continue
		}
		for _, s := range p.tenures(n) {
			r.Held(j, s.From, s.To, s.Accelerators)
		}
	}
	if q := p.queued; q != nil {
		for i, s := range q.trace.Stretches(end) {
			r.HeldSpans(p.cluster.Jobs[s.Job], s.From, s.To, q.trace.Spans(i))
		}
	}
	var broken []record.Fault
	if p.broken != nil {
		for i, f := range p.broken.Faults {
			w := p.broken.said[i]
			broken = append(broken, record.Fault{Name: w.Name.Value, Kind: w.Kind.Value, At: f.At, Repair: f.Repair, Rate: f.Rate})
		}
	}
	return r.Finish(end, broken, tables)
}
