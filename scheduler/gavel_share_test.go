package scheduler

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// level is what a claim's jobs have, as the objective counts it.
func (c *claim) level(accelerators []int) float64 {
	all, had, equal := 0, 0.0, 0.0
	for t, n := range accelerators {
		all += n
		had += c.speeds[t] * c.share[t]
		if c.speeds[t] > 0 {
			equal += c.speeds[t] * float64(n)
		}
	}
	return had * c.gang * float64(all) / (equal * c.weight)
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-7*max(1, math.Abs(a), math.Abs(b)) }

// The paper's example of section 4.1: three jobs on a V100 and a K80, whose throughputs
// are 40 and 10, 12 and 4, 100 and 50. It prints the optimum as
//
//	0.45 0     0.45 0.09     0.09 0.91
//
// and says that jobs receive about 10 % more than by a third of the time on each.
// By hand: job 2 fills what is left of the K80 and of its own time, job 1 what job 0
// leaves of the V100. With c for the level over that of a third each, their equations are
// x0 = 50/120 c, 12 x1 + 4 y1 = 16/3 c, y1 + y2 = 1, x2 + y2 = 1, 100 x2 + 50 y2 = 50 c,
// x0 + x1 + x2 = 1, so that c = 12/11.
func TestAllocatePaper(t *testing.T) {
	claims := []*claim{
		{jobs: 1, gang: 1, weight: 1, speeds: []float64{40, 10}},
		{jobs: 1, gang: 1, weight: 1, speeds: []float64{12, 4}},
		{jobs: 1, gang: 1, weight: 1, speeds: []float64{100, 50}},
	}
	allocate(claims, []int{1, 1})
	want := [][]float64{{5. / 11, 0}, {5. / 11, 1. / 11}, {1. / 11, 10. / 11}}
	for i, c := range claims {
		for j := range want[i] {
			if !near(c.share[j], want[i][j]) {
				t.Errorf("job %d has %v, want %v", i, c.share, want[i])
			}
		}
		if got := c.level([]int{1, 1}) / (2. / 3); !near(got, 12./11) {
			t.Errorf("job %d reaches %v of a third each, want 12/11", i, got)
		}
	}
}

// Worked out by hand.
func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		name         string
		accelerators []int
		claims       []claim
		want         [][]float64
	}{
		// Each has of one of two alike what it can: all of its time.
		{"room for all", []int{4}, []claim{{jobs: 2, gang: 2}}, [][]float64{{1}}},
		// 4 accelerators for three: the one of gang 1 has 1, the others 1.5 each.
		{"gangs", []int{4}, []claim{{jobs: 1, gang: 1}, {jobs: 2, gang: 3}}, [][]float64{{1}, {0.5}}},
		// Shares as 1 to 3.
		{"weights", []int{4}, []claim{{jobs: 1, gang: 4, weight: 1}, {jobs: 1, gang: 4, weight: 3}}, [][]float64{{0.25}, {0.75}}},
		// One does not run on the second type, and the other is as fast on both.
		{"one type suits one alone", []int{1, 1}, []claim{{jobs: 1, gang: 1, speeds: []float64{2, 0}}, {jobs: 1, gang: 1, speeds: []float64{1, 1}}}, [][]float64{{1, 0}, {0, 1}}},
		// The gang is more than there are of the first type.
		{"a gang that only one type holds", []int{1, 2}, []claim{{jobs: 1, gang: 2, speeds: []float64{9, 1}}}, [][]float64{{0, 1}}},
		{"a gang that none holds", []int{1, 1}, []claim{{jobs: 1, gang: 2, speeds: []float64{9, 1}}}, [][]float64{{0, 0}}},
		{"none of a type is left", []int{0, 1}, []claim{{jobs: 2, gang: 1, speeds: []float64{9, 1}}}, [][]float64{{0, 0.5}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var claims []*claim
			for i := range c.claims {
				x := &c.claims[i]
				x.weight = max(x.weight, 1)
				if x.speeds == nil {
					x.speeds = []float64{1}
				}
				claims = append(claims, x)
			}
			allocate(claims, c.accelerators)
			for i, x := range claims {
				for j, want := range c.want[i] {
					if !near(x.share[j], want) {
						t.Errorf("claim %d has %v, want %v", i, x.share, c.want[i])
					}
				}
			}
		})
	}
}

func drawClaims(t *rapid.T, types int) (claims []*claim) {
	for range rapid.IntRange(1, 6).Draw(t, "claims") {
		c := &claim{
			jobs: rapid.IntRange(1, 5).Draw(t, "jobs"), gang: float64(rapid.IntRange(1, 8).Draw(t, "gang")),
			weight: rapid.SampledFrom([]float64{1, 1, 1, 0.5, 3}).Draw(t, "weight"),
		}
		for range types {
			c.speeds = append(c.speeds, rapid.SampledFrom([]float64{0, 0.1, 0.25, 0.5, 1, 1, 2, 3.7, 10}).Draw(t, "speed"))
		}
		claims = append(claims, c)
	}
	return claims
}

// price is what reaching a level costs a job of a claim at the least, at a price for an
// accelerator's time on each type; infinite if it takes more than all of its time. A
// job's two constraints make its best choice one type, or two.
func (c *claim) price(level float64, prices []float64, accelerators []int) float64 {
	all, equal := 0.0, 0.0
	for t, n := range accelerators {
		all += float64(n)
		equal += c.speeds[t] * float64(n)
	}
	need := level * c.weight * equal / all // sum over types of speed x accelerators
	least := math.Inf(1)
	for a, fast := range c.speeds {
		if !c.runs(a, fast, accelerators) {
			continue
		}
		if fast*c.gang >= need-1e-12 {
			least = min(least, need/fast*prices[a])
		}
		for b, slow := range c.speeds {
			if !c.runs(b, slow, accelerators) || !(fast*c.gang > need && slow*c.gang < need) {
				continue
			}
			x := (need - slow*c.gang) / (fast - slow)
			least = min(least, x*prices[a]+(c.gang-x)*prices[b])
		}
	}
	return least
}

// affordable says whether all claims can reach a level. By Farkas' lemma they can unless
// some prices of the types make it cost more than all accelerators are worth: what it
// costs beyond is concave in the prices, so that its greatest is found by sections.
func affordable(claims []*claim, level float64, accelerators []int) bool {
	beyond := func(price float64) float64 {
		prices := []float64{price, 1 - price}
		cost := -price*float64(accelerators[0]) - (1-price)*float64(accelerators[1])
		for _, c := range claims {
			cost += float64(c.jobs) * c.price(level, prices, accelerators)
		}
		return cost
	}
	low, high := 0.0, 1.0
	for range 50 {
		a, b := low+(high-low)/3, high-(high-low)/3
		if beyond(a) >= beyond(b) {
			high = b
		} else {
			low = a
		}
	}
	return max(beyond(0), beyond(low), beyond(1)) <= 1e-9
}

// Against an optimum that does not know the simplex: shares hold, and the least level is
// the highest that all can reach.
func TestAllocateIsOptimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accelerators := []int{rapid.IntRange(0, 6).Draw(t, "first"), rapid.IntRange(1, 6).Draw(t, "second")}
		claims := drawClaims(t, 2)
		allocate(claims, accelerators)
		holds(t, claims, accelerators)
		least := math.Inf(1)
		claims = slices.DeleteFunc(claims, func(c *claim) bool {
			return !c.runs(0, c.speeds[0], accelerators) && !c.runs(1, c.speeds[1], accelerators)
		})
		for _, c := range claims {
			least = min(least, c.level(accelerators))
		}
		if len(claims) > 0 && (!affordable(claims, least*(1-1e-6), accelerators) || affordable(claims, least*(1+1e-6), accelerators)) {
			t.Fatalf("the least level is %v, which is not the highest", least)
		}
	})
}

// holds fails if shares are not what a job, or the cluster, has.
func holds(t *rapid.T, claims []*claim, accelerators []int) {
	taken := make([]float64, len(accelerators))
	for i, c := range claims {
		time := 0.0
		for a, x := range c.share {
			if x < 0 || x > 0 && !c.runs(a, c.speeds[a], accelerators) {
				t.Fatalf("claim %d has %v of type %d", i, x, a)
			}
			time += x
			taken[a] += x * c.gang * float64(c.jobs)
		}
		if time > 1+1e-9 {
			t.Fatalf("claim %d has %v of its time", i, time)
		}
	}
	for a, n := range accelerators {
		if taken[a] > float64(n)*(1+1e-9) {
			t.Fatalf("%v of %d are taken of type %d", taken[a], n, a)
		}
	}
}

// A job has less than all of its time only if all is taken of each type on which it
// runs: nobody could have more without another having less.
func TestAllocateLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accelerators := rapid.SliceOfN(rapid.IntRange(0, 9), 1, 4).Draw(t, "accelerators")
		claims := drawClaims(t, len(accelerators))
		allocate(claims, accelerators)
		holds(t, claims, accelerators)
		left := make([]float64, len(accelerators))
		for a, n := range accelerators {
			left[a] = float64(n)
			for _, c := range claims {
				left[a] -= c.share[a] * c.gang * float64(c.jobs)
			}
		}
		for i, c := range claims {
			time := 0.0
			for _, x := range c.share {
				time += x
			}
			for a := range accelerators {
				if c.runs(a, c.speeds[a], accelerators) && time < 1-1e-7 && left[a] > 1e-7 {
					t.Fatalf("claim %d has %v of its time, and %v of type %d are idle", i, time, left[a], a)
				}
			}
		}
	})
}

// plain is max-min fair shares of accelerators that are alike: all rise together by
// their weights, and who has a whole gang stays.
func plain(claims []*claim, accelerators int) []float64 {
	had := make([]float64, len(claims))
	left := float64(accelerators)
	rising := map[int]bool{}
	for i, c := range claims {
		rising[i] = c.gang <= left
	}
	for {
		weight, level := 0.0, math.Inf(1)
		for i, c := range claims {
			if rising[i] {
				weight += float64(c.jobs) * c.weight
				level = min(level, (c.gang-had[i])/c.weight)
			}
		}
		if weight == 0 || left <= 1e-12 {
			return had
		}
		level = min(level, left/weight)
		for i, c := range claims {
			if rising[i] {
				had[i] += level * c.weight
				rising[i] = c.gang-had[i] > 1e-12
			}
		}
		left -= level * weight
	}
}

// Of types that are alike to all jobs each has as much as it would have of one type.
func TestAllocateAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		types := rapid.IntRange(1, 3).Draw(t, "types")
		each := rapid.IntRange(8, 12).Draw(t, "accelerators") // no gang is more
		claims := drawClaims(t, 0)
		for _, c := range claims {
			c.speeds = slices.Repeat([]float64{1}, types)
		}
		allocate(claims, slices.Repeat([]int{each}, types))
		for i, want := range plain(claims, types*each) {
			got := 0.0
			for _, x := range claims[i].share {
				got += x * claims[i].gang
			}
			if !near(got, want) {
				t.Fatalf("claim %d has %v accelerators, want %v", i, got, want)
			}
		}
	})
}

// More claims than the program takes are joined: the shares hold still, and those of
// claims that differ in little are nearly what they are alone.
func TestManyClaims(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		accelerators := []int{40, 60}
		var claims []*claim
		for i := range rapid.IntRange(maxClaims+1, 200).Draw(t, "claims") {
			c := &claim{jobs: rapid.IntRange(1, 3).Draw(t, "jobs"), gang: float64(1 + i%5), weight: 1, speeds: []float64{1 + float64(i)/1e4, 0.5}}
			claims = append(claims, c)
		}
		joint, in := alike(claims)
		if len(joint) != maxClaims {
			t.Fatalf("%d claims", len(joint))
		}
		allocate(joint, accelerators)
		for i, c := range claims {
			c.share = joint[in[i]].share
		}
		holds(t, claims, accelerators)
	})
}

func BenchmarkAllocate(b *testing.B) {
	for _, n := range []int{8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var claims []*claim
			for i := range n {
				claims = append(claims, &claim{
					jobs: 1 + i%7, gang: float64(int(1) << (i % 6)), weight: 1,
					speeds: []float64{1, 1 / (1.5 + float64(i%10)/3), 1 / (3 + float64(i%11))},
				})
			}
			for b.Loop() {
				allocate(claims, []int{36, 36, 36})
			}
		})
	}
}
