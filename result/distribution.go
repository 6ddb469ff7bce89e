package result

// Distribution is how the values of a metric are spread over things of a kind.
type Distribution struct {
	Name   string    // path of the metric in the summary: "jobs.jct_s"
	Shares []float64 // of the things, rising to 1
	Values []float64 // that so many do not exceed
}

// quantiles is how many values stand for a distribution of more.
const quantiles = 100

// Distribute gives the distribution of values in rising order: all of them if they are
// few, else the least and a hundred quantiles.
func Distribute(name string, sorted []float64) Distribution {
	d, n := Distribution{Name: name}, len(sorted)
	add := func(rank int) {
		d.Shares, d.Values = append(d.Shares, float64(rank)/float64(n)), append(d.Values, sorted[rank-1])
	}
	if n <= quantiles {
		for i := range sorted {
			add(i + 1)
		}
		return d
	}
	add(1)
	for k := 1; k <= quantiles; k++ {
		add((k*n + quantiles - 1) / quantiles)
	}
	return d
}
