package fault_test

import (
	"math"
	"slices"
	"testing"

	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/sim"
)

const day = 86400 * sim.Second

// alone is so many parts, each on a server of its own.
func alone(n int) [][]int32 {
	parts := make([][]int32, n)
	for i := range parts {
		parts[i] = []int32{int32(i)}
	}
	return parts
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// llama3 is the unexpected interruptions of the 54 days of Llama 3 by what they are taken
// to be failures of: parts, count (The Llama 3 Herd of Models, arXiv:2407.21783, table 5).
var llama3 = []struct {
	cause        string
	parts, count int
}{
	{"faulty GPU", 16384, 148},
	{"GPU HBM3 memory", 16384, 72},
	{"software bug", 1, 54},
	{"network switch or cable", 1, 35},
	{"host maintenance", 2048, 32},
	{"GPU SRAM memory", 16384, 19},
	{"GPU system processor", 16384, 17},
	{"NIC", 16384, 7},
	{"NCCL watchdog timeout", 1, 7},
	{"silent data corruption", 16384, 6},
	{"GPU thermal interface or sensor", 16384, 6},
	{"SSD", 2048, 3},
	{"power supply", 2048, 3},
	{"server chassis", 2048, 2},
	{"IO expansion board", 2048, 2},
	{"dependency", 1, 2},
	{"CPU", 2048, 2},
	{"system memory", 2048, 2},
}

// TestLlama3: with those rates, 419 failures in the mean of 200 seeds within 1 %, and 90
// to 99 % of the runs within the 95 % band of a Poisson distribution of that mean, which
// is 379 to 460.
func TestLlama3(t *testing.T) {
	var sources []fault.Source
	for _, c := range llama3 {
		s := fault.Source{Name: c.cause, Parts: alone(c.parts)}
		for p := range s.Parts {
			s.Parts[p] = []int32{int32(p * 2048 / c.parts)}
		}
		s.Lifetime.Mean = float64(c.parts) * (54 * day).Seconds() / float64(c.count)
		sources = append(sources, s)
	}
	const runs = 200
	sum, inside := 0, 0
	byCause := make([]int, len(sources))
	for seed := range uint64(runs) {
		stops := fault.NewOutages(seed+1, 0, sources).Stopping(upTo(2048))
		n := 0
		for f, _ := stops.Next(); f.At <= 54*day; f, _ = stops.Next() {
			byCause[f.Source]++
			n++
		}
		if sum += n; n >= 379 && n <= 460 {
			inside++
		}
		if rate := stops.Rate() * (54 * day).Seconds(); math.Abs(rate-419) > 1e-6 {
			t.Fatalf("%v failures expected", rate)
		}
	}
	if mean := float64(sum) / runs; math.Abs(mean-419) > 4.19 {
		t.Errorf("%v failures in the mean", mean)
	}
	if inside < runs*90/100 || inside > runs*99/100 {
		t.Errorf("%d of %d runs in the band", inside, runs)
	}
	for i, c := range llama3 { // four deviations of the mean of 200
		if mean := float64(byCause[i]) / runs; math.Abs(mean-float64(c.count)) > 4*math.Sqrt(float64(c.count)/runs) {
			t.Errorf("%s: %v in the mean, want %d", c.cause, mean, c.count)
		}
	}
}

// The mean and the median of what is drawn are those of the distribution: of Weibull's
// the median is scale (ln 2)^(1/k), of the log-normal exp(mu).
func TestLifetimes(t *testing.T) {
	for _, c := range []struct {
		life   fault.Lifetime
		median float64
	}{
		{fault.Lifetime{Mean: 1000, Shape: fault.Exponential}, 1000 * math.Ln2},
		{fault.Lifetime{Mean: 1000, Shape: fault.Weibull, Parameter: 0.7}, 1000 / math.Gamma(1+1/0.7) * math.Pow(math.Ln2, 1/0.7)},
		{fault.Lifetime{Mean: 1000, Shape: fault.LogNormal, Parameter: 1.2}, 1000 * math.Exp(-0.72)},
	} {
		o := fault.NewOutages(7, 0, []fault.Source{{Name: "x", Parts: alone(1), Lifetime: c.life}})
		stops := o.Stopping([]int{0})
		var all []float64
		last, sum := sim.Time(0), 0.0
		for range 40_000 {
			f, _ := stops.Next()
			if f.At == sim.Never {
				break
			}
			life := (f.At - last).Seconds()
			all, last = append(all, life), f.At
			sum += life
		}
		slices.Sort(all)
		if mean := sum / float64(len(all)); math.Abs(mean/1000-1) > 0.04 {
			t.Errorf("%v: mean %v", c.life.Shape, mean)
		}
		if median := all[len(all)/2]; math.Abs(median/c.median-1) > 0.04 {
			t.Errorf("%v: median %v, want %v", c.life.Shape, median, c.median)
		}
	}
}

// What else there is moves nobody's draws, and the same seed draws the same.
func TestOutagesIndependent(t *testing.T) {
	first := func(seed uint64, sources ...fault.Source) (times []sim.Time) {
		stops := fault.NewOutages(seed, 0, sources).Stopping(upTo(4))
		for len(times) < 50 {
			if f, _ := stops.Next(); f.Source == 0 {
				times = append(times, f.At)
			}
		}
		return times
	}
	a := fault.Source{Name: "a", Parts: alone(4), Lifetime: fault.Lifetime{Mean: 1000, Shape: fault.Weibull, Parameter: 0.8}}
	b := fault.Source{Name: "b", Parts: alone(4), Lifetime: fault.Lifetime{Mean: 300}}
	if !slices.Equal(first(1, a), first(1, a, b)) {
		t.Error("another source moves the draws")
	}
	if slices.Equal(first(1, a), first(2, a)) {
		t.Error("another seed draws the same")
	}
}

// TestSpares: hosts 0, 1 and 2 fail at 100, 200 and 300 s, for 1000 s each. When a job on
// all of four is whole again, by the number of spares.
func TestSpares(t *testing.T) {
	listed := []fault.Outage{}
	for i := range 3 {
		at := sim.Time(i+1) * 100 * sim.Second
		listed = append(listed, fault.Outage{At: at, Repaired: at + 1000*sim.Second, Part: i})
	}
	for spares, want := range [][]sim.Time{{1100, 1200, 1300}, {100, 1100, 1200}, {100, 200, 1100}, {100, 200, 300}} {
		stops := fault.NewOutages(1, spares, []fault.Source{{Parts: alone(4), Listed: listed}}).Stopping(upTo(4))
		for _, until := range want {
			if _, got := stops.Next(); got != until*sim.Second {
				t.Errorf("with %d spares whole again at %v, want %v s", spares, got, until)
			}
		}
		if f, _ := stops.Next(); f.At != sim.Never {
			t.Errorf("another failure at %v", f.At)
		}
	}
}

// A part of the network stops those who need it: a job on one host is not one.
func TestNetworkPart(t *testing.T) {
	source := fault.Source{Parts: [][]int32{nil, {0, 1}}, Listed: []fault.Outage{
		{At: 1, Repaired: 1, Part: 0}, {At: 2, Repaired: 2, Part: 1},
	}}
	for _, c := range []struct {
		servers []int
		first   sim.Time
	}{{[]int{0, 1}, 1}, {[]int{2, 3}, 1}, {[]int{1}, 2}, {[]int{3}, sim.Never}} {
		if f, _ := fault.NewOutages(1, 0, []fault.Source{source}).Stopping(c.servers).Next(); f.At != c.first {
			t.Errorf("a job on %v is stopped at %v, want %v", c.servers, f.At, c.first)
		}
	}
}

// Without a spare, what is in repair does not fail: of one part with a lifetime of an
// hour that is repaired in an hour, one failure in two hours.
func TestRepairRenews(t *testing.T) {
	for spares, want := range []float64{0.5, 1} {
		for _, shape := range []fault.Lifetime{{Mean: 3600}, {Mean: 3600, Shape: fault.Weibull, Parameter: 1}} {
			o := fault.NewOutages(3, spares, []fault.Source{{Name: "x", Parts: alone(1), Lifetime: shape, Repair: 3600 * sim.Second}})
			stops, n := o.Stopping([]int{0}), 0
			for f, _ := stops.Next(); f.At < 400*day; f, _ = stops.Next() {
				n++
			}
			if got := float64(n) / (400 * 24); math.Abs(got/want-1) > 0.05 {
				t.Errorf("%v, %d spares: %v failures an hour, want %v", shape.Shape, spares, got, want)
			}
		}
	}
}

// Repairs that vary have the mean and the coefficient of variation that were asked for,
// and move no failure of what shares a stream, nor of what is listed.
func TestRepairsVary(t *testing.T) {
	const mean, variation, n = 3600, 0.8, 20000
	parts := alone(50)
	for _, s := range []fault.Source{
		{Name: "drawn", Parts: parts, Lifetime: fault.Lifetime{Mean: 1e5}},
		{Name: "listed", Parts: parts, Every: 1e4 * sim.Second},
	} {
		s.Repair, s.Variation = mean*sim.Second, variation
		if s.Every > 0 {
			s.Listed = []fault.Outage{{At: sim.Second, Repaired: (1 + mean) * sim.Second}}
		}
		plain := s
		plain.Variation = 0
		stops := fault.NewOutages(1, 1, []fault.Source{s}).Stopping(upTo(50)) // a spare: what is in repair is new at once
		same := fault.NewOutages(1, 1, []fault.Source{plain}).Stopping(upTo(50))
		var sum, squares float64
		seen := 0
		for seen < n {
			f, _ := stops.Next()
			g, _ := same.Next()
			if f.At == sim.Never {
				break
			}
			if f.At != g.At || f.Part != g.Part {
				t.Fatalf("%s: %+v, without variation %+v", s.Name, f, g)
			}
			x := (f.Repaired - f.At).Seconds()
			sum += x
			squares += x * x
			seen++
		}
		m := sum / float64(seen)
		cv := math.Sqrt(squares/float64(seen)-m*m) / m
		if seen < n/4 || math.Abs(m/mean-1) > 0.04 || math.Abs(cv/variation-1) > 0.1 {
			t.Errorf("%s: of %d repairs the mean is %v s, their variation %v", s.Name, seen, m, cv)
		}
	}
}

// A job whose one failure has come has nothing drawn that concerns others: a part that fails
// each second would do so for the 2.9 years of the clock.
func TestNothingIsDrawnForOthers(t *testing.T) {
	o := fault.NewOutages(1, 0, []fault.Source{
		{Name: "site", Parts: [][]int32{{0}}, Names: []string{"a"}, Listed: []fault.Outage{{At: 100 * sim.Second, Repaired: 200 * sim.Second}}},
		{Name: "others", Parts: [][]int32{{1}}, Names: []string{"b"}, Lifetime: fault.Lifetime{Mean: 1}, Repair: sim.Second / 10},
		{Name: "slow", Parts: [][]int32{{0}}, Names: []string{"a"}, Lifetime: fault.Lifetime{Mean: 1}, Repair: sim.Second / 10, Left: 0.5},
	})
	s := o.Stopping([]int{0})
	if f, until := s.Next(); f.At != 100*sim.Second || until != 200*sim.Second {
		t.Errorf("fails at %v until %v", f.At, until)
	}
	if mallocs := testing.AllocsPerRun(1, func() {
		if f, _ := s.Next(); f.At != sim.Never {
			t.Errorf("fails again at %v", f.At)
		}
	}); mallocs > 0 {
		t.Errorf("%v allocations to say that nothing comes", mallocs)
	}
}
