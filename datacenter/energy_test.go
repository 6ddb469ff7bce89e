package datacenter_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// onePool is OpenDC's host: 100 W idle, 200 W at full utilization, at half of it for a
// job of so many seconds.
func onePool(duration string) (string, map[string]string) {
	return `[topology]
kind = "pool"
accelerators = 1
[topology.power]
accelerator = "200W"
accelerator_idle = "100W"
compute_utilization = 0.5
pue = 1
[[workload.jobs]]
file = "jobs.csv"
`, map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,1," + duration + "\n"}
}

// OpenDC's CarbonTest.testCarbon1: two hours at half utilization, 150 W, are 1.08 MJ.
// And testCarbon3: an hour from 2022-01-01 on the Dutch grid, whose quarters by hand are
// 37.5 Wh each.
func TestOpenDCScenario(t *testing.T) {
	toml, files := onePool("7200")
	r := run(t, toml, files)
	for path, want := range map[string]float64{
		"energy.total_J": 1.08e6, "energy.accelerators_J": 1.08e6, "energy.average_power_W": 150, "energy.peak_power_W": 150,
	} {
		if got := number(t, r, path); !near(got, want, 1e-9) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	if got := r.Table("jobs").Column("energy_J").Numbers[0]; !near(got, 1.08e6, 1e-9) {
		t.Errorf("the job took %v J", got)
	}
	toml, files = onePool("3600")
	files["nl.csv"] = "timestamp,carbon_intensity\n1640995200000,164.5177\n1640996100000,162.9489\n1640997000000,164.301\n1640997900000,167.5809\n"
	r = run(t, toml+"[topology.carbon]\nfile = \"nl.csv\"\nstart = \"2022-01-01\"\n", files)
	want := 0.0375 * (164.5177 + 162.9489 + 164.301 + 167.5809)
	if got := number(t, r, "energy.emissions_g"); !near(got, want, 1e-9) {
		t.Errorf("%v g, want %v", got, want)
	}
	if sum := total(r.Table("power_series").Column("emissions_g").Numbers); !near(sum, want, 1e-9) {
		t.Errorf("the series sums to %v g, want %v", sum, want)
	}
	// The job has the data centre for itself, so all of it is its.
	if got := r.Table("jobs").Column("emissions_g").Numbers[0]; !near(got, want, 1e-9) {
		t.Errorf("the job emits %v g, want %v", got, want)
	}
	// A quarter of an hour later, the last quarter lasts for another.
	r = run(t, toml+"[topology.carbon]\nfile = \"nl.csv\"\nstart = \"2022-01-01T01:15:00+01:00\"\n", files)
	want = 0.0375 * (162.9489 + 164.301 + 2*167.5809)
	if got := number(t, r, "energy.emissions_g"); !near(got, want, 1e-9) {
		t.Errorf("%v g a quarter later, want %v", got, want)
	}
}

// An hour and a half at 150 W under a grid as Electricity Maps exports it, 37.5 Wh a
// quarter of an hour; the export's first two rows are an hour.
func TestElectricityMapsScenario(t *testing.T) {
	toml, files := onePool("5400")
	files["be.csv"] = "Datetime (UTC),Zone id,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle)\n" +
		"2024-01-01 00:00:00,BE,50,80\n2024-01-01 01:00:00,BE,60,90\n"
	for keys, want := range map[string]float64{
		"":                               0.0375 * (4*80 + 2*90),
		"accounting = \"direct\"\n":      0.0375 * (4*50 + 2*60),
		"start = \"2024-01-01T01:00\"\n": 0.0375 * 6 * 90,
	} {
		r := run(t, toml+"[topology.carbon]\nfile = \"be.csv\"\n"+keys, files)
		if got := number(t, r, "energy.emissions_g"); !near(got, want, 1e-9) {
			t.Errorf("%s: %v g, want %v", keys, got, want)
		}
	}
}

func total(numbers []float64) float64 {
	sum := 0.0
	for _, v := range numbers {
		sum += v
	}
	return sum
}

// Two jobs share a grid that gets dirtier after ten minutes, and a battery that carries
// all from then on while it lasts: what charged it counts for who draws from it. By hand:
// the first job runs for 600 s at 300 W with the other accelerator idling at 100 W; the
// battery charges with 200 W meanwhile and holds 120 kJ. The second runs for 600 s at the
// same powers, of which the battery gives 120 kJ at once, in 300 s.
func TestEmissionsOfJobs(t *testing.T) {
	const toml = `[topology]
kind = "pool"
accelerators = 2
[topology.power]
accelerator = "300W"
accelerator_idle = "100W"
pue = 1
[topology.carbon]
file = "grid.csv"
[topology.battery]
capacity = "1kWh"
charge = "200W"
threshold = 100
[[workload.jobs]]
file = "jobs.csv"
`
	files := map[string]string{
		"grid.csv": "timestamp,carbon_intensity\n0,80\n600000,120\n",
		"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,1,600\nb,600,1,600\n",
	}
	const kWh = 3.6e6
	r := run(t, toml, files)
	// While it charges, the site draws 400 W and the grid gives 600.
	a := 600 * 300 * (600.0 / 400) * 80 / kWh
	b := 300 * 300 * 120 / kWh // the grid gives nothing for 300 s
	for i, want := range []float64{a, b} {
		if got := r.Table("jobs").Column("emissions_g").Numbers[i]; !near(got, want, 1e-9) {
			t.Errorf("job %d emits %v g, want %v", i, got, want)
		}
	}
	// The rest is what idle accelerators draw.
	idle := (600*100*(600.0/400)*80 + 300*100*120) / kWh
	if got := number(t, r, "energy.emissions_g"); !near(got, a+b+idle, 1e-6) {
		t.Errorf("the site emits %v g, want %v", got, a+b+idle)
	}
}

// The whole year of the reference collection, and OpenDC's battery: ten minutes above
// its threshold change nothing.
func TestOpenDCFiles(t *testing.T) {
	reference, err := filepath.Abs("../../shared/reference/whole")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(reference); err != nil {
		t.Skip(err)
	}
	toml, files := onePool("3600")
	carbon := func(file string) string {
		return "[topology.carbon]\nfile = '" + filepath.Join(reference, file) + "'\n"
	}
	r := run(t, toml+carbon("2022-01-01_2022-12-31_NL.csv"), files)
	if got := number(t, r, "energy.emissions_g"); math.Abs(got-24.73173) > 0.1 {
		t.Errorf("%v g, want 24.73173 within 0.1", got)
	}
	// Hourly series: an hour at 150 W has the intensity of the first row throughout.
	for file, first := range map[string]float64{"2022-01-01_2022-12-31_BE.csv": 29.001127704967995, "2022-01-01_2022-12-31_FR.csv": 15.096709044543305} {
		r = run(t, toml+carbon(file), files)
		if got := number(t, r, "energy.emissions_g"); !near(got, 0.15*first, 1e-9) {
			t.Errorf("%s: %v g, want %v", file, got, 0.15*first)
		}
	}
	toml, files = onePool("600")
	r = run(t, toml+carbon("2022-01-01_single_100.csv")+"[topology.battery]\ncapacity = \"0.1kWh\"\ncharge = \"1kW\"\nthreshold = 90\n", files)
	if got := number(t, r, "energy.grid_J"); !near(got, 90000, 1e-6) {
		t.Errorf("%v J from the grid, want 90000", got)
	}
	if got := r.Table("power_series").Column("grid_power_W").Numbers[0]; got != 150 {
		t.Errorf("%v W at the beginning, want 150", got)
	}
}

// Two hosts of eight H100 that do nothing but an all-reduce: 16 accelerators of 700 W and
// two rests of 10.2 kW - 5.6 kW, for the time that the run takes. All of it is
// communication, at full draw here.
const twoHosts = `[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2
[topology.power]
communication_utilization = 1
pue = 1.5
[[workload.collective]]
op = "all_reduce"
sizes = ["1GiB"]
`

func TestEnergyOfHosts(t *testing.T) {
	r := run(t, twoHosts, nil)
	seconds := number(t, r, "makespan_s")
	// 16 NICs of 400 Gbit/s on one leaf.
	accelerators, hosts, switches := 16*700*seconds, 2*4600*seconds, 16*400*0.067*seconds
	for path, want := range map[string]float64{
		"energy.accelerators_J": accelerators, "energy.hosts_J": hosts, "energy.switches_J": switches,
		"energy.total_J":         1.5 * (accelerators + hosts + switches),
		"energy.facility_J":      0.5 * (accelerators + hosts + switches),
		"energy.jobs.0.energy_J": 1.5 * (accelerators + hosts),
		"energy.peak_power_W":    1.5 * (16*700 + 2*4600 + 16*400*0.067),
	} {
		if got := number(t, r, path); !near(got, want, 1e-6) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	// A server of files draws what it is rated for, at any time.
	r = run(t, strings.Replace(twoHosts, "host = \"dgx-h100\"\nhosts = 2\n", "", 1)+`[hosts.files]
accelerators = 0
nics = 1
nic_bandwidth = "400Gbps"
power = "900W"
[[topology.pool]]
name = "compute"
host = "dgx-h100"
hosts = 2
[[topology.pool]]
name = "files"
host = "files"
hosts = 3
`, nil)
	if got := number(t, r, "energy.hosts_J"); !near(got, (2*4600+3*900)*number(t, r, "makespan_s"), 1e-6) {
		t.Errorf("hosts took %v J in %v s", got, number(t, r, "makespan_s"))
	}
	// Idle they would draw 80.3 W of 700, and half of the hosts' rest.
	r = run(t, twoHosts, nil, "topology.power.communication_utilization=0")
	want := 16*80.3*seconds + 0
	if got := number(t, r, "energy.accelerators_J"); !near(got, want, 1e-6) {
		t.Errorf("idle accelerators took %v J, want %v", got, want)
	}
}

// The integral of the series is the total, of a training job whose iterations are
// jumped over, and whether tables are kept or not the summary is the same.
func TestEnergyOverTime(t *testing.T) {
	s, err := load(t, strings.Replace(bert, "[[workload", "[topology.power]\nmodel = \"square\"\n[topology.carbon]\nintensity = 400\n[[workload", 1), nil, "workload.training.0.iterations=50")
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(t.Context(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	series, end := r.Table("power_series"), number(t, r, "makespan_s")
	at, power := series.Column("time_s").Numbers, series.Column("power_W").Numbers
	sum := 0.0
	for i := range at {
		to := end
		if i+1 < len(at) {
			to = at[i+1]
		}
		sum += power[i] * (to - at[i])
	}
	whole := number(t, r, "energy.total_J")
	if !near(sum, whole, 1e-6) {
		t.Errorf("the series adds up to %v J, the total is %v", sum, whole)
	}
	if got, want := number(t, r, "energy.emissions_g"), whole/3.6e6*400; !near(got, want, 1e-6) {
		t.Errorf("%v g, want %v", got, want)
	}
	job := r.Summary.Record("energy").List("jobs")[0]
	if got, want := job.Float("emissions_g"), job.Float("energy_J")/3.6e6*400; !near(got, want, 1e-6) {
		t.Errorf("the job emits %v g, want %v", got, want)
	}
	if got, want := job.Float("per_token_g"), job.Float("per_token_J")/3.6e6*400; !near(got, want, 1e-6) {
		t.Errorf("%v g a token, want %v", got, want)
	}
	tokens := number(t, r, "training.0.tokens_per_s") * number(t, r, "training.0.iteration_s") * 50
	if got, want := job.Float("per_token_J"), job.Float("energy_J")/tokens; !near(got, want, 1e-9) {
		t.Errorf("%v J a token, want %v", got, want)
	}
	if brief, err := railyard.Run(t.Context(), s, railyard.Options{SummaryOnly: true}); err != nil || !near(brief.Summary.Record("energy").Float("total_J"), whole, 1e-9) {
		t.Errorf("without tables %v J, %v", brief.Summary.Record("energy").Float("total_J"), err)
	}
}

func TestEnergyFaults(t *testing.T) {
	pool, files := onePool("10")
	for _, c := range []struct {
		name, toml string
		want       string
	}{
		{"misspelt", pool + "[topology.cabron]\nintensity = 1\n", `(did you mean "carbon"?)`},
		{"bare without power", strings.Replace(pool, "accelerator = \"200W\"\n", "", 1), "topology.power.accelerator: is missing: bare accelerators have no entry in the catalogue"},
		{"idle above full", strings.Replace(pool, "100W", "300W", 1), "6:20: topology.power.accelerator_idle: idle it draws 300 W, more than the 200 W at full utilization"},
		{"no curve", strings.Replace(pool, "pue = 1", "model = \"measured\"", 1), `"measured" needs the key "curve"`},
		{"curve of no model", pool[:strings.Index(pool, "pue")] + "curve = \"jobs.csv\"\n" + pool[strings.Index(pool, "pue"):], `topology.power.curve: belongs to model = "measured"; model is "linear"`},
		{"no intensity", pool + "[topology.carbon]\n", `topology.carbon: needs the key "intensity" (g/kWh) or "file"`},
		{"both", pool + "[topology.carbon]\nintensity = 1\nfile = \"x\"\n", "topology.carbon.intensity: contradicts file"},
		{"no file", pool + "[topology.carbon]\nfile = \"x\"\n", `topology.carbon.file: cannot read "x"`},
		{"wrong columns", pool + "[topology.carbon]\nfile = \"jobs.csv\"\n", `unknown column "job"`},
		{"no date", pool + "[topology.carbon]\nfile = \"x\"\nstart = \"May\"\n", `"May" is no date`},
		{"too early", pool + "[topology.carbon]\nfile = \"c.csv\"\nstart = \"2021-01-01\"\n", "is before the first row of \"c.csv\", 2022-01-01T00:00:00Z"},
		{"falls", pool + "[topology.carbon]\nfile = \"falls.csv\"\n", "falls.csv:3:1: timestamp: does not follow that of the row before"},
		{"one accounting", pool + "[topology.carbon]\nfile = \"c.csv\"\naccounting = \"direct\"\n", "accounting belongs to a file of Electricity Maps"},
		{"accounting of nothing", pool + "[topology.carbon]\nintensity = 1\naccounting = \"direct\"\n", "topology.carbon.accounting: belongs to file, which is missing"},
		{"battery alone", pool + "[topology.battery]\ncapacity = \"1kWh\"\ncharge = \"1kW\"\nthreshold = 1\n", "there is no [topology.carbon]"},
	} {
		files["c.csv"] = "timestamp,carbon_intensity\n1640995200000,80\n"
		files["falls.csv"] = "timestamp,carbon_intensity\n1640995200000,80\n1640995200000,90\n"
		if got := refused(t, c.toml, files); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// A site whose cooling takes nothing takes nothing for it, and rounding makes it no less.
func TestNoFacility(t *testing.T) {
	for _, size := range []string{"1MiB", "3MB", "7MB", "11MB", "1GiB"} {
		toml := strings.NewReplacer("pue = 1.5", "pue = 1", "1GiB", size).Replace(twoHosts)
		r := run(t, toml, nil)
		if got, all := number(t, r, "energy.facility_J"), number(t, r, "energy.total_J"); got < 0 || got > 1e-12*all {
			t.Errorf("%s: %v J of %v", size, got, all)
		}
	}
}

// A run that its horizon cuts short has the power of what is computed then, up to there and
// not beyond. By hand: an accelerator of 1 kW (100 W idle) that trains computes from the
// start on, and 10 ms, within its first pass, take 10 J. One that answers begins its step,
// which the horizon cuts, when the first request comes: from there on it draws 1 kW.
func TestPowerUpToTheHorizon(t *testing.T) {
	const site = `[topology]
kind = "single-host"
host = "lone"
[hosts.lone]
accelerator = "a100-sxm-80gb"
accelerators = 1
nics = 1
nic_bandwidth = "100Gbps"
[topology.power]
accelerator = "1kW"
accelerator_idle = "100W"
host = "0W"
host_idle = "0W"
switch = "0W"
pue = 1
[topology.carbon]
intensity = 360
[sim]
horizon = "10ms"
`
	for name, c := range map[string]struct {
		workload string
		idle     float64 // s before it computes
	}{
		"training": {"[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 64\nmicro_batch = 64\niterations = 1\n", 0},
		"serving":  {"[[workload.serving]]\nmodel = \"bert-large\"\nrequests = \"requests.csv\"\n", 9.5e-3},
	} {
		r := run(t, site+c.workload, map[string]string{"requests.csv": "request,arrival_s,input_tokens,output_tokens\na,0.0095,512,1\n"})
		want := c.idle*100 + (10e-3-c.idle)*1000
		series := r.Table("power_series")
		at, sum := append(series.Column("time_s").Numbers, 10e-3), 0.0
		for i, power := range series.Column("power_W").Numbers {
			sum += power * (at[i+1] - at[i])
		}
		job := r.Summary.Record("energy").List("jobs")[0]
		for path, got := range map[string]float64{
			"total_J": number(t, r, "energy.total_J"), "energy_J": job.Float("energy_J"), "the series": sum,
			"emissions_g": number(t, r, "energy.emissions_g") * 1e4, "emissions_g of the job": job.Float("emissions_g") * 1e4, // 0.1 g/kJ
		} {
			if !near(got, want, 1e-9) {
				t.Errorf("%s: %s is %v J, want %v", name, path, got, want)
			}
		}
		if got := number(t, r, "energy.peak_power_W"); !near(got, 1000, 1e-9) {
			t.Errorf("%s: a peak of %v W", name, got)
		}
	}
}

// Two collectives that share a host's accelerators from the first to the last instant do not
// draw twice: an accelerator of 1 kW (100 W idle) that communicates is at half of it, 550 W,
// whoever it does so for. Each of the two has half of what it draws beyond idling, and the
// power over time and its emissions add up to the whole.
func TestPowerOfSharedAccelerators(t *testing.T) {
	const all = "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"64MB\"]\niterations = 10\nshared = true\naccelerators = [0, 1, 2, 3, 4, 5, 6, 7]\n"
	r := run(t, `[topology]
kind = "single-host"
host = "dgx-h100"
[topology.power]
accelerator = "1kW"
accelerator_idle = "100W"
communication_utilization = 0.5
host = "0W"
host_idle = "0W"
pue = 1
[topology.carbon]
intensity = 360
`+all+all, nil)
	end := number(t, r, "makespan_s")
	whole := 8 * 550 * end
	series := r.Table("power_series")
	at, sum := append(series.Column("time_s").Numbers, end), 0.0
	for i, power := range series.Column("power_W").Numbers {
		sum += power * (at[i+1] - at[i])
	}
	jobs := r.Summary.Record("energy").List("jobs")
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"total_J", number(t, r, "energy.total_J"), whole},
		{"the series", sum, whole},
		{"emissions_g", number(t, r, "energy.emissions_g") * 1e4, whole}, // 0.1 g/kJ
		{"the first", jobs[0].Float("energy_J"), 8 * 450 * end / 2},
		{"the second", jobs[1].Float("energy_J"), 8 * 450 * end / 2},
		{"peak_power_W", number(t, r, "energy.peak_power_W"), 8 * 550},
	} {
		if !near(c.got, c.want, 1e-9) {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
}
