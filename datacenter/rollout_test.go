package datacenter_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// rolling is 16 hosts of a NIC of 10 GB/s and hosts that give an image of 20 GB.
func rolling(keys string) string {
	return `
[topology]
kind = "leaf-spine"
hosts_per_rack = 20
routing = "spray"
link_latency = "0s"
switch_latency = "0s"
[[topology.pool]]
name = "compute"
host = "node"
hosts = 16
[[topology.pool]]
name = "registry"
host = "registry"
hosts = 2
[hosts.node]
accelerator = "a100-sxm-80gb"
accelerators = 4
nics = 1
nic_bandwidth = "80Gbps"
nic_efficiency = 1.0
[hosts.registry]
accelerators = 0
nics = 1
nic_bandwidth = "80Gbps"
nic_efficiency = 1.0
[[workload.rollout]]
image = "20GB"
` + keys
}

// On an idle network images take what the closed forms of the package rollout say.
func TestRolloutTakes(t *testing.T) {
	const image, piece = 20e9, 4 << 20
	for _, c := range []struct {
		name, keys                 string
		batches, pull, time        float64
		registry, passed, hostTime float64
	}{
		{
			"one by one", "registry = [\"host16\"]\nbatch = 1\n",
			16, 16 * image / 10e9, 16 * image / 10e9, 16 * image, 0, 0,
		},
		{
			"all at once share the registry's NIC", "registry = [\"host16\"]\nbatch = 16\n",
			1, 16 * image / 10e9, 16 * image / 10e9, 16 * image, 0, 0,
		},
		{
			"two registries", "registry = [\"host16\", \"host17\"]\nbatch = 16\n",
			1, 8 * image / 10e9, 8 * image / 10e9, 16 * image, 0, 0,
		},
		{
			"a slow registry", "registry = [\"host16\"]\nregistry_rate = \"1GB/s\"\nbatch = 4\n",
			4, 16 * image / 1e9, 16 * image / 1e9, 16 * image, 0, 0,
		},
		{
			"peer to peer", "registry = [\"host16\"]\nbatch = 16\ndistribution = \"peer-to-peer\"\n",
			1, (image + 15*piece) / 10e9, (image + 15*piece) / 10e9, image, 15 * image, 0,
		},
		{
			"peer to peer in batches: the registry gives the image once", "registry = [\"host16\"]\nregistry_rate = \"1GB/s\"\nbatch = 8\ndistribution = \"peer-to-peer\"\n",
			2, (image+7*piece)/1e9 + (image+7*piece)/10e9, (image+7*piece)/1e9 + (image+7*piece)/10e9, image, 15 * image, 0,
		},
		{
			"two chains", "registry = [\"host16\", \"host17\"]\nbatch = 16\ndistribution = \"peer-to-peer\"\n",
			1, (image + 7*piece) / 10e9, (image + 7*piece) / 10e9, 2 * image, 14 * image, 0,
		},
		{
			"unpacked, drained and restarted", "registry = [\"host16\"]\nbatch = 8\nunpack = \"500MB/s\"\ndrain = \"1m\"\nrestart = \"2m\"\n",
			2, 2 * (8*image/10e9 + 40), 2 * (8*image/10e9 + 40 + 180), 16 * image, 0, 16 * 180,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, rolling(c.keys), nil)
			for metric, want := range map[string]float64{
				"batches": c.batches, "pull_s": c.pull, "time_s": c.time, "registry_bytes": c.registry, "passed_bytes": c.passed, "host_s": c.hostTime,
			} {
				if got := number(t, r, "rollouts.0."+metric); !near(got, want, 1e-6) && got != want {
					t.Errorf("%s is %v, want %v", metric, got, want)
				}
			}
			into := 0.0 // each host gets the image once
			for i, to := range words(t, r, "links", "to") {
				if strings.HasSuffix(to, "/nic0") && !strings.HasPrefix(words(t, r, "links", "from")[i], "host") {
					into += column(t, r, "links", "bytes")[i]
				}
			}
			if !near(into, 16*image, 1e-9) {
				t.Errorf("NICs received %v B, want %v", into, 16*image)
			}
		})
	}
}

// Of images that are on their way when the run ends those bytes count that have moved: after
// 5 s of hosts that take 2 s each, two and a half images; after 1 s of a chain of 16, the part
// that the first has had since the last pieces' delay, sixteen times.
func TestRolloutUnderWay(t *testing.T) {
	const image, piece = 20e9, 4 << 20
	for _, c := range []struct {
		name, horizon, keys string
		registry, passed    float64
	}{
		{"from the registry", "5s", "batch = 1\n", 2.5 * image, 0},
		{"peer to peer", "1s", "batch = 16\ndistribution = \"peer-to-peer\"\n", 10e9 - 15*piece, 15 * (10e9 - 15*piece)},
	} {
		r := run(t, "[sim]\nhorizon = \""+c.horizon+"\"\n"+rolling("registry = [\"host16\"]\n"+c.keys), nil)
		registry, passed := number(t, r, "rollouts.0.registry_bytes"), number(t, r, "rollouts.0.passed_bytes")
		if !near(registry, c.registry, 1e-6) || !near(passed, c.passed, 1e-6) && passed != c.passed {
			t.Errorf("%s: %v bytes of registries and %v passed on, want %v and %v", c.name, registry, passed, c.registry, c.passed)
		}
		into := 0.0
		for i, to := range words(t, r, "links", "to") {
			if strings.HasSuffix(to, "/nic0") && !strings.HasPrefix(words(t, r, "links", "from")[i], "host") {
				into += column(t, r, "links", "bytes")[i]
			}
		}
		if !near(into, registry+passed, 1e-9) {
			t.Errorf("%s: NICs received %v B, want %v", c.name, into, registry+passed)
		}
	}
}

// Hosts of a batch take no new jobs from the time that they have the image until they
// have restarted; what still runs when the drain ends is put back. Here four hosts in two
// batches, each with its image after 4 s, drained for 10 s and away for 20.
func TestRolloutDrains(t *testing.T) {
	text := strings.Replace(rolling("registry = [\"host4\"]\nbatch = 2\ndrain = \"10s\"\nrestart = \"20s\"\n"), "hosts = 16", "hosts = 4", 1)
	text = strings.Replace(text, "hosts = 2\n[hosts.node]", "hosts = 1\n[hosts.node]", 1) + `
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
policy = "fifo-skip"
decisions = true
`
	files := map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\nshort,0,4,10\nlong,0,4,100\nwhile,5,8,20\nlate,6,4,5\n"}
	r := run(t, text, files)
	// short ends at 10 s, before the hosts 0 and 1 restart; long is put back at 14 s, when
	// while has the others until 25 s. Then long begins anew, and late, which found no room
	// before though four accelerators were free from 10 s on. The second batch is drained
	// from 38 to 48 s, when long is put back again, on the hosts of the first.
	if got, want := words(t, r, "stretches", "job"), []string{"short", "long", "while", "long", "late", "long"}; !slices.Equal(got, want) {
		t.Errorf("jobs run in the order %q, want %q", got, want)
	}
	starts := column(t, r, "stretches", "start_s")
	for i, want := range []float64{0, 0, 5, 25, 25, 48} {
		if starts[i] != want {
			t.Errorf("stretch %d begins at %v s, want %v", i, starts[i], want)
		}
	}
	if got := number(t, r, "rollouts.0.interrupted"); got != 2 { // long twice: at 14 and at 48 s
		t.Errorf("%v jobs are put back", got)
	}
	if got, want := column(t, r, "rollouts", "drained_s"), []float64{14, 48}; !near(got[0], want[0], 1e-9) || !near(got[1], want[1], 1e-9) {
		t.Errorf("batches restart at %v s, want %v", got, want)
	}
	from, to := column(t, r, "outages", "from_s"), column(t, r, "outages", "to_s")
	for i, where := range words(t, r, "outages", "accelerators") {
		out := map[string][2]float64{"0-3": {10, 34}, "4-7": {14, 34}, "8-11": {48, 68}, "12-15": {38, 68}}[where]
		if !near(from[i], out[0], 1e-9) || !near(to[i], out[1], 1e-9) || words(t, r, "outages", "kind")[i] != "rollout" {
			t.Errorf("accelerators %s are out of use from %v to %v s, want %v", where, from[i], to[i], out)
		}
	}
}

// Over random queues and rollouts: no job starts on a host from the time that it has the
// image until it has restarted, none is on it while it restarts, all end, and every byte
// comes from the registry or from a peer.
func TestRolloutKeepsJobsAway(t *testing.T) {
	tested := t
	rapid.Check(t, func(t *rapid.T) {
		hosts, batch := rapid.IntRange(1, 6).Draw(t, "hosts"), rapid.IntRange(1, 7).Draw(t, "batch")
		how := rapid.SampledFrom([]string{"registry", "peer-to-peer"}).Draw(t, "distribution")
		text := strings.Replace(rolling(fmt.Sprintf("registry = [\"host%d\"]\nbatch = %d\ndistribution = %q\nstart = \"%ds\"\ndrain = \"%ds\"\nrestart = \"%ds\"\n",
			hosts, batch, how, rapid.IntRange(0, 20).Draw(t, "start"), rapid.IntRange(0, 20).Draw(t, "drain"), rapid.IntRange(0, 20).Draw(t, "restart"))), "hosts = 16", fmt.Sprint("hosts = ", hosts), 1)
		text += fmt.Sprintf("[[workload.jobs]]\nfile = \"jobs.csv\"\n[scheduler]\npolicy = %q\n", rapid.SampledFrom([]string{"fifo", "fifo-skip", "easy-backfill", "srtf", "las"}).Draw(t, "policy"))
		if rapid.Bool().Draw(t, "by host") {
			text += "placement = \"pack\"\n"
		}
		if rapid.Bool().Draw(t, "fails") {
			text += fmt.Sprintf("[[topology.fault]]\nkind = \"host\"\nname = \"host0\"\nat = \"%ds\"\nrepair = \"%ds\"\n", rapid.IntRange(1, 60).Draw(t, "at"), rapid.IntRange(1, 60).Draw(t, "repair"))
		}
		jobs := "job,submit_s,accelerators,duration_s\n"
		for i := range rapid.IntRange(1, 12).Draw(t, "jobs") {
			jobs += fmt.Sprintf("j%d,%d,%d,%d\n", i, 3*i, rapid.IntRange(1, 4*hosts).Draw(t, "accelerators"), rapid.IntRange(1, 30).Draw(t, "duration"))
		}
		r := run(tested, text, map[string]string{"jobs.csv": jobs})
		for i, status := range words(tested, r, "jobs", "status") {
			if status != "finished" {
				t.Fatalf("job %d: %s", i, status)
			}
		}
		if got := number(tested, r, "rollouts.0.registry_bytes") + number(tested, r, "rollouts.0.passed_bytes"); !near(got, float64(hosts)*20e9, 1e-9) {
			t.Fatalf("%v B for %d hosts", got, hosts)
		}
		pulled, drained, ended := column(tested, r, "rollouts", "pulled_s"), column(tested, r, "rollouts", "drained_s"), column(tested, r, "rollouts", "finish_s")
		from, to, where := column(tested, r, "stretches", "start_s"), column(tested, r, "stretches", "finish_s"), words(tested, r, "stretches", "placement")
		for i := range from {
			for _, a := range parseRanges(where[i]) {
				b := int(a) / 4 / batch // of its host
				if from[i] > pulled[b] && from[i] < ended[b] || from[i] < ended[b] && to[i] > drained[b]+1e-9 && drained[b] < ended[b] {
					t.Fatalf("a job runs on accelerator %d from %v to %v s; its host has its image at %v s and restarts from %v to %v s\n%s\n%s", a, from[i], to[i], pulled[b], drained[b], ended[b], text, jobs)
				}
			}
		}
	})
}

func TestRolloutFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{rolling("registry = [\"host3\"]\nbatch = 1\npool = \"compute\"\n"), "workload.rollout[0].registry: host3 is one of the hosts that get the image"},
		{rolling("registry = [\"hots3\"]\nbatch = 1\n"), `workload.rollout[0].registry: there is no host "hots3"`},
		{rolling("registry = [\"host16\"]\nbatch = 1\npiece = \"1MiB\"\n"), `workload.rollout[0].piece: belongs to distribution = "peer-to-peer"`},
		{rolling("registry = [\"host16\"]\nbatch = 1\npool = \"gpus\"\n"), `there is no [[topology.pool]] with the name "gpus"`},
		{bare + "[[workload.rollout]]\nregistry = [\"a\"]\nimage = \"1GB\"\nbatch = 1\n", "workload.rollout[0]: there are no hosts to bring software to"},
		{"[sim]\nfidelity = \"packet\"\n" + rolling("registry = [\"host16\"]\nbatch = 1\n"), `sim.fidelity: "packet" does not simulate workload.rollout[0]`},
	} {
		if got := refused(t, c.text, nil); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
