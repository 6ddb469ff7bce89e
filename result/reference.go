package result

import "strings"

// Declared is a metric at one of the places where it is found.
type Declared struct {
	Metric
	Where string // what holds it: "summary.json", "links.csv", "railyard why --json"
	Path  string // within that: "training[].breakdown_s.compute"; of a table its name first: "links.link"
}

// places lists every metric by where it is found; the path is that of what holds it.
var places = []struct {
	where, path string
	metrics     []Metric
}{
	{"summary.json", "", []Metric{Name, Status, Makespan, Events, Seed, Cluster, Training, Collectives, Replay, Flows, Serving, StorageLoads, Pipelines, Rollouts, Backups, Jobs, Placement, Faults, Network, Packets, EncryptionCosts, Monitoring, Energy, Cost, Sites, Resources, Alerts, Expect}},
	{"summary.json", "cluster", []Metric{TopologyKind, AcceleratorCount, HostCount, Host, SwitchCount, LinkCount}},
	{"summary.json", "training[]", []Metric{
		Name, Model, Precision, AcceleratorCount, GlobalBatch, Accumulation, IterationCount, IterationTime, TimeToTrain, EvaluationTime, EvaluationCount, Islands, OuterTime, OuterCount,
		TokensPerSecond, SamplesPerSecond, ModelTFLOPS, HardwareTFLOPS, MFU, MemoryPerAccelerator, Memory, MicroBatch, Recompute, TrainedParameters,
		Degrees, GradientAlgorithm, GradientBytes, CompressedBytes, Breakdown, ExposedByKind, OverlappedTime, ComputeByClass, SlowedCompute, LostToOthers, Slowdown, LostToFaults, Goodput, Reliability, TrainingInput,
	}},
	{"summary.json", "training[].input", []Metric{SampleBytes, InputReaders, InputRead, InputHits, InputReading, InputPreparing, InputCores, InputWaited}},
	{"summary.json", "training[].memory_bytes", []Metric{MemoryParameters, MemoryGradients, MemoryOptimizer, MemoryActivations, MemoryGathered, MemoryBuffers, MemoryFramework}},
	{"summary.json", "training[].degrees", []Metric{DegreeOf}},
	{"summary.json", "training[].breakdown_s", []Metric{ComputePart, ExposedPart, BubblePart, StoragePart, OptimizerPart, LaunchPart}},
	{"summary.json", "training[].exposed_by_kind_s", []Metric{ExposedOf}},
	{"summary.json", "training[].compute_by_class_s", []Metric{ComputeOf}},
	{"summary.json", "collectives[]", collectives},
	{"summary.json", "replay[]", []Metric{
		Name, TraceSchema, ReplayRanks, TraceNodes, ReplayFinish, ReplayFirst, ReplayCompute, ReplayCommunication, ReplayOverlapped, LostToOthers, Slowdown, LostToFaults, Mended,
	}},
	{"summary.json", "replay[].mended", []Metric{
		MendedDangling, MendedSelf, MendedCircular, MendedDuplicates, MendedUnknown, MendedUnsized, MendedPartial,
	}},
	{"summary.json", "serving[]", []Metric{
		Name, Model, ServingReplicas, AcceleratorCount, RequestCount, RequestsRejected, RequestsUnended, FirstTokenTime, TokenTime, InterTokenLatency, EndToEnd,
		OutputRate, InputRate, RequestRate, MeanQueue, MeanBatch, MeanCache, CacheTokens, WeightBytes, StepCount, StepTime, RequestStops,
		RequestsRefused, SwappedBlocks, ReplicaUse, PrefixHits, MeanReplicas, AcceleratorHours, MostReplicas, ScalingCount, ReplicaStarts, ReplicaFailures, RequestsMoved,
		SLORatio, SLOFirst, SLOEach, SLOWhole, ServingGoodput, TokenGoodput, Tenants, QualityScore,
		HandoverBytes, HandoverTime, HandoverWait, ServingPools,
	}},
	{"summary.json", "serving[].kv_transfer_s", servingSpread},
	{"summary.json", "serving[].kv_wait_s", servingSpread},
	{"summary.json", "serving[].pools[]", []Metric{Name, ServingReplicas, AcceleratorCount, ReplicaUse, MeanQueue, MeanBatch, MeanCache, CacheTokens, MeanReplicas, MostReplicas, ScalingCount}},
	{"summary.json", "serving[].tenants[]", []Metric{
		Name, RequestCount, RequestsRejected, RequestsRefused, RequestsUnended, FirstTokenTime, TokenTime, EndToEnd, OutputRate,
		SLORatio, SLOFirst, SLOEach, SLOWhole, ServingGoodput, TokenGoodput,
	}},
	{"summary.json", "serving[].tenants[].ttft_s", servingSpread},
	{"summary.json", "serving[].tenants[].tpot_s", servingSpread},
	{"summary.json", "serving[].tenants[].e2e_s", servingSpread},
	{"summary.json", "serving[].ttft_s", servingSpread},
	{"summary.json", "serving[].tpot_s", servingSpread},
	{"summary.json", "serving[].itl_s", servingSpread},
	{"summary.json", "serving[].e2e_s", servingSpread},
	{"summary.json", "storage[]", []Metric{
		Name, StorageOp, StorageLayout, StorageServers, StorageClients, IterationCount, StorageTime, StorageSlowest, StorageBytes, StorageMoved, StorageRate,
		LostToOthers, Slowdown,
	}},
	{"summary.json", "pipelines[]", []Metric{Name, ItemsIn, ItemsOut, StageWritten, PipelineTime, PipelineRate, BusiestStage, LostToOthers, Slowdown}},
	{"summary.json", "resources[]", []Metric{ResourceSite, ResourceKind, ResourceCapacity, ResourceDemanded, ResourceAllocated, ResourceUsed}},
	{"summary.json", "flows", []Metric{FlowCount, FlowFinished, FlowMean, FlowLongest}},
	{"summary.json", "faults", []Metric{FaultList, MakespanWithout, FaultLosses}},
	{"summary.json", "faults.list[]", faults},
	{"summary.json", "faults.losses[]", []Metric{Name, LostToFaults}},
	{"summary.json", "network", []Metric{NetworkBytes, PeakUtilization, ContendedLinks, ContendedTime, MostContended, Losses}},
	{"summary.json", "network.most_contended[]", []Metric{Link, Contended, Utilization, LinkContenders}},
	{"summary.json", "network.most_contended[].contenders[]", []Metric{ContenderName, Contended, LossOnLink}},
	{"summary.json", "jobs", []Metric{
		JobPolicy, JobCount, JobsFinished, JobsFailed, JobsCancelled, JobsUnfinished, JobMakespan, JobCompletion, JobWaits, JobSlowdowns, JobRhos,
		JobJain, JobAllocation, JobComputing, JobUtilization, JobHeld, JobLost, JobAllPreemptions, JobPreempted,
		JobGoodput, JobAvailability, AcceleratorTime, JobInterruptions, JobsInterrupted, JobFaultCauses, JobUsers, JobGroups, JobTypes, JobAcceleratorUse,
	}},
	{"summary.json", "jobs.accelerator_time_s", []Metric{TimeUseful, TimeLost, TimeOverhead, TimeSlowed, TimeIdle, TimeDown}},
	{"summary.json", "jobs.accelerator_types[]", []Metric{Name, AcceleratorCount, JobHeld, JobAllocation}},
	{"summary.json", "jobs.causes[]", []Metric{FaultCause, FaultKind, CauseFailures, JobInterruptions, CauseUndone, CauseDown}},
	{"summary.json", "jobs.jct_s", []Metric{Mean, Median, P95, P99}},
	{"summary.json", "jobs.wait_s", []Metric{Mean, Median, P95, P99}},
	{"summary.json", "jobs.slowdown", []Metric{Mean, Median, P95, P99}},
	{"summary.json", "jobs.rho", []Metric{Mean, Median, P95, P99}},
	{"summary.json", "jobs.users[]", jobOwners},
	{"summary.json", "jobs.groups[]", jobOwners},
	{"summary.json", "jobs.types[]", jobOwners},
	{"summary.json", "placement", []Metric{PlacementRule, LoadArrived, LoadAllocated, LoadFragments}},
	{"summary.json", "network.losses[]", []Metric{Name, LostToOthers, Slowdown, Link, LossOther}},
	{"summary.json", "packets", packets},
	{"summary.json", "rollouts[]", []Metric{Name, RolloutHow, HostCount, RolloutBatches, RolloutImage, RolloutTime, RolloutPull, RolloutRegistered, RolloutPassed, RolloutDown, RolloutInterrupted}},
	{"rollouts.csv", "rollouts", []Metric{Workload, RolloutBatch, HostCount, RolloutStart, RolloutPulled, RolloutDrained, RolloutEnded, RolloutInterrupted}},
	{"summary.json", "backups[]", []Metric{Name, BackupCopies, BackupFit, BackupLate, BackupMissed, BackupBytes, BackupWindow, BackupLongest, BackupRate, BackupIdle}},
	{"backups.csv", "backups", []Metric{Workload, BackupNumber, BackupKind, BackupStart, BackupFinish, BackupUntil, BackupBytes, BackupStatus}},
	{"summary.json", "monitoring", []Metric{MonitoringRate, MonitoringCores}},
	{"summary.json", "alerts[]", []Metric{AlertName, AlertSeverity, AlertRule, AlertTimes, AlertFirst, AlertLasted}},
	{"alerts.csv", "alerts", []Metric{AlertName, AlertOf, AlertSeverity, AlertAmiss, AlertFired, AlertResolved, AlertWorst}},
	{"summary.json", "encryption", []Metric{EncryptionTransit, EncryptionRest, EncryptedTransit, EncryptedRest, EncryptedBounced, EncryptionCores}},
	{"summary.json", "energy", []Metric{
		EnergyTotal, EnergyAccelerators, EnergyHosts, EnergySwitches, EnergyFacility, PUE, AveragePower, PeakPower, LowestClock, CappedTime, GridEnergy, BatteryLeft, CarbonEmissions, CarbonMean, EnergyJobs,
	}},
	{"summary.json", "energy.jobs[]", []Metric{Name, JobEnergy, EnergyPerToken, EnergyPerSample, CarbonEmissions, CarbonPerToken, CarbonPerSample}},
	{"summary.json", "cost", []Metric{CostTotal, CostCapital, CostEnergy, CostRent, CostPurchase, CostPerHour, CostJobs}},
	{"summary.json", "cost.purchase", []Metric{CostTotal, BoughtAccelerators, BoughtServers, CostSwitches, BoughtCables, BoughtStorage, BoughtRacks}},
	{"summary.json", "cost.jobs[]", []Metric{Name, CostHours, JobCost, CostPerTokens, CostPerSamples}},
	{"summary.json", "sites", []Metric{SiteList, WANTotal, WANCost, Replications}},
	{"summary.json", "sites.sites[]", []Metric{Name, HostCount, AcceleratorCount, SiteLosses, SiteDown, SiteAsked, SiteAnswered, SiteEnergy, SitePrice, CarbonEmissions}},
	{"summary.json", "sites.replication[]", []Metric{
		Name, ReplicaKind, ReplicaMode, ReplicaCount, ReplicaBytes, ReplicaTime, ReplicaWorst, CommitCount, CommitTime, CommitSlowest, FailoverCount, RPOMost, RTOMost,
	}},
	{"wan.csv", "wan", []Metric{Link, WANFrom, WANTo, WANBytes, WANPrice}},
	{"failovers.csv", "failovers", []Metric{
		Name, FailoverKind, FailoverSite, FailoverAt, FailoverTo, FailoverRPO, FailoverBytes, FailoverResumed, FailoverRTO,
	}},
	{"summary.json", "expect[]", []Metric{ExpectMetric, ExpectOp, ExpectValue, ExpectActual, ExpectHolds}},

	{"collectives.csv", "collectives", collectives},
	{"flows.csv", "flows", []Metric{Flow, FlowStart, FlowFinish, FlowBytes, AloneTime, FlowLost}},
	{"summary.json", "training[].reliability", []Metric{
		ExpectedMTTF, Interruptions, MeasuredMTTF, CheckpointBytes, CheckpointInterval, CheckpointWrite, CheckpointPause, CheckpointReload,
		CheckpointCount, TimeByCause, LargestLoss, LargestCause, FaultCauses, FailureRuns,
	}},
	{"summary.json", "training[].reliability.causes[]", []Metric{FaultCause, FaultKind, Interruptions, LostToCause}},
	{"summary.json", "training[].reliability.runs", []Metric{FailureRunCount, RunInterruptions, RunGoodput}},
	{"summary.json", "training[].reliability.runs.interruptions", []Metric{Mean, Low, High}},
	{"summary.json", "training[].reliability.runs.goodput_ratio", []Metric{Mean, Low, High}},
	{"faults.csv", "faults", faults},
	{"failure_runs.csv", "failure_runs", []Metric{Workload, FailureSeed, Interruptions, Goodput}},
	{"interruptions.csv", "interruptions", []Metric{Workload, InterruptedAt, FaultKind, FaultName, FaultCause, UndoneWork, ResumedAt}},
	{"storage.csv", "storage", []Metric{Workload, StorageOp, StorageIteration, StorageStart, StorageFinish, StorageBytes, StorageMoved, StorageRate}},
	{"resources.csv", "resources", []Metric{Workload, ResourceSite, ResourceKind, ResourceFrom, ResourceTo, ResourceCapacity, ResourceDemanded, ResourceAllocated, ResourceUsed}},
	{"pipelines.csv", "pipelines", []Metric{Workload, PipelineStage, ItemsIn, ItemsOut, StageRead, StageWritten, StageCores, StageBusy, StageRate, StageEnd}},
	{"replay.csv", "replay", []Metric{Rank, RankFinish}},
	{"requests.csv", "requests", []Metric{
		Request, RequestArrival, RequestFirstToken, RequestFinish, RequestInput, RequestOutput, Workload, RequestStatus, RequestReplica, RequestStops, RequestTenant, RequestPrefill, RequestFetchStart, RequestFetchEnd,
	}},
	{"serving_series.csv", "serving_series", []Metric{Workload, SeriesTime, SeriesQueue, SeriesBatch, SeriesCache, SeriesReplicas}},
	{"scaling.csv", "scaling", []Metric{Workload, ScalingTime, ScalingMetric, ScalingReady, ScalingStarting, ScalingRecommended, ScalingDesired, ScalingPool}},
	{"jobs.csv", "jobs", []Metric{
		JobID, JobSubmit, JobStart, JobFinish, JobAccelerators, JobStatus, JobWait, JobRun, JobSlowdown, JobPreemptions, JobRho, JobInterruptions,
		JobUser, JobGroup, JobType, JobModel, JobEnergy,
		CarbonEmissions,
	}},
	{"loads.csv", "loads", []Metric{LoadTime, LoadArrived, LoadAllocated, LoadFragments}},
	{"decisions.jsonl", "decisions", []Metric{DecisionTime, JobID, DecisionAction, DecisionReason, DecisionOther, DecisionUntil, DecisionFree, DecisionPart, DecisionHash}},
	{"outages.csv", "outages", []Metric{OutageStart, OutageEnd, OutageWhere, FaultKind, FaultCause}},
	{"stretches.csv", "stretches", []Metric{JobID, StretchStart, StretchEnd, StretchWhere}},
	{"job_series.csv", "job_series", []Metric{SeriesTime, SeriesQueued, SeriesQueuedDemand, SeriesRunning, SeriesAllocation, JobComputing, SeriesDown}},
	{"links.csv", "links", []Metric{Link, From, To, Capacity, LinkBytes, Busy, Utilization, Contended, PayloadCapacity, Offered, LossOnLink}},
	{"contention.csv", "contention", []Metric{Link, LossOwner, LossOther, LossShared, LossOnLink}},
	{"accelerators.csv", "accelerators", []Metric{
		Accelerator, Host, RackName, ComputeTime, CommunicationTime, IdleTime, ComputeUtilization, OverlappedPerAccel,
	}},
	{"accelerator_series.csv", "accelerator_series", []Metric{SeriesTime, SeriesCompute, SeriesCommunication, SeriesIdle}},
	{"link_series.csv", "link_series", []Metric{Link, SeriesTime, SeriesLinkUtilization, SeriesOffered}},

	{"kernels.csv", "kernels", []Metric{Workload, KernelName, KernelPass, KernelClass, KernelRuns, KernelFLOPs, KernelBytes, KernelTime, KernelPeak, KernelMemory}},
	{"racks.csv", "racks", []Metric{RackName, RackLimit, RackPeak, LowestClock}},
	{"power_series.csv", "power_series", []Metric{SeriesTime, SeriesPower, SeriesGrid, SeriesIntensity, SeriesEmissions}},

	{"railyard topo --json", "", []Metric{Tiers, CableList, BisectionRate, BisectionShare, Hops, HopMean, Diameter, HopsSampled, Problems, FabricCost}},
	{"railyard topo --json", "tiers[]", []Metric{TierName, TierNodes, TierDown, TierUp, TierOversubscription}},
	{"railyard topo --json", "cables[]", []Metric{CableFrom, CableTo, CableCount, CableLeast, CableMost}},
	{"railyard topo --json", "hops[]", []Metric{HopCount, HopPairs}},
	{"railyard topo --json", "problems[]", []Metric{ProblemText}},
	{"railyard topo --json", "cost", []Metric{CostSwitches, CostTrunks, CostAccess, CostTotal, CostPerAccelerator}},

	{"railyard estimate --json", "", []Metric{Name, Cluster, EstimateResources, EstimateTransfer, EstimateTraining}},
	{"railyard estimate --json", "cluster", []Metric{TopologyKind, AcceleratorCount, HostCount, Host, SwitchCount, LinkCount}},
	{"railyard estimate --json", "resources", resources},
	{"railyard estimate --json", "transfer[]", transfer},
	{"railyard estimate --json", "training[]", timeToTrain},
	{"railyard estimate --json", "training[].factors", factors},

	{"railyard plan --json", "", []Metric{
		Name, PlanModel, PlanTokens, GlobalBatch, PlanSequence, Precision, PlanLimits, PlanConsidered, PlanFitting, PlanTried, PlanSimulated, PlanPoints, PlanLost,
	}},
	{"railyard plan --json", "limits", planLimits},
	{"railyard plan --json", "points[]", append(planPoint[:len(planPoint):len(planPoint)], PlanAlternatives)},
	{"railyard plan --json", "points[].alternatives[]", []Metric{PlanChange, PlanTime, PlanCost, PlanEnergy, PlanReason}},
	{"railyard plan --json", "kinds_without_points[]", []Metric{PlanKind, PlanReason}},
	{"railyard plan --serve --json", "", []Metric{
		Name, DeployModel, DeployRequests, DeployRate, DeployPercentile, DeployObjectives, DeployFloor, DeployVariants, DeploySimulated, DeployPoints, PlanLost,
	}},
	{"railyard plan --serve --json", "objectives", []Metric{DeployFirst, DeployEach, DeployWhole}},
	{"railyard plan --serve --json", "deployments[]", append(deployPoint[:len(deployPoint):len(deployPoint)], PlanAlternatives)},
	{"railyard plan --serve --json", "deployments[].alternatives[]", []Metric{PlanChange, PlanReason}},
	{"railyard plan --serve --json", "kinds_without_points[]", []Metric{PlanKind, PlanReason}},
	{"deployments.csv", "deployments", deployPoint},
	{"plan.csv", "plan", planPoint},
	{"alternatives.csv", "alternatives", []Metric{PlanPoint, PlanChange, PlanTime, PlanCost, PlanEnergy, PlanReason}},

	{"railyard why --json", "training[]", []Metric{Verdict, Sensitivity, CriticalLength, CriticalTotals, CriticalPath}},
	{"railyard why --json", "training[].sensitivity[]", []Metric{Resource, ResourceFactor, IterationTime, ThroughputGain, TimeElasticity}},
	{"railyard why --json", "training[].critical_path_s", []Metric{CriticalSlowed, LaunchPart, CriticalOf}},
	{"railyard why --json", "training[].critical_path[]", []Metric{PathCycle, PathTimes, PathShift, PathStep, PathCount, PathTime, PathExposed}},

	{"railyard run --compare-fidelity --json", "", comparison},
	{"railyard run --compare-fidelity --json", "comparison[]", compared},
	{"railyard run --compare-fidelity --json", "packets", packets},
}

var jobOwners = []Metric{JobOwner, JobCount, JobsFinished, JobHeld, JobCompletion, JobWaits, JobSlowdowns, JobRhos, JobAllPreemptions, JobInterruptions}

var collectives = []Metric{
	CollectiveOp, CollectiveAlgorithm, CollectiveRanks, CollectiveSize, CollectiveTime, AlgorithmBandwidth, BusBandwidth, Workload, CollectiveProtocol, BusLimit, MeasuredBusBW, AloneTime, LostToOthers,
}

var faults = []Metric{FaultName, FaultKind, FaultAt, FaultRepair, FaultRate, FaultState, Rerouted, ReroutedBytes}

// Reference lists every metric at every place where it is found.
func Reference() []Declared {
	var all []Declared
	for _, p := range places {
		for _, m := range p.metrics {
			all = append(all, Declared{m, p.where, strings.TrimPrefix(p.path+"."+m.Name, ".")})
		}
	}
	return all
}
