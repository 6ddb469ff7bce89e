package datacenter_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
)

// What must hold between two runs, whatever the constants of the models are (Chen et al.,
// Metamorphic Testing: A New Approach for Generating Next Test Cases, HKUST 1998): no run
// has an oracle, but a change of the scenario whose effect is known by argument is one.
//
// Some relations that look as if they must hold need not, and are not here. Of several
// jobs, one may end later for a faster link or accelerator: max-min shares and lists of
// waiting jobs have anomalies (Graham, Bounds on Multiprocessing Timing Anomalies, 1969),
// and so have batches of requests, which are smaller if they are sooner ready. Other seeds
// move messages to other paths (ECMP). A workload's name is that of its random stream. The
// policy gittins knows the durations of all jobs, las counts whole seconds, and rampDrain of
// package collective is a time that no key scales.

// plain is four hosts of four accelerators under two leaves, with all constants that are
// times or rates spelt out. Each verb is one of plainFigures.
const plain = `
[hosts.plain]
accelerator = "plain"
accelerators = 4
scale_up = "switch"
scale_up_bandwidth = "%gGB/s"
nics = 4
nic_bandwidth = "%gGbps"
pcie_bandwidth = "%gGB/s"
scale_up_latency = "%gns"
link_latency = "%gns"
switch_latency = "%gns"
collective_overhead = "%gns"
step_overhead = "%gns"
network_overhead = "%gns"
simple_overhead = "%gns"
launch_time = "%gns"
ramp_overhead = "0s"
network_ramp_overhead = "0s"
cpus = 64
memory = "1TB"
power = "4kW"

[accelerators.plain]
peak_fp32 = "%gTFLOPS"
peak_bf16 = "%gTFLOPS"
memory_bandwidth = "%gTB/s"
memory = "80GB"
multiprocessors = 100
launch_overhead = "%gns"
power = "500W"

[topology]
kind = "leaf-spine"
host = "plain"
hosts = 4
hosts_per_rack = 2
`

// plainFigures are the figures of plain in its order, those of the network and of accelerators;
// those below are rates, the others times.
var plainFigures = []float64{400, 400, 50, 100, 320, 160, 4800, 800, 8000, 6400, 16000, 64, 960, 3.2, 4000}

func isRate(i int) bool       { return i < 3 || i >= 11 && i < 14 }
func ofTheNetwork(i int) bool { return i < 10 }

// plainTimes is plain with the figures that are chosen so many times as fast.
func plainTimes(k float64, chosen func(i int) bool) string {
	args := make([]any, len(plainFigures))
	for i, x := range plainFigures {
		switch {
		case !chosen(i):
		case isRate(i):
			x *= k
		default:
			x /= k
		}
		args[i] = x
	}
	return fmt.Sprintf(plain, args...)
}

func all(int) bool { return true }

// decoder is a transformer that is small.
const decoder = `
[models.decoder]
layers = 8
hidden = 1024
heads = 16
vocab = 32000
sequence = 1024
`

// train is a training job on a list of accelerators.
func train(name, keys string, iterations int, accelerators ...int) string {
	list := strings.ReplaceAll(fmt.Sprint(accelerators), " ", ", ")
	return fmt.Sprintf("[[workload.training]]\nname = %q\nmodel = \"decoder\"\naccelerators = %s\niterations = %d\n%s\n", name, list, iterations, keys)
}

// span is n numbers from first on.
func span(first, n int) (list []int) {
	for i := range n {
		list = append(list, first+i)
	}
	return list
}

// trainings are ways to train the decoder on eight accelerators.
var trainings = map[string]string{
	"replicas":  "global_batch = 32\nmicro_batch = 2",
	"sharded":   "global_batch = 16\nzero = 3",
	"tensor":    "global_batch = 16\ntensor = 4\nsequence_parallel = true",
	"pipeline":  "global_batch = 16\ntensor = 2\npipeline = 2\nzero = 1",
	"unbubbled": "global_batch = 16\npipeline = 4\nschedule = \"zero-bubble\"",
}

func timeToTrain(t testing.TB, r *railyard.Result, n int) float64 {
	return number(t, r, fmt.Sprintf("training.%d.time_to_train_s", n))
}

// record is the record of a workload in the summary, as text.
func record(t testing.TB, r *railyard.Result, list string, n int) string {
	t.Helper()
	text, err := r.Summary.List(list)[n].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTrainingRelations(t *testing.T) {
	spread := slices.Concat(span(0, 4), span(8, 4)) // on hosts 0 and 2, under two leaves
	for name, keys := range trainings {
		t.Run(name, func(t *testing.T) {
			const narrow = "oversubscription = 4.0\n"
			base := plainTimes(1, all) + narrow + decoder
			alone := run(t, base+train("a", keys, 2, spread...), nil)
			took := timeToTrain(t, alone, 0)

			// Whoever measures in other units sees the same: with all rates fourfold and all
			// times a quarter, everything takes a quarter, to the rounding of events to ticks.
			quarter := timeToTrain(t, run(t, plainTimes(4, all)+narrow+decoder+train("a", keys, 2, spread...), nil), 0)
			if !near(4*quarter, took, 1e-6) {
				t.Errorf("on hardware that is 4 times as fast in everything it takes %v s, a quarter of %v is due", quarter, took)
			}

			// A job by itself gains by a faster network, by faster accelerators and by wider
			// trunks, or loses nothing.
			for what, toml := range map[string]string{
				"a faster network":    plainTimes(2, ofTheNetwork) + narrow,
				"faster accelerators": plainTimes(2, func(i int) bool { return !ofTheNetwork(i) }) + narrow,
				"wider trunks":        plainTimes(1, all),
			} {
				if got := timeToTrain(t, run(t, toml+decoder+train("a", keys, 2, spread...), nil), 0); got > took {
					t.Errorf("with %s it takes %v s, without %v", what, got, took)
				}
			}

			// Contention only costs, also where ranks of a stage meet each other unequally.
			for _, on := range [][]int{spread, {0, 4, 5, 6, 8, 9, 10, 12}} {
				own := base + train("a", keys, 2, on...)
				with, without := timeToTrain(t, run(t, own, nil), 0), timeToTrain(t, run(t, own, nil, "sim.fidelity=analytic"), 0)
				if without > with {
					t.Errorf("on %v it takes %v s without contention, with it %v", on, without, with)
				}
			}

			// An iteration begins where the one before has ended, in the same state: twice as
			// many take twice as long, to the tick.
			if got := timeToTrain(t, run(t, base+train("a", keys, 4, spread...), nil), 0); !near(got, 2*took, 1e-15) {
				t.Errorf("4 iterations take %v s, 2 take %v", got, took)
			}

			// Who runs elsewhere, over other links, changes nothing, and it does not matter
			// which comes first in the file.
			a, b := train("a", keys, 2, span(0, 8)...), train("b", keys, 3, span(8, 8)...)
			own := run(t, base+a, nil)
			both, turned := run(t, base+a+b, nil), run(t, base+b+a, nil)
			if want, got := record(t, own, "training", 0), record(t, both, "training", 0); got != want {
				t.Errorf("beside another job that it does not meet\n%s\nalone\n%s", got, want)
			}
			for n := range 2 {
				if want, got := record(t, both, "training", n), record(t, turned, "training", 1-n); got != want {
					t.Errorf("in another order of the file\n%s\nwant\n%s", got, want)
				}
			}

			// Hosts 2 and 3 are to each other as 0 and 1 are.
			if first, second := timeToTrain(t, own, 0), timeToTrain(t, run(t, base+train("a", keys, 2, span(8, 8)...), nil), 0); first != second {
				t.Errorf("on hosts 0 and 1 it takes %v s, on 2 and 3 %v", first, second)
			}

			// What comes after the end, or would come later than it, costs nothing.
			late := run(t, base+"[topology.storage]\nwrite = \"1GB/s\"\n"+breaks("host", "host0", "at = \"1h\"\nrepair = \"1m\"")+
				breaks("switch", "leaf0", "at = \"1h\"")+train("a", keys+"\ncheckpoint_interval = \"2h\"", 2, spread...), nil, "sim.horizon=1d")
			if got := timeToTrain(t, late, 0); got != took {
				t.Errorf("it takes %v s before a failure, %v without one", got, took)
			}
		})
	}
}

// One rank has nobody to talk to, and two replicas that take a batch each compute as long
// as it does with one.
func TestReplicasCompute(t *testing.T) {
	base := plainTimes(1, all) + decoder
	one := run(t, base+train("a", "micro_batch = 4\nglobal_batch = 4", 2, 0), nil)
	two := run(t, base+train("a", "micro_batch = 4\nglobal_batch = 8", 2, 0, 4), nil)
	if n := number(t, one, "network.bytes"); n != 0 || number(t, one, "training.0.breakdown_s.exposed_communication") != 0 {
		t.Errorf("a rank by itself sends %v bytes", n)
	}
	for _, class := range []string{"matrix", "flash-attention", "elementwise"} {
		path := "training.0.compute_by_class_s." + class
		if got, want := number(t, two, path), number(t, one, path); !near(got, want, 1e-9) {
			t.Errorf("%s of one of two replicas takes %v s, of one by itself %v", class, got, want)
		}
	}
}

// A vector of s bytes that n ranks sum takes 2 s (n-1)/n bytes out of each over a ring, and
// all-gather and reduce-scatter half of that, however fast the links are; what links have
// carried is these bytes times the links on the way, of which a switch makes two.
func TestBytesAreConserved(t *testing.T) {
	for op, passes := range map[string]float64{"all_reduce": 2, "all_gather": 1, "reduce_scatter": 1} {
		for _, keys := range []string{"", "expand = true\n"} {
			for _, bandwidth := range []string{"50GB/s", "200GB/s"} {
				toml := strings.Replace(bare, "50GB/s", bandwidth, 1) + fmt.Sprintf("[[workload.collective]]\nop = %q\nalgorithm = \"ring\"\nsizes = [\"8MiB\"]\niterations = 3\n%s", op, keys)
				const size, ranks, iterations = 8 << 20, 8, 3
				want := iterations * 2 * passes * size * (ranks - 1)
				if got := number(t, run(t, toml, nil), "network.bytes"); !near(got, want, 1e-9) {
					t.Errorf("%s at %s: links carry %v bytes, want %v", op, bandwidth, got, want)
				}
			}
		}
	}
}

// The energy of a run is its power over time; it costs what the tariff says, and twice as
// much at twice the tariff, emits twice as much at twice the intensity, and draws from
// the grid in proportion to the PUE.
func TestEnergyAddsUp(t *testing.T) {
	toml := func(pue, tariff, intensity float64) string {
		return plainTimes(1, all) + decoder + fmt.Sprintf("[topology.power]\npue = %g\n[topology.cost]\ntariff = \"%gUSD/kWh\"\n[topology.carbon]\nintensity = %g\n", pue, tariff, intensity) +
			train("a", "global_batch = 16\nzero = 1", 5, span(0, 8)...) + train("b", "global_batch = 16", 2, span(8, 8)...)
	}
	one, two := run(t, toml(1.1, 0.1, 200), nil), run(t, toml(2.2, 0.2, 400), nil)
	energy, sum := number(t, one, "energy.total_J"), 0.0
	times, end := column(t, one, "power_series", "time_s"), number(t, one, "makespan_s")
	for i, power := range column(t, one, "power_series", "power_W") {
		until := end
		if i+1 < len(times) {
			until = times[i+1]
		}
		sum += power * (until - times[i])
	}
	if !near(sum, energy, 1e-9) {
		t.Errorf("power over time comes to %v J, the run took %v", sum, energy)
	}
	if got, want := number(t, one, "cost.energy_USD"), energy/3.6e6*0.1; !near(got, want, 1e-9) {
		t.Errorf("%v J cost %v USD, want %v", energy, got, want)
	}
	for path, factor := range map[string]float64{"energy.total_J": 2, "cost.energy_USD": 4, "energy.emissions_g": 4, "makespan_s": 1, "cost.capital_USD": 1} {
		if got, want := number(t, two, path), factor*number(t, one, path); !near(got, want, 1e-9) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}

// answered is of each request the time to its first token and to its last.
func answered(t testing.TB, r *railyard.Result) (first, last []float64) {
	t.Helper()
	arrival := column(t, r, "requests", "arrival_s")
	first, last = slices.Clone(column(t, r, "requests", "first_token_s")), slices.Clone(column(t, r, "requests", "finish_s"))
	for i, at := range arrival {
		first[i] -= at
		last[i] -= at
	}
	return first, last
}

func TestServingRelations(t *testing.T) {
	serve := func(accelerators int, keys string) *railyard.Result {
		t.Helper()
		return run(t, plainTimes(1, all)+decoder+fmt.Sprintf("[[workload.serving]]\nmodel = \"decoder\"\naccelerators = %d\ninput = 300\noutput = 20\n%s", accelerators, keys), nil)
	}
	alike := func(what string, a, b []float64) {
		t.Helper()
		for i := range a {
			if math.Abs(a[i]-b[i]) > 2e-11 { // of whole ticks, arrivals too
				t.Errorf("%s: request %d takes %v s, want %v", what, i, b[i], a[i])
				return
			}
		}
	}

	// A client that waits for its answer, and requests so rare that none meets another,
	// see the same: a prompt, and the steps after it. The client is served all the time.
	closed := serve(1, "concurrency = 1\ncount = 10")
	first, last := answered(t, closed)
	rareFirst, rareLast := answered(t, serve(1, "rate = 0.1\narrivals = \"constant\"\ncount = 10"))
	alike("first token", first, rareFirst)
	alike("last token", last, rareLast)
	sum := 0.0
	for _, took := range last {
		sum += took
	}
	if got := number(t, closed, "makespan_s"); !near(got, sum, 1e-9) {
		t.Errorf("the client is done after %v s, its answers take %v", got, sum)
	}

	// Four replicas that requests go around share out what comes evenly: each has a
	// quarter of the rate, and answers like one that has that to itself.
	first, last = answered(t, serve(4, "rate = 400.0\narrivals = \"constant\"\ncount = 200"))
	oneFirst, oneLast := answered(t, serve(1, "rate = 100.0\narrivals = \"constant\"\ncount = 50"))
	for i := range oneFirst {
		alike("of one of four", []float64{first[4*i], last[4*i]}, []float64{oneFirst[i], oneLast[i]})
	}

	// What comes in comes out: as an answer with its tokens, refused where too many wait, or
	// unfinished at a horizon.
	full := serve(1, "rate = 4000.0\ncount = 500\nmax_queue = 20\n[sim]\nhorizon = \"50ms\"")
	became := map[string]float64{}
	for _, status := range words(t, full, "requests", "status") {
		became[status]++
	}
	if refused, unfinished := number(t, full, "serving.0.refused"), number(t, full, "serving.0.unfinished"); became["finished"] == 0 || refused == 0 || unfinished == 0 ||
		became["refused"] != refused || became["unfinished"] != unfinished || became["finished"]+refused+unfinished != 500 || number(t, full, "serving.0.requests") != became["finished"] {
		t.Errorf("of 500 requests became %v; the summary has %v refused, %v unfinished", became, refused, unfinished)
	}
	answers := serve(2, "rate = 50.0\ncount = 100")
	if got, want := number(t, answers, "serving.0.output_tokens_per_s")*(number(t, answers, "makespan_s")-column(t, answers, "requests", "arrival_s")[0]), 100*20.0; !near(got, want, 1e-9) {
		t.Errorf("%v tokens are answered, want %v", got, want)
	}
}

// drawn are jobs for 16 accelerators, k times as long and as far apart, each of which wants
// wide times as many; they have names in an order of their own.
func drawn(k, wide int, name func(i int) string) string {
	rows := "job,submit_s,accelerators,duration_s,user,group,priority\n"
	at := 0
	for i := range 40 {
		x := (i*i*7919 + i*104729) % 9973 // any numbers will do
		at += x % 211
		rows += fmt.Sprintf("%s,%d,%d,%d,u%d,g%d,%d\n", name(i), k*at, wide*(1<<(x%5)), k*(60+x%3000), x%4, x%3, x%2)
	}
	return rows
}

func TestQueueRelations(t *testing.T) {
	rising := func(i int) string { return fmt.Sprintf("job%02d", i) }
	falling := func(i int) string { return fmt.Sprintf("job%02d", 99-i) }
	queue := func(policy string, accelerators int, rows, keys string) *railyard.Result {
		t.Helper()
		return run(t, fmt.Sprintf("[topology]\nkind = \"pool\"\naccelerators = %d\n[[workload.jobs]]\nfile = \"jobs.csv\"\n[scheduler]\npolicy = %q\n%s", accelerators, policy, keys), map[string]string{"jobs.csv": rows})
	}
	for _, policy := range []string{
		"fifo", "fifo-skip", "sjf", "sjf-skip", "easy-backfill", "conservative-backfill", "srtf", "srsf", "las",
		"gittins", "finish-time-fairness", "max-min", "fair-share", "priority",
	} {
		once, fourfold, limits := "", "", ""
		switch policy { // whose keys are times, or accelerator-seconds
		case "finish-time-fairness", "max-min":
			once, fourfold = "lease = \"20m\"\n", "lease = \"80m\"\n"
		case "fair-share":
			once, fourfold = "half_life = \"1h\"\n", "half_life = \"4h\"\n"
		case "las":
			limits = "las_limits = [6500, 14400]\n"
		}
		r := queue(policy, 16, drawn(1, 1, rising), once)
		starts, ends := column(t, r, "jobs", "start_s"), column(t, r, "jobs", "finish_s")

		// Names are but names, accelerators but units: jobs that are called otherwise, and
		// jobs of twice as many on twice as many, run as they did.
		for what, other := range map[string]*railyard.Result{
			"of other names":   queue(policy, 16, drawn(1, 1, falling), once),
			"twice the number": queue(policy, 32, drawn(1, 2, rising), once+limits),
		} {
			if !slices.Equal(column(t, other, "jobs", "start_s"), starts) || !slices.Equal(column(t, other, "jobs", "finish_s"), ends) {
				t.Errorf("%s: jobs %s run at other times", policy, what)
			}
		}

		// With durations and gaps fourfold, all times are.
		if policy != "las" {
			other := queue(policy, 16, drawn(4, 1, rising), fourfold)
			for i, end := range column(t, other, "jobs", "finish_s") {
				if !near(end, 4*ends[i], 1e-9) || !near(column(t, other, "jobs", "start_s")[i], 4*starts[i], 1e-9) {
					t.Errorf("%s: with times fourfold job %d runs until %v s, without until %v", policy, i, end, ends[i])
					break
				}
			}
		}

		// Until a horizon a run is what it is without one.
		horizon := slices.Max(ends) / 2
		cut := column(t, queue(policy, 16, drawn(1, 1, rising), once+fmt.Sprintf("[sim]\nhorizon = \"%.0fs\"\n", horizon)), "jobs", "finish_s")
		for i, end := range ends {
			if end < math.Floor(horizon) && cut[i] != end {
				t.Errorf("%s: job %d ends at %v s, with a horizon at %v", policy, i, end, cut[i])
			}
		}

		// Jobs that want everything run one after another.
		wide := "job,submit_s,accelerators,duration_s\n"
		for i := range 10 {
			wide += fmt.Sprintf("%d,0,16,%d\n", i, 100+i)
		}
		if got := number(t, queue(policy, 16, wide, ""), "makespan_s"); got != 1045 {
			t.Errorf("%s: jobs of 1045 s in all, each of which wants all, take %v s", policy, got)
		}
	}
}

// Whoever watches a queue, counts what it takes or limits it to what it never takes changes
// nothing: jobs have the accelerators that they had, at the same times.
func TestWatchingChangesNothing(t *testing.T) {
	jobs := map[string]string{"jobs.csv": drawn(1, 1, func(i int) string { return fmt.Sprint(i) })}
	queue := func(keys string) *railyard.Result {
		return run(t, plainTimes(1, all)+keys+"[[workload.jobs]]\nfile = \"jobs.csv\"\n", jobs)
	}
	plain := queue("")
	for what, keys := range map[string]string{
		"an audit":           "[scheduler]\ndecisions = true\n",
		"a meter":            "[topology.power]\n[topology.carbon]\nintensity = 300\n",
		"a limit of power":   "[topology.power]\nrack_cap = \"1MW\"\n",
		"a limit of cooling": "[topology.power]\nsite_cooling = \"1MW\"\n",
		"an alert":           "[[alert]]\nname = \"long\"\nmetric = \"job_series.queued\"\nop = \">\"\nvalue = 2\n",
		"a distant fault":    breaks("host", "host0", "at = \"30d\""),
	} {
		for _, column := range []string{"start_s", "finish_s", "placement"} {
			want, got := plain.Table("stretches").Column(column), queue(keys).Table("stretches").Column(column)
			if !slices.Equal(got.Numbers, want.Numbers) || !slices.Equal(got.Text, want.Text) {
				t.Errorf("%s changes the %s of jobs", what, column)
			}
		}
	}
}

// A point of a sweep is run for its summary alone, and what nothing can disturb is then
// computed at once. It finds what a whole run finds.
func TestSummaryAlone(t *testing.T) {
	for name, toml := range map[string]string{
		"contended": interleaved,
		"tensor":    plainTimes(1, all) + decoder + train("a", trainings["tensor"], 7, span(0, 8)...),
		"pipeline":  plainTimes(1, all) + decoder + train("a", trainings["pipeline"], 7, span(0, 8)...),
	} {
		s, err := load(t, toml, nil)
		if err != nil {
			t.Fatal(err)
		}
		var texts [2]string
		for i, only := range []bool{false, true} {
			r, err := railyard.Run(context.Background(), s, railyard.Options{SummaryOnly: only})
			if err != nil {
				t.Fatal(err)
			}
			r.Summary.Fields = slices.DeleteFunc(r.Summary.Fields, func(f result.Field) bool {
				return f.Metric.Name == "events" || f.Metric.Name == "resources"
			})
			text, err := r.Summary.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			texts[i] = string(text)
		}
		if texts[0] != texts[1] {
			t.Errorf("%s: the summary by itself is\n%s\nthat of a whole run\n%s", name, texts[1], texts[0])
		}
	}
}
