package alert_test

import (
	"fmt"

	"github.com/railyard/railyard/alert"
	"github.com/railyard/railyard/scenario"
)

func ExampleRules() {
	s, faults := scenario.Parse("watched.toml", []byte(`
[topology]
kind = "pool"
accelerators = 4

[[workload.jobs]]
file = "jobs.csv"

[[alert]]
name = "JobsWait"
metric = "job_series.queued"
op = ">"
value = 0
for = "1m"
`), nil)
	if faults == nil {
		faults = alert.Check(s)
	}
	if faults != nil {
		fmt.Println(faults)
		return
	}
	for _, r := range alert.Rules(s) {
		fmt.Printf("%s: %s for %v\n", r.Name, r.Expression(), r.For)
	}
	// Output: JobsWait: railyard_job_queued > 0 for 1m0s
}
