package main

import (
	"math"
	"slices"
)

// summary is how far simulated times are from published ones. Errors are
// relative, simulated / published - 1: negative is fast.
type summary struct {
	rows, configurations int
	median, p90, worst   float64 // of the absolute errors
	bias                 float64 // mean error
	refused              int     // rows that did not run
}

// errors gives the error of every configuration of a source, in the order of
// their first rows: of one measured more than once, the median.
func errorsOf(rows []*row, outcomes []outcome) (errors []float64, refused int) {
	index := map[string]int{}
	var each [][]float64
	for i, r := range rows {
		if outcomes[i].err != nil {
			refused++
			continue
		}
		key := r.scenario()
		c, ok := index[key]
		if !ok {
			c = len(each)
			index[key] = c
			each = append(each, nil)
		}
		each[c] = append(each[c], outcomes[i].seconds/r.seconds-1)
	}
	for _, e := range each {
		errors = append(errors, median(e))
	}
	return errors, refused
}

// summarize is the summary of the errors of configurations.
func summarize(errors []float64) summary {
	if len(errors) == 0 {
		return summary{}
	}
	s := summary{configurations: len(errors)}
	size := make([]float64, len(errors))
	for i, e := range errors {
		size[i] = math.Abs(e)
		s.bias += e / float64(len(errors))
	}
	slices.Sort(size)
	s.median = median(size)
	s.p90 = size[min(len(size)-1, len(size)*9/10)]
	s.worst = size[len(size)-1]
	return s
}

// median of values; of an even number, the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
