package scenario

import (
	"slices"
	"strings"
	"testing"
)

// electricityMaps is two hours in the layout of the exports of Electricity Maps.
const electricityMaps = `Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method
2024-01-01 00:00:00,Belgium,Belgium,BE,51.5,80.25,80.1,40.2,entsoe.eu,false,
2024-01-01 01:00:00,Belgium,Belgium,BE,,,,,,,
2024-01-01 02:00:00,Belgium,Belgium,BE,60,90,78.3,39.6,entsoe.eu,true,TSA
`

// Exports of Electricity Maps, whose headers have changed over the years. What a row does
// not say stays as it was.
func TestElectricityMaps(t *testing.T) {
	const at = 1704067200 // 2024-01-01 in s since 1970
	older := strings.NewReplacer("Carbon intensity", "Carbon Intensity", "(Life cycle)", "(LCA)", "Zone name", "Zone Name").Replace(electricityMaps)
	for _, text := range []string{electricityMaps, older, "\ufeff" + electricityMaps} {
		for accounting, want := range map[string][]float64{"direct": {51.5, 60}, "life-cycle": {80.25, 90}} {
			steps, maps, faults := readCarbon("BE.csv", strings.NewReader(text), accounting)
			if faults != nil || !maps {
				t.Fatal(maps, faults)
			}
			if !slices.Equal(steps.At, []float64{at, at + 7200}) || !slices.Equal(steps.Values, want) {
				t.Errorf("%s: %+v, want %v", accounting, steps, want)
			}
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"no intensity", "Datetime (UTC),Zone Id\n2024-01-01 00:00:00,BE\n", "BE.csv:1:1: there is no column Carbon intensity gCO₂eq/kWh (direct)"},
		{"no date", strings.Replace(electricityMaps, "2024-01-01 02", "2024-13-01 02", 1), "BE.csv:4:1: Datetime (UTC): \"2024-13-01 02:00:00\" is no date and time"},
		{"two zones", electricityMaps + strings.SplitN(electricityMaps, "\n", 2)[1], "BE.csv:5:1: Datetime (UTC): does not follow that of the row before: rows ascend"},
		{"nothing known", "Datetime (UTC),Carbon Intensity gCO2eq/kWh (direct)\n2024-01-01 00:00:00,\n", "is empty in all rows"},
		{"no number", strings.Replace(electricityMaps, "51.5", "few", 1), "BE.csv:2:40: Carbon intensity gCO₂eq/kWh (direct): \"few\" is not a number"},
	} {
		_, _, faults := readCarbon("BE.csv", strings.NewReader(c.text), "direct")
		if faults == nil || !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, faults, c.want)
		}
	}
}

func FuzzReadCarbon(f *testing.F) {
	f.Add("timestamp,carbon_intensity\n1640995200000,80\n1640995800000,120\n")
	f.Add("timestamp,carbon_intensity\n1,1\n1,1\n")
	f.Add("carbon_intensity\n-1\n")
	f.Add(electricityMaps)
	f.Add("Datetime (UTC),Carbon Intensity gCO2eq/kWh (direct)\nnever,1\n,\n")
	f.Fuzz(func(t *testing.T, text string) {
		steps, _, faults := readCarbon("c.csv", strings.NewReader(text), "direct")
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
