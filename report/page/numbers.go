package page

import (
	"math"
	"slices"
	"strconv"
)

// number is a single value: in the page whole, and null where there is none.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); !math.IsNaN(v) && !math.IsInf(v, 0) {
		return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
	}
	return []byte("null"), nil
}

// numbers are values of a chart: in the page with seven digits, and null where
// there is none.
type numbers []float64

func (n numbers) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, v := range n {
		if i > 0 {
			out = append(out, ',')
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			out = append(out, "null"...)
			continue
		}
		out = strconv.AppendFloat(out, v, 'g', 7, 64)
	}
	return append(out, ']'), nil
}

// thin chooses which rows of some columns to keep, at most about limit of them: in
// each of equal parts of the rows those in which a column has its least and its
// greatest value. Rows stay whole, so that what summed up still does, and no peak
// of any column is lost. The first and the last row stay as well.
func thin(columns [][]float64, limit int) []int {
	rows := len(columns[0])
	if rows <= limit {
		all := make([]int, rows)
		for i := range all {
			all[i] = i
		}
		return all
	}
	parts := max(1, (limit-2)/(2*len(columns)))
	keep := []int{0, rows - 1}
	for p := range parts {
		first, end := rows*p/parts, rows*(p+1)/parts
		for _, c := range columns {
			least, greatest := -1, -1
			for i := first; i < end; i++ {
				switch v := c[i]; {
				case math.IsNaN(v):
				case least < 0:
					least, greatest = i, i
				case v < c[least]:
					least = i
				case v > c[greatest]:
					greatest = i
				}
			}
			if least >= 0 {
				keep = append(keep, least, greatest)
			}
		}
	}
	slices.Sort(keep)
	return slices.Compact(keep)
}

// pick gives the values at some places.
func pick[T any](values []T, at []int) []T {
	picked := make([]T, len(at))
	for i, k := range at {
		picked[i] = values[k]
	}
	return picked
}

// distribution is the share of values that are no greater, at the least value, the
// greatest, and between them wherever it has grown by another 1/limit.
func distribution(sorted []float64, limit int) (x, share numbers) {
	n := len(sorted)
	step := (n + limit - 1) / limit
	kept := 0 // values up to the last that was kept
	for i, v := range sorted {
		if i < n-1 && (sorted[i+1] == v || kept > 0 && i+1-kept < step) {
			continue
		}
		kept = i + 1
		x, share = append(x, v), append(share, float64(kept)/float64(n))
	}
	return x, share
}

// percentile is by nearest rank, of sorted values.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))))-1)]
}
