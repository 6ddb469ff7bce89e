package result

// Energy, carbon and cost.
var (
	Energy             = Metric{Name: "energy", Definition: "what the run took, by [topology.power]: each accelerator's time computing, communicating and idle times its power in each, exact for any curve; with its hosts, switches and the site"}
	EnergyTotal        = Metric{Name: "total_J", Unit: "J", Definition: "energy of the site", Formula: "(accelerators_J + hosts_J + switches_J) x pue_ratio"}
	EnergyAccelerators = Metric{Name: "accelerators_J", Unit: "J", Definition: "energy of all accelerators, idle ones too"}
	EnergyHosts        = Metric{Name: "hosts_J", Unit: "J", Definition: "energy of hosts beside their accelerators"}
	EnergySwitches     = Metric{Name: "switches_J", Unit: "J", Definition: "energy of switches between hosts, with their transceivers"}
	EnergyFacility     = Metric{Name: "facility_J", Unit: "J", Definition: "cooling and conversion: the rest of total_J"}
	PUE                = Metric{Name: "pue_ratio", Unit: "ratio", Definition: "power usage effectiveness that was assumed"}
	AveragePower       = Metric{Name: "average_power_W", Unit: "W", Definition: "of the site", Formula: "total_J / makespan_s"}
	PeakPower          = Metric{Name: "peak_power_W", Unit: "W", Definition: "highest power of the site, mean over an interval of power_series.csv"}
	LowestClock        = Metric{Name: "clock_ratio", Unit: "ratio", Definition: "with limits of power or cooling, the lowest clock of an accelerator, as a part of the full one"}
	CappedTime         = Metric{Name: "capped_s", Unit: "s", Definition: "accelerator-seconds of computation at lowered clocks"}
	RackLimit          = Metric{Name: "limit_W", Unit: "W", Definition: "most that the hosts of the rack may draw or be cooled of; empty if it has no limit of its own"}
	RackPeak           = Metric{Name: "peak_power_W", Unit: "W", Definition: "highest power of the hosts of the rack, mean over an interval of power_series.csv; empty in runs of very many racks and gangs"}
	GridEnergy         = Metric{Name: "grid_J", Unit: "J", Definition: "energy that the grid gave to the site and its battery"}
	BatteryLeft        = Metric{Name: "battery_J", Unit: "J", Definition: "energy in the battery at the end"}
	CarbonEmissions    = Metric{Name: "emissions_g", Unit: "g", Definition: "carbon dioxide emitted: the integral of the grid's power times its intensity, power being constant within an interval of power_series.csv; of a job, by the part that it has of the site's power at each instant"}
	CarbonMean         = Metric{Name: "mean_intensity_g_per_kWh", Unit: "g/kWh", Definition: "carbon intensity of the grid, mean over the run"}
	EnergyJobs         = Metric{Name: "jobs", Definition: "one record for each workload that runs event by event; jobs of a trace have a column in jobs.csv"}
	JobEnergy          = Metric{Name: "energy_J", Unit: "J", Definition: "energy of its accelerators and their part of their hosts while it had them, with the site's overhead; without switches"}
	EnergyPerToken     = Metric{Name: "per_token_J", Unit: "J", Definition: "energy for each token trained, or of answers", Formula: "energy_J / (iterations x global_batch x sequence), or / output tokens of ended requests"}
	EnergyPerSample    = Metric{Name: "per_sample_J", Unit: "J", Definition: "energy for each sample trained", Formula: "energy_J / (iterations x global_batch)"}
	CarbonPerToken     = Metric{Name: "per_token_g", Unit: "g", Definition: "carbon dioxide for each token", Formula: "emissions_g / tokens"}
	CarbonPerSample    = Metric{Name: "per_sample_g", Unit: "g", Definition: "carbon dioxide for each sample trained", Formula: "emissions_g / (iterations x global_batch)"}
	SeriesPower        = Metric{Name: "power_W", Unit: "W", Definition: "power of the site, mean over the interval"}
	SeriesGrid         = Metric{Name: "grid_power_W", Unit: "W", Definition: "power that the grid gives to the site and its battery, mean over the interval"}
	SeriesIntensity    = Metric{Name: "intensity_g_per_kWh", Unit: "g/kWh", Definition: "carbon intensity of the grid, mean over the interval"}
	SeriesEmissions    = Metric{Name: "emissions_g", Unit: "g", Definition: "carbon dioxide emitted in the interval"}
)
