package result

// Inference of a model.
var (
	Serving = Metric{Name: "serving", Definition: "one record for each [[workload.serving]]"}

	ServingReplicas   = Metric{Name: "replicas", Definition: "copies of the model; where they scale, the most that there is room for"}
	RequestCount      = Metric{Name: "requests", Definition: "requests that have ended"}
	RequestsRejected  = Metric{Name: "rejected", Definition: "requests that can never be served: prompt and answer are longer than the context or the cache"}
	RequestsUnended   = Metric{Name: "unfinished", Definition: "requests that the end of the run found under way or to come"}
	FirstTokenTime    = Metric{Name: "ttft_s", Unit: "s", Definition: "time to first token of ended requests", Formula: "first_token_s - arrival_s"}
	TokenTime         = Metric{Name: "tpot_s", Unit: "s", Definition: "time per output token of ended requests with more than one", Formula: "(finish_s - first_token_s) / (output_tokens - 1)"}
	InterTokenLatency = Metric{Name: "itl_s", Unit: "s", Definition: "time between one token of a request and its next, over all tokens; percentiles within half a percent"}
	EndToEnd          = Metric{Name: "e2e_s", Unit: "s", Definition: "time from arrival to last token of ended requests", Formula: "finish_s - arrival_s"}
	P50               = Metric{Name: "p50", Definition: "median, by nearest rank"}
	P90               = Metric{Name: "p90", Definition: "90th percentile, by nearest rank"}
	OutputRate        = Metric{Name: "output_tokens_per_s", Unit: "1/s", Definition: "tokens of the answers of ended requests, from the first arrival to the last end"}
	InputRate         = Metric{Name: "input_tokens_per_s", Unit: "1/s", Definition: "tokens of their prompts, in the same time"}
	RequestRate       = Metric{Name: "requests_per_s", Unit: "1/s", Definition: "ended requests, in the same time"}
	MeanQueue         = Metric{Name: "mean_queue", Definition: "requests that wait, of all replicas, mean over the time from the start to the last end"}
	MeanBatch         = Metric{Name: "mean_batch", Definition: "requests that run on a replica, mean over that time and the replicas that answer"}
	MeanCache         = Metric{Name: "kv_ratio", Unit: "ratio", Definition: "share of the blocks of the caches of keys and values that hold something, of replicas that answer, mean over that time"}
	CacheTokens       = Metric{Name: "kv_tokens", Definition: "tokens that the cache of a replica has room for; where prompts have replicas of their own, of such a one"}
	WeightBytes       = Metric{Name: "weights_bytes", Unit: "bytes", Definition: "weights that an accelerator holds"}
	StepCount         = Metric{Name: "steps", Definition: "steps of all engines"}
	StepTime          = Metric{Name: "step_s", Unit: "s", Definition: "mean time that a step takes, in each stage of the pipeline"}
	RequestStops      = Metric{Name: "preemptions", Definition: "times that a sequence lost its cache, for want of blocks or with its replica, and began again"}
	RequestsRefused   = Metric{Name: "refused", Definition: "requests that found the queue full"}

	SwappedBlocks = Metric{Name: "swapped_blocks", Definition: "blocks of caches that were moved to the memory of the host, or back"}
	ReplicaUse    = Metric{Name: "utilization_ratio", Unit: "ratio", Definition: "share of the time in which the replicas that answer compute, in the mean of their stages"}
	PrefixHits    = Metric{Name: "prefix_hit_ratio", Unit: "ratio", Definition: "share of the tokens of the prompts that were admitted whose keys and values the replica had kept of others"}

	QualityScore = Metric{Name: "quality_score", Definition: "score of the model as it is served, of the table of quality that the scenario names; the more the better"}

	SLORatio       = Metric{Name: "slo_ratio", Unit: "ratio", Definition: "share of the requests that kept to all their objectives, of those that ended or were turned away"}
	SLOFirst       = Metric{Name: "slo_ttft_ratio", Unit: "ratio", Definition: "share that kept to the time to first token"}
	SLOEach        = Metric{Name: "slo_tpot_ratio", Unit: "ratio", Definition: "share that kept to the time per output token"}
	SLOWhole       = Metric{Name: "slo_e2e_ratio", Unit: "ratio", Definition: "share that kept to the time from arrival to last token"}
	ServingGoodput = Metric{Name: "goodput_requests_per_s", Unit: "1/s", Definition: "requests that kept to all their objectives, from the first arrival to the last end"}
	TokenGoodput   = Metric{Name: "goodput_tokens_per_s", Unit: "1/s", Definition: "tokens of their answers, in the same time"}
	Tenants        = Metric{Name: "tenants", Definition: "one record for each [[workload.serving.tenant]]"}
	RequestTenant  = Metric{Name: "tenant", Definition: "whose request it is; empty where the workload has no tenants"}

	MeanReplicas     = Metric{Name: "mean_replicas", Definition: "replicas that answer, mean over the time from the start to the last end"}
	MostReplicas     = Metric{Name: "most_replicas", Definition: "replicas that held accelerators at a time, at most"}
	AcceleratorHours = Metric{Name: "replica_accelerator_hours", Unit: "h", Definition: "accelerators that replicas held, from their host on until they went, times the time"}
	ScalingCount     = Metric{Name: "scalings", Definition: "decisions that changed the number of replicas"}
	ReplicaStarts    = Metric{Name: "starts", Definition: "replicas that began to start after the start of the run"}
	ReplicaFailures  = Metric{Name: "failures", Definition: "replicas whose hosts failed"}
	RequestsMoved    = Metric{Name: "moved", Definition: "times that a request went on on another replica, as its own had failed or gone, and was computed again"}

	ScalingTime        = Metric{Name: "time_s", Unit: "s", Definition: "when the autoscaler decided"}
	ScalingPool        = Metric{Name: "pool", Definition: "prefill or decode, where each has replicas of its own"}
	ScalingMetric      = Metric{Name: "metric", Definition: "its metric, mean over the replicas that are ready"}
	ScalingReady       = Metric{Name: "ready", Definition: "replicas that are ready"}
	ScalingStarting    = Metric{Name: "starting", Definition: "replicas that wait for a host, pull their image, load weights or warm up"}
	ScalingRecommended = Metric{Name: "recommended", Definition: "replicas that the metric asks for", Formula: "ceil(current * metric / target)"}
	ScalingDesired     = Metric{Name: "desired", Definition: "replicas from then on, after windows, policies, least and most"}

	Request           = Metric{Name: "request", Definition: "name of the request, or its number from 0"}
	RequestArrival    = Metric{Name: "arrival_s", Unit: "s", Definition: "when it came; empty if it has not"}
	RequestFirstToken = Metric{Name: "first_token_s", Unit: "s", Definition: "when it had its first token; empty if it has not"}
	RequestFinish     = Metric{Name: "finish_s", Unit: "s", Definition: "when it had its last token; empty if it has not"}
	RequestInput      = Metric{Name: "input_tokens", Definition: "tokens of the prompt"}
	RequestOutput     = Metric{Name: "output_tokens", Definition: "tokens of the answer"}
	RequestReplica    = Metric{Name: "replica", Definition: "replica that served it, from 0, where it ended; empty if none has"}
	RequestStatus     = Metric{Name: "status", Definition: `"finished"; "rejected" if it can never be served; "refused" if the queue was full; "unfinished" if the run ended before it`}

	SeriesQueue    = Metric{Name: "queue", Definition: "requests that wait, of all replicas, mean over the interval"}
	SeriesBatch    = Metric{Name: "batch", Definition: "requests that run, of all replicas, mean over the interval"}
	SeriesCache    = Metric{Name: "kv_ratio", Unit: "ratio", Definition: "share of the blocks of the caches that hold something, of replicas that answer, mean over the interval"}
	SeriesReplicas = Metric{Name: "replicas", Definition: "replicas that answer, mean over the interval"}
)

var servingSpread = []Metric{Mean, P50, P90, P99}
