package result_test

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/result"
)

// Of few values all are kept; of many the least, the greatest, and at each hundredth the
// least value that so many do not exceed.
func TestDistribute(t *testing.T) {
	few := result.Distribute("x", []float64{1, 1, 4, 9})
	if !slices.Equal(few.Values, []float64{1, 1, 4, 9}) || !slices.Equal(few.Shares, []float64{0.25, 0.5, 0.75, 1}) {
		t.Errorf("%+v", few)
	}
	if none := result.Distribute("x", nil); none.Values != nil {
		t.Errorf("%+v", none)
	}
	for _, n := range []int{101, 250, 100_000} {
		sorted := make([]float64, n)
		for i := range sorted {
			sorted[i] = float64(i + 1)
		}
		d := result.Distribute("x", sorted)
		if len(d.Values) != 101 || d.Values[0] != 1 || d.Values[100] != float64(n) || d.Shares[100] != 1 {
			t.Errorf("%d values: %+v", n, d)
		}
		for i, v := range d.Values {
			if d.Shares[i] != v/float64(n) || i > 0 && (d.Shares[i] < float64(i)/100 || v-1 >= float64(i)/100*float64(n)) {
				t.Errorf("%d values: %v is at %v", n, v, d.Shares[i])
			}
		}
	}
}
