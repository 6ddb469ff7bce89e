package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
)

// loadTable is how the cluster filled up.
func loadTable(loads []cluster.Load) *result.Table {
	n := len(loads)
	at, arrived, allocated, fragments := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, l := range loads {
		at[i], arrived[i], allocated[i], fragments[i] = l.At.Seconds(), l.Arrived, l.Allocated, l.Fragments
	}
	return &result.Table{Name: "loads", Columns: []result.Column{
		{Metric: result.LoadTime, Numbers: at},
		{Metric: result.LoadArrived, Numbers: arrived},
		{Metric: result.LoadAllocated, Numbers: allocated},
		{Metric: result.LoadFragments, Numbers: fragments},
	}}
}

// placementRecord is the state of the cluster when as much had been asked for as
// there is, or at the last arrival if that was never so.
func placementRecord(rule string, loads []cluster.Load) *result.Record {
	c := &result.Record{}
	c.Add(result.PlacementRule, rule)
	i := slices.IndexFunc(loads, func(l cluster.Load) bool { return l.Arrived >= 1 })
	if i < 0 {
		i = len(loads) - 1
	}
	if i >= 0 {
		c.Add(result.LoadArrived, loads[i].Arrived)
		c.Add(result.LoadAllocated, loads[i].Allocated)
		c.Add(result.LoadFragments, loads[i].Fragments)
	}
	return c
}
