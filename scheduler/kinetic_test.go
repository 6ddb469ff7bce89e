package scheduler

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/units"
)

// A kinetic heap against a look at all: whatever comes and goes, and however time
// passes, the first is the first.
func TestKinetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var heap kinetic
		var all []mover
		now := units.Duration(0)
		few := rapid.Bool().Draw(t, "few") // small numbers tie often
		most := units.Duration(1) << 50
		if few {
			most = 6
		}
		amount := func(name string) units.Duration {
			return units.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
		}
		for i := range int32(rapid.IntRange(1, 120).Draw(t, "steps")) {
			switch {
			case len(all) == 0 || rapid.IntRange(0, 2).Draw(t, "push") > 0:
				m := mover{since: now - min(now, amount("since")), ahead: amount("ahead"), per: amount("per"), job: i, seq: i}
				if rapid.IntRange(0, 9).Draw(t, "last") == 0 {
					m.per, m.ahead = Never, 0
				}
				heap.push(m, now)
				all = append(all, m)
			default:
				first := 0
				for k := range all {
					if all[k].before(&all[first], now) {
						first = k
					}
				}
				if got := heap.pop(now); got.job != all[first].job {
					t.Fatalf("at %d job %d is first, want %d", now, got.job, all[first].job)
				}
				all = append(all[:first], all[first+1:]...)
			}
			now += amount("passes")
		}
	})
}

// Of two jobs that have waited for 10 and for 2, the one that wants a quarter of the
// time rises four times as fast: (10 + 3t) / 12 = (2 + 3t) / 3 at t = 2/9, and in whole
// ticks at 1.
func TestOvertaking(t *testing.T) {
	long, short := mover{since: 0, per: 12, seq: 0}, mover{since: 8, per: 3, seq: 1}
	if !long.before(&short, 10) || short.before(&long, 10) {
		t.Error("10/12 is not before 2/3")
	}
	if got := short.overtaking(&long, 10); got != 11 || !short.before(&long, 11) {
		t.Errorf("overtakes at %d, want 11", got)
	}
	if got := long.overtaking(&short, 11); got != Never {
		t.Errorf("the slower overtakes at %d", got)
	}
}
