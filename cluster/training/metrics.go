package training

import (
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/workload"
)

// Metric is the wait for communication of a kind, as breakdowns name it.
func (k Kind) Metric() result.Metric {
	return result.Metric{Name: k.String(), Unit: "s", Definition: "waiting for the exchange of " + k.Exchanged()}
}

// ByClass is seconds by class of operator, of those that take any.
func ByClass(seconds [workload.NumClasses]float64) *result.Record {
	r := &result.Record{}
	for c, s := range seconds {
		if s > 0 {
			class := workload.Class(c)
			r.Add(result.Metric{Name: class.String(), Unit: "s", Definition: "operators of class " + class.String()}, s)
		}
	}
	return r
}
