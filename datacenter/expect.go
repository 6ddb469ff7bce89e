package datacenter

import (
	"fmt"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// expect holds the summary to the scenario's thresholds.
func (p *plant) expect(r *Result) error {
	var faults scenario.Faults
	var all []*result.Record
	for _, e := range p.scenario.Expect {
		actual, err := r.Summary.Lookup(e.Metric.Value)
		if err != nil {
			faults = append(faults, e.Metric.Pos.Faultf(e.Path+".metric", "%s.metric: %v", e.Path, err))
			continue
		}
		want := e.Value.Value
		holds := map[string]bool{
			"<": actual < want, "<=": actual <= want, ">": actual > want, ">=": actual >= want, "==": actual == want, "!=": actual != want,
		}[e.Op.Value]
		x := &result.Record{}
		x.Add(result.ExpectMetric, e.Metric.Value)
		x.Add(result.ExpectOp, e.Op.Value)
		x.Add(result.ExpectValue, want)
		x.Add(result.ExpectActual, actual)
		x.Add(result.ExpectHolds, holds)
		all = append(all, x)
		if !holds {
			r.Missed = append(r.Missed, fmt.Sprintf("%s is %s, expected %s %s", e.Metric.Value,
				result.Number(actual), e.Op.Value, result.Number(want)))
		}
	}
	if len(all) > 0 {
		r.Summary.Add(result.Expect, all)
	}
	return faults.Err()
}
