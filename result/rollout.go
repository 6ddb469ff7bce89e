package result

// Rollouts of software.
var (
	Rollouts           = Metric{Name: "rollouts", Definition: "one record for each rollout of software"}
	RolloutHow         = Metric{Name: "distribution", Definition: "registry, or peer-to-peer"}
	RolloutBatches     = Metric{Name: "batches", Definition: "batches of hosts that have begun"}
	RolloutImage       = Metric{Name: "image_bytes", Unit: "bytes", Definition: "what each host pulls"}
	RolloutTime        = Metric{Name: "time_s", Unit: "s", Definition: "time until the last host had restarted; left out if it has not"}
	RolloutPull        = Metric{Name: "pull_s", Unit: "s", Definition: "time of it in which images were pulled and unpacked"}
	RolloutRegistered  = Metric{Name: "registry_bytes", Unit: "bytes", Definition: "bytes that registries gave"}
	RolloutPassed      = Metric{Name: "passed_bytes", Unit: "bytes", Definition: "bytes that hosts passed on to each other"}
	RolloutDown        = Metric{Name: "host_s", Unit: "s", Definition: "host-seconds for which hosts were drained or restarted"}
	RolloutInterrupted = Metric{Name: "interrupted", Definition: "jobs that were put back"}

	RolloutBatch   = Metric{Name: "batch", Definition: "which batch, from 0"}
	RolloutStart   = Metric{Name: "start_s", Unit: "s", Definition: "when its hosts began to pull"}
	RolloutPulled  = Metric{Name: "pulled_s", Unit: "s", Definition: "when all had the image, unpacked; from then on no job started on them"}
	RolloutDrained = Metric{Name: "drained_s", Unit: "s", Definition: "when they began to restart"}
	RolloutEnded   = Metric{Name: "finish_s", Unit: "s", Definition: "when they had"}
)
