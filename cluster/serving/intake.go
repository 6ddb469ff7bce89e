package serving

import (
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
)

// Intake is what the front end of a replica takes, on one core of its host, before the
// engine knows of a request: receiving, checking and tokenising it. One request is taken
// in after another. In a closed loop it also decides in which step a client's next request
// is: not in that which follows the end of its last.
type Intake struct{ Request, Token sim.Time } // of each request, and of each token of its prompt

// intake are the requests that the front end of a replica has.
type intake struct {
	queue []*scheduler.Sequence // in the order in which they come out
	free  sim.Time              // when it has taken in all
	turn  uint32                // of those events that still count
}

// replicaBits are those of an event's argument that tell the replica.
const replicaBits = 24

// take has a replica's front end take in a request.
func (f *Fleet) take(r *replica, s *scheduler.Sequence) {
	if f.Intake == (Intake{}) {
		f.add(r, s)
		return
	}
	in := &r.intake
	in.free = max(in.free, f.now) + f.Intake.Request + sim.Time(f.Requests[s.Request].Input)*f.Intake.Token
	in.queue = append(in.queue, s)
	f.c.Engine.Schedule(in.free, f.actor, argTaken|uint64(in.turn)<<replicaBits|uint64(r.number))
}

// taken is when a front end gives a request to its engine.
func (f *Fleet) taken(n int) {
	r := &f.replicas[n&(1<<replicaBits-1)]
	in := &r.intake
	if in.turn != uint32(n>>replicaBits) {
		return
	}
	s := in.queue[0]
	in.queue = in.queue[1:]
	f.add(r, s)
}

// add gives a request to the batch of a replica that has the fewest.
func (f *Fleet) add(r *replica, s *scheduler.Sequence) {
	l := r.leastLane()
	l.Add(s)
	f.due(l.number)
}

// abort takes back what a front end has not given to its engine.
func (in *intake) abort() []*scheduler.Sequence {
	queue := in.queue
	*in = intake{turn: in.turn + 1}
	return queue
}
