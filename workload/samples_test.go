package workload_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/railyard/railyard/workload"
)

// One host, or hosts that keep to their shards, find after the first pass what the caches
// hold.
func TestMissed(t *testing.T) {
	for _, c := range []struct {
		cache  float64
		hosts  int
		shards bool
		want   []float64
	}{
		{0, 4, false, nil},
		{0.35, 1, false, []float64{1, 0.65}},
		{2, 1, false, []float64{1, 0}},
		{0.2, 4, true, []float64{1, 0.2}},
		{0.3, 4, true, []float64{1, 0}},
		{0.2, 4, false, []float64{1, 0.8}},
		{0.3, 2, false, []float64{1, 0.7}},
		{0.6, 2, false, []float64{1, 0.5, 0.4}},
	} {
		got := workload.Missed(c.cache, c.hosts, c.shards)
		if len(got) != len(c.want) {
			t.Errorf("%+v: %v", c, got)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-12 {
				t.Errorf("%+v: %v", c, got)
			}
		}
	}
}

// Samples dealt at random to four hosts, which keep the first that they see, miss as many
// as the formula has.
func TestMissedByDealing(t *testing.T) {
	const samples, hosts, room = 40000, 4, 16000
	random := rand.New(rand.NewPCG(1, 2))
	want := workload.Missed(float64(room)/samples, hosts, false)
	kept := make([]map[int]bool, hosts)
	for h := range kept {
		kept[h] = map[int]bool{}
	}
	for pass := range 6 {
		missed := 0
		for i, sample := range random.Perm(samples) {
			h := kept[i%hosts]
			if h[sample] {
				continue
			}
			if missed++; len(h) < room {
				h[sample] = true
			}
		}
		got, expected := float64(missed)/samples, want[min(pass, len(want)-1)]
		if math.Abs(got-expected) > 0.01 {
			t.Errorf("pass %d misses %v, want %v", pass, got, expected)
		}
	}
}
