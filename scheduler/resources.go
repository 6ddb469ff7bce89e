package scheduler

// Resources is an amount of each kind.
type Resources struct {
	Milli  int64 // thousandths of accelerators
	CPU    int64 // thousandths of a core
	Memory int64 // bytes
}

// dominant is the largest share of any resource that an amount is of all that there
// is: the dominant share s of dominant resource fairness (Ghodsi et al., "Dominant
// Resource Fairness: Fair Allocation of Multiple Resource Types", NSDI 2011, section
// 4.1). To serve the least dominant share first, task by task, is its algorithm 1.
func (r Resources) dominant(all Resources) float64 {
	share := func(part, whole int64) float64 {
		if whole == 0 {
			return 0
		}
		return float64(part) / float64(whole)
	}
	return max(share(r.Milli, all.Milli), share(r.CPU, all.CPU), share(r.Memory, all.Memory))
}

// plus adds an amount times n.
func (r Resources) plus(s Resources, n int64) Resources {
	return Resources{r.Milli + n*s.Milli, r.CPU + n*s.CPU, r.Memory + n*s.Memory}
}

func (r Resources) negative() bool { return min(r.Milli, r.CPU, r.Memory) < 0 }

// wants is what a job takes while it runs.
func (q *Queue) wants(r *record) Resources {
	if wants := q.asked[r.asks].Wants; wants != (Resources{}) {
		return wants
	}
	return Resources{Milli: int64(r.Accelerators) * Whole}
}
