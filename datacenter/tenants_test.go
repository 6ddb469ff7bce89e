package datacenter_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

// tenantFabric is a small fabric, and the scenario that builds the same.
func tenantFabric(t *rapid.T) (*topology.Topology, string) {
	scaleUp := rapid.SampledFrom([]topology.ScaleUp{topology.ScaleUpSwitch, topology.ScaleUpPCIe}).Draw(t, "scale-up")
	host := topology.Host{
		Name: "small", Accelerators: 2, ScaleUp: scaleUp, ScaleUpBandwidth: 1e11, ScaleUpEfficiency: 1,
		NICs: 2, NICBandwidth: 1e10, NICEfficiency: 1,
	}
	kind := rapid.SampledFrom([]string{"leaf-spine", "rail", "fat-tree"}).Draw(t, "kind")
	routing := rapid.SampledFrom([]string{"ecmp", "spray", "static"}).Draw(t, "routing")
	policy, _ := topology.ParsePolicy(routing)
	f := topology.Fabric{Host: host, Hosts: rapid.IntRange(2, 8).Draw(t, "hosts"), HostsPerRack: rapid.IntRange(1, 4).Draw(t, "rack"), Oversubscription: 1, Routing: topology.Routing{Policy: policy, QueuePairs: 1}}
	keys := fmt.Sprintf("hosts_per_rack = %d\n", f.HostsPerRack)
	build := topology.LeafSpine
	switch kind {
	case "rail":
		build = topology.Rail
	case "fat-tree":
		f.Ports, f.HostsPerRack, build = 4, 0, topology.FatTree
		keys = "k = 4\n"
	}
	topo, err := build(f)
	if err != nil {
		t.Fatal(err)
	}
	return topo, fmt.Sprintf(`[topology]
kind = %q
host = "small"
hosts = %d
routing = %q
%s[hosts.small]
accelerator = "a100-sxm-80gb"
accelerators = 2
nics = 2
scale_up = %q
`, kind, f.Hosts, routing, keys, scaleUp)
}

// ran is a job that had accelerators for a time.
type ran struct {
	job, tenant   string
	from, to      float64
	hosts, leaves map[int32]bool
	links         map[topology.LinkID]bool // that its messages may take
}

// newRan finds what a job could have used of a fabric.
func newRan(topo *topology.Topology, accelerators []topology.NodeID) ran {
	x := ran{hosts: map[int32]bool{}, leaves: map[int32]bool{}, links: map[topology.LinkID]bool{}}
	inside := topo.InHosts()
	var w topology.Way
	for _, a := range accelerators {
		server := topo.Server(a)
		x.hosts[int32(server)] = true
		x.leaves[int32(topo.Servers[server].Rack)] = true
		for _, b := range accelerators {
			for label := range uint64(32) {
				topo.Way(a, b, label, nil, &w)
				for _, l := range w.Links {
					if !inside(&topo.Links[l]) {
						x.links[l] = true
					}
				}
			}
		}
	}
	return x
}

// Over random queues, fabrics, routings and placements: of two tenants whose jobs ran at
// one time, hosts failing meanwhile or not, neither was on a host, a rack or a link that either forbids, where a link
// counts that any message between accelerators of the job could take.
func TestTenantsShareNothingForbidden(t *testing.T) {
	tested := t
	rapid.Check(t, func(t *rapid.T) {
		topo, fabric := tenantFabric(t)
		apart := []string{"none", "host", "rack", "link"}
		forbids := map[string]string{}
		var security strings.Builder
		standard := rapid.SampledFrom(apart).Draw(t, "apart")
		fmt.Fprintf(&security, "[scheduler.security]\ntenants = \"user\"\napart = %q\n", standard)
		for _, tenant := range []string{"ann", "bob", "eve"} {
			forbids[tenant] = standard
			if rapid.Bool().Draw(t, "says") {
				forbids[tenant] = rapid.SampledFrom(apart).Draw(t, "apart of "+tenant)
				fmt.Fprintf(&security, "[[scheduler.security.tenant]]\nname = %q\napart = %q\n", tenant, forbids[tenant])
			}
		}
		forbids[""] = standard
		if rapid.Bool().Draw(t, "fails") {
			fabric += fmt.Sprintf("[[topology.fault]]\nkind = \"host\"\nname = \"host%d\"\nat = \"%ds\"\nrepair = \"%ds\"\n",
				rapid.IntRange(0, topo.Accelerators()/2-1).Draw(t, "which"), rapid.IntRange(1, 20).Draw(t, "at"), rapid.IntRange(1, 20).Draw(t, "repair"))
		}
		var jobs strings.Builder
		fmt.Fprintln(&jobs, "job,submit_s,accelerators,duration_s,user")
		tenantOf := map[string]string{}
		for i := range rapid.IntRange(1, 20).Draw(t, "jobs") {
			name := fmt.Sprint("j", i)
			tenantOf[name] = rapid.SampledFrom([]string{"ann", "bob", "eve", ""}).Draw(t, "tenant")
			fmt.Fprintf(&jobs, "%s,%d,%d,%d,%s\n", name, i, rapid.IntRange(1, topo.Accelerators()).Draw(t, "accelerators"), rapid.IntRange(1, 9).Draw(t, "duration"), tenantOf[name])
		}
		r := run(tested, fmt.Sprintf(`%s
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = %q
placement = %q
consolidate = %v
%s`, fabric, rapid.SampledFrom([]string{"fifo", "fifo-skip", "easy-backfill", "srtf", "conservative-backfill"}).Draw(t, "policy"),
			rapid.SampledFrom([]string{"pack", "spread", "topology", "random", "best-fit"}).Draw(t, "placement"), rapid.Bool().Draw(t, "consolidate"), security.String()),
			map[string]string{"jobs.csv": jobs.String()})
		from, to := column(tested, r, "stretches", "start_s"), column(tested, r, "stretches", "finish_s")
		names, where := words(tested, r, "stretches", "job"), words(tested, r, "stretches", "placement")
		var before []ran
		for i := range names {
			x := newRan(topo, parseRanges(where[i]))
			x.job, x.tenant, x.from, x.to = names[i], tenantOf[names[i]], from[i], to[i]
			for _, y := range before {
				if y.tenant == x.tenant || y.to <= x.from || x.to <= y.from {
					continue
				}
				for what, shared := range map[string]bool{
					"host": meet(x.hosts, y.hosts), "rack": meet(x.leaves, y.leaves), "link": meet(x.links, y.links),
				} {
					for _, forbidden := range []string{forbids[x.tenant], forbids[y.tenant]} {
						if shared && (forbidden == what || what == "host" && forbidden != "none") {
							t.Fatalf("%s of %q and %s of %q share a %s, and %q forbids it:\n%s", x.job, x.tenant, y.job, y.tenant, what, forbidden, jobs.String())
						}
					}
				}
			}
			before = append(before, x)
		}
	})
}

func meet[K comparable](a, b map[K]bool) bool {
	for k := range a {
		if b[k] {
			return true
		}
	}
	return false
}

// parseRanges reads "0-3 7".
func parseRanges(text string) (all []topology.NodeID) {
	for part := range strings.FieldsSeq(text) {
		first, last, wide := strings.Cut(part, "-")
		if !wide {
			last = first
		}
		a, _ := strconv.Atoi(first)
		b, _ := strconv.Atoi(last)
		for ; a <= b; a++ {
			all = append(all, topology.NodeID(a))
		}
	}
	return all
}

// Four racks of one host of eight. The first is the vault's own; the bank shares no rack.
// The lab and the shop may share all, but with the bank nothing. The shop's job of eight
// finds only the vault free; then, when another four are, it would have to share with the
// bank, until that leaves at 60 s.
func TestTenantsOfAQueue(t *testing.T) {
	const toml = `[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 4
hosts_per_rack = 1
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "fifo-skip"
placement = "pack"
[scheduler.security]
[[scheduler.security.tenant]]
name = "bank"
apart = "rack"
[[scheduler.security.tenant]]
name = "vault"
hosts = [0]
`
	files := map[string]string{"jobs.csv": `job,submit_s,accelerators,duration_s,group
a,0,4,60,bank
b,1,12,60,lab
c,2,4,10,shop
d,3,8,10,shop
e,4,4,10,vault
`}
	r := run(t, toml, files)
	if got, want := words(t, r, "stretches", "placement"), []string{"8-11", "16-27", "28-31", "0-3", "8-15"}; !slices.Equal(got, want) {
		t.Errorf("jobs ran on %q, want %q", got, want)
	}
	var said []string
	at, action, reason, job, part := column(t, r, "decisions", "time_s"), words(t, r, "decisions", "action"), words(t, r, "decisions", "reason"), words(t, r, "decisions", "job"), words(t, r, "decisions", "part")
	for i := range at {
		if action[i] == "refuse" {
			said = append(said, fmt.Sprintf("%v %s %s %s", at[i], job[i], reason[i], part[i]))
		}
	}
	if want := []string{"3 d not-own vault", "12 d shared-host bank"}; !slices.Equal(said, want) {
		t.Errorf("refused: %q, want %q", said, want)
	}
	if got := column(t, r, "jobs", "start_s"); !slices.Equal(got, []float64{0, 1, 2, 60, 4}) {
		t.Errorf("jobs start at %v", got)
	}
}

// Workloads that run event by event have the tenant that their group is: of two of four
// accelerators of one host each, the second goes to another.
func TestTenantsOfWorkloads(t *testing.T) {
	r := run(t, `[topology]
kind = "rail"
host = "dgx-a100"
hosts = 2
[[workload.collective]]
op = "all_reduce"
sizes = ["1GiB"]
accelerators = 4
group = "ann"
[[workload.collective]]
op = "all_reduce"
sizes = ["1GiB"]
accelerators = 4
group = "bob"
[scheduler.security]
apart = "host"
`, nil)
	busy := map[string]bool{}
	for i, host := range words(t, r, "accelerators", "host") {
		if column(t, r, "accelerators", "communication_s")[i] > 0 {
			busy[host] = true
		}
	}
	if len(busy) != 2 {
		t.Errorf("on hosts %v", busy)
	}
}

func TestTenantFaults(t *testing.T) {
	const fabric = `[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 2
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB"]
[scheduler.security]
`
	const own = "[[scheduler.security.tenant]]\nname = \"ann\"\n"
	for _, c := range []struct{ name, toml, want string }{
		{"no hosts", bare + "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n[scheduler.security]\n", `scheduler.security: is about hosts, and a topology of kind "switch" has none`},
		{"no such host", fabric + own + "hosts = [1, 2]\n", "case.toml:11:9: scheduler.security.tenant[0].hosts: there is no host 2: the topology has 0 to 1"},
		{"no such pool", fabric + own + "pool = \"gold\"\n", `case.toml:11:8: scheduler.security.tenant[0].pool: there is no [[topology.pool]] with the name "gold"`},
		{"twice", fabric + own + own, `case.toml:12:8: scheduler.security.tenant[1].name: "ann" is there twice`},
		{"whose", fabric + own + "hosts = [1]\n" + strings.Replace(own, "ann", "bob", 1) + "hosts = [1]\n", `scheduler.security.tenant[1].hosts: host 1 is "ann"'s own already`},
		{"shared", strings.Replace(fabric, "[scheduler", "shared = true\n[scheduler", 1), "workload.collective[0].shared: contradicts [scheduler.security]"},
		{"wide hosts", `[topology]
kind = "fat-tree"
k = 8
host = "dgx-a100"
hosts = 2
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB"]
[scheduler.security]
apart = "link"
`, `apart = "link" needs hosts that join one leaf: the NICs of host0 join the leaves 0 to 1`},
		{"dragonfly", strings.Replace(fabric, "leaf-spine", "dragonfly", 1) + "apart = \"link\"\n", `"link" takes one site of kind "leaf-spine"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refused(t, c.toml, nil); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}
