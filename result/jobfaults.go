package result

// Failures of a queue's accelerators, and where the time of these went.
var (
	JobGoodput       = Metric{Name: "goodput_ratio", Unit: "ratio", Definition: "effective share of what jobs held: the part of it in which they did work that counts", Formula: "utilization_ratio / allocation_ratio"}
	JobAvailability  = Metric{Name: "availability_ratio", Unit: "ratio", Definition: "share of the accelerators' time in the makespan that they were not out of use", Formula: "1 - down / (accelerators x makespan_s)"}
	AcceleratorTime  = Metric{Name: "accelerator_time_s", Unit: "s", Definition: "where the accelerator-seconds of the makespan went; the parts sum to accelerators x makespan_s"}
	TimeUseful       = Metric{Name: "useful", Unit: "s", Definition: "work that counts, or may still"}
	TimeLost         = Metric{Name: "lost", Unit: "s", Definition: "work that failures undid, that was begun anew after a preemption, or given up"}
	TimeOverhead     = Metric{Name: "overhead", Unit: "s", Definition: "saving and loading after preemptions and restarts after failures; of training jobs checkpoints and all of a recovery"}
	TimeSlowed       = Metric{Name: "slowed", Unit: "s", Definition: "what slow accelerators added"}
	TimeIdle         = Metric{Name: "idle", Unit: "s", Definition: "no job had them, and one could"}
	TimeDown         = Metric{Name: "down", Unit: "s", Definition: "out of use: failed, in repair or maintenance, or kept free for it"}
	JobInterruptions = Metric{Name: "interruptions", Definition: "how often accelerators of the job failed and it was put back, or given up"}
	JobsInterrupted  = Metric{Name: "interrupted", Definition: "jobs that failures put back or gave up"}
	JobFaultCauses   = Metric{Name: "causes", Definition: "what failed and what it cost the jobs of the queue, one record for each [[topology.fault]], the greatest first"}
	CauseFailures    = Metric{Name: "failures", Definition: "how often it failed"}
	CauseUndone      = Metric{Name: "lost_accelerator_s", Unit: "s", Definition: "accelerator-seconds of work that it undid"}
	CauseDown        = Metric{Name: "down_accelerator_s", Unit: "s", Definition: "accelerator-seconds that it had out of use"}

	OutageStart  = Metric{Name: "from_s", Unit: "s", Definition: "when they went out of use: at the failure or the drain before it, or when a job that sees to failures itself gave them back"}
	OutageEnd    = Metric{Name: "to_s", Unit: "s", Definition: "when they came back, or others in their place; empty if the run ended before"}
	OutageWhere  = Metric{Name: "accelerators", Definition: "the accelerators: numbers and ranges with both ends"}
	SeriesDown   = Metric{Name: "down_ratio", Unit: "ratio", Definition: "share of all accelerators that are out of use, mean over the interval; with failures of hosts"}
	DecisionPart = Metric{Name: "part", Definition: "what failed or came back; of a refusal, the tenant in the way"}
	DecisionHash = Metric{Name: "hash", Definition: "SHA-256 of the hash before and of the line without its own, in hexadecimal; see railyard audit verify"}
)
