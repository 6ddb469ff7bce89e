package scheduler

import "math"

// simplex is a linear program, maximize a variable subject to A x <= b and x >= 0 with
// b >= 0, in the dense tableau of Dantzig's primal simplex. Where all x are 0 it is
// feasible, so that it begins there and every step keeps it so: however a solution is
// cut short, it holds. Ties, which cycle, are broken by Bland's rule ("New finite
// pivoting rules for the simplex method", Mathematics of Operations Research 2, 1977).
//
// Columns are the variables, the slack of each row, and those added later.
type simplex struct {
	rows  [][]float64 // B^-1 A of each row, the slacks' part being B^-1
	right []float64   // B^-1 b, never negative
	basic []int       // column of each row
	out   []bool      // columns that may not enter any more
	slack int         // column of the first row's
	left  int         // pivots that may still be taken
}

// negligible is what counts as 0 where the entries are about 1.
const negligible = 1e-9

func newSimplex(a [][]float64, b []float64, variables int) *simplex {
	s := &simplex{
		rows: make([][]float64, len(a)), right: b, basic: make([]int, len(a)),
		out: make([]bool, variables+len(a)), slack: variables, left: 50 * (variables + len(a)),
	}
	for i := range a {
		s.rows[i] = make([]float64, variables+len(a), variables+2*len(a))
		copy(s.rows[i], a[i])
		s.rows[i][variables+i] = 1
		s.basic[i] = variables + i
	}
	return s
}

// add gives a variable that takes as much of each of the given rows, and returns its
// column.
func (s *simplex) add(of []int) int {
	for i, row := range s.rows {
		v := 0.0
		for _, r := range of {
			v += row[s.slack+r]
		}
		s.rows[i] = append(row, v)
	}
	s.out = append(s.out, false)
	return len(s.out) - 1
}

// maximize raises one variable as far as it goes, and keeps it there: what would lower
// it does not enter any more. It reports for each row whether the variable depends on
// it, that is whether the row's price, the dual variable, is more than 0.
func (s *simplex) maximize(column int) (binding []bool) {
	gain := make([]float64, len(s.out)) // of the objective by each column
	gain[column] = 1
	stuck := 0 // pivots that have gained nothing, one after another
	for ; s.left > 0; s.left-- {
		enter := s.entering(gain, stuck > len(s.rows))
		if enter < 0 {
			break
		}
		row := s.leaving(enter)
		if row < 0 {
			break // it would rise for ever: no row bounds it
		}
		if stuck++; s.right[row] > negligible {
			stuck = 0
		}
		s.pivot(row, enter, gain)
	}
	binding = make([]bool, len(s.rows))
	for c := range gain {
		if gain[c] < -negligible {
			s.out[c] = true
			if r := c - s.slack; r >= 0 && r < len(s.rows) {
				binding[r] = true
			}
		}
	}
	return binding
}

// entering is the column that gains most, the first that gains at all if bland, -1 if
// none does.
func (s *simplex) entering(gain []float64, bland bool) int {
	enter, most := -1, negligible
	for c, g := range gain {
		if g > most && !s.out[c] {
			if enter, most = c, g; bland {
				break
			}
		}
	}
	return enter
}

// leaving is the row that bounds a column first, of several that whose basic column has
// the lowest number.
func (s *simplex) leaving(enter int) int {
	leave, least := -1, math.Inf(1)
	for i, row := range s.rows {
		if row[enter] <= negligible {
			continue
		}
		ratio := s.right[i] / row[enter]
		if ratio < least || ratio == least && s.basic[i] < s.basic[leave] {
			leave, least = i, ratio
		}
	}
	return leave
}

// pivot has a column enter in place of the basic one of a row. Products are rounded
// before they are added, which the conversions ask for: fused operations would give
// other digits on other machines.
func (s *simplex) pivot(row, enter int, gain []float64) {
	p := s.rows[row]
	by := 1 / p[enter]
	for c := range p {
		p[c] *= by
	}
	p[enter] = 1
	s.right[row] *= by
	for i, r := range s.rows {
		if f := r[enter]; i != row && f != 0 {
			for c := range r {
				r[c] -= float64(f * p[c])
			}
			r[enter] = 0
			s.right[i] = max(0, s.right[i]-float64(f*s.right[row]))
		}
	}
	f := gain[enter]
	for c := range gain {
		gain[c] -= float64(f * p[c])
	}
	gain[enter] = 0
	s.basic[row] = enter
}

// value gives the variables at present, in the order of their columns.
func (s *simplex) value(variables int) []float64 {
	x := make([]float64, variables)
	for i, c := range s.basic {
		if c < variables {
			x[c] = s.right[i]
		}
	}
	return x
}
