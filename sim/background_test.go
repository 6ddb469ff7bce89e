package sim_test

import (
	"context"
	"testing"

	"github.com/railyard/railyard/sim"
)

// patient waits for its timer, whatever else happens.
type patient struct {
	engine *sim.Engine
	timer  sim.Timer
	waits  bool
	seen   []sim.Time
}

func (p *patient) Handle(now sim.Time, arg uint64) {
	p.seen = append(p.seen, now)
	if arg == 1 { // the timer's
		p.waits = false
	}
}

func (p *patient) Waiting() []sim.Wait {
	if p.waits {
		return []sim.Wait{{Who: "patient", For: "the timer"}}
	}
	return nil
}

// A background timer comes while there is other work, or somebody waits; else the run
// ends before it, at the time of the last work.
func TestBackground(t *testing.T) {
	for _, c := range []struct {
		name  string
		work  sim.Time // 0: none
		waits bool
		end   sim.Time
	}{
		{"nothing else", 0, false, 0},
		{"work before it", 3, false, 3},
		{"work after it", 9, false, 9},
		{"work with it", 5, false, 5},
		{"somebody waits", 0, true, 5},
		{"work before it, and somebody waits", 3, true, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			engine := sim.New()
			p := &patient{engine: engine, waits: c.waits}
			actor := engine.Register(p)
			engine.Watch(p)
			p.timer = engine.NewTimer(actor, 1)
			engine.Background(p.timer)
			engine.Arm(p.timer, 2)
			engine.Arm(p.timer, 5)
			if c.work > 0 {
				engine.Schedule(c.work, actor, 0)
			}
			if err := engine.Run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if engine.Now() != c.end {
				t.Errorf("ends at %d, want %d", engine.Now(), c.end)
			}
			engine.Disarm(p.timer)
			if n := engine.Pending(); n != 0 {
				t.Errorf("%d events are pending", n)
			}
		})
	}
}
