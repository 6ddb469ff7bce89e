package serving

import (
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
)

// Pool is replicas of a model that are alike.
type Pool struct {
	Replicas, Tensor, Stages int
	Expert                   int                // groups of Tensor ranks of a stage that share the routed experts; 0 is 1
	SwapTime                 float64            // s, in which a block moves to the host's memory or back
	Batching                 scheduler.Batching // of a batch: with stages, its share of the cache
	Routing                  scheduler.Routing
	Costs                    Costs

	Scaling *Scaling // nil: all replicas are there at any time; else Replicas is the most that have a place
	Start   Start

	Level Level // over time

	number   int                   // in the order of Pools
	wanted   int                   // replicas
	vain     int                   // starts since one was ready that failures have cut short
	scaler   *scheduler.Autoscaler // of Scaling
	syncs    sim.Timer
	polls    sim.Timer
	replicas []replica // their part of the fleet's
	loads    []scheduler.Load
	open     []int32               // replicas that take requests
	held     []*scheduler.Sequence // while there are none
	routed   int
}

// Accelerators is how many the replicas have.
func (p *Pool) Accelerators() int { return p.Replicas * p.Ranks() }

// Ranks is how many accelerators a replica has: of each stage, one group after the other.
func (p *Pool) Ranks() int { return p.stageRanks() * p.Stages }

func (p *Pool) stageRanks() int { return p.Tensor * max(1, p.Expert) }

// Blocks are those of the cache of a replica.
func (p *Pool) Blocks() int { return p.Stages * p.Batching.Blocks }

// Pools are all of a fleet, in the order of their accelerators.
func (f *Fleet) Pools() []*Pool {
	if f.Decode == nil {
		return []*Pool{&f.Pool}
	}
	return []*Pool{&f.Pool, f.Decode}
}

// fits says whether a request of so many tokens can ever be served.
func (f *Fleet) fits(tokens int) bool {
	return f.Batching.Fits(tokens) && (f.Decode == nil || f.Decode.Batching.Fits(tokens))
}

// waiting is how many requests wait.
func (f *Fleet) waiting() (n int) {
	for _, p := range f.pools {
		n += p.Level.waiting
	}
	return n
}

// route gives a sequence to a replica, by way of its site where there are several, or holds
// it while none is ready.
func (f *Fleet) route(p *Pool, s *scheduler.Sequence) {
	if f.Geography != nil {
		f.Geography.dispatch(f, s, -1)
		return
	}
	p.Level.waiting++
	if len(p.open) == 0 {
		p.held = append(p.held, s)
		return
	}
	f.give(p, s, p.open)
}

// give gives a sequence to one of some replicas.
func (f *Fleet) give(p *Pool, s *scheduler.Sequence, open []int32) {
	loads := p.loads[:len(open)]
	if p.Routing != scheduler.RoundRobin && p.Routing != scheduler.RandomReplica {
		f.look(p, s, open, loads)
	}
	to := open[p.Routing.Route(p.routed, loads, f.Random)]
	p.routed++
	if session := f.Requests[s.Request].Session; session != 0 && p.Routing == scheduler.SessionAware {
		f.homes[session] = to
	}
	f.Outcomes[s.Request].Replica = to
	r := &f.replicas[to]
	if p != f.Decode {
		f.take(r, s)
		return
	}
	l := r.leastLane()
	f.expect(l, s)
	f.due(l.number)
}

// look is what the router sees of replicas that take requests.
func (f *Fleet) look(p *Pool, s *scheduler.Sequence, open []int32, loads []scheduler.Load) {
	home, at := f.homes[f.Requests[s.Request].Session]
	for i, to := range open {
		loads[i] = scheduler.Load{Home: at && home == to}
		lanes := f.replicas[to].lanes
		loads[i].Waiting = len(f.replicas[to].intake.queue)
		for n := range lanes {
			loads[i].Waiting += lanes[n].Waiting()
			loads[i].Running += lanes[n].Running()
			if p.Routing == scheduler.PrefixAware {
				loads[i].Match = max(loads[i].Match, lanes[n].Match(s))
			}
		}
	}
}

// leastLane is the batch that has the fewest requests.
func (r *replica) leastLane() *lane {
	best := &r.lanes[0]
	for i := 1; i < len(r.lanes); i++ {
		if l := &r.lanes[i]; l.Waiting()+l.Running() < best.Waiting()+best.Running() {
			best = l
		}
	}
	return best
}

// Level is how many sequences wait and run, how many blocks of the caches are used, and
// how many replicas there are, over time.
type Level struct {
	Queue, Batch, Cache result.Bins
	Replicas            result.Bins // that answer or drain
	// The integrals of them, and of the replicas that hold accelerators.
	Queued, Ran, Cached, Up, Held Integral
	Most                          int // replicas that held their accelerators at a time

	waiting, running, used, up, held int
	bins                             int
	first, last                      sim.Time
}

// Lasted is the time that has been accounted for.
func (l *Level) Lasted() sim.Time { return l.last - l.first }

// until accounts for the time up to now.
func (l *Level) until(now sim.Time) {
	if now == l.last {
		return
	}
	span := now - l.last
	l.Queued.add(l.waiting, span)
	l.Ran.add(l.running, span)
	l.Cached.add(l.used, span)
	l.Up.add(l.up, span)
	l.Held.add(l.held, span)
	if l.bins > 0 {
		l.Queue.Add(l.last, now, float64(l.waiting), l.bins)
		l.Batch.Add(l.last, now, float64(l.running), l.bins)
		l.Cache.Add(l.last, now, float64(l.used), l.bins)
		l.Replicas.Add(l.last, now, float64(l.up), l.bins)
	}
	l.last = now
}

// count adds what a lane has to the level of its pool so often.
func (l *lane) count(times int) {
	v := &l.replica.pool.Level
	v.waiting += times * l.Waiting()
	v.running += times * l.Running()
	v.used += times * l.Used()
}
