package report

import (
	"math"

	"github.com/railyard/railyard/result"
)

// energy says what the run took, who took it, and what that emitted.
func (p *printer) energy(e *result.Record) {
	if e == nil {
		return
	}
	p.line("")
	total := e.Float(result.EnergyTotal.Name)
	power := Prefixed(e.Float(result.AveragePower.Name), "W") + " in the mean"
	if peak, known := e.Get(result.PeakPower.Name).(float64); known {
		power += ", " + Prefixed(peak, "W") + " at most"
	}
	p.line("energy: %s; %s", wattHours(total), power)
	for _, part := range []struct {
		name string
		result.Metric
	}{
		{"accelerators", result.EnergyAccelerators},
		{"hosts beside them", result.EnergyHosts},
		{"switches", result.EnergySwitches},
		{"cooling, conversion", result.EnergyFacility},
	} {
		if v := e.Float(part.Name); v > 0 {
			p.line("    %-22s %s %7s  %s", part.name, bar(v/total, 24), Percent(v/total), wattHours(v))
		}
	}
	if clock, known := e.Get(result.LowestClock.Name).(float64); known {
		p.item("limits", "clocks down to %s, for %s of computation by one accelerator", Percent(clock), Seconds(e.Float(result.CappedTime.Name)))
	}
	if grid, known := e.Get(result.GridEnergy.Name).(float64); known {
		p.item("grid", "%s, of which %s are left in the battery", wattHours(grid), wattHours(e.Float(result.BatteryLeft.Name)))
	}
	if emitted, known := e.Get(result.CarbonEmissions.Name).(float64); known {
		p.item("carbon dioxide", "%s, at %s g/kWh in the mean", grams(emitted), Count(e.Float(result.CarbonMean.Name)))
	}
	for i, j := range e.List(result.EnergyJobs.Name) {
		if i == rowsShown {
			p.line("    ... %d more in summary.json", len(e.List(result.EnergyJobs.Name))-i)
			break
		}
		each := ""
		if v := j.Float(result.EnergyPerToken.Name); v > 0 {
			each = ", " + joules(v) + " a token"
		} else if v := j.Float(result.EnergyPerSample.Name); v > 0 {
			each = ", " + joules(v) + " a sample"
		}
		if emitted, known := j.Get(result.CarbonEmissions.Name).(float64); known {
			each += ", " + grams(emitted) + " of carbon dioxide"
		}
		p.item(j.Text(result.Name.Name), "%s%s", wattHours(j.Float(result.JobEnergy.Name)), each)
	}
}

// wattHours prints an energy in the unit of bills.
func wattHours(j float64) string { return Prefixed(j/3600, "Wh") }

// joules prints a small energy.
func joules(j float64) string {
	if math.Abs(j) < 1 {
		return digits(j*1e3) + " mJ"
	}
	return Prefixed(j, "J")
}

// grams prints a mass, tonnes where it is that much.
func grams(g float64) string {
	if math.Abs(g) >= 1e6 {
		return Prefixed(g/1e6, "t")
	}
	return Prefixed(g, "g")
}
