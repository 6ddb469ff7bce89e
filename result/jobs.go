package result

// Jobs of a queue.
var (
	Jobs = Metric{Name: "jobs", Definition: "the jobs of the queue, with [[workload.jobs]]"}

	JobID           = Metric{Name: "job", Definition: "name of the job"}
	JobSubmit       = Metric{Name: "submit_s", Unit: "s", Definition: "when it was submitted"}
	JobStart        = Metric{Name: "start_s", Unit: "s", Definition: "when it first started; empty if it has not"}
	JobFinish       = Metric{Name: "finish_s", Unit: "s", Definition: "when it ended; empty if it has not"}
	JobAccelerators = Metric{Name: "accelerators", Definition: "accelerators of its gang"}
	JobStatus       = Metric{Name: "status", Definition: `"finished"; "failed" if it could not go on, or failures stopped it more often than it may begin again; "cancelled" if it was stopped and given up; "unfinished" if the run ended before it`}
	JobWait         = Metric{Name: "wait_s", Unit: "s", Definition: "time that it spent in the system without accelerators, before its first start and between stretches", Formula: "finish_s - submit_s - run_s"}
	JobRun          = Metric{Name: "run_s", Unit: "s", Definition: "time that it had its accelerators"}
	JobSlowdown     = Metric{Name: "slowdown", Definition: "completion time as a multiple of what the job takes alone; empty if it takes no time or has not finished", Formula: "(finish_s - submit_s) / duration_s"}
	JobPreemptions  = Metric{Name: "preemptions", Definition: "how often its accelerators were taken away, be it for others"}
	JobRho          = Metric{Name: "rho", Definition: "finish-time fairness (Themis, Mahajan et al., NSDI 2020): completion time as a multiple of that on an equal share of the cluster, among as many as were in the system in the mean while it was; up to 1 is fair", Formula: "(finish_s - submit_s) / (duration_s x max(1, accelerators x jobs in the system / accelerators of the cluster))"}
	JobUser         = Metric{Name: "user", Definition: "who submitted it"}
	JobGroup        = Metric{Name: "group", Definition: "the user's group, or virtual cluster"}
	JobType         = Metric{Name: "type", Definition: "type of the job, as its trace has it"}
	JobModel        = Metric{Name: "model", Definition: "what the job trains, as its trace has it"}

	JobPolicy          = Metric{Name: "policy", Definition: "policy of the queue"}
	JobCount           = Metric{Name: "count", Definition: "jobs"}
	JobsFinished       = Metric{Name: "finished", Definition: "jobs that finished"}
	JobsFailed         = Metric{Name: "failed", Definition: "jobs that could not go on"}
	JobsCancelled      = Metric{Name: "cancelled", Definition: "jobs that were stopped and given up"}
	JobsUnfinished     = Metric{Name: "unfinished", Definition: "jobs that the end of the run found waiting, running or not yet submitted; each job is in one of these counts"}
	JobMakespan        = Metric{Name: "makespan_s", Unit: "s", Definition: "from the first submission to the last end, or to the end of the run if a job is unfinished"}
	JobCompletion      = Metric{Name: "jct_s", Unit: "s", Definition: "completion time of finished jobs, from submission to end"}
	JobWaits           = Metric{Name: "wait_s", Unit: "s", Definition: "wait of finished jobs"}
	JobSlowdowns       = Metric{Name: "slowdown", Definition: "slowdown of finished jobs"}
	JobRhos            = Metric{Name: "rho", Definition: "finish-time fairness of finished jobs"}
	Mean               = Metric{Name: "mean", Definition: "mean"}
	Median             = Metric{Name: "median", Definition: "median; of an even number the mean of the two in the middle"}
	P95                = Metric{Name: "p95", Definition: "95th percentile, by nearest rank"}
	P99                = Metric{Name: "p99", Definition: "99th percentile, by nearest rank"}
	JobAllocation      = Metric{Name: "allocation_ratio", Unit: "ratio", Definition: "share of the accelerators' time in the makespan that jobs held them"}
	JobUtilization     = Metric{Name: "utilization_ratio", Unit: "ratio", Definition: "share of it in which they did work that counts: what preemptions and failures cost, and what is begun anew or given up, does not"}
	JobComputing       = Metric{Name: "computing_ratio", Unit: "ratio", Definition: "share of the time of all accelerators in which they compute, over the makespan or the interval: those that are held and do not save or load the state of a preempted or interrupted job, stand still for a checkpoint, or wait for slow ones; of workloads that run event by event, those that do not wait for communication, input or each other either. What is computed may have to be computed again"}
	JobHeld            = Metric{Name: "accelerator_s", Unit: "s", Definition: "accelerator-seconds that jobs held"}
	JobLost            = Metric{Name: "lost_accelerator_s", Unit: "s", Definition: "of them, what preemptions and failures cost: to save and load, to restart, and what was begun anew or given up"}
	JobAllPreemptions  = Metric{Name: "preemptions", Definition: "preemptions of all jobs"}
	JobPreempted       = Metric{Name: "preempted", Definition: "jobs that were preempted"}
	JobJain            = Metric{Name: "jain_ratio", Unit: "ratio", Definition: "Jain's index of the pace of finished jobs: 1 if all are slowed down alike, 1/n if one has all", Formula: "(sum x)^2 / (n sum x^2), x = 1 / slowdown"}
	JobUsers           = Metric{Name: "users", Definition: "the users that held the most, up to 100"}
	JobGroups          = Metric{Name: "groups", Definition: "the groups that held the most, up to 100"}
	JobTypes           = Metric{Name: "types", Definition: "the types that held the most, up to 100"}
	JobAcceleratorUse  = Metric{Name: "accelerator_types", Definition: "the types of accelerators, where there are several and jobs are placed by host: how many there are, and how much of them jobs held"}
	JobOwner           = Metric{Name: "name", Definition: "of the user, group or type; empty for jobs without"}
	StretchStart       = Metric{Name: "start_s", Unit: "s", Definition: "when the job got its accelerators"}
	StretchEnd         = Metric{Name: "finish_s", Unit: "s", Definition: "when it gave them back, or the run ended"}
	StretchWhere       = Metric{Name: "placement", Definition: "the accelerators: numbers and ranges with both ends, separated by spaces"}
	SeriesQueued       = Metric{Name: "queued", Definition: "jobs that wait, mean over the interval"}
	SeriesRunning      = Metric{Name: "running", Definition: "jobs that run, mean over the interval"}
	SeriesQueuedDemand = Metric{Name: "queued_accelerators", Definition: "accelerators that the waiting jobs want, mean over the interval"}
	SeriesAllocation   = Metric{Name: "allocation_ratio", Unit: "ratio", Definition: "share of all accelerators that jobs hold, mean over the interval"}

	// The audit of a queue.
	DecisionTime   = Metric{Name: "time_s", Unit: "s", Definition: "when it was decided"}
	DecisionAction = Metric{Name: "action", Definition: `"start"; "stop"; "reserve" a time at which the job is to start; "demote" to the next queue of las; "refuse" accelerators that it would get but for the isolation of tenants. Of failures: "fail" of accelerators; "repair", they are back, or others in their place; "drain", no job starts on them until they fail; "slow", and "recover" from it; "requeue" of a job, and "give-up"`}
	DecisionReason = Metric{Name: "reason", Definition: `"first" in the order of the policy; "fits", where those before it, if any, have no room; "ahead", with those before it within what there is; "behind", those before it leave too little; "blocked", the first, and too little is free; "planned", the earliest time at which it delays nobody; "reserved", that time has come; "ends-before" the time reserved for another; "beside" another at its reserved time; "own", within the quota of its group; "borrows" what nobody wants whose own it is; "reclaimed" by another's group; "resized", it goes on on more or fewer; "moved", on another type; "service", the limit of its queue is reached; "failure"; "maintenance", a planned one; of a refusal "shared-link", "shared-rack", "shared-host" with another tenant, or "not-own", hosts of another tenant, or none of its own; empty where there is none`}
	DecisionOther  = Metric{Name: "other", Definition: "the job that the reason speaks of"}
	DecisionUntil  = Metric{Name: "until_s", Unit: "s", Definition: "the time that the reason speaks of"}
	DecisionFree   = Metric{Name: "free_accelerators", Definition: "accelerators free when it was decided"}
)
