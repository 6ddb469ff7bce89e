package workload

import "github.com/railyard/railyard/topology"

// outerBytes is the width of what islands exchange: differences of parameters in FP32
// (Douillard et al. 2023).
const outerBytes = 4

// Outer is what a rank does in an outer step of its share of its layers' parameters,
// those of routed experts apart (DiLoCo: Douillard et al. 2023, arXiv:2311.08105). Each
// island has trained by itself since the last: the differences are averaged over the
// islands, an all-reduce of so many bytes among counterparts, and added by SGD with
// Nesterov's momentum. The ranks of an island, which hold the same, take an equal share
// each, whatever ZeRO shares out; then each has the others'. The parameters as they were
// and the momentum are taken to be in the memory of the host.
func (t Training) Outer(shared, experts int64) (sharedBytes, expertBytes float64, step Operator) {
	t = t.WithDefaults()
	replicas := int64(t.Replicas())
	shared, experts = Quotient(shared, replicas), Quotient(experts, replicas/int64(t.Expert))
	n := float64(shared + experts)
	return float64(shared * outerBytes), float64(experts * outerBytes), Operator{
		Name: "outer step", Class: Elementwise, Precision: topology.FP32,
		// Reads parameters, what they were, and the momentum, and writes them; the difference
		// is written and its mean read.
		FLOPs: 2 * 6 * n, Bytes: 8 * outerBytes * n, Launches: 2,
	}
}
