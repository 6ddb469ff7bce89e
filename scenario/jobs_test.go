package scenario

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/workload/jobs"
)

const jobsHeader = "job,submit_s,accelerators,duration_s\n"

func TestReadJobs(t *testing.T) {
	text := "submit_s,job,duration_s,accelerators,priority,user,estimate_s\n0,a,10.5,8,3,ann,20\n0.5,b,1e3,1.0,,,\n"
	got, faults := (&Scenario{}).readJobs("jobs.csv", strings.NewReader(text), map[string]int32{})
	if faults != nil {
		t.Fatal(faults)
	}
	want := []jobs.Job{
		{ID: "a", Duration: 10.5, Accelerators: 8, Priority: 3, User: "ann", Estimate: 20, Line: 2},
		{ID: "b", Submit: 0.5, Duration: 1000, Accelerators: 1, Line: 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each mistake is one message with its place.
func TestReadJobsFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "jobs.csv: the file is empty; its first row must name the columns job,submit_s,accelerators,duration_s"},
		{"no rows", jobsHeader, "jobs.csv: there are no rows below the header"},
		{"no column", "job,submit_s,accelerators\na,0,1\n", "jobs.csv:1:1: there is no column duration_s"},
		{"unknown column", "job,submit_s,accelerators,duration_s,prio\na,0,1,1,1\n", `jobs.csv:1:38: unknown column "prio"`},
		{"negative submit", jobsHeader + "a,-1,1,1\n", "jobs.csv:2:3: submit_s: -1 is negative"},
		{"negative duration", jobsHeader + "a,0,1,-5\n", "jobs.csv:2:7: duration_s: -5 is negative"},
		{"no gang", jobsHeader + "a,0,0,5\n", "jobs.csv:2:5: accelerators: must be from 1 to 1048576, not 0"},
		{"half an accelerator", jobsHeader + "a,0,0.5,5\n", `jobs.csv:2:5: accelerators: "0.5" is not a whole number`},
		{"duplicate", jobsHeader + "a,0,1,1\nb,0,1,1\na,1,1,1\n", `jobs.csv:4:1: job: "a" is there twice`},
		{"the clock goes back", jobsHeader + "a,5,1,1\nb,4,1,1\nc,5,1,1\n", "jobs.csv:3:3: submit_s: 4 is before the 5 of the row above: rows stand in the order of submission"},
		{"beyond the clock", jobsHeader + "a,1e9,1,1\n", "jobs.csv:2:3: submit_s: 1e+09 s is too long"},
		{"not a number", jobsHeader + "a,soon,1,1\n", `jobs.csv:2:3: submit_s: "soon" is not a number`},
		{"least", "job,submit_s,accelerators,duration_s,min_accelerators\na,0,2,1,3\n", "jobs.csv:2:9: min_accelerators: 3 is more than the accelerators, 2"},
		{"most", "job,submit_s,accelerators,duration_s,max_accelerators\na,0,2,1,1\n", "jobs.csv:2:9: max_accelerators: 1 is less than the accelerators, 2"},
		{"priority", "job,submit_s,accelerators,duration_s,priority\na,0,1,1,high\n", `jobs.csv:2:9: priority: "high" is not a whole number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, faults := (&Scenario{}).readJobs("jobs.csv", strings.NewReader(c.text), map[string]int32{})
			if got != nil || len(faults) != 1 || !strings.HasPrefix(faults.Error(), c.want) {
				t.Errorf("got %v, %v, want %s", got, faults, c.want)
			}
		})
	}
}

func TestCheckJobs(t *testing.T) {
	pool := "[topology]\nkind = \"pool\"\naccelerators = 8\n"
	trace := "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	for _, c := range []struct{ name, text, want string }{
		{"a pool has no network", pool + "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n", `case.toml:4:1: workload.collective[0]: needs a network`},
		{"jobs need accelerators", "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n" + trace, `case.toml:4:1: workload.jobs[0]: has nowhere to run`},
		{"limits of another policy", pool + trace + "[scheduler]\nlas_limits = [5]\n", `case.toml:7:14: scheduler.las_limits: belongs to policy = "las"; policy is "fifo"`},
		{"limits fall", pool + trace + "[scheduler]\npolicy = \"las\"\nlas_limits = [5, 4]\n", `case.toml:8:14: scheduler.las_limits: must rise`},
		{"quota of a policy without", pool + trace + "[scheduler]\n[[scheduler.group]]\nname = \"a\"\nquota = 4\n", `case.toml:7:1: scheduler.group[0]: has a quota or a limit, which policy "fifo" does not keep`},
		{"limit below the quota", pool + trace + "[scheduler]\npolicy = \"drf\"\n[[scheduler.group]]\nname = \"a\"\nquota = 4\nlimit = 2\n", `case.toml:11:9: scheduler.group[0].limit: must not be below the quota, 4`},
		{"group twice", pool + trace + "[scheduler]\npolicy = \"drf\"\n[[scheduler.group]]\nname = \"a\"\n[[scheduler.group]]\nname = \"a\"\n", `case.toml:11:8: scheduler.group[1].name: "a" is there twice`},
		{"srtf stops", pool + trace + "[scheduler]\npolicy = \"srtf\"\npreemption = \"none\"\n", `case.toml:8:14: scheduler.preemption: must not be "none": policy "srtf" stops jobs`},
		{"error of exact estimates", pool + trace + "[scheduler]\nestimate_error = 0.3\n", `case.toml:7:18: scheduler.estimate_error: belongs to estimates = "noisy"; estimates is "exact"`},
		{"lease", pool + trace + "[scheduler]\nlease = \"1h\"\n", `case.toml:7:9: scheduler.lease: belongs to policy = "finish-time-fairness", "max-min" or "gavel"; policy is "fifo"`},
		{"a cost of a lease", pool + trace + "[scheduler]\npolicy = \"finish-time-fairness\"\npreemption_cost = \"20m\"\n", `case.toml:8:19: scheduler.preemption_cost: must be less than the lease, 20m`},
		{"scaling", pool + trace + "[scheduler]\nscaling = 0.5\n", `case.toml:7:11: scheduler.scaling: belongs to policy = "elastic"; policy is "fifo"`},
		{"half-life", pool + trace + "[scheduler]\nhalf_life = \"1h\"\n", `case.toml:7:13: scheduler.half_life: belongs to policy = "fair-share"; policy is "fifo"`},
		{"limits without number", pool + trace + "[scheduler]\npolicy = \"las\"\nlas_limits = [5, \"4\"]\n", `case.toml:8:18: scheduler.las_limits: must be a number`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse("case.toml", []byte(c.text), nil)
			if len(faults) != 1 || !strings.HasPrefix(faults.Error(), c.want) {
				t.Errorf("got %v, want %s", faults, c.want)
			}
		})
	}
}

// The language has the policies and preemptions that the scheduler has.
func TestPolicies(t *testing.T) {
	for _, d := range Reference() {
		switch d.Path {
		case "scheduler.policy":
			got, want := slices.Sorted(slices.Values(d.Accepted)), slices.Sorted(slices.Values(scheduler.Policies()))
			if !slices.Equal(got, want) {
				t.Errorf("policies %v, the scheduler has %v", got, want)
			}
		case "scheduler.preemption":
			if !slices.Equal(d.Accepted, scheduler.Preemptions()) {
				t.Errorf("preemptions %v, the scheduler has %v", d.Accepted, scheduler.Preemptions())
			}
		}
	}
}

func FuzzReadJobs(f *testing.F) {
	f.Add(jobsHeader + "a,0,1,1\nb,0.5,8,1e3\n")
	f.Add("job,submit_s,accelerators,duration_s,milli,cpu_milli,memory_bytes,accelerator\na,0,0,1,,4000,1,\nb,0,1,1,250,0,0,T4|A100\n")
	f.Add("job,submit_s,accelerators,duration_s,estimate_s,user,group,type,priority,model\na,0,1,1,2,u,g,t,-3,m\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, faults := (&Scenario{}).readJobs("t.csv", strings.NewReader(text), map[string]int32{})
		if (all == nil) == (faults == nil) {
			t.Errorf("jobs %v, faults %v", all, faults)
		}
		for i, j := range all {
			if j.Submit < 0 || j.Duration < 0 || j.Accelerators < 0 || i > 0 && j.Submit < all[i-1].Submit {
				t.Errorf("job %+v", j)
			}
		}
	})
}
