package result

// What `railyard plan` finds.
var (
	PlanModel    = Metric{Name: "model", Definition: "model to train"}
	PlanTokens   = Metric{Name: "tokens", Definition: "how much to train; samples of a model without tokens"}
	PlanSequence = Metric{Name: "sequence", Definition: "tokens of a sample"}
	PlanLimits   = Metric{Name: "limits", Definition: "what the plan keeps to"}
	PlanDeadline = Metric{Name: "deadline_s", Unit: "s", Definition: "most time of the training"}
	PlanBudget   = Metric{Name: "budget_USD", Unit: "USD", Definition: "most that the training may cost"}

	PlanConsidered = Metric{Name: "choices", Definition: "ways to share the model among accelerators of each kind, in all numbers up to the limit"}
	PlanFitting    = Metric{Name: "choices_that_fit", Definition: "of them, those that fit in memory"}
	PlanTried      = Metric{Name: "choices_tried", Definition: "of these, those whose iteration was computed without contention; bounds ruled out the others"}
	PlanSimulated  = Metric{Name: "choices_simulated", Definition: "of these, those simulated"}

	PlanPoints   = Metric{Name: "points", Definition: "the Pareto front of time, cost and energy, the fastest first: no choice beats a point in one without losing in another"}
	PlanPoint    = Metric{Name: "point", Definition: "number of a point, from 1"}
	PlanSite     = Metric{Name: "site", Definition: "scenario of the data centre; none of the catalogue's hosts on rails"}
	PlanKind     = Metric{Name: "accelerator", Definition: "kind of accelerator"}
	PlanUsed     = Metric{Name: "accelerators_used", Definition: "accelerators that train; those of the hosts beside them are paid for and idle"}
	PlanTensor   = Metric{Name: "tensor", Definition: "tensor-parallel degree"}
	PlanPipeline = Metric{Name: "pipeline", Definition: "pipeline stages"}
	PlanVirtual  = Metric{Name: "virtual_stages", Definition: "chunks of layers on each stage"}
	PlanContext  = Metric{Name: "context", Definition: "context-parallel degree"}
	PlanExpert   = Metric{Name: "expert", Definition: "expert-parallel degree"}
	PlanData     = Metric{Name: "data", Definition: "data-parallel replicas"}
	PlanZero     = Metric{Name: "zero", Definition: "ZeRO stage"}
	PlanTime     = Metric{Name: "time_s", Unit: "s", Definition: "time to train, of the simulation; without contention where that was enough to rule a choice out"}
	PlanCost     = Metric{Name: "cost_USD", Unit: "USD", Definition: "what the training costs: the share of the purchase that is written off meanwhile, and energy; or the rent", Formula: "as cost.total_USD of a run"}
	PlanEnergy   = Metric{Name: "energy_J", Unit: "J", Definition: "what the site takes meanwhile"}
	PlanPower    = Metric{Name: "power_W", Unit: "W", Definition: "the most that the site draws"}
	PlanPurchase = Metric{Name: "purchase_USD", Unit: "USD", Definition: "what the data centre costs to buy"}
	PlanRacks    = Metric{Name: "racks", Definition: "number of racks"}
	PlanScenario = Metric{Name: "scenario", Definition: "file of the point's scenario"}

	PlanAlternatives = Metric{Name: "alternatives", Definition: "what is next to a point, and why it is not better"}
	PlanChange       = Metric{Name: "change", Definition: "what is different from the point"}
	PlanReason       = Metric{Name: "reason", Definition: "why that is not better"}
	PlanLost         = Metric{Name: "kinds_without_points", Definition: "kinds of accelerator that have no point, and why"}
)

var planPoint = []Metric{
	PlanPoint, PlanSite, PlanKind, AcceleratorCount, PlanUsed, HostCount, PlanTensor, PlanPipeline, PlanVirtual, PlanContext, PlanExpert, PlanData, PlanZero, MicroBatch, Recompute,
	PlanTime, PlanCost, PlanEnergy, IterationTime, MFU, MemoryPerAccelerator, PlanPower, PlanRacks, PlanPurchase, PlanScenario,
}

var planLimits = []Metric{AcceleratorCount, PlanDeadline, PlanBudget, PlanPurchase, PlanPower, PlanRacks}
