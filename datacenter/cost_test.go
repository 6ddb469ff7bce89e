package datacenter_test

import (
	"strings"
	"testing"
)

// Two DGX H100 of 269,010 USD each, one leaf with 16 ports of 400 Gbit/s in use at 2.15 USD
// and as many cables at 1.25 USD for each Gbit/s, over five years of 8,766 hours.
func TestCostOfOwning(t *testing.T) {
	r := run(t, twoHosts, nil, "topology.cost.tariff=0.1USD/kWh", "topology.cost.rack=1000USD", "topology.cost.storage=5000USD")
	hours := number(t, r, "makespan_s") / 3600
	bought := 2*269010 + 16*400*(2.15+1.25) + 1000 + 5000
	capital := bought / (5 * 8766) * hours
	paid := number(t, r, "energy.total_J") / 3.6e6 * 0.1
	for path, want := range map[string]float64{
		"cost.purchase.accelerators_USD": 2 * 195000,
		"cost.purchase.servers_USD":      2 * 74010,
		"cost.purchase.switches_USD":     16 * 400 * 2.15,
		"cost.purchase.cables_USD":       16 * 400 * 1.25,
		"cost.purchase.total_USD":        bought,
		"cost.capital_USD":               capital,
		"cost.energy_USD":                paid,
		"cost.total_USD":                 capital + paid,
		"cost.per_hour_USD":              (capital + paid) / hours,
		"cost.jobs.0.cost_USD":           capital + paid,
		"cost.jobs.0.accelerator_hours":  16 * hours,
	} {
		if got := number(t, r, path); !near(got, want, 1e-9) {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	// A host that the catalogue has a price for, and one that the scenario gives.
	for _, c := range []struct {
		set                string
		accelerators, rest float64
	}{
		{"topology.host=dgx-2", 2 * 399000 * 195000.0 / 269010, 2 * 399000 * 74010.0 / 269010},
		{"topology.cost.server=50000USD", 390000, 100000},
		{"topology.cost.accelerator=30000USD", 480000, 148020},
	} {
		r := run(t, twoHosts, nil, "topology.cost.life_years=1", c.set)
		if got, rest := number(t, r, "cost.purchase.accelerators_USD"), number(t, r, "cost.purchase.servers_USD"); !near(got, c.accelerators, 1e-9) || !near(rest, c.rest, 1e-9) {
			t.Errorf("%s: accelerators %v, want %v; hosts %v, want %v", c.set, got, c.accelerators, rest, c.rest)
		}
	}
}

// A rent is of all accelerators, and asks for no energy.
func TestCostOfRenting(t *testing.T) {
	r := run(t, bert, nil, "topology.cost.rental=2.5USD/h")
	hours, n := number(t, r, "makespan_s")/3600, number(t, r, "cluster.accelerators")
	total := 2.5 * n * hours
	if got := number(t, r, "cost.total_USD"); !near(got, total, 1e-9) {
		t.Errorf("it costs %v, want %v", got, total)
	}
	if r.Summary.Record("energy") != nil {
		t.Error("it has an energy that nobody asked for")
	}
	job := r.Summary.Record("cost").List("jobs")[0]
	tokens := number(t, r, "training.0.tokens_per_s") * number(t, r, "training.0.iteration_s") * number(t, r, "training.0.iterations")
	if got, want := job.Float("per_million_tokens_USD"), job.Float("cost_USD")/tokens*1e6; !near(got, want, 1e-9) {
		t.Errorf("a million tokens cost %v, want %v", got, want)
	}
	if got := refused(t, bert, nil, "topology.cost.rental=2.5USD/h", "topology.cost.tariff=0.1USD/kWh"); !strings.Contains(got, "topology.cost.tariff: contradicts rental") {
		t.Error(got)
	}
}

// Racks of two hosts, of which the last is not full, are written off by themselves.
func TestCostOfRacks(t *testing.T) {
	r := run(t, twoHosts, nil, "topology.hosts=5", "topology.cost.rack=100000USD", "topology.cost.rack_hosts=2", "topology.cost.rack_years=20")
	hours := number(t, r, "makespan_s") / 3600
	bought := number(t, r, "cost.purchase.total_USD")
	if got := number(t, r, "cost.purchase.racks_USD"); got != 300000 {
		t.Errorf("racks cost %v, want three of 100,000 USD", got)
	}
	want := ((bought-300000)/5 + 300000.0/20) / 8766 * hours
	if got := number(t, r, "cost.capital_USD"); !near(got, want, 1e-9) {
		t.Errorf("the capital is %v, want %v", got, want)
	}
}
