package result

// Failures that stop jobs, and checkpoints.
var (
	Goodput     = Metric{Name: "goodput_ratio", Unit: "ratio", Definition: "with checkpoints or failures that stop jobs, effective training time: the share of the time since the job's start in iterations that counted", Formula: "productive / (end - start)"}
	Reliability = Metric{Name: "reliability", Definition: "with checkpoints or failures that stop jobs, what they cost"}

	ExpectedMTTF       = Metric{Name: "expected_mttf_s", Unit: "s", Definition: "mean time to failure of the job, from the mtbf of all parts that it depends on", Formula: "1 / sum of parts / mtbf"}
	MeasuredMTTF       = Metric{Name: "mttf_s", Unit: "s", Definition: "time of the job over its interruptions"}
	Interruptions      = Metric{Name: "interruptions", Definition: "failures that stopped the job, or came while it recovered from one"}
	CheckpointBytes    = Metric{Name: "checkpoint_bytes", Unit: "bytes", Definition: "size of a checkpoint: what a job keeps of its state to go on from it"}
	CheckpointInterval = Metric{Name: "checkpoint_interval_s", Unit: "s", Definition: "work between two checkpoints, before it is rounded to whole iterations; where auto was asked for, what was chosen"}
	CheckpointWrite    = Metric{Name: "checkpoint_write_s", Unit: "s", Definition: "time until a checkpoint is durable", Formula: "checkpoint_bytes / min(write rate of all hosts, hosts x rate of one)"}
	CheckpointPause    = Metric{Name: "checkpoint_pause_s", Unit: "s", Definition: "time for which the job stands still for one"}
	CheckpointReload   = Metric{Name: "checkpoint_reload_s", Unit: "s", Definition: "time to read one"}
	CheckpointCount    = Metric{Name: "checkpoints", Definition: "checkpoints made"}
	TimeByCause        = Metric{Name: "time_s", Unit: "s", Definition: "where the time of the job went; the parts sum to that from its start to its end: productive, checkpoint, lost_work, slowed, detection, waiting, restart, reload"}
	LargestLoss        = Metric{Name: "largest_loss", Definition: "the part of time_s that took most, productive left out"}
	LargestCause       = Metric{Name: "largest_cause", Definition: "the cause of failures that cost most"}
	FaultCauses        = Metric{Name: "causes", Definition: "what failed and stopped the job, with what it cost, the greatest first"}
	FaultCause         = Metric{Name: "cause", Definition: "what the scenario calls it; its kind where it does not"}
	LostToCause        = Metric{Name: "lost_s", Unit: "s", Definition: "work undone and time until iterations went on"}
	FailureRuns        = Metric{Name: "runs", Definition: "with failure_runs, how the job fares in the failures of so many seeds"}
	FailureRunCount    = Metric{Name: "runs", Definition: "seeds"}
	RunInterruptions   = Metric{Name: "interruptions", Definition: "of each"}
	RunGoodput         = Metric{Name: "goodput_ratio", Unit: "ratio", Definition: "of each"}
	FailureSeed        = Metric{Name: "failure_seed", Definition: "seed of the failures"}
	Low                = Metric{Name: "p2_5", Definition: "2.5 % lie below"}
	High               = Metric{Name: "p97_5", Definition: "2.5 % lie above"}

	InterruptedAt = Metric{Name: "at_s", Unit: "s", Definition: "when it failed"}
	UndoneWork    = Metric{Name: "lost_work_s", Unit: "s", Definition: "work that it undid"}
	ResumedAt     = Metric{Name: "resumed_s", Unit: "s", Definition: "when iterations went on, or the next failure came; of a job of a trace, when it began again, empty if it has not"}
)
