// Package serving is what inference demands: requests with their lengths and
// arrivals, and the operators of a forward pass over prompts and tokens. It has no
// accelerator and no network.
package serving

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Request is one prompt and the tokens that answer it.
type Request struct {
	ID            string
	Arrival       float64 // s
	Input, Output int     // tokens, each at least one
	Line          int     // of its file, 0 if it has none
	Tenant        int     // whose it is, of those that there are
	Session       int32   // of which it is a part, from 1; 0: of none
	Client        int     // who sends it, of those that there are
	// Prefix names what it shares with others: each name stands for all tokens up to the
	// end of a piece, pieces being of equal length.
	Prefix []uint64
}

// Tenant is somebody whose requests are a share of all.
type Tenant struct {
	Name  string
	Share float64 // of the requests that are drawn, to that of the others
	// Priority is that of its requests: the higher goes first.
	Priority      int32
	Input, Output *Lengths // nil: as all
}

// Distribution names how lengths vary.
type Distribution uint8

// The distributions.
const (
	Fixed     Distribution = iota // Mean, always
	Uniform                       // from Min to Max, each as likely
	LogNormal                     // of a Mean and a coefficient of variation, within Min and Max
)

// Lengths is a distribution of tokens.
type Lengths struct {
	Distribution Distribution
	Mean, CV     float64
	Min, Max     int
}

// Draw gives a length.
func (l Lengths) Draw(random *rand.Rand) int {
	switch l.Distribution {
	case Uniform:
		return l.Min + random.IntN(l.Max-l.Min+1)
	case LogNormal:
		v := math.Log1p(l.CV * l.CV)
		x := l.Mean * math.Exp(math.Sqrt(v)*random.NormFloat64()-v/2)
		return int(min(max(math.Round(x), float64(l.Min)), float64(l.Max)))
	}
	return int(l.Mean)
}

// Process names how requests come.
type Process uint8

// The processes.
const (
	Poisson  Process = iota // gaps are exponential
	Constant                // gaps are equal
	Gamma                   // gaps have a coefficient of variation: above 1 they come in bursts
	Diurnal                 // gaps are exponential, at a rate that goes up and down
)

var processNames = [...]string{"poisson", "constant", "gamma", "diurnal"}

// ParseProcess finds a process by its name.
func ParseProcess(name string) (p Process, ok bool) {
	i := slices.Index(processNames[:], name)
	return Process(max(i, 0)), i >= 0
}

// Gaps gives the time from one arrival to the next, of a mean of one.
func (p Process) Gaps(cv float64, random *rand.Rand) func() float64 {
	switch p {
	case Constant:
		return func() float64 { return 1 }
	case Gamma:
		shape := 1 / (cv * cv)
		return func() float64 { return gamma(shape, random) / shape }
	}
	return random.ExpFloat64
}

// gamma draws from the gamma distribution of a shape and scale one: Marsaglia and
// Tsang, A simple method for generating gamma variables, ACM TOMS 26, 2000; below a
// shape of one by their boost.
func gamma(shape float64, random *rand.Rand) float64 {
	if shape < 1 {
		return gamma(shape+1, random) * math.Pow(1-random.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-random.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// Demand is requests that are drawn.
type Demand struct {
	Count         int
	Input, Output Lengths
	Rate          float64 // requests a second; 0: each comes when another ends
	Process       Process
	CV            float64 // of the gaps, for Gamma
	// Swing, Period and Peak are those of Diurnal: the rate is
	// Rate (1 + Swing cos(2 pi (time - Peak) / Period)).
	Swing, Period, Peak float64
	Tenants             []Tenant
}

// beyond is a time in seconds that no clock reaches.
const beyond = 1e12

// diurnal gives the gaps of a rate that goes up and down, in parts of a second over Rate:
// those of its highest, of which so many are left out that the others have the rate of
// their time (Lewis and Shedler, Simulation of nonhomogeneous Poisson processes by
// thinning, 1979).
func (d *Demand) diurnal(random *rand.Rand) func() float64 {
	at := 0.0
	return func() float64 {
		from := at
		for {
			at += random.ExpFloat64() / (d.Rate * (1 + d.Swing))
			if at > beyond || random.Float64()*(1+d.Swing) < 1+d.Swing*math.Cos(2*math.Pi*(at-d.Peak)/d.Period) {
				return (at - from) * d.Rate
			}
		}
	}
}

// Requests draws them: arrivals from one stream, lengths from another, tenants from a
// third, so that the same requests come at another rate.
func (d *Demand) Requests(arrivals, lengths, tenants *rand.Rand) []Request {
	all := make([]Request, d.Count)
	gap := d.Process.Gaps(d.CV, arrivals)
	if d.Process == Diurnal {
		gap = d.diurnal(arrivals)
	}
	at, whole := 0.0, 0.0
	for _, t := range d.Tenants {
		whole += t.Share
	}
	for i := range all {
		input, output, tenant := &d.Input, &d.Output, 0
		if len(d.Tenants) > 0 {
			for u := whole * tenants.Float64(); tenant < len(d.Tenants)-1 && u >= d.Tenants[tenant].Share; tenant++ {
				u -= d.Tenants[tenant].Share
			}
			t := &d.Tenants[tenant]
			input, output = cmp.Or(t.Input, input), cmp.Or(t.Output, output)
		}
		all[i] = Request{ID: fmt.Sprint(i), Arrival: at, Input: input.Draw(lengths), Output: output.Draw(lengths), Tenant: tenant}
		if d.Rate > 0 {
			at += gap() / d.Rate
		}
	}
	return all
}
