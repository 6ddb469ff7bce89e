package railyard_test

import (
	"fmt"
	"strings"
	"testing"
)

// The example of Ghodsi et al., NSDI 2011, section 4.1: of 9 CPUs and 18 GB a task of A
// takes 1 and 4 GB, its dominant share being memory, one of B 3 and 1 GB, its dominant
// share being CPUs. A has three tasks and B two, at two thirds each. Accelerators, of
// which there are as many as GB, are never dominant. With four times the weight of B, A
// has its four before B has its second.
func TestDominantShares(t *testing.T) {
	const toml = `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "drf"
placement = "pack"
`
	var jobs strings.Builder
	jobs.WriteString("job,submit_s,accelerators,duration_s,group,cpu_milli,memory_bytes\n")
	for i := range 5 {
		fmt.Fprintf(&jobs, "a%d,0,1,10,A,1000,4000000000\n", i)
	}
	for i := range 5 {
		fmt.Fprintf(&jobs, "b%d,0,1,10,B,3000,1000000000\n", i)
	}
	files := map[string]string{
		"nodes.csv": "node,accelerators,cpu_milli,memory_bytes\nhost,18,9000,18000000000\n",
		"jobs.csv":  jobs.String(),
	}
	for _, c := range []struct {
		more string
		a, b int
	}{
		{"", 3, 2},
		{"[[scheduler.group]]\nname = \"A\"\nweight = 4\n", 4, 1}, // then there is neither memory for A nor CPUs for B
	} {
		start := column(t, run(t, toml+c.more, files), "jobs", "start_s")
		a, b := 0, 0
		for i, at := range start {
			if at == 0 && i < 5 {
				a++
			} else if at == 0 {
				b++
			}
		}
		if a != c.a || b != c.b {
			t.Errorf("A runs %d tasks and B %d, want %d and %d", a, b, c.a, c.b)
		}
	}
}
