package scheduler

import (
	"math"

	"github.com/railyard/railyard/units"
)

// themis is finish-time fairness (Mahajan et al., NSDI 2020). A job's rho is the
// time from its arrival to its end, if it had its accelerators from now on, as a
// multiple of what it would take on an equal share of the cluster:
//
//	rho = (now - arrival + remaining) / (duration x max(1, gang x jobs / accelerators))
//
// with as many jobs as are in the system now. The job with the greatest rho, which is
// treated worst, goes first. A job that starts has its accelerators for a lease, and
// competes for them again when it ends. Jobs without an estimate come last.
//
// The auction among the applications of a job, and placement, are left out.
type themis struct{ lease units.Duration }

// Jobs whose lease runs go before those that compete.
const (
	leased = iota
	competes
)

func (o *themis) rho(q *Queue, r *record, left units.Duration) float64 {
	if r.Estimate == Never || r.Estimate == 0 {
		return 0
	}
	share := max(1, float64(r.Accelerators)*float64(q.present)/float64(q.total))
	return (q.now - r.arrived + left).Seconds() / (r.Estimate.Seconds() * share)
}

// The bits of positive numbers rise with them.
func (o *themis) rank(q *Queue, r *record, left units.Duration) rank {
	return rank{competes, ^math.Float64bits(o.rho(q, r, left)), r.seq}
}

func (o *themis) arrive(q *Queue, r *record) rank { return o.rank(q, r, r.left()) }

func (o *themis) rerank(q *Queue, running []holder) uint64 {
	for i := range running {
		h := &running[i]
		r := &q.jobs[h.job]
		if q.now < h.turn {
			h.rank = rank{hi: leased, seq: r.seq}
			continue
		}
		left := r.left()
		if left != Never {
			left = max(0, left-(q.now-r.began))
		}
		h.rank = o.rank(q, r, left)
	}
	sortHolders(running)
	return 0
}

func (o *themis) stopped(*Queue, []entry) {} // ranked anew before the next decision

func (o *themis) begin(q *Queue, h *holder) { h.turn = q.now + min(o.lease, Never-q.now) }

// settle renews the leases that have ended without another taking the accelerators.
func (o *themis) settle(q *Queue, running []holder) {
	for i := range running {
		if h := &running[i]; h.turn <= q.now {
			h.turn = q.now + min(o.lease, Never-q.now)
		}
	}
}

func (o *themis) wake(running []holder) units.Duration {
	next := Never
	for i := range running {
		next = min(next, running[i].turn)
	}
	return next
}
