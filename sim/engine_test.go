package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// script is an actor made of a function.
type script func(now Time, arg uint64)

func (s script) Handle(now Time, arg uint64) { s(now, arg) }

// seen is what an actor was called with.
type seen struct {
	At  Time
	Arg uint64
}

// recorder is an engine with one actor that notes its events, then does what
// on says of an argument.
type recorder struct {
	*Engine
	self Actor
	got  []seen
	on   map[uint64]func()
}

func newRecorder() *recorder {
	r := &recorder{Engine: New(), on: map[uint64]func(){}}
	r.self = r.Register(script(func(now Time, arg uint64) {
		if now != r.Now() {
			panic(fmt.Sprintf("Handle is told %d, the clock says %d", now, r.Now()))
		}
		r.got = append(r.got, seen{now, arg})
		if f := r.on[arg]; f != nil {
			f()
		}
	}))
	return r
}

func (r *recorder) run(t *testing.T, want error) {
	t.Helper()
	if err := r.Run(context.Background()); !errors.Is(err, want) {
		t.Fatalf("Run: %v, want %v", err, want)
	}
}

func (r *recorder) want(t *testing.T, want ...seen) {
	t.Helper()
	if !slices.Equal(r.got, want) {
		t.Errorf("handled %v, want %v", r.got, want)
	}
	if r.Handled() != uint64(len(r.got)) {
		t.Errorf("Handled is %d after %d calls", r.Handled(), len(r.got))
	}
	r.got, r.handled = nil, 0
}

func TestTiesAreHandledInOrder(t *testing.T) {
	r := newRecorder()
	var want []seen
	for i := range uint64(200) { // more than a bucket and a block hold
		r.Schedule(7, r.self, i)
		want = append(want, seen{7, i})
	}
	r.Schedule(3, r.self, 1000)
	r.on[1000] = func() { r.Schedule(7, r.self, 1001) } // comes after all that were there
	r.on[5] = func() { r.Schedule(7, r.self, 1002) }
	r.run(t, nil)
	r.want(t, slices.Concat([]seen{{3, 1000}}, want, []seen{{7, 1001}, {7, 1002}})...)
}

func TestDefer(t *testing.T) {
	for _, c := range []struct {
		name string
		on   func(r *recorder) map[uint64]func()
		want []seen
	}{
		{
			"after all events of the instant",
			func(r *recorder) map[uint64]func() {
				return map[uint64]func(){1: func() { r.Defer(r.self, 10) }}
			},
			[]seen{{5, 1}, {5, 2}, {5, 10}, {6, 3}},
		}, {
			"also after those that come meanwhile",
			func(r *recorder) map[uint64]func() {
				return map[uint64]func(){
					1: func() { r.Defer(r.self, 10) },
					2: func() { r.Schedule(5, r.self, 4) },
				}
			},
			[]seen{{5, 1}, {5, 2}, {5, 4}, {5, 10}, {6, 3}},
		}, {
			"what it schedules now comes before time moves",
			func(r *recorder) map[uint64]func() {
				return map[uint64]func(){
					1:  func() { r.Defer(r.self, 10) },
					10: func() { r.Schedule(5, r.self, 4); r.Schedule(6, r.self, 5) },
				}
			},
			[]seen{{5, 1}, {5, 2}, {5, 10}, {5, 4}, {6, 3}, {6, 5}},
		}, {
			"a deferral of a deferral waits for the events between",
			func(r *recorder) map[uint64]func() {
				return map[uint64]func(){
					1:  func() { r.Defer(r.self, 10); r.Defer(r.self, 11) },
					10: func() { r.Defer(r.self, 12); r.Schedule(5, r.self, 4) },
				}
			},
			[]seen{{5, 1}, {5, 2}, {5, 10}, {5, 11}, {5, 4}, {5, 12}, {6, 3}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			r.on = c.on(r)
			r.Schedule(5, r.self, 1)
			r.Schedule(5, r.self, 2)
			r.Schedule(6, r.self, 3)
			r.run(t, nil)
			r.want(t, c.want...)
		})
	}
}

func TestDeferCountsAsPending(t *testing.T) {
	r := newRecorder()
	r.Defer(r.self, 1)
	if r.Pending() != 1 {
		t.Errorf("%d pending, want 1", r.Pending())
	}
	r.run(t, nil)
	r.want(t, seen{0, 1})
}

func TestTimers(t *testing.T) {
	for _, c := range []struct {
		name    string
		set     func(r *recorder, a, b Timer)
		pending int
		want    []seen
	}{
		{"armed", func(r *recorder, a, b Timer) { r.Arm(a, 5) }, 1, []seen{{5, 100}}},
		{"moved later", func(r *recorder, a, b Timer) { r.Arm(a, 5); r.Arm(a, 9) }, 1, []seen{{9, 100}}},
		{"moved earlier", func(r *recorder, a, b Timer) { r.Arm(a, 9); r.Arm(a, 5) }, 1, []seen{{5, 100}}},
		{"disarmed", func(r *recorder, a, b Timer) { r.Arm(a, 5); r.Disarm(a) }, 0, nil},
		{"disarmed though not armed", func(r *recorder, a, b Timer) { r.Disarm(a); r.Disarm(a) }, 0, nil},
		{"at Never", func(r *recorder, a, b Timer) { r.Arm(a, 5); r.Arm(a, Never) }, 0, nil},
		{"an event at Never", func(r *recorder, a, b Timer) { r.Schedule(Never, r.self, 1) }, 0, nil},
		{"at the same time again goes to the back", func(r *recorder, a, b Timer) {
			r.Arm(a, 5)
			r.Arm(b, 5)
			r.Arm(a, 5)
		}, 2, []seen{{5, 101}, {5, 100}}},
		{"ties with plain events are in order", func(r *recorder, a, b Timer) {
			r.Schedule(5, r.self, 1)
			r.Arm(a, 5)
			r.Schedule(5, r.self, 2)
		}, 3, []seen{{5, 1}, {5, 100}, {5, 2}}},
		{"armed anew by its own event", func(r *recorder, a, b Timer) {
			r.Arm(a, 5)
			r.on[100] = func() {
				if r.Now() < 8 {
					r.Arm(a, r.Now()+1)
				}
			}
		}, 1, []seen{{5, 100}, {6, 100}, {7, 100}, {8, 100}}},
		{"disarmed by an event of the same instant", func(r *recorder, a, b Timer) {
			r.Schedule(5, r.self, 1)
			r.Arm(a, 5)
			r.on[1] = func() { r.Disarm(a) }
		}, 2, []seen{{5, 1}}},
		{"armed for now", func(r *recorder, a, b Timer) {
			r.Schedule(5, r.self, 1)
			r.on[1] = func() { r.Arm(a, 5) }
		}, 1, []seen{{5, 1}, {5, 100}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			a, b := r.NewTimer(r.self, 100), r.NewTimer(r.self, 101)
			c.set(r, a, b)
			if r.Pending() != c.pending {
				t.Errorf("%d pending, want %d", r.Pending(), c.pending)
			}
			r.run(t, nil)
			r.want(t, c.want...)
			if r.Pending() != 0 {
				t.Errorf("%d pending at the end", r.Pending())
			}
		})
	}
}

// The generations of a timer wrap around; generation 0 is that of plain events.
func TestTimerGenerationWraps(t *testing.T) {
	r := newRecorder()
	a := r.NewTimer(r.self, 100)
	r.timers[a].generation = 1<<32 - 2
	for i := range Time(4) {
		r.Arm(a, 10-i)
	}
	r.run(t, nil)
	r.want(t, seen{7, 100})
}

func TestThePastPanics(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(r *recorder, a Timer)
	}{
		{"Schedule", func(r *recorder, a Timer) { r.Schedule(9, r.self, 0) }},
		{"Arm", func(r *recorder, a Timer) { r.Arm(a, 9) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			a := r.NewTimer(r.self, 0)
			r.Schedule(10, r.self, 1)
			r.run(t, nil)
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "sim: ") {
					t.Errorf("panic %q, want one that starts with the package's name", s)
				}
			}()
			c.do(r, a)
		})
	}
}

func TestHorizon(t *testing.T) {
	r := newRecorder()
	for _, at := range []Time{10, 20, 30, 40, 1000} {
		r.Schedule(at, r.self, uint64(at))
	}
	r.Horizon = 20
	r.run(t, ErrHorizon)
	r.want(t, seen{10, 10}, seen{20, 20})
	if r.Now() != 20 || r.Pending() != 3 {
		t.Fatalf("stopped at %d with %d pending, want 20 and 3", r.Now(), r.Pending())
	}

	// Between now and the next event there is room: the queue must not have
	// moved on to it.
	r.Schedule(25, r.self, 25)
	r.Schedule(20, r.self, 21)
	r.Schedule(29, r.self, 29)
	r.Horizon = 28
	r.run(t, ErrHorizon)
	r.want(t, seen{20, 21}, seen{25, 25})
	if r.Now() != 28 {
		t.Fatalf("stopped at %d, want the horizon, 28", r.Now())
	}
	r.Schedule(28, r.self, 28)
	r.Horizon = 0 // none
	r.run(t, nil)
	r.want(t, seen{28, 28}, seen{29, 29}, seen{30, 30}, seen{40, 40}, seen{1000, 1000})
	if r.Now() != 1000 {
		t.Errorf("ended at %d, want the last event, 1000", r.Now())
	}
}

// What remains beyond the horizon was taken back: nothing is left to do.
func TestHorizonIgnoresTombstones(t *testing.T) {
	r := newRecorder()
	a := r.NewTimer(r.self, 100)
	r.Arm(a, 50)
	r.Schedule(10, r.self, 1)
	r.on[1] = func() { r.Disarm(a) }
	r.Horizon = 20
	r.run(t, nil)
	r.want(t, seen{10, 1})
	if r.Now() != 10 {
		t.Errorf("ended at %d, want the last event, 10", r.Now())
	}
}

// doneAtSecondLook is a context that is done the second time Run looks.
type doneAtSecondLook struct {
	context.Context
	looks int
}

func (c *doneAtSecondLook) Err() error {
	if c.looks++; c.looks < 2 {
		return nil
	}
	return context.Canceled
}

// A run may leave off behind a tombstone, at a time later than the clock. What
// is scheduled then must still come in order.
func TestScheduleBehindATombstone(t *testing.T) {
	for _, c := range []struct {
		name  string
		first func(t *testing.T, r *recorder)
	}{
		{"done", func(t *testing.T, r *recorder) { r.run(t, nil) }},
		{"horizon", func(t *testing.T, r *recorder) {
			r.Horizon = 200
			r.run(t, nil)
			r.Horizon = 0
		}},
		{"deadlock", func(t *testing.T, r *recorder) {
			r.Watch(waits{{"a", "b"}})
			if err := r.Run(context.Background()); err == nil {
				t.Fatal("no deadlock")
			}
			r.waiters = nil
		}},
		{"tombstones on both sides of the horizon", func(t *testing.T, r *recorder) {
			b := r.NewTimer(r.self, 101)
			r.Arm(b, 300)
			r.Disarm(b)
			r.Horizon = 200
			r.run(t, nil)
			r.Horizon = 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			a := r.NewTimer(r.self, 100)
			r.Arm(a, 100)
			r.Disarm(a)
			r.Schedule(10, r.self, 1)
			c.first(t, r)
			if r.Now() != 10 {
				t.Fatalf("stopped at %d, want 10", r.Now())
			}
			r.got = nil
			r.Schedule(20, r.self, 20)
			r.Schedule(90, r.self, 90)
			r.run(t, nil)
			if !slices.Equal(r.got[:2], []seen{{20, 20}, {90, 90}}) {
				t.Errorf("handled %v, want 20 before 90", r.got)
			}
		})
	}
}

// A horizon before the clock does not turn it back.
func TestHorizonInThePast(t *testing.T) {
	r := newRecorder()
	r.Schedule(10, r.self, 10)
	r.Schedule(30, r.self, 30)
	r.Horizon = 20
	r.run(t, ErrHorizon)
	r.Horizon = 5
	r.run(t, ErrHorizon)
	if r.Now() != 20 {
		t.Errorf("the clock went from 20 to %d", r.Now())
	}
}

// Run does not return between a tombstone and the event behind it.
func TestContextBehindATombstone(t *testing.T) {
	r := newRecorder()
	a := r.NewTimer(r.self, 100)
	r.Arm(a, 100)
	r.Disarm(a)
	r.Schedule(10, r.self, 1)
	r.Schedule(1000, r.self, 2)
	r.handled = 4095 // the context is looked at after the next event
	err := r.Run(&doneAtSecondLook{Context: context.Background()})
	if r.queue.base > r.now {
		t.Errorf("Run returned %v at %d with the queue at %d", err, r.now, r.queue.base)
	}
}

func TestEventLimit(t *testing.T) {
	r := newRecorder()
	for i := range Time(10) {
		r.Schedule(i, r.self, uint64(i))
	}
	r.MaxEvents = 4
	r.run(t, ErrEventLimit)
	if len(r.got) != 4 || r.Handled() != 4 || r.Now() != 3 || r.Pending() != 6 {
		t.Errorf("%d handled by time %d, %d pending; want 4 by 3, 6 pending", r.Handled(), r.Now(), r.Pending())
	}
	r.MaxEvents = 0
	r.run(t, nil)
	if len(r.got) != 10 {
		t.Errorf("%d handled in the end, want 10", len(r.got))
	}
}

// An actor that schedules itself at its own instant never lets time pass.
func TestEventLimitStopsALoop(t *testing.T) {
	r := newRecorder()
	r.on[1] = func() { r.Schedule(r.Now(), r.self, 1) }
	r.on[2] = func() { r.Defer(r.self, 2) }
	for _, loop := range []uint64{1, 2} {
		r.got, r.handled = nil, 0
		r.Schedule(5, r.self, loop)
		r.MaxEvents = 1000
		r.run(t, ErrEventLimit)
		if r.Now() != 5 {
			t.Errorf("loop %d: at %d, want 5", loop, r.Now())
		}
		r.on[loop] = nil
		r.MaxEvents = 0
		r.run(t, nil)
	}
}

func TestContext(t *testing.T) {
	r := newRecorder()
	ctx, cancel := context.WithCancel(context.Background())
	r.on[0] = func() {
		if r.Handled() == 10_000 {
			cancel()
		}
		r.Schedule(r.Now()+1, r.self, 0)
	}
	r.Schedule(0, r.self, 0)
	if err := r.Run(ctx); err != context.Canceled {
		t.Fatal(err)
	}
	if n := r.Handled(); n < 10_000 || n > 10_000+4096 {
		t.Errorf("stopped after %d events, want within 4096 of 10000", n)
	}
	before := r.Handled()
	if err := r.Run(ctx); err != context.Canceled || r.Handled() > before+4096 {
		t.Errorf("ran on under a done context: %v", err)
	}
}

type waits []Wait

func (w waits) Waiting() []Wait { return w }

func TestDeadlock(t *testing.T) {
	for _, c := range []struct {
		name    string
		waiters []waits
		want    string // "" is no deadlock
	}{
		{"nobody waits", []waits{nil, {}}, ""},
		{"one", []waits{{{"job 1", "accelerators"}}}, "deadlock: nothing is pending and 1 wait; job 1 waits for accelerators"},
		{"of two waiters", []waits{{{"a", "b"}}, nil, {{"b", "a"}}}, "deadlock: nothing is pending and 2 wait; a waits for b; b waits for a"},
		{
			"eight are named",
			[]waits{slices.Repeat(waits{{"x", "y"}}, 11)},
			"deadlock: nothing is pending and 11 wait" + strings.Repeat("; x waits for y", 8) + "; and 3 more",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRecorder()
			for _, w := range c.waiters {
				r.Watch(w)
			}
			r.Schedule(3, r.self, 0)
			err := r.Run(context.Background())
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var deadlock *DeadlockError
			if !errors.As(err, &deadlock) || err.Error() != c.want {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if r.Now() != 3 || len(r.got) != 1 {
				t.Errorf("reported at %d after %d events", r.Now(), len(r.got))
			}
		})
	}
}

// A timer that is moved again and again, far from now, does not fill the queue, and
// those that are armed come in their order.
func TestMovedTimersLeaveNothing(t *testing.T) {
	const moves = 10 * manyStale
	e := New()
	var came []uint64
	e.Register(script(func(now Time, arg uint64) { came = append(came, arg) }))
	far := []Timer{e.NewTimer(0, 1), e.NewTimer(0, 2)}
	var moved Timer
	n := 0
	mover := e.Register(script(func(now Time, arg uint64) {
		if n++; n < moves {
			e.Arm(moved, now+Second)
			e.Schedule(now+1, 1, 0)
		}
		if e.queue.length > manyStale+2*e.Pending()+1 {
			t.Fatalf("after %d moves the queue holds %d events, of which %d are to come", n, e.queue.length, e.Pending())
		}
	}))
	moved = e.NewTimer(0, 3)
	e.Arm(far[0], 2*Second)
	e.Arm(far[1], 2*Second)
	e.Schedule(0, mover, 0)
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(came, []uint64{3, 1, 2}) {
		t.Errorf("timers come as %v, want 3 1 2", came)
	}
}

func TestHalt(t *testing.T) {
	e := New()
	stop := errors.New("enough")
	e.Register(script(func(now Time, arg uint64) {
		if arg == 10 {
			e.Halt(stop)
		}
		e.Schedule(now+1, 0, arg+1)
	}))
	e.Schedule(0, 0, 0)
	if err := e.Run(context.Background()); err != stop || e.Handled() > 10+4096 {
		t.Errorf("%v after %d events, want %v within 4,096 of the tenth", err, e.Handled(), stop)
	}
}

func TestDeadlockAtTheEndOfTheClock(t *testing.T) {
	e := &DeadlockError{At: Never - 5*Second, Waits: []Wait{{"a", "b"}}}
	if want := "deadlock: nothing is pending and 1 wait; a waits for b; it is 9.22337e+07s, and the clock ends at 9.22337e+07s"; e.Error() != want {
		t.Errorf("%q, want %q", e.Error(), want)
	}
}

// A waiter is asked only when nothing is pending: not at a horizon or limit.
func TestNoDeadlockWhileEventsRemain(t *testing.T) {
	r := newRecorder()
	r.Watch(waits{{"a", "b"}})
	r.Schedule(10, r.self, 0)
	r.Horizon = 5
	r.run(t, ErrHorizon)
	r.MaxEvents, r.handled = 1, 1
	r.run(t, ErrEventLimit)
}

// twin is the obviously right engine: all events in one slice that is sorted
// anew, stably, before each is taken.
type twin struct {
	now      Time
	events   []twinEvent
	deferred []uint64
	got      []seen
}

type twinEvent struct {
	at    Time
	arg   uint64
	timer int // -1: a plain event
}

func (w *twin) disarm(timer int) {
	w.events = slices.DeleteFunc(w.events, func(e twinEvent) bool { return e.timer == timer })
}

// step handles the next event at or before the limit.
func (w *twin) step(limit Time, handle func(arg uint64)) bool {
	slices.SortStableFunc(w.events, func(a, b twinEvent) int { return int(min(max(a.at-b.at, -1), 1)) })
	if len(w.events) > 0 && (w.events[0].at == w.now || len(w.deferred) == 0 && w.events[0].at <= limit) {
		e := w.events[0]
		w.events = w.events[1:]
		w.now = e.at
		w.got = append(w.got, seen{e.at, e.arg})
		handle(e.arg)
		return true
	}
	if len(w.deferred) == 0 {
		return false
	}
	batch := w.deferred
	w.deferred = nil
	for _, arg := range batch {
		w.got = append(w.got, seen{w.now, arg})
		handle(arg)
	}
	return true
}

// playEngine plays a script of three-byte steps on the engine and on its twin.
// Handlers take steps of the same script, so that all that can be done in one
// is done. Between runs the horizon moves, or the event limit strikes.
func playEngine(t interface{ Fatalf(string, ...any) }, bytes []byte) {
	const timers = 5
	type operation struct {
		what  byte
		which int
		delay Time
	}
	var all []operation
	for ; len(bytes) >= 3; bytes = bytes[3:] {
		x := Time(bytes[1]) | Time(bytes[2])<<8
		all = append(all, operation{bytes[0] % 16, int(bytes[0]/16) % timers, (x & 0xff) << ((x >> 8) % 40)})
	}

	// play applies what a handler does, given its place in the script.
	type target struct {
		schedule, deferArg func(delay Time, arg uint64)
		arm                func(timer int, delay Time)
		disarm             func(timer int)
	}
	play := func(o operation, arg uint64, to target) {
		switch o.what {
		case 0, 1, 2, 3, 4:
			to.schedule(o.delay, arg)
		case 5, 6:
			to.schedule(0, arg)
		case 7, 8, 9:
			to.arm(o.which, o.delay)
		case 10:
			to.arm(o.which, 0)
		case 11, 12:
			to.disarm(o.which)
		default:
			to.deferArg(0, arg)
		}
	}

	e, w := New(), &twin{}
	var got []seen
	var on, twinOn target
	place, twinPlace := 0, 0
	// A handler takes up to two further steps; each step is taken once, so
	// the script ends.
	act := func(at *int, to target) {
		for range 2 {
			if *at < len(all) {
				o := all[*at]
				*at++
				play(o, uint64(*at), to)
			}
		}
	}
	self := e.Register(script(func(now Time, arg uint64) {
		if now != e.Now() {
			t.Fatalf("Handle is told %d at %d", now, e.Now())
		}
		got = append(got, seen{now, arg})
		act(&place, on)
	}))
	var ids [timers]Timer
	for i := range ids {
		ids[i] = e.NewTimer(self, 1_000_000+uint64(i))
	}
	on = target{
		schedule: func(d Time, arg uint64) { e.Schedule(e.Now().After(d), self, arg) },
		deferArg: func(_ Time, arg uint64) { e.Defer(self, arg) },
		arm:      func(i int, d Time) { e.Arm(ids[i], e.Now().After(d)) },
		disarm:   func(i int) { e.Disarm(ids[i]) },
	}
	twinAt := func(at Time, arg uint64, timer int) {
		if at != Never {
			w.events = append(w.events, twinEvent{at, arg, timer})
		}
	}
	twinOn = target{
		schedule: func(d Time, arg uint64) { twinAt(w.now.After(d), arg, -1) },
		deferArg: func(_ Time, arg uint64) { w.deferred = append(w.deferred, arg) },
		arm: func(i int, d Time) {
			w.disarm(i)
			twinAt(w.now.After(d), 1_000_000+uint64(i), i)
		},
		disarm: w.disarm,
	}

	for place < len(all) || e.Pending() > 0 {
		// The first steps of a round come from outside; the last of them says
		// for how long to run.
		limit := Never
		if place < len(all) {
			act(&place, on)
			act(&twinPlace, twinOn)
			if o := all[place-1]; o.what%3 != 0 && o.delay > 0 {
				limit = e.Now().After(o.delay)
			}
		}
		e.Horizon = limit
		err := e.Run(context.Background())
		for w.step(limit, func(uint64) { act(&twinPlace, twinOn) }) {
		}
		if len(w.events) > 0 {
			w.now = limit
		}
		if !slices.Equal(got, w.got) {
			t.Fatalf("handled %v\nwant    %v", got, w.got)
		}
		if e.Now() != w.now || e.Pending() != len(w.events) || e.Handled() != uint64(len(w.got)) {
			t.Fatalf("at %d with %d pending and %d handled, want %d, %d, %d",
				e.Now(), e.Pending(), e.Handled(), w.now, len(w.events), len(w.got))
		}
		if want := map[bool]error{true: ErrHorizon}[len(w.events) > 0]; err != want {
			t.Fatalf("Run: %v, want %v", err, want)
		}
	}
}

func TestEngineAgainstTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		playEngine(t, rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "script"))
	})
}

func FuzzEngine(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x07\x00\x00\x0b\x10\x00"))
	r := Stream(8, "engine script")
	for range 4 {
		b := make([]byte, 3*400)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) <= 3*400 {
			playEngine(t, b)
		}
	})
}

// TestNoAllocations holds every kind of event to none in the steady state.
func TestNoAllocations(t *testing.T) {
	e := New()
	r := Stream(1, "allocations")
	var self Actor
	var timers [8]Timer
	self = e.Register(script(func(now Time, arg uint64) {
		switch d := Time(r.Uint64N(1 << 20)); {
		case arg < 500: // one for one
			e.Schedule(now+d, self, arg)
			e.Arm(timers[arg%8], now+d/2)
			e.Defer(self, 1000)
		case arg == 600:
			e.Disarm(timers[d%8])
		}
	}))
	for i := range timers {
		timers[i] = e.NewTimer(self, 600)
	}
	for i := range uint64(500) {
		e.Schedule(Time(i), self, i)
	}
	run := func() {
		e.MaxEvents = e.Handled() + 10_000
		if err := e.Run(context.Background()); err != ErrEventLimit {
			t.Fatal(err)
		}
	}
	for range 100 {
		run()
	}
	if n := testing.AllocsPerRun(20, run); n > 0 {
		t.Errorf("%v allocations in 10,000 events, want 0", n)
	}
}

// A timer moved over and over must not fill the memory with tombstones for
// long: all that lie before the clock are gone.
func TestTombstonesGoWithTime(t *testing.T) {
	r := newRecorder()
	a := r.NewTimer(r.self, 100)
	n := 0
	r.on[1] = func() {
		r.Arm(a, r.Now()+50)
		if n++; n < 10_000 {
			r.Schedule(r.Now()+1, r.self, 1)
		}
		if r.queue.length > 60 {
			t.Fatalf("%d events in the queue of 2 live ones", r.queue.length)
		}
	}
	r.Schedule(0, r.self, 1)
	r.run(t, nil)
}
