package scheduler

import (
	"math"

	"github.com/railyard/railyard/units"
)

// leases gives a job that starts its accelerators for a lease, and lets all whose
// lease has ended compete with those that wait: the most urgent goes first.
type leases struct {
	lease   units.Duration
	urgency urgency
}

// urgency is 0 or more, of a job that has run for so long and has so much left. While
// the job waits it rises as a mover does, up to a factor that is one for all gangs of
// a size, and to a function that keeps the order.
type urgency struct {
	of    func(q *Queue, r *record, executed, left units.Duration) float64
	moves func(r *record) mover
}

var (
	unfair  = urgency{unfairness, unfairly}
	without = urgency{withheld, withholding}
)

// unfairness is rho of finish-time fairness (Themis, Mahajan et al., NSDI 2020): the
// time from a job's arrival to its end, if it had its accelerators from now on, as a
// multiple of what it would take on an equal share of the cluster:
//
//	rho = (now - arrival + remaining) / (duration x max(1, gang x jobs / accelerators))
//
// with as many jobs as are in the system now. Jobs without an estimate come last, those of
// none at all first. The
// auction among the applications of a job, and placement, are left out.
func unfairness(q *Queue, r *record, _, left units.Duration) float64 {
	switch r.Estimate {
	case Never:
		return 0
	case 0:
		return math.Inf(1)
	}
	share := max(1, float64(r.Accelerators)*float64(q.present)/float64(q.total))
	return (q.now - r.arrived + left).Seconds() / (r.Estimate.Seconds() * share)
}

// unfairly moves a job as its rho: after all others where that is not known.
func unfairly(r *record) mover {
	if r.Estimate == Never {
		return mover{since: r.arrived, per: Never}
	}
	return mover{since: r.arrived, ahead: r.left(), per: r.Estimate}
}

// withheld is the share of its time in the system that a job did not run. Giving the
// accelerators, lease by lease, to those of whom the most was withheld makes the
// least share of any as great as can be: max-min fairness in rounds, as in Gavel
// (Narayanan et al., OSDI 2020) where accelerators are alike. Its linear program for
// mixed types is left out.
func withheld(q *Queue, r *record, executed, _ units.Duration) float64 {
	if q.now == r.arrived {
		return 1
	}
	return max(0, 1-executed.Seconds()/(q.now-r.arrived).Seconds())
}

// withholding moves a job as its time in the system over the time that it ran, which
// rises as the share withheld does.
func withholding(r *record) mover { return mover{since: r.arrived, per: r.executed} }

// Jobs whose lease runs go before those that compete.
const (
	leased = iota
	competes
)

// The bits of positive numbers rise with them.
func (o *leases) rank(q *Queue, r *record, executed, left units.Duration) rank {
	return rank{competes, ^math.Float64bits(o.urgency.of(q, r, executed, left)), r.seq}
}

func (o *leases) arrive(q *Queue, r *record) rank { return o.rank(q, r, r.executed, r.left()) }

func (o *leases) rerank(q *Queue, running []holder) uint64 {
	for i := range running {
		h := &running[i]
		r := &q.jobs[h.job]
		if q.now < h.turn {
			h.rank = rank{hi: leased, seq: r.seq}
			continue
		}
		h.rank = o.rank(q, r, r.executed+q.now-r.began, r.remaining(q.now))
	}
	sortHolders(running)
	return 0
}

func (o *leases) stopped(*Queue, []entry) {} // ranked anew before the next decision

func (o *leases) begin(q *Queue, h *holder) { h.turn = q.now + min(o.lease, Never-q.now) }

// settle renews the leases that have ended without another taking the accelerators.
func (o *leases) settle(q *Queue, running []holder) {
	for i := range running {
		if h := &running[i]; h.turn <= q.now {
			h.turn = q.now + min(o.lease, Never-q.now)
		}
	}
}

func (o *leases) wake(running []holder) units.Duration {
	next := Never
	for i := range running {
		next = min(next, running[i].turn)
	}
	return next
}
