package datacenter_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/scheduler"
)

// Whatever is lost when, of one site or several, again and again, with hosts that fail and
// slow down beside them, under every policy that places by host, rule of sites and sort of
// replication: each job's work is done once and no more, the accelerators' time adds up, and
// nobody goes on before its site is lost, or from a state that is older than itself.
func TestNothingIsLostWithSites(t *testing.T) {
	dir := t.TempDir()
	policies := slices.DeleteFunc(scheduler.Policies(), func(p string) bool { return p == "elastic" })
	rapid.Check(t, func(rt *rapid.T) {
		var rows, toml strings.Builder
		rows.WriteString("job,submit_s,accelerators,duration_s,dataset\n")
		submit, n, whole := 0, rapid.IntRange(1, 10).Draw(rt, "jobs"), 0
		for i := range n {
			submit += rapid.IntRange(0, 20).Draw(rt, "pause")
			gang, duration := rapid.IntRange(1, 4).Draw(rt, "gang"), rapid.IntRange(0, 60).Draw(rt, "duration")
			whole += gang * duration
			fmt.Fprintf(&rows, "%d,%d,%d,%d,%s\n", i, submit, gang, duration, rapid.SampledFrom([]string{"", "x", "y"}).Draw(rt, "dataset"))
		}
		sites := []string{"a", "b", "c"}[:rapid.IntRange(2, 3).Draw(rt, "sites")]
		toml.WriteString("[hosts.four]\naccelerator = \"h100-sxm-80gb\"\naccelerators = 4\n")
		for i, name := range sites {
			fmt.Fprintf(&toml, "[[topology.site]]\nname = %q\nkind = \"leaf-spine\"\nhost = \"four\"\nhosts = %d\nspeed = %v\ncarbon = { intensity = %d }\n",
				name, rapid.IntRange(1, 2).Draw(rt, "hosts"), rapid.SampledFrom([]float64{1, 1, 0.5}).Draw(rt, "speed"), 100*i)
			if i > 0 {
				fmt.Fprintf(&toml, "[[topology.wan]]\nfrom = %q\nto = %q\nbandwidth = \"8Gbps\"\nlatency = \"100ms\"\n", sites[i-1], name)
			}
		}
		toml.WriteString("[[topology.dataset]]\nname = \"x\"\nsite = \"a\"\nsize = \"3GB\"\n")
		fmt.Fprintf(&toml, "[[topology.dataset]]\nname = \"y\"\nsite = \"b\"\nsize = \"5GB\"\ncopies = [\"a\"]\nseeded = %v\nchange = \"50MB/s\"\ncommit = \"3s\"\nreplication = %q\n",
			rapid.Bool().Draw(rt, "seeded"), rapid.SampledFrom([]string{"synchronous", "asynchronous"}).Draw(rt, "replication of y"))
		for range rapid.IntRange(1, 3).Draw(rt, "faults") {
			repair := rapid.IntRange(1, 9).Draw(rt, "repair")
			fmt.Fprintf(&toml, "[[topology.fault]]\nrepair = \"%ds\"\n", repair)
			toml.WriteString(rapid.SampledFrom([]string{
				"kind = \"site\"\nmtbf = \"200s\"\n", "kind = \"site\"\nmtbf = \"150s\"\ndistribution = \"weibull\"\nshape = 0.7\n",
				fmt.Sprintf("kind = \"site\"\nname = %q\nat = \"%ds\"\nevery = \"31s\"\n", sites[0], rapid.IntRange(0, 90).Draw(rt, "at")),
				"kind = \"site\"\nname = \"b\"\nat = \"25s\"\nplanned = true\ndrain = \"4s\"\n",
				"kind = \"host\"\nmtbf = \"400s\"\n", "kind = \"host\"\nmtbf = \"300s\"\ncapacity = 0.5\n",
			}).Draw(rt, "fault"))
		}
		toml.WriteString("[[workload.jobs]]\nfile = \"jobs.csv\"\nrestart_time = \"1s\"\n")
		if rapid.Bool().Draw(rt, "checkpoints") {
			fmt.Fprintf(&toml, "checkpoint_interval = \"%ds\"\ncheckpoint_time = \"%dms\"\n", rapid.IntRange(2, 9).Draw(rt, "interval"), rapid.SampledFrom([]int{0, 500}).Draw(rt, "pause of checkpoints"))
			if rapid.Bool().Draw(rt, "copies") {
				mode := rapid.SampledFrom([]string{"synchronous\"", "asynchronous\"", "asynchronous\"\nreplication_interval = \"12s\""}).Draw(rt, "replication")
				fmt.Fprintf(&toml, "checkpoint_size = \"%dMB\"\nreplicate_to = [\"b\", \"a\"]\nreplication = \"%s\n", rapid.IntRange(1, 2000).Draw(rt, "size"), mode)
			}
		}
		fmt.Fprintf(&toml, "[sim]\nhorizon = \"20m\"\n[scheduler]\nplacement = \"spread\"\npreemption_cost = \"500ms\"\nsite = %q\n", rapid.SampledFrom([]string{"load", "data", "price", "carbon"}).Draw(rt, "site"))
		write(t, dir, "jobs.csv", rows.String())
		write(t, dir, "case.toml", toml.String())
		policy := rapid.SampledFrom(policies).Draw(rt, "policy")
		s, err := railyard.Load(filepath.Join(dir, "case.toml"), "scheduler.policy="+policy, fmt.Sprint("sim.seed=", rapid.IntRange(0, 99).Draw(rt, "seed")))
		if err != nil {
			rt.Fatal(err)
		}
		r, err := railyard.Run(context.Background(), s, railyard.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		j := r.Summary.Record("jobs")
		parts := j.Record("accelerator_time_s")
		sum := 0.0
		for _, part := range []string{"useful", "lost", "overhead", "slowed", "idle", "down"} {
			if v := parts.Float(part); v < -1e-9 {
				rt.Fatalf("%v s are %s", v, part)
			}
			sum += parts.Float(part)
		}
		if total := r.Summary.Record("cluster").Float("accelerators") * j.Float("makespan_s"); math.Abs(sum-total) > 1e-6 {
			rt.Fatalf("%v accelerator-seconds of %v", sum, total)
		}
		if all := j.Float("finished") == float64(n); all {
			// At half the speed the same work takes twice the time.
			if useful := parts.Float("useful"); useful < float64(whole)-1e-6 || useful > 2*float64(whole)+1e-6 {
				rt.Fatalf("%v accelerator-seconds count, the jobs are %d", useful, whole)
			}
		} else if j.Float("failed")+j.Float("cancelled") > 0 {
			rt.Fatalf("%v jobs have failed, %v were given up", j.Float("failed"), j.Float("cancelled"))
		}
		if x := r.Table("failovers"); x != nil {
			for i := range x.Rows() {
				at, rpo, rto := x.Column("at_s").Numbers[i], x.Column("rpo_s").Numbers[i], x.Column("rto_s").Numbers[i]
				if rpo < 0 || rpo > at || rto < 0 {
					rt.Fatalf("%s: lost at %v s, RPO %v s, RTO %v s", x.Column("name").Text[i], at, rpo, rto)
				}
			}
		}
	})
}

// Jobs that the lost site keeps from being placed do not have the policy wake at every tick: one
// that takes no time would end in the next, and those after it were planned from there on.
func TestUnplacedJobsDoNotSpin(t *testing.T) {
	toml := `[hosts.four]
accelerator = "h100-sxm-80gb"
accelerators = 4
[[topology.site]]
name = "a"
kind = "leaf-spine"
host = "four"
hosts = 2
speed = 0.5
carbon = { intensity = 0 }
[[topology.site]]
name = "b"
kind = "leaf-spine"
host = "four"
hosts = 1
speed = 0.5
carbon = { intensity = 100 }
[[topology.wan]]
from = "a"
to = "b"
bandwidth = "8Gbps"
latency = "100ms"
[[topology.dataset]]
name = "x"
site = "a"
size = "3GB"
[[topology.dataset]]
name = "y"
site = "b"
size = "5GB"
copies = ["a"]
seeded = false
change = "50MB/s"
commit = "3s"
replication = "asynchronous"
[[topology.fault]]
repair = "9s"
kind = "site"
name = "a"
at = "2s"
every = "31s"
[[topology.fault]]
repair = "9s"
kind = "site"
mtbf = "150s"
distribution = "weibull"
shape = 0.7
[[topology.fault]]
repair = "9s"
kind = "site"
mtbf = "200s"
[[workload.jobs]]
file = "jobs.csv"
restart_time = "1s"
[sim]
horizon = "20m"
[scheduler]
placement = "spread"
preemption_cost = "500ms"
site = "carbon"
`
	r := run(t, toml, map[string]string{"jobs.csv": `job,submit_s,accelerators,duration_s,dataset
0,1,1,6,x
1,3,2,1,x
2,15,2,49,y
3,21,4,35,x
4,22,2,29,
5,24,2,50,x
6,25,4,0,y
7,27,2,19,y
8,44,2,3,
`}, "scheduler.policy=conservative-backfill", "sim.seed=1")
	if got := number(t, r, "jobs.finished"); got != 9 {
		t.Errorf("%v of 9 jobs finish", got)
	}
}
