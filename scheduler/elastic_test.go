package scheduler_test

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/railyard/railyard/scheduler"
	"pgregory.net/rapid"
)

// After each decision shares are max-min fair between the least and the most of each job:
// none has more than another by two or more, and more than its least, while the other
// could use more. None waits whose least the others could leave, and nothing is free that
// one could use.
func TestElasticProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accelerators := rapid.Int64Range(1, 12).Draw(t, "accelerators")
		tasks := sorted(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) task {
			gang := rapid.Int64Range(1, accelerators).Draw(t, "gang")
			return task{
				submit: rapid.Int64Range(0, 30).Draw(t, "submit"), gang: gang, duration: rapid.Int64Range(1, 20).Draw(t, "duration"),
				least: rapid.Int64Range(0, gang).Draw(t, "least"), most: rapid.Int64Range(gang, accelerators).Draw(t, "most"),
			}
		}), 1, 20).Draw(t, "tasks"))
		_, err := watched(scheduler.Policy{Name: "elastic"}, accelerators, tasks, func(r *replay) error {
			least := func(i int) int64 { return cmp.Or(tasks[i].least, tasks[i].gang) }
			spare := accelerators
			for i := range tasks {
				if r.runs[i] {
					spare -= least(i)
				}
			}
			for i, x := range tasks {
				switch {
				case x.submit > r.now || r.left[i] == 0:
				case !r.runs[i]:
					if least(i) <= spare {
						return fmt.Errorf("at %d job %d waits for %d, and running ones could leave %d", r.now, i, least(i), spare)
					}
				case r.has[i] < x.most:
					if r.free > 0 {
						return fmt.Errorf("at %d job %d has %d of %d, and %d are free", r.now, i, r.has[i], x.most, r.free)
					}
					for k := range tasks {
						if r.runs[k] && r.has[k] > max(r.has[i]+1, least(k)) {
							return fmt.Errorf("at %d job %d has %d, and job %d could use more than %d", r.now, k, r.has[k], i, r.has[i])
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
