package result

// What `railyard run --compare-fidelity` compares.
var (
	Comparison         = Metric{Name: "comparison", Definition: "one record for each time that is compared"}
	ComparedWhat       = Metric{Name: "what", Definition: "what took the time: a workload, with the operation and size of a collective"}
	ComparedMetric     = Metric{Name: "metric", Definition: "name of the metric that is compared"}
	FluidValue         = Metric{Name: "fluid_s", Unit: "s", Definition: "its value with fidelity = \"fluid\""}
	PacketValue        = Metric{Name: "packet_s", Unit: "s", Definition: "its value with fidelity = \"packet\""}
	FidelityDifference = Metric{Name: "difference_ratio", Unit: "ratio", Definition: "how far the fluid is off packets", Formula: "fluid_s / packet_s - 1"}
	FlowDifference     = Metric{Name: "flow_difference_ratio", Unit: "ratio", Definition: "how far single flows are off, in the mean", Formula: "mean of |fluid / packet completion time - 1|"}
)

var (
	comparison = []Metric{Name, Comparison, FlowDifference, Packets}
	compared   = []Metric{ComparedWhat, ComparedMetric, FluidValue, PacketValue, FidelityDifference}
)
