package report_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// planCSV is two points of one kind and one of another, on a site.
const planCSV = `point,site,accelerator,time_s,cost_USD,energy_J
1,,b200-sxm,86400,1000,3.6e9
2,,h100-sxm-80gb,172800,500,7.2e9
3,north,h100-sxm-80gb,259200,400,1.8e9
`

func TestPlotPlan(t *testing.T) {
	dir := folder(t, map[string]string{"summary.json": `{"name":"plan for m","limits":{"accelerators":64}}`, "plan.csv": planCSV})
	files, err := report.Plot(dir, report.PlotOptions{Only: []string{"plan"}, Formats: []string{"svg"}})
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	words := texts(t, files[0])
	for _, want := range []string{"plan for m: what haste takes", "cost (USD)", "energy (MWh)", "b200-sxm", "h100-sxm-80gb at north", "the least for the time"} {
		if !slices.Contains(words, want) {
			t.Errorf("the picture says nothing of %q: %q", want, words)
		}
	}
	if !strings.Contains(strings.Join(words, "|"), "up to 64 accelerators; ") {
		t.Errorf("nor of the limit: %q", words)
	}
	dir = folder(t, map[string]string{"summary.json": "{}", "plan.csv": strings.Replace(planCSV, "500", "much", 1)})
	if _, err := report.Plot(dir, report.PlotOptions{Only: []string{"plan"}}); err == nil || !strings.Contains(err.Error(), "plan.csv:3") {
		t.Errorf("a cost that is no number: %v", err)
	}
}

// A plan shows what is next to its ends, each once.
func TestPlanText(t *testing.T) {
	point := func(n int64, time, cost, energy float64) *result.Record {
		x := &result.Record{}
		x.Add(result.PlanPoint, n)
		x.Add(result.PlanKind, "h100")
		x.Add(result.PlanTime, time)
		x.Add(result.PlanCost, cost)
		x.Add(result.PlanEnergy, energy)
		a := &result.Record{}
		a.Add(result.PlanChange, "tensor 4")
		a.Add(result.PlanReason, "slower")
		x.Add(result.PlanAlternatives, []*result.Record{a})
		return x
	}
	r := &result.Record{}
	r.Add(result.Name, "plan for m")
	r.Add(result.PlanPoints, []*result.Record{point(1, 1, 9, 9), point(2, 2, 8, 8), point(3, 3, 7, 7)})
	var b strings.Builder
	if err := report.Plan(&b, r); err != nil {
		t.Fatal(err)
	}
	for want, times := range map[string]int{
		"next to point 1, the fastest\n": 1, "next to point 2": 0, "next to point 3, the cheapest, of the least energy\n": 1, "tensor 4": 2,
	} {
		if got := strings.Count(b.String(), want); got != times {
			t.Errorf("%q %d times, want %d, in\n%s", want, got, times, b.String())
		}
	}
}
