package datacenter

import (
	"cmp"
	"fmt"

	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	workload "github.com/railyard/railyard/workload/jobs"
)

// fill makes of jobs those that fill the cluster, if that is asked for.
func (b *builder) fill(w *scenario.Jobs, rows []workload.Job) []workload.Job {
	if !w.Fill.Set || len(rows) == 0 {
		return rows
	}
	demand := func(j *workload.Job) float64 {
		return float64(j.Accelerators) * float64(cmp.Or(j.Milli, scheduler.Whole)) / scheduler.Whole
	}
	var wanted float64
	for i := range rows {
		wanted += demand(&rows[i])
	}
	most := w.Fill.Value * float64(b.topology.Accelerators())
	if wanted == 0 || most/wanted*float64(len(rows)) > workload.MaxJobs/2 {
		b.fault(w.Fill.Pos, w.Path+".fill", "of these jobs that is more than %d", workload.MaxJobs/2)
		return nil
	}
	random := sim.Stream(uint64(b.scenario.Sim.Seed.Value), "fill")
	random.Shuffle(len(rows), func(i, k int) { rows[i], rows[k] = rows[k], rows[i] })
	filled := make([]workload.Job, 0, len(rows))
	copies := map[string]int{}
	for came := 0.0; came < most; {
		n := len(filled)
		if n < len(rows) {
			filled = append(filled, rows[n])
		} else {
			filled = append(filled, rows[random.IntN(len(rows))])
			copies[filled[n].ID]++
			filled[n].ID += fmt.Sprintf("#%d", copies[filled[n].ID]+1)
		}
		came += demand(&filled[n])
		if n == workload.MaxJobs {
			break // what is drawn wants far less than the mean
		}
	}
	for i := range filled {
		filled[i].Submit, filled[i].Duration = float64(i), float64(len(filled)-i)
	}
	return filled
}
