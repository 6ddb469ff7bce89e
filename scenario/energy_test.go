package scenario

import (
	"strings"
	"testing"
)

func FuzzReadCarbon(f *testing.F) {
	f.Add("timestamp,carbon_intensity\n1640995200000,80\n1640995800000,120\n")
	f.Add("timestamp,carbon_intensity\n1,1\n1,1\n")
	f.Add("carbon_intensity\n-1\n")
	f.Fuzz(func(t *testing.T, text string) {
		steps, faults := readCarbon("c.csv", strings.NewReader(text))
		if faults == nil && (len(steps.At) == 0 || len(steps.At) != len(steps.Values)) {
			t.Fatalf("%q gives %+v", text, steps)
		}
		for i := 1; i < len(steps.At); i++ {
			if steps.At[i] <= steps.At[i-1] {
				t.Fatalf("%q gives times that do not rise", text)
			}
		}
	})
}

func FuzzReadCurve(f *testing.F) {
	f.Add("utilization_ratio,power_W\n0,80\n1,700\n")
	f.Add("utilization_ratio,power_W\n2,80\n")
	f.Fuzz(func(t *testing.T, text string) {
		points, faults := readCurve("p.csv", strings.NewReader(text))
		if faults == nil && len(points) == 0 {
			t.Fatalf("%q gives no points and no fault", text)
		}
	})
}
