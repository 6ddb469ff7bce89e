package datacenter

import (
	"math"
	"math/rand/v2"
	"testing"

	demand "github.com/railyard/railyard/workload/serving"
)

// The rate of clients whose clocks differ is one cosine at every time of the day; each has
// its share at each hour: of requests that are drawn in an hour of the run those of a client
// are as many as its own clock says, within four standard deviations.
func TestClocks(t *testing.T) {
	c := clocks{shares: []float64{4, 3, 5}, ahead: []float64{-6 * 3600, 3600, 8 * 3600}}
	own := demand.Demand{Rate: 5, Swing: 0.8, Period: 24 * 3600, Peak: 15 * 3600, Process: demand.Diurnal}
	sum := own
	c.together(&sum)
	rate := func(d *demand.Demand, at float64) float64 {
		return 1 + d.Swing*math.Cos(2*math.Pi*(at-d.Peak)/d.Period)
	}
	for hour := range 24 {
		at := float64(hour) * 3600
		want := 0.0
		for i, s := range c.shares {
			want += s / 12 * rate(&own, at+c.ahead[i])
		}
		if got := rate(&sum, at); math.Abs(got-want) > 1e-12 {
			t.Errorf("at %d h the rate is %v of the mean, want %v", hour, got, want)
		}
		requests := make([]demand.Request, 20000)
		for i := range requests {
			requests[i].Arrival = at
		}
		c.deal(&own, requests, rand.New(rand.NewPCG(1, uint64(hour))).Float64)
		count := make([]float64, 3)
		for _, r := range requests {
			count[r.Client]++
		}
		for i, s := range c.shares {
			p := s / 12 * rate(&own, at+c.ahead[i]) / want
			if n := float64(len(requests)); math.Abs(count[i]-n*p) > 4*math.Sqrt(n*p*(1-p)) {
				t.Errorf("at %d h %v of %v are of client %d, want %v", hour, count[i], n, i, n*p)
			}
		}
	}
	even := clocks{shares: []float64{1, 1, 1}, ahead: []float64{0, 8 * 3600, 16 * 3600}}
	flat := own
	if even.together(&flat); flat.Swing > 1e-12 {
		t.Errorf("clients all around the globe swing by %v", flat.Swing)
	}
}
