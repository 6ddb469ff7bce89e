package scheduler_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/railyard/railyard/scheduler"
)

// policies are those of the exact cases, whose schedules were cross-checked with
// the simulators of Tiresias and Helios.
var policies = map[string]scheduler.Policy{
	"fifo":      {Name: "fifo"},
	"fifo-skip": {Name: "fifo-skip"},
	"sjf":       {Name: "sjf"},
	"sjf-skip":  {Name: "sjf-skip"},
	"easy":      {Name: "easy-backfill"},
	"srtf":      {Name: "srtf"},
	"srsf":      {Name: "srsf"},
	"las2-gpu":  {Name: "las", LASLimits: []float64{3250}},
	"las3-gpu":  {Name: "las", LASLimits: []float64{3250, 7200}},
	"las3-time": {Name: "las", LASLimits: []float64{3250, 7200}, LASByTime: true},
}

// The first start and the finish of every job of the exact cases, and the number
// of preemptions. See ../shared/reference/scheduling.
func TestExactCases(t *testing.T) {
	files, _ := filepath.Glob("../../shared/reference/scheduling/cases/*.json")
	if files == nil {
		t.Skip("no ../shared/reference/scheduling/cases")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Name     string
			GPUs     int64
			Jobs     [][4]json.RawMessage
			Expected map[string]struct {
				Preemptions *int
				Schedule    [][3]json.RawMessage
			}
		}
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(c.Jobs) > 1000 && testing.Short() || len(c.Jobs) == 0 {
			continue
		}
		number := func(raw json.RawMessage) (n int64) {
			if err := json.Unmarshal(raw, &n); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			return n
		}
		place := map[string]int{}
		var tasks []task
		for i, j := range c.Jobs {
			place[string(j[0])] = i
			tasks = append(tasks, task{submit: number(j[1]), gang: number(j[2]), duration: number(j[3])})
		}
		for name, p := range policies {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				got, err := run(p, c.GPUs, tasks)
				if err != nil {
					t.Fatal(err)
				}
				want, stops := c.Expected[name], 0
				for _, o := range got {
					stops += o.stops
				}
				if want.Preemptions != nil && *want.Preemptions != stops {
					t.Errorf("%d preemptions, want %d", stops, *want.Preemptions)
				}
				for _, row := range want.Schedule {
					o := got[place[string(row[0])]]
					if o.start != number(row[1]) || o.finish != number(row[2]) {
						t.Fatalf("job %s runs from %d to %d, want %s to %s", row[0], o.start, o.finish, row[1], row[2])
					}
				}
			})
		}
	}
}
