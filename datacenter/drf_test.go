package datacenter_test

import (
	"fmt"
	"strings"
	"testing"
)

// running counts the jobs of each group that start at 0, where each group has as many
// as anybody could run.
func running(t *testing.T, toml, node string, wants map[string]string) map[string]int {
	t.Helper()
	var jobs strings.Builder
	jobs.WriteString("job,submit_s,accelerators,duration_s,group,cpu_milli,memory_bytes\n")
	for _, group := range []string{"A", "B"} {
		for i := range 20 {
			accelerators, beside, _ := strings.Cut(wants[group], ",")
			fmt.Fprintf(&jobs, "%s%d,0,%s,100,%s,%s\n", group, i, accelerators, group, beside)
		}
	}
	r := run(t, toml, map[string]string{"nodes.csv": "node,accelerators,cpu_milli,memory_bytes\nn," + node + "\n", "jobs.csv": jobs.String()})
	groups, starts := words(t, r, "jobs", "group"), column(t, r, "jobs", "start_s")
	started := map[string]int{}
	for i, g := range groups {
		if starts[i] == 0 {
			started[g]++
		}
	}
	return started
}

// Section 4.1 of Ghodsi et al., "Dominant Resource Fairness", NSDI 2011: of 9 CPUs and
// 18 GB user A, whose tasks need <1 CPU, 4 GB>, has three tasks, and B, with <3 CPUs,
// 1 GB>, two: each has two thirds of its dominant resource.
//
// The other rows are worked out as algorithm 1 does, task by task.
func TestDRFOverSeveralResources(t *testing.T) {
	const toml = `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "drf"
`
	for _, c := range []struct {
		name, groups, node string
		wants              map[string]string
		a, b               int
	}{
		{"the paper's example", "", "1,9000,18000000000", map[string]string{"A": "0,1000,4000000000", "B": "0,3000,1000000000"}, 3, 2},
		{
			// A's dominant share rises by 1/8 a job, of the accelerators, B's by 1/4, of
			// the CPUs; at equal ones A, which came first, is served: A, B, A, A, B, A,
			// A, B, and all accelerators are taken.
			"accelerators and CPUs", "", "8,16000,0", map[string]string{"A": "1,0,0", "B": "1,4000,0"}, 5, 3,
		},
		{
			// CPUs alone decide: with three times the weight, three for one.
			"by weight", "[[scheduler.group]]\nname = \"A\"\nweight = 3.0\n", "1,8000,0", map[string]string{"A": "0,1000,0", "B": "0,1000,0"}, 6, 2,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := running(t, toml+c.groups, c.node, c.wants); got["A"] != c.a || got["B"] != c.b {
				t.Errorf("A runs %d and B %d, want %d and %d", got["A"], got["B"], c.a, c.b)
			}
		})
	}
}

// A quota counts whole accelerators, so it cannot be kept for jobs that want none.
func TestQuotaOfParts(t *testing.T) {
	got := refused(t, `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "drf"
[[scheduler.group]]
name = "A"
quota = 1
`, map[string]string{
		"nodes.csv": "node,accelerators,cpu_milli\nn,1,8000\n",
		"jobs.csv":  "job,submit_s,accelerators,duration_s,group,cpu_milli\na,0,0,1,A,1000\n",
	})
	if want := `case.toml:8:1: scheduler.group[0]: has a quota or a limit, which count whole accelerators, and job "a" wants none or parts`; !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}
