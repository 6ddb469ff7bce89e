package datacenter

import (
	"slices"

	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/result"
)

// AddMeasured puts the bus bandwidths of a log of nccl-tests beside those of the same
// sizes in the result of a test.
func (r *Result) AddMeasured(l *calibrate.Log) {
	for _, t := range r.Tables {
		if t.Name != "collectives" {
			continue
		}
		records := r.Summary.List(result.Collectives.Name)
		measured := make([]float64, t.Rows())
		for i, size := range t.Column(result.CollectiveSize.Name).Numbers {
			measured[i] = result.Missing
			if at := slices.Index(l.Size, size); at >= 0 {
				_, measured[i] = collective.Bandwidth(l.Op, l.Ranks, size, l.Seconds[at])
				records[i].Add(result.MeasuredBusBW, measured[i])
			}
		}
		t.Columns = append(t.Columns, result.Column{Metric: result.MeasuredBusBW, Numbers: measured})
	}
}
