package result

// Placement of jobs host by host.
var (
	Placement     = Metric{Name: "placement", Definition: "how jobs were placed, where that is by host: when as many accelerators had been asked for as there are, or at the last arrival if that was never so"}
	PlacementRule = Metric{Name: "rule", Definition: "rule of the placement"}

	LoadTime      = Metric{Name: "time_s", Unit: "s", Definition: "when"}
	LoadArrived   = Metric{Name: "arrived_ratio", Unit: "ratio", Definition: "accelerators that all jobs that had come asked for, ended ones too, as a multiple of those that there are"}
	LoadAllocated = Metric{Name: "allocated_ratio", Unit: "ratio", Definition: "share of the accelerators that jobs held then, parts as parts"}
	LoadFragments = Metric{Name: "fragmented_ratio", Unit: "ratio", Definition: "share of what was free then that typical jobs could not use: F of Weng et al., USENIX ATC 2023, over what is free"}
)
