package sim_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/sim"
)

// server works on one customer at a time, each for two seconds.
type server struct {
	engine  *sim.Engine
	self    sim.Actor
	waiting []uint64
	busy    bool
}

const leaves = 1 << 32 // marks the event of a customer who leaves

// Handle takes in a customer, or lets the one that is served go.
func (s *server) Handle(now sim.Time, arg uint64) {
	if arg&leaves != 0 {
		fmt.Printf("%v: customer %d leaves\n", now, arg&^leaves)
		s.busy = false
	} else {
		fmt.Printf("%v: customer %d comes\n", now, arg)
		s.waiting = append(s.waiting, arg)
	}
	if !s.busy && len(s.waiting) > 0 {
		s.busy = true
		s.engine.Schedule(now+2*sim.Second, s.self, s.waiting[0]|leaves)
		s.waiting = s.waiting[1:]
	}
}

// A queue with one server.
func Example() {
	engine := sim.New()
	s := &server{engine: engine}
	s.self = engine.Register(s)
	engine.Schedule(0, s.self, 1)
	engine.Schedule(1*sim.Second, s.self, 2)
	engine.Schedule(7*sim.Second, s.self, 3)
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(engine.Handled(), "events")
	// Output:
	// 0ns: customer 1 comes
	// 1s: customer 2 comes
	// 2s: customer 1 leaves
	// 4s: customer 2 leaves
	// 7s: customer 3 comes
	// 9s: customer 3 leaves
	// 6 events
}
