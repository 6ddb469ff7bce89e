package datacenter_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// eastLost is two sites with a host of eight accelerators each, which a cable of 1 GB/s and
// 1 s joins. East is lost at a time, in seconds, for 1000 s.
func eastLost(lost float64) string {
	return fmt.Sprintf(`
[topology]
takeover = "3s"
[[topology.site]]
name = "east"
kind = "leaf-spine"
host = "dgx-h100"
hosts = 1
[[topology.site]]
name = "west"
kind = "leaf-spine"
host = "dgx-h100"
hosts = 1
[[topology.wan]]
from = "east"
to = "west"
bandwidth = "8Gbps"
latency = "1s"
price = "0.02USD"
[[topology.fault]]
kind = "site"
name = "east"
at = "%vs"
repair = "1000s"
`, lost)
}

// A job of 100 s makes a checkpoint of 8 GB every 10 s, which is 9 s on its way to the west.
// East is lost at 45 s, when the copies of 10, 20 and 30 s have come and that of 40 s has not;
// the job starts again in the west in 5 s. Asynchronously, with 25 s between copies, only
// that of 10 s has. Where just the job's host fails what is saved goes to the west, which
// takes 9 s; synchronously that is the latest checkpoint of which there is a copy.
func TestJobFailsOver(t *testing.T) {
	host := strings.Replace(eastLost(45), "kind = \"site\"\nname = \"east\"", "kind = \"host\"\nname = \"east/host0\"", 1)
	for _, c := range []struct {
		name, topology, copies  string
		rpo, rto, finish, bytes float64 // bytes that cross in 1e9
	}{
		{"synchronous", eastLost(45), "replicate_to = [\"west\", \"east\"]\nreplication = \"synchronous\"\n", 15, 5, 120, 28},
		{"asynchronous", eastLost(45), "replicate_to = [\"west\", \"east\"]\nreplication_interval = \"15s\"\n", 15, 5, 120, 16},
		{"asynchronous, seldom", eastLost(45), "replicate_to = [\"west\", \"east\"]\nreplication_interval = \"25s\"\n", 35, 5, 140, 12},
		{"without copies", eastLost(45), "", 45, 5, 150, 0},
		{"a host, synchronous", host, "replicate_to = [\"west\", \"east\"]\nreplication = \"synchronous\"\n", math.NaN(), 0, 129, math.NaN()},
		{"a host, asynchronous", host, "replicate_to = [\"west\", \"east\"]\n", math.NaN(), 0, 119, math.NaN()},
	} {
		size := ""
		if c.copies != "" {
			size = "checkpoint_size = \"1GB\"\n"
		}
		r := run(t, c.topology+"[[workload.jobs]]\nfile = \"jobs.csv\"\ncheckpoint_interval = \"10s\"\nrestart_time = \"5s\"\n"+size+c.copies+"[scheduler]\nsite = \"load\"\n",
			map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,8,100\n"})
		if got := column(t, r, "jobs", "finish_s")[0]; math.Abs(got-c.finish) > 1e-6 {
			t.Errorf("%s: ends at %v s, want %v", c.name, got, c.finish)
		}
		if useful := number(t, r, "jobs.accelerator_time_s.useful"); math.Abs(useful-800) > 1e-6 {
			t.Errorf("%s: %v accelerator-seconds count, want 800", c.name, useful)
		}
		if math.IsNaN(c.rpo) {
			if r.Table("failovers") != nil {
				t.Errorf("%s: the site is not lost", c.name)
			}
			continue
		}
		for name, want := range map[string]float64{"at_s": 45, "rpo_s": c.rpo, "rto_s": c.rto, "resumed_s": 45 + c.rto} {
			if got := column(t, r, "failovers", name)[0]; math.Abs(got-want) > 1e-9 {
				t.Errorf("%s: %s is %v, want %v", c.name, name, got, want)
			}
		}
		if got := cells(t, r, "failovers", "to"); got != "west" {
			t.Errorf("%s: it goes on in %q", c.name, got)
		}
		if got := number(t, r, "sites.wan_bytes"); math.Abs(got-c.bytes*1e9) > 1 {
			t.Errorf("%s: %v bytes crossed, want %v GB", c.name, got, c.bytes)
		}
		if got := number(t, r, "sites.wan_USD"); math.Abs(got-0.02*c.bytes) > 1e-9 {
			t.Errorf("%s: they cost %v USD", c.name, got)
		}
	}
}

// A job that waits for its own site, which alone may have it, goes on there from what it had
// saved: nothing is begun anew.
func TestJobWaitsForItsSite(t *testing.T) {
	r := run(t, strings.Replace(eastLost(45), "1000s", "60s", 1)+"[[workload.jobs]]\nfile = \"jobs.csv\"\ncheckpoint_interval = \"10s\"\n[scheduler]\nsite = \"load\"\n",
		map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s,site\na,0,8,100,east\n"})
	for name, want := range map[string]string{"rpo_s": "5", "rto_s": "60", "to": "east"} {
		if got := cells(t, r, "failovers", name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := cells(t, r, "jobs", "finish_s"); got != "165" {
		t.Errorf("ends at %s s, want 45 + 60 + 60", got)
	}
}

// disaster is jobs, requests and a dataset on two sites of which one is lost at a time.
func disaster(lost float64, mode string, repair string) (toml string, files map[string]string) {
	toml = strings.NewReplacer("1000s", repair, "hosts = 1", "hosts = 4", "8Gbps", "100Gbps", "1s\"\nprice", "20ms\"\nprice").Replace(eastLost(lost)) + fmt.Sprintf(`
[[topology.dataset]]
name = "crawl"
site = "east"
size = "100GB"
copies = ["west"]
change = "100MB/s"
commit = "1s"
replication = %q
%s
[[workload.jobs]]
file = "jobs.csv"
checkpoint_interval = "40s"
checkpoint_time = "2s"
checkpoint_size = "2GB"
restart_time = "7s"
replicate_to = ["west", "east"]
replication = %q
%s
[[workload.serving]]
model = "llama-3.1-8b"
accelerators = [0, 1, 32, 33]
rate = 4
count = 2400
input = 200
output = { distribution = "uniform", min = 1, max = 60 }
prefix_cache = false
[[workload.serving.client]]
site = "east"
[[workload.serving.client]]
site = "west"
[scheduler]
policy = "fifo-skip"
site = "load"
`, mode, map[string]string{"asynchronous": "replication_interval = \"30s\""}[mode], mode, map[string]string{"asynchronous": "replication_interval = \"60s\""}[mode])
	var jobs strings.Builder
	jobs.WriteString("job,submit_s,accelerators,duration_s\n")
	for i := range 6 {
		fmt.Fprintf(&jobs, "j%d,%d,4,%d\n", i, 3*i, 400+30*i)
	}
	return toml, map[string]string{"jobs.csv": jobs.String()}
}

// TestSiteIsLost: at any of 50 random moments, with either sort of replication, and whether
// the site is soon back, much later or after the end, each job's work is done once, each
// request is answered once, and what a site had is not older than its replication promises.
//
// With up to 6 jobs of 4 accelerators and a dataset a copy shares the cable with at most six
// others, of 8 GB and of what the dataset changes in 30 s and more: T is then 20 ms and
// 56 GB / 12.5 GB/s at the most. From a checkpoint to the next are 40 + 2 s, and what a
// checkpoint stands for is from before its own 2 s.
func TestSiteIsLost(t *testing.T) {
	const t1 = 0.02 + 56/12.5
	random := rand.New(rand.NewPCG(8, 9))
	failedOver := map[string]int{}
	promises := []struct {
		mode string
		rpo  map[string]float64
	}{
		{"synchronous", map[string]float64{"job": 42 + 2 + t1, "dataset": 0}},
		{"asynchronous", map[string]float64{"job": 60 + 42 + 2 + t1, "dataset": 30 + t1}},
	}
	for n := range 50 {
		lost, p := random.Float64()*600, promises[n%2]
		repair := []string{"5s", "100s", "4000s"}[random.IntN(3)]
		toml, files := disaster(lost, p.mode, repair)
		r := run(t, toml, files)
		where := fmt.Sprintf("lost at %v s for %s, %s", lost, repair, p.mode)
		checkDisaster(t, where, r)
		table := r.Table("failovers")
		if table == nil {
			continue
		}
		for i := range table.Rows() {
			name, kind := table.Column("name").Text[i], table.Column("kind").Text[i]
			failedOver[kind]++
			rpo, rto := table.Column("rpo_s").Numbers[i], table.Column("rto_s").Numbers[i]
			if most := p.rpo[kind]; rpo > most {
				t.Errorf("%s: RPO of %s is %v s, promised are %v", where, name, rpo, most)
			}
			// Jobs have room at the other site, and wait for none; the last of the requests
			// computes its prompt again, among those that came meanwhile.
			if most := map[string]float64{"job": 7, "dataset": 3, "requests": 3 + 5}[kind]; !(rto <= most+1e-9) {
				t.Errorf("%s: RTO of %s is %v s, promised are %v", where, name, rto, most)
			}
		}
	}
	for kind, least := range map[string]int{"job": 50, "dataset": 40, "requests": 10} {
		if failedOver[kind] < least {
			t.Errorf("%d failovers of a %s: the moments are badly chosen", failedOver[kind], kind)
		}
	}
}

// checkDisaster sees to it that nothing was lost, or done twice.
func checkDisaster(t *testing.T, where string, r *railyard.Result) {
	t.Helper()
	useful := 0.0
	for i := range 6 {
		useful += 4 * float64(400+30*i)
	}
	// The replicas hold theirs from the beginning to the end.
	finish, start := column(t, r, "jobs", "finish_s"), column(t, r, "jobs", "start_s")
	for i, row := range r.Table("jobs").Columns[0].Text {
		if !strings.HasPrefix(row, "j") {
			useful += 4 * (finish[i] - start[i])
		}
	}
	if got := number(t, r, "jobs.accelerator_time_s.useful"); math.Abs(got-useful) > 1e-3 {
		t.Errorf("%s: %v accelerator-seconds count, the jobs are %v", where, got, useful)
	}
	for path, want := range map[string]float64{"jobs.finished": 7, "jobs.failed": 0, "serving.0.requests": 2400} {
		if got := number(t, r, path); got != want {
			t.Errorf("%s: %s is %v, want %v", where, path, got, want)
		}
	}
	requests := r.Table("requests")
	tokens := 0.0
	for i, status := range requests.Column("status").Text {
		if tokens += float64(requests.Column("output_tokens").Integers[i]); status != "finished" {
			t.Errorf("%s: request %d is %s", where, i, status)
		}
	}
	answered := number(t, r, "sites.sites.0.answered") + number(t, r, "sites.sites.1.answered")
	if asked := number(t, r, "sites.sites.0.asked") + number(t, r, "sites.sites.1.asked"); asked != 2400 || answered != 2400 {
		t.Errorf("%s: of 2400 requests %v were asked and %v answered", where, asked, answered)
	}
}

// Which site a job goes to, that comes to two idle ones: by the load the one with the least in
// use, of equals the first; by its data where they are; by the price and the intensity of the
// hour. A job that starts elsewhere than its data waits for them: 100 GB over 1 GB/s and 1 s.
func TestSiteChoice(t *testing.T) {
	for _, c := range []struct {
		name, rule, topology, row string
		at, finish                string // accelerators and seconds
	}{
		{"load", "load", "", "a,0,4,10,,", "0-3", "10"},
		{"its data", "data", "", "a,0,4,10,,there", "8-11", "10"},
		{"no data", "data", "", "a,0,4,10,,", "0-3", "10"},
		{"data elsewhere", "load", "", "a,0,4,10,,there", "0-3", "111"},
		{"pinned", "data", "", "a,0,4,10,east,there", "0-3", "111"},
		{"price", "price", "", "a,0,4,10,,", "0-3", "10"},
		{"price later", "price", "", "a,4000,4,10,,", "8-11", "4010"},
		{"carbon", "carbon", "", "a,0,4,10,,", "8-11", "10"},
		{"another accelerator", "load", "", "a,0,4,10,west,", "8-11", "10"},
		{"twice as fast", "data", "speed = 2\n", "a,0,4,10,,there", "8-11", "5"},
	} {
		toml := `
[[topology.site]]
name = "east"
kind = "leaf-spine"
host = "dgx-h100"
hosts = 1
tariff_file = "tariff.csv"
carbon = { intensity = 400 }
[[topology.site]]
name = "west"
kind = "leaf-spine"
host = "dgx-a100"
hosts = 1
tariff = "0.08USD/kWh"
carbon = { intensity = 300 }
` + c.topology + `[[topology.wan]]
from = "east"
to = "west"
bandwidth = "8Gbps"
latency = "1s"
[[topology.dataset]]
name = "there"
site = "west"
size = "100GB"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
site = "` + c.rule + `"
`
		r := run(t, toml, map[string]string{
			"jobs.csv":   "job,submit_s,accelerators,duration_s,site,dataset\n" + c.row + "\n",
			"tariff.csv": "time_s,tariff_USD_per_kWh\n0,0.05\n3600,0.12\n",
		})
		if got := cells(t, r, "stretches", "placement"); got != c.at {
			t.Errorf("%s: on %s, want %s", c.name, got, c.at)
		}
		if got := cells(t, r, "jobs", "finish_s"); got != c.finish {
			t.Errorf("%s: ends at %s s, want %s", c.name, got, c.finish)
		}
	}
}

// Replicas lie at both sites though jobs lie at one each, and so does a training that takes
// more than one has.
func TestWhatSpansSites(t *testing.T) {
	for _, w := range []string{
		"[[workload.serving]]\nmodel = \"llama-3.1-8b\"\naccelerators = 12\nconcurrency = 1\ncount = 1\ninput = 1\noutput = 1\n",
		"[[workload.training]]\nmodel = \"bert-large\"\naccelerators = 16\nglobal_batch = 16\nsequence = 128\n",
	} {
		toml := eastLost(5000) + w + "[[workload.jobs]]\nfile = \"jobs.csv\"\n[scheduler]\nsite = \"load\"\npolicy = \"fifo-skip\"\n"
		r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,50,4,100\n"})
		if got := number(t, r, "jobs.finished"); got != 2 {
			t.Errorf("%v of 2 have finished: %s", got, w)
		}
	}
}

// Jobs that no single site holds are refused, as are keys that lack what they speak of.
func TestSitesRefused(t *testing.T) {
	jobs := "[[workload.jobs]]\nfile = \"jobs.csv\"\n"
	for _, c := range []struct{ name, toml, rows, want string }{
		{"too large for a site", jobs + "[scheduler]\nsite = \"load\"\n", "a,0,9,10,,", "finds no room even on the idle cluster"},
		{"no such site", jobs + "[scheduler]\nsite = \"load\"\n", "a,0,4,10,wst,", `there is no [[topology.site]] "wst" (did you mean "west"?)`},
		{"no such data", jobs, "a,0,4,10,,crawl", `there is no [[topology.dataset]] "crawl"`},
		{"pinned by nobody", jobs, "a,0,4,10,west,", "scheduler.site is missing"},
		{"carbon unknown", jobs + "[scheduler]\nsite = \"carbon\"\n", "a,0,4,10,,", "nothing says the carbon intensity of site east"},
		{"which data", jobs + "[scheduler]\nsite = \"data\"\n", "a,0,4,10,,", "there is no [[topology.dataset]]"},
		{"copies of what", jobs + "replicate_to = [\"west\"]\n", "a,0,4,10,,", "checkpoint_interval is missing"},
		{"copies to nowhere", jobs + "checkpoint_interval = \"1m\"\ncheckpoint_size = \"1GB\"\nreplicate_to = [\"moon\"]\n", "a,0,4,10,,", `there is no site "moon"`},
		{"too many checkpoints", jobs + "checkpoint_interval = \"1us\"\ncheckpoint_size = \"1GB\"\nreplicate_to = [\"west\"]\n", "a,0,4,10,,", "each of which is looked at"},
		{"packets", "[sim]\nfidelity = \"packet\"\n" + jobs + "checkpoint_interval = \"1m\"\ncheckpoint_size = \"1GB\"\nreplicate_to = [\"west\"]\n", "a,0,4,10,,", `is not simulated with fidelity = "packet"`},
		{"clients of nowhere", "[[workload.serving]]\nmodel = \"llama-3.1-8b\"\nconcurrency = 1\ncount = 1\ninput = 1\noutput = 1\n[[workload.serving.client]]\nsite = \"moon\"\n", "", `there is no site "moon"`},
		{"endless", "[[topology.dataset]]\nname = \"x\"\nsite = \"east\"\nsize = \"1GB\"\ncopies = [\"west\"]\nchange = \"1MB/s\"\n", "", "is copied without end"},
		{"twice there", "[sim]\nhorizon = \"1h\"\n[[topology.dataset]]\nname = \"x\"\nsite = \"east\"\nsize = \"1GB\"\ncopies = [\"east\"]\n", "", `"east" has it already`},
	} {
		s, err := load(t, eastLost(1)+c.toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s,site,dataset\n" + c.rows + "\n"})
		if err == nil {
			err = railyard.Check(s)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// The energy of the sites together is that of all, and each pays by its own tariff and emits
// by its own intensity. Hosts without accelerators are of the site that they lie at, the last
// of the east's too.
func TestSiteEnergy(t *testing.T) {
	toml := strings.NewReplacer(
		"host = \"dgx-h100\"\nhosts = 1\n[[topology.site]]", "[[topology.site.pool]]\nhost = \"dgx-h100\"\nhosts = 1\n[[topology.site.pool]]\nhost = \"server\"\nhosts = 2\n[[topology.site]]",
		"name = \"west\"\n", "name = \"west\"\ntariff = \"0.10USD/kWh\"\ncarbon = { intensity = 200 }\n",
		"name = \"east\"\nkind = \"leaf", "name = \"east\"\ntariff = \"0.05USD/kWh\"\ncarbon = { intensity = 600 }\nkind = \"leaf",
	).Replace(eastLost(5000)) + "[hosts.server]\naccelerators = 0\nnics = 1\nnic_bandwidth = \"100Gbps\"\npower = \"3kW\"\n[topology.cost]\n[[workload.jobs]]\nfile = \"jobs.csv\"\n[scheduler]\nsite = \"load\"\n"
	r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,8,3000\nb,100,2,1000\n"})
	if east, west := number(t, r, "sites.sites.0.hosts"), number(t, r, "sites.sites.1.hosts"); east != 3 || west != 1 {
		t.Errorf("%v hosts in the east and %v in the west, want 3 and 1", east, west)
	}
	sum, price := 0.0, 0.0
	for i, c := range []struct{ tariff, intensity float64 }{{0.05, 600}, {0.10, 200}} {
		joules := number(t, r, fmt.Sprintf("sites.sites.%d.energy_J", i))
		usd := number(t, r, fmt.Sprintf("sites.sites.%d.energy_USD", i))
		if kWh := joules / 3.6e6; !near(usd, kWh*c.tariff, 1e-9) || !near(number(t, r, fmt.Sprintf("sites.sites.%d.emissions_g", i)), kWh*c.intensity, 1e-9) {
			t.Errorf("site %d: %v kWh for %v USD", i, kWh, usd)
		}
		sum, price = sum+joules, price+usd
	}
	if total := number(t, r, "energy.total_J"); !near(sum, total, 1e-9) {
		t.Errorf("the sites took %v J, all together %v", sum, total)
	}
	if cost := number(t, r, "cost.energy_USD"); !near(cost, price, 1e-9) {
		t.Errorf("energy costs %v USD, the sites pay %v", cost, price)
	}
}

// Sites share a battery by what they draw: together they pay for what the grid gave, and emit
// what it did, with what is left in the battery. By hand, each of two equal sites draws half.
func TestSitesShareABattery(t *testing.T) {
	toml := eastLost(5000) + `
[topology.carbon]
file = "grid.csv"
[topology.battery]
capacity = "10kWh"
charge = "30kW"
threshold = 100
[topology.cost]
tariff = "0.1USD/kWh"
[[workload.jobs]]
file = "jobs.csv"
[scheduler]
site = "load"
`
	r := run(t, toml, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,8,3000\nb,0,8,3000\n", "grid.csv": "timestamp,carbon_intensity\n0,80\n600000,120\n1200000,60\n"})
	grid := number(t, r, "energy.grid_J")
	if used := number(t, r, "energy.total_J"); !near(grid, used+number(t, r, "energy.battery_J"), 1e-9) || grid == used {
		t.Errorf("the grid gives %v J, of which %v are used", grid, used)
	}
	for i := range 2 {
		if got, want := number(t, r, fmt.Sprintf("sites.sites.%d.energy_USD", i)), grid/2/3.6e6*0.1; !near(got, want, 1e-9) {
			t.Errorf("site %d pays %v USD, want %v", i, got, want)
		}
		if got, want := number(t, r, fmt.Sprintf("sites.sites.%d.emissions_g", i)), number(t, r, "energy.emissions_g")/2; !near(got, want, 1e-9) {
			t.Errorf("site %d emits %v g, want %v", i, got, want)
		}
	}
}

// A training over both sites meets the copies of a dataset on the cable between them, which
// come for as long as it lasts: its iterations take longer than alone, however many there are,
// and those of a training within a site do not.
func TestTrainingMeetsCopies(t *testing.T) {
	const training = "[[workload.training]]\nmodel = \"bert-large\"\nmicro_batch = 16\nglobal_batch = 1024\nsequence = 128\niterations = 200\n"
	const copies = "[[topology.dataset]]\nname = \"x\"\nsite = \"east\"\nsize = \"1TB\"\ncopies = [\"west\"]\nchange = \"400MB/s\"\nreplication_interval = \"30s\"\n"
	sites := eastLost(1)[:strings.Index(eastLost(1), "[[topology.fault]]")]
	sites = sites[strings.Index(sites, "[[topology.site]]"):]
	time := func(toml string) float64 { return number(t, run(t, toml, nil), "training.0.time_to_train_s") }
	if alone, met := time(sites+training), time(sites+copies+training); met < 1.02*alone {
		t.Errorf("over the cable 200 iterations take %v s beside copies, %v s alone", met, alone)
	}
	within := training + "accelerators = [0, 1, 2, 3, 4, 5, 6, 7]\n"
	if alone, met := time(sites+within), time(sites+copies+within); met != alone {
		t.Errorf("within a site 200 iterations take %v s beside copies, %v s alone", met, alone)
	}
}

// Of eight accelerators that a fleet with clients takes each site has four, whatever the rule
// of placement packs together: each answers those near it, and west goes on when east is lost.
func TestReplicasAreDealtToSites(t *testing.T) {
	toml := eastLost(100) + `
[[workload.serving]]
model = "llama-3.1-8b"
accelerators = 8
rate = 8
count = 1600
input = 200
output = 100
[workload.serving.autoscale]
min = 2
target = 1000
[[workload.serving.client]]
site = "east"
[[workload.serving.client]]
site = "west"
[scheduler]
placement = "pack"
`
	r := run(t, toml, nil)
	if got := number(t, r, "serving.0.requests"); got != 1600 {
		t.Errorf("%v of 1600 are answered", got)
	}
	// Half of all come in the first 100 s, and half of these are near east.
	east, west := number(t, r, "sites.sites.0.answered"), number(t, r, "sites.sites.1.answered")
	if east < 320 || east > 480 || east+west != 1600 {
		t.Errorf("east answered %v, west %v", east, west)
	}
	if rto := column(t, r, "failovers", "rto_s"); len(rto) != 1 || rto[0] > 3+5 {
		t.Errorf("RTO of %v s", rto)
	}
}

// A pipeline makes 1 GB/s of images in the east, and a training in the west, whose site has a
// file system of its own, reads them from there as they are made: no faster, and over the cable.
func TestTrainingReadsFromAnotherSite(t *testing.T) {
	toml := `
[sim]
horizon = "200s"
[topology.storage]
layout = "striped"
pool = "files"
by_site = true
drive_read = "10GB/s"
[hosts.server]
accelerators = 0
cpus = 64
nics = 1
nic_bandwidth = "400Gbps"
[[topology.site]]
name = "east"
kind = "leaf-spine"
[[topology.site.pool]]
name = "files"
host = "server"
hosts = 2
[[topology.site.pool]]
name = "maker"
host = "server"
hosts = 1
[[topology.site.pool]]
host = "dgx-h100"
hosts = 1
[[topology.site]]
name = "west"
kind = "leaf-spine"
[[topology.site.pool]]
host = "dgx-h100"
hosts = 1
[[topology.site.pool]]
name = "files"
host = "server"
hosts = 2
[[topology.wan]]
from = "east"
to = "west"
bandwidth = "100Gbps"
latency = "10ms"
[[workload.pipeline]]
name = "images"
pool = "maker"
items = 10000000
size = "1TB"
arrival = "1GB/s"
batches = 1000
[[workload.pipeline.stage]]
kind = "ingest"
[[workload.training]]
model = "resnet-50"
micro_batch = 256
global_batch = 4096
iterations = 100000
accelerators = [8, 9, 10, 11, 12, 13, 14, 15]
[workload.training.input]
sample = "100kB"
cpu = "0s"
from = "images"
`
	r := run(t, toml, nil)
	made := number(t, r, "pipelines.0.items_out")
	read := number(t, r, "training.0.input.read_bytes")
	if read > made*1e5 || read < 0.9*made*1e5 {
		t.Errorf("%v GB are read of %v that are made", read/1e9, made/1e4)
	}
	if crossed := number(t, r, "sites.wan_bytes"); crossed < read || crossed > 1.01*read {
		t.Errorf("%v bytes cross the cable, %v are read", crossed, read)
	}
}
