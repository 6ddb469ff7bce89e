package datacenter_test

import (
	"fmt"
	"strings"
	"testing"
)

// A V100, a K80, and a TPU that one job alone can use.
const mixed = "node,accelerators,type,speed\nv,1,v100,\nk,1,k80,0.5\nt,1,tpu,\n"

const gavelPool = `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "gavel"
lease = "10s"
`

// Jobs run as fast as they say on the type that they get, worked out by hand.
// Accelerator 0 is the V100, 1 the K80, 2 the TPU.
func TestSpeeds(t *testing.T) {
	const header = "job,submit_s,accelerators,duration_s,accelerator,speeds\n"
	for _, c := range []struct {
		name, jobs, set, where, finish string
	}{
		{"each is fast on one", "a,0,1,100,v100|k80,v100=1 k80=0.25\nb,0,1,100,,tpu=2 k80=0.1\n", "", "0 2", "100 50"},
		// It has no speed of its own on the K80, where hosts are half as fast as its
		// duration says; nor on the V100 in the second case, on which it may not run.
		{"as the host says", "a,0,1,100,k80,v100=1\n", "", "1", "200"},
		{"the fastest of those it may", "a,0,1,100,v100|k80,k80=3\n", "", "1", "33.33333333333"},
		// Nor does a policy that is blind to types make it as fast as elsewhere.
		{"blind", "a,0,1,100,,v100=0.5\n", "scheduler.policy=fifo-skip", "0", "200"},
		// Alike, they take turns of 10 s on the V100: 10 and 2 of work in 20 s, so that
		// each has 48 by 80 s. The second has the V100 then, and keeps it for 2 s.
		{"turns", "a,0,1,48,v100|k80,v100=1 k80=0.2\nb,0,1,50,v100|k80,v100=1 k80=0.2\n", "", strings.Repeat("0 1 ", 7) + "0 1", "80 82"},
	} {
		t.Run(c.name, func(t *testing.T) {
			toml, set := gavelPool, []string{}
			if c.set != "" {
				toml = strings.Replace(toml, "lease = \"10s\"\n", "", 1)
				set = append(set, c.set)
			}
			r := run(t, toml, map[string]string{"nodes.csv": mixed, "jobs.csv": header + c.jobs}, set...)
			if got := cells(t, r, "stretches", "placement"); got != c.where {
				t.Errorf("they run on %s, want %s", got, c.where)
			}
			if got := cells(t, r, "jobs", "finish_s"); got != c.finish {
				t.Errorf("they finish at %s, want %s", got, c.finish)
			}
		})
	}
}

// One of two jobs runs on the V100 for the whole makespan, the other on the TPU for half
// of it.
func TestAcceleratorTypes(t *testing.T) {
	r := run(t, gavelPool, map[string]string{
		"nodes.csv": mixed, "jobs.csv": "job,submit_s,accelerators,duration_s,accelerator\na,0,1,100,v100\nb,0,1,50,tpu\n",
	})
	for path, want := range map[string]float64{
		"0.accelerators": 1, "0.accelerator_s": 100, "0.allocation_ratio": 1, "1.allocation_ratio": 0, "2.accelerator_s": 50, "2.allocation_ratio": 0.5,
	} {
		if got := number(t, r, "jobs.accelerator_types."+path); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// What is wrong with speeds is said where it stands.
func TestSpeedsRefused(t *testing.T) {
	const header = "job,submit_s,accelerators,duration_s,speeds\n"
	for row, want := range map[string]string{
		"a,0,1,1,v100":          `jobs.csv:2:9: speeds: "v100" is not of the form type=speed`,
		"a,0,1,1,v100=0":        `jobs.csv:2:9: speeds: the speed on "v100" must be from 1e-06 to 1e+06, not "0"`,
		"a,0,1,1,v100=NaN":      `jobs.csv:2:9: speeds: the speed on "v100" must be from 1e-06 to 1e+06, not "NaN"`,
		"a,0,1,1,v100=1 v100=2": `jobs.csv:2:9: speeds: "v100" is there twice`,
		"a,0,1,1,v10=1":         `jobs.csv:2:1: speeds: job "a" names no type that there is; there are k80, tpu, v100`,
	} {
		if got := refused(t, gavelPool, map[string]string{"nodes.csv": mixed, "jobs.csv": header + row + "\n"}); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s, want %s", row, got, want)
		}
	}
	got := refused(t, "[topology]\nkind = \"pool\"\naccelerators = 4\n[[workload.jobs]]\nfile = \"jobs.csv\"\n", map[string]string{"jobs.csv": header + "a,0,1,1,v100=1\n"})
	if want := "jobs.csv:2:1: speeds: job \"a\" has them, and jobs are not placed by host: a pool needs a file of its hosts, another topology scheduler.placement"; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	var many strings.Builder
	many.WriteString("job,submit_s,accelerators,duration_s,accelerator,speeds\n")
	for i := range 5000 {
		fmt.Fprintf(&many, "%d,0,1,1,,v100=%d\n", i, 1+i)
	}
	got = refused(t, gavelPool, map[string]string{"nodes.csv": mixed, "jobs.csv": many.String()})
	if want := `jobs.csv:4098:1: speeds: those of job "4096" and of the jobs before it are more than 4096 different ones`; !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	got = refused(t, `[topology]
kind = "leaf-spine"
[[topology.pool]]
name = "new"
host = "dgx-a100"
hosts = 1
[[topology.pool]]
name = "old"
host = "dgx-1v"
hosts = 1
[[workload.training]]
model = "bert-large"
accelerators = [7, 8]
global_batch = 2
[scheduler]
policy = "gavel"
`, nil)
	if want := `workload.training[0].accelerators: are of several types, and policy "gavel" gives a job those of one`; !strings.HasSuffix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
