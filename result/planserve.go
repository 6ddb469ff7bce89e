package result

// Plans of deployments: railyard plan --serve.
var (
	DeployModel      = Metric{Name: "model", Definition: "model to serve, or a student in its place"}
	DeployRequests   = Metric{Name: "requests", Definition: "requests that each deployment was simulated with"}
	DeployRate       = Metric{Name: "requests_per_s", Unit: "1/s", Definition: "requests a second of the demand"}
	DeployObjectives = Metric{Name: "objectives", Definition: "what a deployment keeps to, at the percentile"}
	DeployPercentile = Metric{Name: "percentile", Definition: "of the objectives: p50, p90 or p99"}
	DeployFirst      = Metric{Name: "ttft_s", Unit: "s", Definition: "time to first token at the percentile; of an objective, the most"}
	DeployEach       = Metric{Name: "tpot_s", Unit: "s", Definition: "time per output token at the percentile; of an objective, the most"}
	DeployWhole      = Metric{Name: "e2e_s", Unit: "s", Definition: "time from arrival to last token at the percentile; of an objective, the most"}
	DeployFloor      = Metric{Name: "quality_floor", Definition: "least score of a variant"}

	DeployVariants  = Metric{Name: "variants", Definition: "kinds of accelerator, models, tensor-parallel degrees, formats of weights and limits of batches that were looked at, each with every number of replicas"}
	DeploySimulated = Metric{Name: "simulations", Definition: "deployments that were simulated"}
	DeployPoints    = Metric{Name: "deployments", Definition: "the cheapest deployment on each kind of accelerator, the cheapest first"}
	DeployReplicas  = Metric{Name: "replicas", Definition: "copies of the model"}
	DeployFormat    = Metric{Name: "quantization", Definition: "format of the weights"}
	DeploySparsity  = Metric{Name: "sparsity", Definition: "of the weights"}
	DeployPruning   = Metric{Name: "pruning", Definition: "part of the feed-forward layers that was taken out"}
	DeployBatching  = Metric{Name: "batching", Definition: "limits of batches: the engine's own, or what differs from them"}
	DeployHourly    = Metric{Name: "cost_per_hour_USD", Unit: "USD", Definition: "what it costs an hour: the part of the purchase that is written off, and energy; or the rent", Formula: "as cost.per_hour_USD of a run"}
	DeployMillion   = Metric{Name: "per_million_tokens_USD", Unit: "USD", Definition: "cost of a million tokens of answers"}
)

var deployPoint = []Metric{
	PlanPoint, PlanSite, PlanKind, AcceleratorCount, DeployModel, PlanTensor, DeployReplicas, DeployFormat, DeploySparsity, DeployPruning, DeployBatching,
	DeployHourly, DeployMillion, DeployFirst, DeployEach, DeployWhole, ReplicaUse, QualityScore, PlanScenario,
}
