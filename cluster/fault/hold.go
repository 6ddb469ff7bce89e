package fault

import "github.com/railyard/railyard/scheduler"

// Hold is hosts that somebody takes out of use for a time that is not known before, and
// gives back: what a [Source] without failures of its own stands for.
type Hold struct {
	x      *Capacity
	source int
}

// Hold gives a hold under the name of a source.
func (x *Capacity) Hold(source int) *Hold { return &Hold{x, source} }

// Drain has no job start on some hosts from now on.
func (h *Hold) Drain(hosts []int32) {
	x := h.x
	var open []int32
	for _, host := range hosts {
		if !x.hosts[host].closed() {
			open = append(open, host)
		}
		x.hosts[host].drains++
		h.report(scheduler.Drain, host)
	}
	x.c.Close(open, int32(h.source))
}

// Vacate puts back the jobs that are still on drained hosts, and says how many.
func (h *Hold) Vacate(hosts []int32) int {
	x := h.x
	jobs := x.c.On(hosts)
	x.Tolls[h.source].Happened++
	x.interrupt(Outage{At: x.c.Engine.Now(), Source: h.source}, jobs)
	x.c.Redecide()
	return len(jobs)
}

// Release lets jobs start on drained hosts again.
func (h *Hold) Release(hosts []int32) {
	x := h.x
	for _, host := range hosts {
		if x.hosts[host].drains--; !x.hosts[host].closed() {
			x.c.Open(host)
		}
		h.report(scheduler.Repair, host)
	}
	x.c.Redecide()
}

func (h *Hold) report(a scheduler.Action, host int32) {
	h.x.c.Report(scheduler.Decision{Action: a, Reason: scheduler.Maintenance, Until: scheduler.Never, Part: h.x.name(host)})
}
