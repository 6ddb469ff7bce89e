package datacenter_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const nodes = `node,accelerators,type,speed,cpu_milli,rack
old0,4,V100,,8000,r0
new0,4,A100,2,8000,r0
new1,4,A100,2,8000,r1
`

// Jobs where hosts differ, worked out by hand. Accelerators 0 to 3 are of host
// old0, 4 to 7 of new0, 8 to 11 of new1. Those of the new hosts are twice as fast.
func TestPlacement(t *testing.T) {
	const toml = `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "fifo-skip"
placement = "pack"
`
	for _, c := range []struct {
		name, jobs, set string
		where           []string
		finish          []float64
	}{
		{
			// No host holds six: the fastest type comes first, in half the time.
			"a gang over hosts of the fastest type", "a,0,6,100,,,\n", "",
			[]string{"4-9"},
			[]float64{50},
		},
		{
			"a type that is asked for", "a,0,2,100,,,V100\nb,0,2,100,,,A100|H100\n", "",
			[]string{"0-1", "4-5"},
			[]float64{100, 50},
		},
		{
			// Two halves share accelerator 0 of V100; the third, of 600, does not fit.
			"parts of one accelerator", "a,0,1,10,500,,V100\nb,0,1,10,500,,V100\nc,0,1,10,600,,V100\n", "",
			[]string{"0", "0", "1"},
			[]float64{10, 10, 10},
		},
		{
			// Eight cores of old0: the second job of six has to wait.
			"CPUs run out", "a,0,1,10,,6000,V100\nb,0,1,10,,6000,V100\n", "",
			[]string{"0", "0"},
			[]float64{10, 20},
		},
		{
			"no accelerator at all", "a,0,0,10,,8000,\nb,0,1,10,,1000,V100\n", "",
			[]string{"", "0"},
			[]float64{10, 20},
		},
		{
			// The fast hosts have two and three free; consolidated, the four wait
			// until the two of the first are back at 10 s / 2.
			"few hosts", "a,0,2,10,,,A100\nb,0,3,40,,,A100\nc,0,4,10,,,A100\n", "scheduler.consolidate=true",
			[]string{"4-5", "8-10", "4-7"},
			[]float64{5, 20, 10},
		},
		{
			// Stopped at 10 s with 20 of 100 s done, it needs 40 s from 20 s on.
			"stopped at twice the speed", "a,0,8,100,,,A100\nb,10,8,20,,,A100\n", "scheduler.policy=srtf",
			[]string{"4-11", "4-11", "4-11"},
			[]float64{60, 20},
		},
		{
			// They have no type, so nothing keeps them apart.
			"together", "a,0,1,10,,,A100\nb,0,1,10,,,A100\nc,0,1,10,,,A100\n", "scheduler.anti_affinity=type",
			[]string{"4", "5", "6"},
			[]float64{5, 5, 5},
		},
		{
			"spread", "a,0,2,10,,,A100\nb,0,2,10,,,A100\n", "scheduler.placement=spread",
			[]string{"4-5", "8-9"},
			[]float64{5, 5},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{
				"nodes.csv": nodes,
				"jobs.csv":  "job,submit_s,accelerators,duration_s,milli,cpu_milli,accelerator\n" + c.jobs,
			}
			var set []string
			if c.set != "" {
				set = []string{c.set}
			}
			r := run(t, toml, files, set...)
			if got := words(t, r, "stretches", "placement"); !slices.Equal(got, c.where) {
				t.Errorf("jobs ran on %q, want %q", got, c.where)
			}
			if got := column(t, r, "jobs", "finish_s"); !slices.Equal(got, c.finish) {
				t.Errorf("jobs ended at %v, want %v", got, c.finish)
			}
		})
	}
}

// Jobs of one user do not share a host: her third waits for one of two.
func TestAntiAffinity(t *testing.T) {
	r := run(t, `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "fifo-skip"
anti_affinity = "user"
`, map[string]string{
		"nodes.csv": "node,accelerators\na,4\nb,4\n",
		"jobs.csv":  "job,submit_s,accelerators,duration_s,user\na,0,1,10,ann\nb,0,1,20,ann\nc,0,1,10,ann\nd,0,1,10,bob\n",
	})
	if got, want := words(t, r, "stretches", "placement"), []string{"0", "4", "1", "0"}; !slices.Equal(got, want) {
		t.Errorf("jobs ran on %q, want %q", got, want)
	}
	if got, want := column(t, r, "jobs", "finish_s"), []float64{10, 20, 20, 10}; !slices.Equal(got, want) {
		t.Errorf("jobs ended at %v, want %v", got, want)
	}
}

// On a fabric racks are neighbourhoods: two hosts of eight hold the job of ten, and
// leave six free, too few for that of twelve. Spread, ten are 2, 2, 2, 2, 1 and 1;
// twelve more come first from the two hosts that have seven left.
func TestPlacementFabric(t *testing.T) {
	files := map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,10,60\nb,0,12,60\n"}
	for placement, want := range map[string][]string{
		"topology": {"0-9", "16-27"},
		"spread":   {"0-1 8-9 16-17 24-25 32 40", "2-3 10-11 18-19 26-27 33-34 41-42"},
	} {
		r := run(t, `[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 6
hosts_per_rack = 2
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
placement = "`+placement+`"
`, files)
		if got := words(t, r, "stretches", "placement"); !slices.Equal(got, want) {
			t.Errorf("%s: jobs ran on %q, want %q", placement, got, want)
		}
	}
}

// Half of what there is is asked for by one job, then all of it.
func TestLoads(t *testing.T) {
	r := run(t, `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
`, map[string]string{"nodes.csv": "node,accelerators\na,4\nb,4\n", "jobs.csv": "job,submit_s,accelerators,duration_s\na,0,4,60\nb,10,3,60\nc,20,1,1\n"})
	if got, want := column(t, r, "loads", "arrived_ratio"), []float64{0.5, 0.875, 1}; !slices.Equal(got, want) {
		t.Errorf("loads %v, want %v", got, want)
	}
	if got := number(t, r, "placement.allocated_ratio"); got != 1 {
		t.Errorf("%v is allocated", got)
	}
}

func TestPlacementFaults(t *testing.T) {
	const toml = `[topology]
kind = "pool"
file = "nodes.csv"
[[workload.jobs]]
file = "jobs.csv"
`
	for _, c := range []struct{ name, jobs, set, want string }{
		{"an unknown type", "a,0,1,1,,,B200\n", "sim.seed=1", `jobs.csv:2:1: accelerator: job "a" wants "B200", and no host has such; there are A100, V100`},
		{"more than there are", "a,0,13,1,,,\n", "sim.seed=1", `jobs.csv:2:1: accelerators: job "a" wants 13 at once, and the topology has 12`},
		{"more than of a type", "a,0,9,1,,,A100\n", "sim.seed=1", `jobs.csv:2:1: job "a" finds no room even on the idle cluster: 9 accelerators of type A100, 0 cores, 0 bytes of memory`},
		{"more cores than a host", "a,0,1,1,500,9000,\n", "sim.seed=1", `jobs.csv:2:1: job "a" finds no room even on the idle cluster: 500/1000 of each of 1 accelerators, 9 cores`},
		{"parts under a policy that counts", "a,0,1,1,500,,\n", "scheduler.policy=las", `scheduler.policy: "las" counts whole accelerators, and job "a" wants none or parts; fifo, fifo-skip, sjf, sjf-skip, drf do not`},
		{"shares that are counts", "a,0,1,1,,,\n", "scheduler.policy=elastic", `scheduler.policy: "elastic" counts accelerators`},
		{"nothing to fill with", "a,0,0,1,,1000,\n", "workload.jobs.0.fill=1.0", `workload.jobs[0].fill: of these jobs that is more than`},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{
				"nodes.csv": nodes,
				"jobs.csv":  "job,submit_s,accelerators,duration_s,milli,cpu_milli,accelerator\n" + c.jobs,
			}
			if got := refused(t, toml, files, c.set); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// A trace is read where it lies, in the order of submission, with what is bad in
// it said, or refused.
func TestTraceFormat(t *testing.T) {
	const toml = `[topology]
kind = "pool"
accelerators = 8
[[workload.jobs]]
file = "sacct.txt"
format = "slurm"
`
	files := map[string]string{"sacct.txt": `JobID|Submit|Start|End|AllocTRES
2|2024-03-01T10:01:00|2024-03-01T10:05:00|2024-03-01T11:05:00|gres/gpu=8
1|2024-03-01T10:00:00|2024-03-01T10:05:00|2024-03-01T10:06:30|gres/gpu=8
3|2024-03-01T10:00:00|yesterday|2024-03-01T10:06:30|gres/gpu=8
4|2024-03-01T10:00:00|2024-03-01T10:05:00|2024-03-01T10:06:30|cpu=8
`}
	r := run(t, toml, files)
	if got := words(t, r, "jobs", "job"); !slices.Equal(got, []string{"1", "2"}) {
		t.Errorf("jobs %q", got)
	}
	if got := column(t, r, "jobs", "finish_s"); !slices.Equal(got, []float64{90, 3690}) {
		t.Errorf("jobs end at %v", got)
	}
	warnings := strings.Join(r.Warnings, "\n")
	for _, want := range []string{
		"sacct.txt: 1 bad row left out",
		`sacct.txt:4: Start: "yesterday" is not a time`,
		"sacct.txt: jobs that want no accelerator are left out, since the topology does not say what CPUs it has: 1",
	} {
		if !strings.Contains(warnings, want) {
			t.Errorf("warnings %s do not say %s", warnings, want)
		}
	}
	// Nothing else is said of what is in the trace's own time.
	if got := refused(t, toml, files, "workload.jobs.0.strict=true"); !strings.HasSuffix(got, `sacct.txt:4:1: Start: "yesterday" is not a time`) || strings.Contains(got, "\n") {
		t.Errorf("strict: %s", got)
	}
	files["sacct.txt"] += strings.Repeat("5|x|x|x|gres/gpu=8\n", 6)
	if got := refused(t, toml, files, "workload.jobs.0.strict=true"); !strings.HasSuffix(got, "sacct.txt: and 2 more bad rows") {
		t.Errorf("strict: %s", got)
	}
}

func scheduling(t testing.TB, parts ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{"..", "shared", "reference", "scheduling"}, parts...)...))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Skip("no reference")
	}
	return path
}

// Helios' own simulator with its placer "consolidate", 1,450 jobs on 8 hosts of 8:
// first start and end of each, by scenario.
func TestHeliosScenario(t *testing.T) {
	text, err := os.ReadFile(scheduling(t, "placement", "given_helios_consolidate_103959.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Jobs     [][]any
		Expected map[string]struct{ Schedule [][]any }
	}
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	var jobs, hosts strings.Builder
	fmt.Fprintln(&jobs, "job,submit_s,accelerators,duration_s")
	for _, j := range c.Jobs {
		fmt.Fprintf(&jobs, "%s,%.0f,%.0f,%.0f\n", j...)
	}
	fmt.Fprintln(&hosts, "node,accelerators")
	for i := range 8 {
		fmt.Fprintf(&hosts, "h%d,8\n", i)
	}
	for _, policy := range []string{"fifo", "sjf"} {
		r := run(t, `[topology]
kind = "pool"
file = "hosts.csv"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
placement = "best-fit"
consolidate = true
policy = "`+policy+`"
`, map[string]string{"jobs.csv": jobs.String(), "hosts.csv": hosts.String()})
		name, start, finish := words(t, r, "jobs", "job"), column(t, r, "jobs", "start_s"), column(t, r, "jobs", "finish_s")
		at := map[string]int{}
		for i, n := range name {
			at[n] = i
		}
		for _, want := range c.Expected[policy].Schedule {
			if i := at[want[0].(string)]; start[i] != want[1] || finish[i] != want[2] {
				t.Fatalf("%s: %s from %v to %v, want %v to %v", policy, name[i], start[i], finish[i], want[1], want[2])
			}
		}
	}
}

// The openb experiment of the FGD paper by scenario, its means over 10 seeds at 100 %
// of arrived load; here of 3.
func TestOpenbScenario(t *testing.T) {
	pods := scheduling(t, "traces", "alibaba2023_openb_default.csv")
	all, err := os.ReadFile(scheduling(t, "traces", "alibaba2023_openb_nodes.csv"))
	if err != nil {
		t.Fatal(err)
	}
	var hosts strings.Builder // those with accelerators
	for line := range strings.Lines(string(all)) {
		if f := strings.Split(line, ","); f[3] != "0" {
			hosts.WriteString(line)
		}
	}
	text, err := os.ReadFile(pods)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"hosts.csv": hosts.String(), "pods.csv": openbPods(string(text))}
	for placement, want := range map[string]float64{"best-fit": 0.929, "fragmentation": 0.952} {
		var mean float64
		const seeds = 3
		for seed := range seeds {
			r := run(t, `[topology]
kind = "pool"
file = "hosts.csv"
[[workload.jobs]]
file = "pods.csv"
format = "openb"
fill = 1.01
[scheduler]
policy = "fifo-skip"
placement = "`+placement+`"
`, files, fmt.Sprintf("sim.seed=%d", seed+1))
			mean += number(t, r, "placement.allocated_ratio") / seeds
		}
		t.Logf("%s: %.2f %% allocated, published %.1f", placement, 100*mean, 100*want)
		if !near(mean, want, 0.005/want) {
			t.Errorf("%s: %.2f %% allocated, published %.1f", placement, 100*mean, 100*want)
		}
	}
}

// openbPods is the compact table of pods in the form of its source.
func openbPods(compact string) string {
	var b strings.Builder
	b.WriteString("name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n")
	for line := range strings.Lines(compact) {
		f := strings.Split(strings.TrimSpace(line), ",")
		if f[0] == "job_id" {
			continue
		}
		// job_id,submit_s,gpus,duration_s,gpu_type,qos,status,gpu_milli,cpu_milli,memory_mib,scheduled_s,deletion_s
		fmt.Fprintln(&b, strings.Join([]string{f[0], f[8], f[9], f[2], f[7], f[4], f[5], f[6], f[1], f[11], f[10]}, ","))
	}
	return b.String()
}
