package scheduler

import (
	"cmp"
	"math"
	"slices"
)

// claim is jobs that are alike to the policy gavel: of equal gang, weight and speeds.
type claim struct {
	jobs   int
	gang   float64
	weight float64
	speeds []float64 // on each type; 0 where they do not run
	share  []float64 // X: part of its time that a job has a gang of each type
}

// maxClaims bounds the linear program. Of more, those that are most alike are taken
// together.
const maxClaims = 64

// allocate sets the shares that are max-min fair over accelerators of several types
// (Gavel, Narayanan et al., "Heterogeneity-Aware Cluster Scheduling Policies for Deep
// Learning Workloads", OSDI 2020, section 4.1): with T_mj the speed of job m on type j,
// of which there are n_j accelerators, s_m its gang and w_m its weight,
//
//	maximize over X  min over m  s_m throughput(m, X) / (w_m throughput(m, X_equal))
//	throughput(m, X) = sum over j of T_mj X_mj
//	sum over j of X_mj <= 1                 a job is at one place at a time
//	sum over m of s_m X_mj <= n_j           there are so many accelerators
//
// X_equal is a job's time on each type in proportion to n_j. Among all jobs the least
// favoured are raised first, then of the others the least, and so on (the paper's water
// filling, section 4.3), so that nothing is left that anybody could use. Accelerators
// of equal speed are thus shared out max-min. Jobs that are alike have equal shares,
// which costs nothing, since the mean of several optima is one.
func allocate(claims []*claim, accelerators []int) {
	types := len(accelerators)
	all := 0.0
	for _, n := range accelerators {
		all += float64(n)
	}
	var fair []*claim // those that can run
	var column []int  // of its variables
	variables, heaviest := 0, 0.0
	for _, c := range claims {
		c.share = make([]float64, types)
		n := 0
		for t, speed := range c.speeds {
			if c.runs(t, speed, accelerators) {
				n++
			}
		}
		if n > 0 && c.jobs > 0 {
			fair = append(fair, c)
			column = append(column, variables)
			variables += n
			heaviest = max(heaviest, c.weight)
		}
	}
	// A variable is the accelerators of a type that a job of a claim has in the mean.
	// Rows are the level that each claim is to reach, its time, and the types.
	n := len(fair)
	a, b := make([][]float64, 2*n+types), make([]float64, 2*n+types)
	for i := range a {
		a[i] = make([]float64, variables)
	}
	for i, c := range fair {
		equal := 0.0
		for t, speed := range c.speeds {
			equal += float64(speed * float64(accelerators[t]) / all)
		}
		v := column[i]
		for t, speed := range c.speeds {
			if c.runs(t, speed, accelerators) {
				a[i][v] = -speed / equal * (heaviest / c.weight)
				a[n+i][v] = 1
				a[2*n+t][v] = float64(c.jobs)
				v++
			}
		}
		b[n+i] = c.gang
	}
	for t := range accelerators {
		b[2*n+t] = float64(accelerators[t])
	}
	s := newSimplex(a, b, variables)
	rising := make([]int, n)
	for i := range rising {
		rising[i] = i
	}
	for len(rising) > 0 {
		binding := s.maximize(s.add(rising))
		before := len(rising)
		rising = slices.DeleteFunc(rising, func(i int) bool { return binding[i] })
		if len(rising) == before { // out of pivots
			break
		}
	}
	x := s.value(variables)
	for i, c := range fair {
		v := column[i]
		for t, speed := range c.speeds {
			if c.runs(t, speed, accelerators) {
				c.share[t] = min(1, math.Round(x[v]/c.gang*1e12)/1e12) // the last digits shall break no ties
				v++
			}
		}
	}
}

// runs says whether jobs of the claim can run on a type.
func (c *claim) runs(t int, speed float64, accelerators []int) bool {
	return speed > 0 && c.gang <= float64(accelerators[t])
}

// alike takes claims together until there are no more than maxClaims, neighbours in
// the order of their weights, speeds and gangs, each as the mean of its jobs. It
// returns them, and for each claim which it is in: whatever they are given they can
// have all together, since the sum of their gangs is that of the mean.
func alike(claims []*claim) (joint []*claim, in []int) {
	order := make([]int, len(claims))
	for i := range order {
		order[i] = i
	}
	if len(claims) <= maxClaims {
		return claims, order
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := claims[i], claims[j]
		return cmp.Or(cmp.Compare(a.weight, b.weight), slices.Compare(a.speeds, b.speeds), cmp.Compare(a.gang, b.gang))
	})
	in = make([]int, len(claims))
	for k, i := range order {
		at := k * maxClaims / len(claims)
		if at == len(joint) {
			joint = append(joint, &claim{speeds: make([]float64, len(claims[i].speeds))})
		}
		in[i] = at
		joint[at].mix(claims[i])
	}
	return joint, in
}

// mix adds the jobs of another claim to the mean.
func (c *claim) mix(other *claim) {
	c.jobs += other.jobs
	part := float64(other.jobs) / float64(c.jobs)
	c.gang += float64(part * (other.gang - c.gang))
	c.weight += float64(part * (other.weight - c.weight))
	for t := range c.speeds {
		c.speeds[t] += float64(part * (other.speeds[t] - c.speeds[t]))
	}
}
