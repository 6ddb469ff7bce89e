package scheduler

import "github.com/railyard/railyard/units"

// Decision is one thing that a queue decided, and why.
type Decision struct {
	At     units.Duration
	Job    int
	Action Action
	Reason Reason
	// Other is the job that the reason speaks of, -1 if of none; Until the time, or
	// Never.
	Other int
	Until units.Duration
	// Free accelerators when it was decided.
	Free int
	// Part is what failed, where the action is one of those below Refuse. Job is then
	// -1, unless it was put back or given up. Of Refuse it is the tenant in its way.
	Part string
}

// Action is what a decision does to a job.
type Action string

// Actions.
const (
	Start   Action = "start"
	Stop    Action = "stop"
	Reserve Action = "reserve" // a time at which it is to start
	Demote  Action = "demote"  // to the next queue of las
	Refuse  Action = "refuse"  // accelerators that it would get but for an Isolation

	Fail    Action = "fail"    // of accelerators, until they are repaired
	Repair  Action = "repair"  // they are back, or others in their place
	Drain   Action = "drain"   // no job starts on them from now on
	Slow    Action = "slow"    // they compute slower
	Recover Action = "recover" // they no longer do
	PutBack Action = "requeue" // of a job whose accelerators failed
	GiveUp  Action = "give-up" // of one that is not to be put back, or not once more
)

// Reason is why.
type Reason string

// Reasons.
const (
	First      Reason = "first"       // it is the first in the order of the policy
	Fits       Reason = "fits"        // those before it, if any, have no room, and it has
	Ahead      Reason = "ahead"       // with those before it, it takes no more than there is
	Behind     Reason = "behind"      // those before it leave too little
	Blocked    Reason = "blocked"     // it is the first, and there is too little
	Planned    Reason = "planned"     // the earliest time at which it delays nobody
	Reserved   Reason = "reserved"    // its reserved time has come
	EndsBefore Reason = "ends-before" // it ends by the time reserved for another
	Beside     Reason = "beside"      // it takes what another leaves at its reserved time
	Own        Reason = "own"         // it is within the quota of its group
	Borrows    Reason = "borrows"     // nobody whose own they are wants the accelerators
	Reclaimed  Reason = "reclaimed"   // it borrowed what another's group wants back
	Resized    Reason = "resized"     // it goes on on more accelerators, or fewer
	Moved      Reason = "moved"       // it goes on on accelerators of another type
	Service    Reason = "service"     // it has attained the limit of its queue
	Chosen     Reason = "chosen"      // a policy of one's own says so

	SharedLink Reason = "shared-link" // another tenant's messages may take the same cables
	SharedRack Reason = "shared-rack" // another tenant's jobs are in the racks
	SharedHost Reason = "shared-host" // and on the hosts
	NotOwn     Reason = "not-own"     // the hosts are another tenant's own, or it has its own

	Failure     Reason = "failure"
	Maintenance Reason = "maintenance" // it was planned
)

// why is the reason of a decision with what it speaks of.
type why struct {
	reason Reason
	other  int32
	until  units.Duration
}

func because(r Reason) why { return why{r, none, Never} }

// Report tells whoever keeps the log of something that was not the queue's to decide.
func (q *Queue) Report(now units.Duration, d Decision) {
	if q.Log != nil {
		d.At, d.Other, d.Free = now, none, q.free
		q.Log(d)
	}
}

// note tells whoever keeps the log.
func (q *Queue) note(job int32, a Action, w why) {
	if q.Log != nil {
		q.Log(Decision{At: q.now, Job: int(job), Action: a, Reason: w.reason, Other: int(w.other), Until: w.until, Free: q.free})
	}
}
