package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
)

// planPoint is a point of a plan as it is drawn.
type planPoint struct {
	kind string
	time float64
	y    [2]float64 // USD, MWh
}

// plotPlan draws the points of a plan: cost and energy over time, a colour for each kind
// of accelerator, and the least that either is for a time.
func plotPlan(dir string, s *summary) (figure.Figure, string, error) {
	const name = "plan.csv"
	const megawattHour = 3.6e9
	var points []planPoint
	var kinds []string
	columns := []result.Metric{result.PlanKind, result.PlanSite, result.PlanTime, result.PlanCost, result.PlanEnergy}
	found, err := readTable(dir, name, columns, func(r *row) {
		p := planPoint{r.text(0), r.number(2), [2]float64{r.number(3), r.number(4) / megawattHour}}
		if r.text(1) != "" {
			p.kind += " at " + r.text(1)
		}
		if !slices.Contains(kinds, p.kind) {
			if len(kinds) == maxCurves {
				return
			}
			kinds = append(kinds, p.kind)
		}
		points = append(points, p)
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if points == nil {
		return nil, name + " has no points", nil
	}
	slices.SortStableFunc(points, func(a, b planPoint) int { return cmp.Compare(a.time, b.time) })
	f := figure.Panels{
		Title:  s.title("what haste takes"),
		X:      figure.Axis{Label: "time to train", Unit: figure.Seconds},
		Panels: []figure.Panel{{Y: figure.Axis{Label: "cost (USD)"}}, {Y: figure.Axis{Label: "energy (MWh)"}}},
	}
	f.Subtitle = "no choice beats a point in one of time, cost and energy without losing in another"
	if n := s.Limits.Accelerators; n > 0 {
		f.Subtitle = fmt.Sprintf("up to %s accelerators; %s", Count(float64(n)), f.Subtitle)
	}
	f.Panels[1].Unnamed = true
	for i := range f.Panels {
		panel := &f.Panels[i]
		least := figure.Series{Name: "the least for the time", Dashed: true, Step: true}
		for _, p := range points {
			y := p.y[i]
			if n := len(least.Y); n > 0 {
				y = min(y, least.Y[n-1])
			}
			least.X, least.Y = append(least.X, p.time), append(least.Y, y)
		}
		for _, kind := range kinds {
			of := figure.Series{Name: kind, Points: true}
			for _, p := range points {
				if p.kind == kind {
					of.X, of.Y = append(of.X, p.time), append(of.Y, p.y[i])
				}
			}
			panel.Series = append(panel.Series, of)
		}
		if len(points) > 1 {
			panel.Series = append(panel.Series, least)
		}
	}
	return f, "", drawable(dir, name, f)
}
