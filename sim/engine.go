// Package sim is a sequential discrete-event engine: a virtual clock, a queue
// of events, and named random streams. It knows nothing of data centres.
//
// # Model
//
// Time is an integer count of 10 ps ticks ([Time]). An event is a typed value:
// an instant, an actor and an argument that only the actor understands. Run
// takes the earliest event, sets the clock to it, and calls the actor's Handle,
// which may schedule more, now or later, never earlier. Events at one instant
// are handled in the order in which they were scheduled, so a run is a function
// of its inputs alone.
//
// A [Timer] is an event that can be moved or taken back. The queue keeps the
// old event as a tombstone that a generation number gives away, which measured
// 1.7 to 3.2 times as fast as finding and removing it.
//
// A background timer ([Engine.Background]) keeps nothing going: a run ends where only
// such are left and nobody waits, so that a repair that comes after the last work
// is not waited for.
//
// Defer runs an actor once everything else of the present instant has been
// handled: the place for work that wants to see all changes of an instant as
// one.
//
// # Ends
//
// Run ends when nothing is pending, at the horizon, at the event limit, or when
// its context is done. If nothing is pending and a [Waiter] still has work, the
// simulation has locked up, and the error says who waits for what.
//
// One engine is one goroutine's. Nothing in it is safe for concurrent use, and
// nothing needs to be: runs are parallel, a run is not.
package sim

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Handler is an actor's reaction to its events.
type Handler interface {
	// Handle is called at each of the actor's events. now is the engine's
	// clock, arg what the event was scheduled with.
	Handle(now Time, arg uint64)
}

// Actor names a registered Handler.
type Actor uint32

// Timer names an event that can be moved and taken back.
type Timer uint32

// Waiter is a part of the simulation that can say what it still waits for.
type Waiter interface {
	Waiting() []Wait
}

// Wait is one thing that did not happen: who waits, and for what.
type Wait struct{ Who, For string }

// Engine is a virtual clock and the events to come. Use New.
type Engine struct {
	// Horizon ends the run after the last event at or before it. The zero
	// value means no horizon.
	Horizon Time
	// MaxEvents ends the run with ErrEventLimit. The zero value means no limit.
	MaxEvents uint64

	now      Time
	handled  uint64
	queue    *queue
	actors   []Handler
	timers   []timer
	stale    int // tombstones in the queue
	behind   int // background timers that are armed
	deferred []event
	waiters  []Waiter
	halted   error
}

// timer is the state of a Timer: its event is the one of this generation.
type timer struct {
	arg        uint64
	actor      Actor
	generation uint32
	armed      bool
	background bool
}

// ErrEventLimit is returned by Run when MaxEvents have been handled.
var ErrEventLimit = errors.New("sim: event limit reached")

// ErrHorizon is returned by Run when events remain beyond the horizon.
var ErrHorizon = errors.New("sim: horizon reached")

// DeadlockError is returned by Run when nothing is pending and work is left.
type DeadlockError struct {
	At    Time
	Waits []Wait
}

// Error names up to eight of the waits.
func (e *DeadlockError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "deadlock: nothing is pending and %d wait", len(e.Waits))
	for i, w := range e.Waits {
		if i == 8 {
			fmt.Fprintf(&b, "; and %d more", len(e.Waits)-i)
			break
		}
		fmt.Fprintf(&b, "; %s waits for %s", w.Who, w.For)
	}
	if e.At > Never/2 {
		fmt.Fprintf(&b, "; it is %v, and the clock ends at %v", e.At, Never-1)
	}
	return b.String()
}

// New gives an engine at time 0 with nothing pending.
func New() *Engine { return &Engine{queue: newQueue()} }

// Now is the virtual time.
func (e *Engine) Now() Time { return e.now }

// Handled is the number of events handled so far, deferred ones included and
// cancelled ones not.
func (e *Engine) Handled() uint64 { return e.handled }

// Pending is the number of events to come.
func (e *Engine) Pending() int { return e.queue.length - e.stale + len(e.deferred) }

// Register adds an actor.
func (e *Engine) Register(h Handler) Actor {
	e.actors = append(e.actors, h)
	return Actor(len(e.actors) - 1)
}

// Watch adds a waiter, asked when nothing is pending any more.
func (e *Engine) Watch(w Waiter) { e.waiters = append(e.waiters, w) }

// Schedule adds an event. Nothing may be scheduled in the past; an event at
// Never is dropped, since it does not come. O(1), amortized over a run.
func (e *Engine) Schedule(at Time, a Actor, arg uint64) {
	if at < e.now {
		panic(fmt.Sprintf("sim: event scheduled at %v, before now, %v", at, e.now))
	}
	if at == Never {
		return
	}
	e.queue.push(&event{at: at, arg: arg, id: uint32(a)})
}

// Defer has a handle arg after all other events of the present instant. What
// it then schedules at the same instant is handled before time moves on.
func (e *Engine) Defer(a Actor, arg uint64) {
	e.deferred = append(e.deferred, event{arg: arg, id: uint32(a)})
}

// NewTimer gives a timer, not armed, whose event goes to a with arg.
func (e *Engine) NewTimer(a Actor, arg uint64) Timer {
	e.timers = append(e.timers, timer{actor: a, arg: arg})
	return Timer(len(e.timers) - 1)
}

// Background makes a timer, not armed, one that does not keep the run going.
func (e *Engine) Background(t Timer) { e.timers[t].background = true }

// Arm sets the timer's event to at, in place of any before. At Never it is the
// same as Disarm.
func (e *Engine) Arm(t Timer, at Time) {
	if at < e.now {
		panic(fmt.Sprintf("sim: timer set to %v, before now, %v", at, e.now))
	}
	e.Disarm(t)
	if at == Never {
		return
	}
	s := &e.timers[t]
	s.armed = true
	if s.background {
		e.behind++
	}
	e.queue.push(&event{at: at, id: uint32(t), generation: s.generation})
}

// Disarm takes the timer's event back, if it has one.
func (e *Engine) Disarm(t Timer) {
	s := &e.timers[t]
	if s.armed {
		s.armed = false
		e.stale++
		if s.background {
			e.behind--
		}
	}
	s.generation++
	if s.generation == 0 { // 0 marks plain events
		s.generation = 1
	}
	if e.stale > manyStale && e.stale > e.Pending() {
		e.queue.discard(func(ev *event) bool { return ev.generation != 0 && e.cancelled(ev) })
		e.stale = 0
	}
}

// manyStale is how many tombstones may be in the queue, and beyond that as many as there
// are events to come: a timer that is moved again and again, far from now, leaves one each
// time.
const manyStale = 1 << 12

// Halt has Run end with an error, within 4,096 events, and not go on after it.
func (e *Engine) Halt(err error) { e.halted = err }

// Run handles events until none is left. It returns nil then, ErrHorizon or
// ErrEventLimit if it stopped before, ctx.Err() if ctx was done (looked at
// every 4,096 events), and a *DeadlockError if a Waiter still waits. After any
// of these but the last, Run may be called again to go on.
func (e *Engine) Run(ctx context.Context) error {
	limit := Never - 1
	if e.Horizon > 0 {
		limit = e.Horizon
	}
	var ev event
	look := e.handled // when so many have been handled, look at ctx and MaxEvents
	for {
		if e.handled >= look {
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.halted != nil {
				return e.halted
			}
			look = e.handled + 4096
			if e.MaxEvents > 0 {
				if e.handled >= e.MaxEvents && e.Pending() > 0 {
					return ErrEventLimit
				}
				look = min(look, max(e.MaxEvents, e.handled+1))
			}
		}
		bound := limit
		if len(e.deferred) > 0 {
			bound = e.now
		}
		if e.behind > 0 && e.Pending() == e.behind && e.waits() == nil {
			return nil
		}
		// A pop moves the queue on even for a tombstone, so Run must not return
		// between that and the event that brings the clock there.
		ok := e.queue.pop(&ev, bound)
		for ok && ev.generation != 0 && e.cancelled(&ev) {
			e.stale--
			ok = e.queue.pop(&ev, bound)
		}
		if !ok {
			if len(e.deferred) == 0 {
				break
			}
			e.runDeferred()
			continue
		}
		actor, arg := Actor(ev.id), ev.arg
		if ev.generation != 0 {
			t := &e.timers[ev.id]
			t.armed = false
			if t.background {
				e.behind--
			}
			actor, arg = t.actor, t.arg
		}
		e.now = ev.at
		e.handled++
		e.actors[actor].Handle(ev.at, arg)
	}
	if e.Pending() > 0 {
		e.now = max(e.now, limit)
		return ErrHorizon
	}
	// Only tombstones are left, and what comes next may lie before them.
	for e.queue.pop(&ev, Never) {
		e.stale--
	}
	e.queue.base = e.now
	if e.halted != nil {
		return e.halted
	}
	if waits := e.waits(); waits != nil {
		return &DeadlockError{At: e.now, Waits: waits}
	}
	return nil
}

// waits is what all waiters still wait for.
func (e *Engine) waits() (all []Wait) {
	for _, w := range e.waiters {
		all = append(all, w.Waiting()...)
	}
	return all
}

// cancelled says whether a timer's event has been moved or taken back.
func (e *Engine) cancelled(ev *event) bool {
	t := &e.timers[ev.id]
	return !t.armed || t.generation != ev.generation
}

// runDeferred handles what is deferred now; what that defers comes later.
func (e *Engine) runDeferred() {
	n := len(e.deferred)
	for i := 0; i < n; i++ {
		d := e.deferred[i]
		e.handled++
		e.actors[d.id].Handle(e.now, d.arg)
	}
	e.deferred = e.deferred[:copy(e.deferred, e.deferred[n:])]
}
