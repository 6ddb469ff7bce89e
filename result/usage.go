package result

// Of accelerators and network interfaces one by one over time, for monitoring.
var (
	UsageHost        = Metric{Name: "host", Definition: "host, or that it is in"}
	UsageDevice      = Metric{Name: "device", Definition: "accelerator or network interface, by number or name within its host"}
	UsageCompute     = Metric{Name: "compute_ratio", Unit: "ratio", Definition: "share of the interval in which it computes"}
	UsageExposed     = Metric{Name: "communication_ratio", Unit: "ratio", Definition: "share of the interval in which it waits for communication"}
	UsagePower       = Metric{Name: "power_W", Unit: "W", Definition: "power that it draws, mean over the interval"}
	UsageMemory      = Metric{Name: "memory_bytes", Unit: "bytes", Definition: "memory that is in use in the interval, the most of it: of a training what its fullest accelerator holds, of inference weights and the cache that is reserved"}
	UsageFree        = Metric{Name: "free_memory_bytes", Unit: "bytes", Definition: "memory that is not in use"}
	UsageTransmitted = Metric{Name: "transmitted_bytes", Unit: "bytes", Definition: "bytes sent from time 0 on"}
	UsageReceived    = Metric{Name: "received_bytes", Unit: "bytes", Definition: "bytes received from time 0 on"}
)
