package scenario

import (
	"strings"
	"testing"
)

// FuzzFailures: any file of failures gives rows in the order of time, or faults with a
// place.
func FuzzFailures(f *testing.F) {
	f.Add("at_s,name,repair_s\n3,host1,5\n1,host0,\n")
	f.Add("at_s\n1e300\n")
	f.Add("failure_interval,failure_duration,failure_intensity\n300000,300000,1\n420000,600000,0.5\n")
	f.Add("failure_interval\n1\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, faults := readFailures("f.csv", strings.NewReader(text))
		for _, fault := range faults {
			if fault.File != "f.csv" || fault.Message == "" {
				t.Errorf("a fault without a place: %+v", fault)
			}
		}
		if faults != nil && all != nil {
			t.Error("rows and faults")
		}
		for i, row := range all {
			if !(row.At >= 0 && row.Repair >= 0 && row.At <= clock) || i > 0 && row.At < all[i-1].At {
				t.Errorf("row %d is %+v", i, row)
			}
		}
	})
}
