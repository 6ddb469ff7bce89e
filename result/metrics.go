package result

// Every metric of every table and of the summary, declared once. Names are
// fixed by the contract of the output files. A name in capitals stands for any of
// those that its definition lists. Where each is found says [Reference].
var (
	Name     = Metric{Name: "name", Definition: "name of the run, or of the workload"}
	Status   = Metric{Name: "status", Definition: `"done"; "horizon" if work remained at the horizon; "interrupted"`}
	Makespan = Metric{Name: "makespan_s", Unit: "s", Definition: "virtual time from 0 to the end of the last work"}
	Events   = Metric{Name: "events", Definition: "events that the engine handled"}
	Seed     = Metric{Name: "seed", Definition: "seed of all random streams"}

	Training    = Metric{Name: "training", Definition: "one record for each training job"}
	Collectives = Metric{Name: "collectives", Definition: "one record for each collective workload"}
	Replay      = Metric{Name: "replay", Definition: "one record for each replay of traces"}
	Network     = Metric{Name: "network", Definition: "totals over all links"}
	Cluster     = Metric{Name: "cluster", Definition: "what was simulated"}
	Expect      = Metric{Name: "expect", Definition: "each threshold of the scenario, and whether it held"}

	// Cluster.
	TopologyKind     = Metric{Name: "topology", Definition: "kind of the topology"}
	AcceleratorCount = Metric{Name: "accelerators", Definition: "number of accelerators"}
	HostCount        = Metric{Name: "hosts", Definition: "number of hosts"}
	SwitchCount      = Metric{Name: "switches", Definition: "number of switches, those inside hosts included"}
	LinkCount        = Metric{Name: "links", Definition: "number of directed links"}

	// Network.
	NetworkBytes    = Metric{Name: "bytes", Unit: "bytes", Definition: "bytes carried, counted on every link that they cross"}
	ContendedLinks  = Metric{Name: "contended_links", Definition: "links that were contended at any time"}
	ContendedTime   = Metric{Name: "contended_s", Unit: "s", Definition: "contended time, summed over links"}
	MostContended   = Metric{Name: "most_contended", Definition: "five links: those on which an owner lost most, then those with the longest contended time"}
	LinkContenders  = Metric{Name: "contenders", Definition: "who shared the link while it was contended, the longest first"}
	ContenderName   = Metric{Name: "contender", Definition: "a job, a collective, or the flows without an owner"}
	Losses          = Metric{Name: "losses", Definition: "jobs that others held back on links, with what they lost, the one that lost most first; link and other are where and to whom it lost most"}
	LostToOthers    = Metric{Name: "lost_to_others_s", Unit: "s", Definition: "time lost because others used the same links; the job runs again alone on the same accelerators to find it. Left out while the job has not ended", Formula: "time here - time alone"}
	Slowdown        = Metric{Name: "slowdown_ratio", Unit: "ratio", Definition: "how many times as long as alone on the network the job took, from its start to its end", Formula: "time here / time alone"}
	AloneTime       = Metric{Name: "alone_s", Unit: "s", Definition: "time that it takes with the network to itself, from when it is eligible"}
	LossOwner       = Metric{Name: "owner", Definition: "job or collective that was on the link while it was contended"}
	LossOther       = Metric{Name: "other", Definition: `who was there with it: a job, a collective, "flows" for transfers without an owner, "many" where more than eight met`}
	LossShared      = Metric{Name: "shared_s", Unit: "s", Definition: "time during which both were on the link while it was contended"}
	LossOnLink      = Metric{Name: "lost_s", Unit: "s", Definition: "how much later its transfers ended because the link held them back for others; for a link, what the owner that lost most lost. Where several links hold a transfer back each has it, and transfers wait at the same time, so that these do not add up to lost_to_others_s", Formula: "integral of (1 - rate / rate alone) x others' share of what the link carries beside the transfer"}
	LostToFaults    = Metric{Name: "lost_to_faults_s", Unit: "s", Definition: "time by which the job ended later because of faults; the scenario runs again without them to find it. Only where one happened", Formula: "finish here - finish without faults"}
	PeakUtilization = Metric{Name: "peak_utilization_ratio", Unit: "ratio", Definition: "greatest utilization of any link over the makespan"}

	// Training.
	Model                = Metric{Name: "model", Definition: "name of the model"}
	Precision            = Metric{Name: "precision", Definition: "number format of the matrix products"}
	IterationTime        = Metric{Name: "iteration_s", Unit: "s", Definition: "time of one iteration in the steady state", Formula: "sum of breakdown_s"}
	IterationCount       = Metric{Name: "iterations", Definition: "iterations run"}
	TimeToTrain          = Metric{Name: "time_to_train_s", Unit: "s", Definition: "from the start of the job to the end of its last iteration or evaluation"}
	EvaluationTime       = Metric{Name: "evaluation_s", Unit: "s", Definition: "with evaluate_every, time of one evaluation"}
	Islands              = Metric{Name: "islands", Definition: "with local_steps, groups of replicas that train by themselves"}
	OuterTime            = Metric{Name: "outer_step_s", Unit: "s", Definition: "with local_steps, time of the latest outer step, in which the islands average what they have learnt; an equal part of it is in every iteration_s"}
	OuterCount           = Metric{Name: "outer_steps", Definition: "with local_steps, outer steps run"}
	EvaluationCount      = Metric{Name: "evaluations", Definition: "with evaluate_every, evaluations run"}
	TokensPerSecond      = Metric{Name: "tokens_per_s", Unit: "1/s", Definition: "tokens trained on, all replicas", Formula: "samples_per_s x sequence"}
	SamplesPerSecond     = Metric{Name: "samples_per_s", Unit: "1/s", Definition: "sequences or samples trained on, all replicas", Formula: "global_batch / iteration_s"}
	ModelTFLOPS          = Metric{Name: "model_tflops_per_accelerator", Unit: "TFLOP/s", Definition: "rate of the model's arithmetic, recomputation left out", Formula: "model FLOPs of an iteration / iteration_s / accelerators / 1e12"}
	HardwareTFLOPS       = Metric{Name: "hardware_tflops_per_accelerator", Unit: "TFLOP/s", Definition: "rate of all matrix arithmetic, recomputation included"}
	MFU                  = Metric{Name: "mfu_ratio", Unit: "ratio", Definition: "model FLOPs utilization (Chowdhery et al. 2022)", Formula: "model_tflops_per_accelerator / dense peak of the precision"}
	MemoryPerAccelerator = Metric{Name: "memory_per_accelerator_bytes", Unit: "bytes", Definition: "what the accelerator that holds most holds at its peak"}
	Memory               = Metric{Name: "memory_bytes", Unit: "bytes", Definition: "what memory_per_accelerator_bytes is made of"}
	MemoryParameters     = Metric{Name: "parameters", Unit: "bytes", Definition: "weights that the passes compute with"}
	MemoryGradients      = Metric{Name: "gradients", Unit: "bytes", Definition: "gradients"}
	MemoryOptimizer      = Metric{Name: "optimizer", Unit: "bytes", Definition: "master weights and moments"}
	MemoryActivations    = Metric{Name: "activations", Unit: "bytes", Definition: "kept for backward passes, those of the layer that is computed again included"}
	MemoryGathered       = Metric{Name: "gathered", Unit: "bytes", Definition: "parameters of other replicas' shards while layers use them"}
	MemoryBuffers        = Metric{Name: "buffers", Unit: "bytes", Definition: "messages, buckets, and gradients that are not yet where they are kept"}
	MemoryFramework      = Metric{Name: "framework", Unit: "bytes", Definition: "what a process takes before it trains anything: context, kernels, buffers of the communication library"}
	MicroBatch           = Metric{Name: "micro_batch", Definition: "sequences or samples of one pass of a replica; where auto was asked for, what was chosen"}
	Recompute            = Metric{Name: "recompute", Definition: "activations computed again; where auto was asked for, what was chosen"}
	TrainedParameters    = Metric{Name: "trained_parameters", Definition: "with tuning = \"lora\", parameters of the adapters of the whole model"}
	Degrees              = Metric{Name: "degrees", Definition: "degrees of parallelism"}
	GlobalBatch          = Metric{Name: "global_batch", Definition: "sequences or samples of one iteration"}
	Accumulation         = Metric{Name: "accumulation", Definition: "micro-batches of one replica in an iteration"}
	GradientAlgorithm    = Metric{Name: "gradient_algorithm", Definition: "algorithm of the gradients' all-reduce, or reduce-scatter"}
	GradientBytes        = Metric{Name: "gradient_bytes", Unit: "bytes", Definition: "gradients that a rank of the first stage sums over the replicas in an iteration, under zero = 2 and 3 those of every micro-batch"}
	CompressedBytes      = Metric{Name: "compressed_gradient_bytes", Unit: "bytes", Definition: "with gradient_compression, what each rank has of them to send"}
	OverlappedTime       = Metric{Name: "overlapped_communication_s", Unit: "s", Definition: "communication of an iteration behind which the accelerators compute"}

	Breakdown           = Metric{Name: "breakdown_s", Unit: "s", Definition: "where the time of one iteration goes; the parts sum to iteration_s"}
	ComputePart         = Metric{Name: "compute", Unit: "s", Definition: "forward and backward passes, recomputation and accumulation of gradients included", Formula: "the sum of compute_by_class_s + slowed_compute_s"}
	ExposedPart         = Metric{Name: "exposed_communication", Unit: "s", Definition: "waiting for communication with nothing to compute"}
	BubblePart          = Metric{Name: "bubble", Unit: "s", Definition: "waiting for another pipeline stage, or at the end for slower ranks"}
	StoragePart         = Metric{Name: "storage", Unit: "s", Definition: "waiting for data or checkpoints"}
	OptimizerPart       = Metric{Name: "optimizer", Unit: "s", Definition: "the optimizer's update; with gradient_compression, the gradients made whole before it too"}
	LaunchPart          = Metric{Name: "host_launch", Unit: "s", Definition: "waiting for the host to launch kernels; left out where it never waits"}
	ExposedByKind       = Metric{Name: "exposed_by_kind_s", Unit: "s", Definition: "exposed communication of one iteration by what was communicated"}
	ComputeByClass      = Metric{Name: "compute_by_class_s", Unit: "s", Definition: "compute of one iteration by class of operator, as it would be with no communication beside it; what that adds is slowed_compute_s"}
	SlowedCompute       = Metric{Name: "slowed_compute_s", Unit: "s", Definition: "part of breakdown_s.compute by which communication kernels slow the computation beside them: it is not in compute_by_class_s", Formula: "share of the multiprocessors that they take x overlapped_communication_s"}
	DegreeOf            = Metric{Name: "DIMENSION", Definition: "degree of one dimension of parallelism: tensor, pipeline, data, context, expert"}
	ExposedOf           = Metric{Name: "KIND", Unit: "s", Definition: "waiting for the exchange of one kind: gradients, parameters, tensor, context, expert, lookups, outer, pipeline"}
	ComputeOf           = Metric{Name: "CLASS", Unit: "s", Definition: "operators of one class: matrix, attention, flash-attention, convolution, elementwise, embedding, loss"}
	CollectiveOp        = Metric{Name: "op", Definition: "collective operation"}
	CollectiveAlgorithm = Metric{Name: "algorithm", Definition: "algorithm that was run; where auto was asked for, what it chose"}
	CollectiveProtocol  = Metric{Name: "protocol", Definition: "protocol of the collective library: LL, LL128 or Simple; empty where there is no library"}
	CollectiveRanks     = Metric{Name: "ranks", Definition: "number of ranks"}
	CollectiveSize      = Metric{Name: "size_bytes", Unit: "bytes", Definition: "buffer of one rank as nccl-tests counts it"}
	CollectiveTime      = Metric{Name: "time_s", Unit: "s", Definition: "time of one operation, the mean over iterations"}
	AlgorithmBandwidth  = Metric{Name: "algbw_Bps", Unit: "B/s", Definition: "algorithm bandwidth", Formula: "size_bytes / time_s"}
	BusBandwidth        = Metric{Name: "busbw_Bps", Unit: "B/s", Definition: "bus bandwidth as nccl-tests has it", Formula: "algbw x 2(n-1)/n for all_reduce, x (n-1)/n for all_gather, reduce_scatter and all_to_all, else algbw"}
	BusLimit            = Metric{Name: "bus_limit_Bps", Unit: "B/s", Definition: "bus bandwidth that the algorithm would have on its links at the rate of the wire, with no latency and no software"}
	MeasuredBusBW       = Metric{Name: "measured_busbw_Bps", Unit: "B/s", Definition: "bus bandwidth of the same size in the log of nccl-tests that was given"}
	Workload            = Metric{Name: "workload", Definition: "name of the workload that the row belongs to"}

	// Flows.
	Flow         = Metric{Name: "flow", Definition: "name of the flow"}
	FlowStart    = Metric{Name: "start_s", Unit: "s", Definition: "when it became eligible: its start, or the end of the last flow that it waits for"}
	FlowFinish   = Metric{Name: "finish_s", Unit: "s", Definition: "when its last byte had drained"}
	FlowBytes    = Metric{Name: "bytes", Unit: "bytes", Definition: "its size"}
	FlowLost     = Metric{Name: "lost_s", Unit: "s", Definition: "how much longer it took than alone, for others on its links or for faults; empty if it has not ended", Formula: "finish_s - start_s - alone_s"}
	FlowCount    = Metric{Name: "flows", Definition: "number of flows"}
	Flows        = Metric{Name: "flows", Definition: "flows, and their completion times"}
	FlowMean     = Metric{Name: "mean_completion_s", Unit: "s", Definition: "mean time from a flow's start to its finish"}
	FlowLongest  = Metric{Name: "longest_completion_s", Unit: "s", Definition: "longest time from a flow's start to its finish"}
	FlowFinished = Metric{Name: "finished", Definition: "flows that ended"}

	// Replay.
	Rank                = Metric{Name: "rank", Definition: "rank of the replay; of several replays one after the other"}
	RankFinish          = Metric{Name: "finish_s", Unit: "s", Definition: "when the rank had done all of its trace; empty if it has not"}
	TraceSchema         = Metric{Name: "schema", Definition: "format of the traces and its version"}
	TraceNodes          = Metric{Name: "nodes", Definition: "nodes of the traces of all ranks"}
	ReplayRanks         = Metric{Name: "ranks", Definition: "number of ranks"}
	ReplayFinish        = Metric{Name: "finish_s", Unit: "s", Definition: "when the last rank had done all of its trace"}
	ReplayFirst         = Metric{Name: "first_finish_s", Unit: "s", Definition: "when the first rank had"}
	ReplayCompute       = Metric{Name: "compute_s", Unit: "s", Definition: "time that a rank's accelerator computes, mean over ranks"}
	ReplayCommunication = Metric{Name: "communication_s", Unit: "s", Definition: "time that a rank communicates and computes nothing, waiting for other ranks included, mean over ranks"}
	ReplayOverlapped    = Metric{Name: "overlapped_communication_s", Unit: "s", Definition: "time that a rank communicates and computes, mean over ranks"}
	Mended              = Metric{Name: "mended", Definition: "what was wrong with the traces and has been put right, counted over all files"}
	MendedDangling      = Metric{Name: "dangling_dependencies", Definition: "dependencies on nodes that are not in the trace, dropped"}
	MendedSelf          = Metric{Name: "self_dependencies", Definition: "dependencies of a node on itself, dropped"}
	MendedCircular      = Metric{Name: "circular_dependencies", Definition: "control dependencies that closed a circle, dropped"}
	MendedDuplicates    = Metric{Name: "duplicate_nodes", Definition: "nodes whose id another had, dropped"}
	MendedUnknown       = Metric{Name: "unknown_nodes", Definition: "nodes of a type not known, done at once"}
	MendedUnsized       = Metric{Name: "unsized_collectives", Definition: "collectives without a size, which took the time that they took when captured"}
	MendedPartial       = Metric{Name: "partial_collectives", Definition: "collectives over some dimensions of a network, run over all ranks"}

	// Links.
	Link            = Metric{Name: "link", Definition: "name of the directed link"}
	From            = Metric{Name: "from", Definition: "node that it leads from; empty for bare links"}
	To              = Metric{Name: "to", Definition: "node that it leads to; empty for bare links"}
	Capacity        = Metric{Name: "capacity_Bps", Unit: "B/s", Definition: "rate of the wire"}
	LinkBytes       = Metric{Name: "bytes", Unit: "bytes", Definition: "bytes carried"}
	Busy            = Metric{Name: "busy_ratio", Unit: "ratio", Definition: "share of the makespan with any traffic"}
	Utilization     = Metric{Name: "utilization_ratio", Unit: "ratio", Definition: "share of the wire used; more than 1 where fidelity = \"analytic\" lets transfers pass that the wire could not carry at once", Formula: "bytes / (capacity_Bps x makespan_s)"}
	Contended       = Metric{Name: "contended_s", Unit: "s", Definition: "time during which two or more owners together wanted more than the link can carry; an owner wants what it would get alone on the network"}
	Offered         = Metric{Name: "offered_Bps", Unit: "B/s", Definition: "rate that all owners on the link together wanted while it was contended, each what it would get alone; mean over that time, 0 if it never was"}
	PayloadCapacity = Metric{Name: "payload_Bps", Unit: "B/s", Definition: "rate left for payload behind headers, encoding and copy kernels"}

	// Faults.
	Faults          = Metric{Name: "faults", Definition: "what broke, and what it cost"}
	FaultList       = Metric{Name: "list", Definition: "one record for each fault, as in faults.csv"}
	FaultName       = Metric{Name: "name", Definition: "what broke"}
	FaultKind       = Metric{Name: "kind", Definition: "link, switch, nic, accelerator, host, rack, power-domain or site"}
	FaultAt         = Metric{Name: "at_s", Unit: "s", Definition: "when it broke"}
	FaultRepair     = Metric{Name: "repair_s", Unit: "s", Definition: "how long until it worked again; empty if never"}
	FaultRate       = Metric{Name: "capacity_ratio", Unit: "ratio", Definition: "part of its rate that was left meanwhile"}
	FaultState      = Metric{Name: "state", Definition: `"lasts" or "repaired" at the end of the run; "to come" if it ended before`}
	Rerouted        = Metric{Name: "rerouted_transfers", Definition: "transfers on their way or to come, a phase of a collective being one, that went another way because of it"}
	ReroutedBytes   = Metric{Name: "rerouted_bytes", Unit: "bytes", Definition: "bytes that the messages which would have crossed it had left to move when they were rerouted"}
	MakespanWithout = Metric{Name: "makespan_without_s", Unit: "s", Definition: "makespan of the same scenario without its faults"}
	FaultLosses     = Metric{Name: "losses", Definition: "jobs that ended later because of faults, or earlier where it is negative"}

	// Topology, by railyard topo.
	Tiers                = Metric{Name: "tiers", Definition: "accelerators, NICs, switches inside hosts, and the fabric's switches by their distance from the NICs, or bare accelerators"}
	TierName             = Metric{Name: "tier", Definition: "name of the tier; that of its switches where they have one in common"}
	TierNodes            = Metric{Name: "nodes", Definition: "nodes of the tier"}
	TierDown             = Metric{Name: "down_Bps", Unit: "B/s", Definition: "rate of all links from the tiers below into a tier of the fabric"}
	TierUp               = Metric{Name: "up_Bps", Unit: "B/s", Definition: "rate of all links from a tier of the fabric to those above"}
	TierOversubscription = Metric{Name: "oversubscription", Definition: "what the tier takes from below for each byte that it can send up; 0 at the top", Formula: "down_Bps / up_Bps"}
	CableList            = Metric{Name: "cables", Definition: "cables by the tiers that they join"}
	CableFrom            = Metric{Name: "from", Definition: "tier at the lower end"}
	CableTo              = Metric{Name: "to", Definition: "tier at the upper end"}
	CableCount           = Metric{Name: "cables", Definition: "number of cables, of two directions each"}
	CableLeast           = Metric{Name: "least_Bps", Unit: "B/s", Definition: "lowest rate of one, each way"}
	CableMost            = Metric{Name: "most_Bps", Unit: "B/s", Definition: "highest rate of one, each way"}
	BisectionRate        = Metric{Name: "bisection_Bps", Unit: "B/s", Definition: "bisection bandwidth: the least, over ways to halve the hosts or bare accelerators, of the minimum cut between the halves, in one direction; exact up to 12, of more over halves of equal blocks in order"}
	BisectionShare       = Metric{Name: "bisection_ratio", Unit: "ratio", Definition: "bisection bandwidth over what the NICs of half of the hosts can send: 1 is a full one"}
	Hops                 = Metric{Name: "hops", Definition: "pairs of accelerators by the links on the way from one to the other; of all pairs, or of a quarter of a million drawn at random"}
	HopCount             = Metric{Name: "hops", Definition: "links on the way"}
	HopPairs             = Metric{Name: "pairs", Definition: "pairs with so many"}
	HopMean              = Metric{Name: "mean_hops", Definition: "mean of the pairs"}
	Diameter             = Metric{Name: "diameter", Definition: "most links on the way between any of the pairs"}
	HopsSampled          = Metric{Name: "sampled", Definition: "whether pairs were drawn at random"}
	Problems             = Metric{Name: "problems", Definition: "ways that do not join or do not arrive; none in a sound topology"}
	ProblemText          = Metric{Name: "problem", Definition: "what is wrong, in words"}
	FabricCost           = Metric{Name: "cost", Definition: "price of the fabric's switches and cables by [topology.prices]"}
	CostSwitches         = Metric{Name: "switches_USD", Unit: "USD", Definition: "switches, by their ports in use"}
	CostTrunks           = Metric{Name: "trunks_USD", Unit: "USD", Definition: "cables between switches with their optics"}
	CostAccess           = Metric{Name: "access_USD", Unit: "USD", Definition: "cables between NICs and switches with their optics"}
	CostTotal            = Metric{Name: "total_USD", Unit: "USD", Definition: "all of it"}
	CostPerAccelerator   = Metric{Name: "per_accelerator_USD", Unit: "USD", Definition: "all of it over the accelerators"}

	// Accelerators.
	Accelerator           = Metric{Name: "accelerator", Definition: "name of the accelerator"}
	Host                  = Metric{Name: "host", Definition: "name of its host; empty for bare accelerators"}
	RackName              = Metric{Name: "rack", Definition: "name of its rack; empty for bare accelerators"}
	ComputeTime           = Metric{Name: "compute_s", Unit: "s", Definition: "time computing"}
	CommunicationTime     = Metric{Name: "communication_s", Unit: "s", Definition: "time in communication with nothing computed meanwhile; of jobs that share the accelerator the sum, at most what compute leaves"}
	IdleTime              = Metric{Name: "idle_s", Unit: "s", Definition: "the rest of the makespan"}
	ComputeUtilization    = Metric{Name: "utilization_ratio", Unit: "ratio", Definition: "share of the makespan spent computing", Formula: "compute_s / makespan_s"}
	OverlappedPerAccel    = Metric{Name: "overlapped_communication_s", Unit: "s", Definition: "time in communication while computing; part of compute_s"}
	SeriesTime            = Metric{Name: "time_s", Unit: "s", Definition: "beginning of the interval"}
	SeriesCompute         = Metric{Name: "compute_ratio", Unit: "ratio", Definition: "share of all accelerators that compute, mean over the interval"}
	SeriesCommunication   = Metric{Name: "communication_ratio", Unit: "ratio", Definition: "share of all accelerators in exposed communication, mean over the interval"}
	SeriesIdle            = Metric{Name: "idle_ratio", Unit: "ratio", Definition: "share of all accelerators that are idle, mean over the interval"}
	SeriesLinkUtilization = Metric{Name: "utilization_ratio", Unit: "ratio", Definition: "share of the wire used, mean over the interval"}
	SeriesOffered         = Metric{Name: "offered_ratio", Unit: "ratio", Definition: "rate that the owners of the link's traffic wanted, over that of the wire, mean over the interval: what it carried and, while it was contended, what more they would have sent had each been alone"}

	// Explanations of a training job.
	CriticalTotals = Metric{Name: "critical_path_s", Unit: "s", Definition: "time on the critical path of an iteration by cause: classes of operators, what communication adds to them, waiting for the host to launch them, the optimizer, and communication by what is exchanged; the parts sum to critical_iteration_s"}
	CriticalLength = Metric{Name: "critical_iteration_s", Unit: "s", Definition: "length of the iteration whose critical path is told: one like all others, or with jitter that of median length, of an even number the shorter, of those whose mean is iteration_s"}
	CriticalOf     = Metric{Name: "CAUSE", Unit: "s", Definition: "a class of operators, the optimizer, or a kind of communication"}
	CriticalSlowed = Metric{Name: "slowed_compute", Unit: "s", Definition: "what communication kernels add to the computation beside them"}
	CriticalPath   = Metric{Name: "critical_path", Definition: "what determines the length of an iteration, from its beginning to its end without a gap: the work or the communication that what follows had to wait for"}
	PathCycle      = Metric{Name: "cycle", Definition: "number of the part of the path, in order of time"}
	PathTimes      = Metric{Name: "times", Definition: "how often the steps of the part come in a row"}
	PathShift      = Metric{Name: "stage_shift", Definition: "how many stages further the steps of the part are each time, back where it is negative; step names the stages of the first time"}
	PathStep       = Metric{Name: "step", Definition: "passes of a pipeline stage with the exchanges that hold them up, messages between stages, a collective, or the optimizer"}
	PathCount      = Metric{Name: "count", Definition: "passes, messages or collectives, of all times together"}
	PathTime       = Metric{Name: "time_s", Unit: "s", Definition: "time on the path, of all times together"}
	PathExposed    = Metric{Name: "communication_s", Unit: "s", Definition: "part of it that is communication"}
	Sensitivity    = Metric{Name: "sensitivity", Definition: "the same scenario with 10 % more of one resource, the one that gains the most first"}
	Resource       = Metric{Name: "resource", Definition: "what there is more of, or less where it costs time"}
	ResourceFactor = Metric{Name: "factor", Definition: "what the resource is multiplied by"}
	ThroughputGain = Metric{Name: "gain_ratio", Unit: "ratio", Definition: "throughput gained", Formula: "iteration_s of the job / iteration_s here - 1"}
	TimeElasticity = Metric{Name: "elasticity", Definition: "percent of throughput gained for each percent of the resource: 1 where nothing else matters; the elasticities of all resources sum to about 1", Formula: "ln(1 + gain_ratio) / |ln(factor)|"}
	Verdict        = Metric{Name: "verdict", Definition: "what bounds the job, in words"}

	// Expectations.
	ExpectMetric = Metric{Name: "metric", Definition: "dotted path into the summary"}
	ExpectOp     = Metric{Name: "op", Definition: "comparison that was to hold"}
	ExpectValue  = Metric{Name: "value", Definition: "threshold"}
	ExpectActual = Metric{Name: "actual", Definition: "value of the metric"}
	ExpectHolds  = Metric{Name: "holds", Definition: "whether it held"}
)
