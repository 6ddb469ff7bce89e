package scenario

import (
	"fmt"

	"github.com/railyard/railyard/units"
)

// Backup is one [[workload.backup]].
type Backup struct {
	Header
	Name   Key[string]         `key:"name" doc:"name in results; \"backup\" where left out"`
	Size   Key[units.Bytes]    `key:"size" required:"true" positive:"true" doc:"bytes that the file system of [topology.storage] keeps, of which its servers hold equal parts: a full copy"`
	Change Key[float64]        `key:"change" default:"1" min:"0" max:"1" doc:"part of them that changes from one copy to the next: an incremental copy"`
	Full   Key[int64]          `key:"full_every" default:"1" min:"1" max:"100000" doc:"each so many copies one is full, the first among them; the others are incremental"`
	Start  Key[units.Duration] `key:"start" default:"\"0s\"" doc:"when the first copy begins"`
	Every  Key[units.Duration] `key:"every" default:"\"24h\"" positive:"true" doc:"time from one copy to the next; one that is due while another is being made is missed"`
	Copies Key[int64]          `key:"copies" default:"1" min:"1" max:"100000" doc:"how many copies are due"`
	Window Key[units.Duration] `key:"window" required:"true" positive:"true" doc:"time in which a copy has to be made. One that is late goes on, and the results say so"`
	To     Key[[]string]       `key:"to" doc:"the hosts that keep the copies, as in [\"host14\", \"west/host2\"]"`
	Pool   Key[string]         `key:"pool" doc:"name of the [[topology.pool]] whose hosts keep them, in place of to"`
	Write  Key[units.Rate]     `key:"write" positive:"true" doc:"rate at which such a host writes to its drives or tapes; that of its NICs where left out"`
	Rate   Key[units.Rate]     `key:"rate" positive:"true" doc:"what all streams together may take, so that others keep the rest; no limit where left out"`
}

// checkBackups judges what no key shows by itself.
func (s *Scenario) checkBackups(b *binder) {
	if s.Topology == nil {
		return
	}
	for i := range s.Workload.Backup {
		w := &s.Workload.Backup[i]
		s.checkCarried(w.Header, b)
		switch {
		case !s.Topology.Storage.Layout.Set:
			b.faultf(w.At, w.Path, "of what? [topology.storage] with a layout is missing")
		case !w.To.Set && !w.Pool.Set:
			b.faultf(w.At, w.Path, `needs the key "to" or "pool" (hosts that keep the copies)`)
		case w.To.Set && w.Pool.Set:
			b.faultf(w.Pool.Pos, w.Path+".pool", "contradicts to: give one of them")
		case w.Pool.Set && len(s.Topology.PoolHosts(w.Pool.Value)) == 0:
			b.faultf(w.Pool.Pos, w.Path+".pool", "%s", s.Topology.noPool(w.Pool.Value))
		case w.Change.Set && w.Full.Value == 1:
			b.faultf(w.Change.Pos, w.Path+".change", "belongs to incremental copies, and with full_every = 1 there are none")
		}
	}
}

// checkCarried sees to it that what hosts send to each other beside messages of jobs can
// be simulated.
func (s *Scenario) checkCarried(h Header, b *binder) {
	switch {
	case s.Sim.Fidelity.Value == "packet":
		b.faultf(s.Sim.Fidelity.Pos, "sim.fidelity", `"packet" does not simulate %s; one of: fluid, analytic`, h.Path)
	case s.Topology.Blocking.Value:
		b.faultf(s.Topology.Blocking.Pos, "topology.blocking", "does not simulate %s", h.Path)
	}
	for i := range s.Topology.Fault {
		if f := &s.Topology.Fault[i]; f.Rerouted() {
			b.faultf(f.Header.At, f.Path, "breaks links, and %s does not find its way around them", h.Path)
			return
		}
	}
}

// noPool says that there is no pool of a name.
func (t *Topology) noPool(name string) string {
	var names []string
	for _, p := range t.allPools() {
		names = append(names, p.Name.Value)
	}
	return fmt.Sprintf("there is no [[topology.pool]] with the name %q%s", shown(name), meant(name, names))
}
