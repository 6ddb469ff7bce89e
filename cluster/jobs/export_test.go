package jobs

// MaxAgain is how often jobs begin again before they are taken never to end.
const MaxAgain = maxAgain

// HaveBegun has the trace count as if jobs had begun again so often already.
func (t *Trace) HaveBegun(times int) { t.jobs -= times }
