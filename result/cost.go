package result

// Cost.
var (
	Cost               = Metric{Name: "cost", Definition: "what the run cost, by [topology.cost]: the data centre for as long as the run took, and its energy; or its rent"}
	CostCapital        = Metric{Name: "capital_USD", Unit: "USD", Definition: "of what was bought, the part that is written off in the time of the run", Formula: "(purchase.total_USD - purchase.racks_USD) x makespan_s / life_years + purchase.racks_USD x makespan_s / rack_years"}
	CostEnergy         = Metric{Name: "energy_USD", Unit: "USD", Definition: "energy of the site at the tariff; with a battery that which the grid gave"}
	CostRent           = Metric{Name: "rent_USD", Unit: "USD", Definition: "rent of all accelerators, used or not"}
	CostPerHour        = Metric{Name: "per_hour_USD", Unit: "USD", Definition: "all of it for an hour", Formula: "total_USD / makespan in hours"}
	CostPurchase       = Metric{Name: "purchase", Definition: "what the data centre costs to buy"}
	BoughtAccelerators = Metric{Name: "accelerators_USD", Unit: "USD", Definition: "accelerators"}
	BoughtServers      = Metric{Name: "servers_USD", Unit: "USD", Definition: "hosts without their accelerators"}
	BoughtCables       = Metric{Name: "cables_USD", Unit: "USD", Definition: "cables between hosts and switches, with their optics"}
	BoughtStorage      = Metric{Name: "storage_USD", Unit: "USD", Definition: "storage beyond that of the hosts"}
	BoughtRacks        = Metric{Name: "racks_USD", Unit: "USD", Definition: "racks"}
	CostJobs           = Metric{Name: "jobs", Definition: "one record for each workload that runs event by event"}
	CostHours          = Metric{Name: "accelerator_hours", Unit: "h", Definition: "accelerators that it had times the hours for which it had them"}
	JobCost            = Metric{Name: "cost_USD", Unit: "USD", Definition: "its part of total_USD, by accelerator-hours; what was idle is nobody's"}
	CostPerTokens      = Metric{Name: "per_million_tokens_USD", Unit: "USD", Definition: "cost of a million tokens trained, or of answers", Formula: "1e6 cost_USD / (iterations x global_batch x sequence), or / output tokens of ended requests"}
	CostPerSamples     = Metric{Name: "per_million_samples_USD", Unit: "USD", Definition: "cost of a million samples trained", Formula: "1e6 cost_USD / (iterations x global_batch)"}
)
