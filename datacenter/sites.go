package datacenter

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/cluster/fault"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/cluster/wan"
	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
)

// sited is the sites of a plant that has several.
type sited struct {
	*wan.WAN
	names    []string
	datasets []*wan.Dataset
	inputs   *inputs        // of jobs; nil: they read no datasets
	prices   []energy.Steps // of energy at each, USD/kWh
	carbon   []energy.Steps // intensity of it, g/kWh; nil where that is not known of all
}

// number is that of a site that there is.
func (s *sited) number(name string) int { return slices.Index(s.names, name) }

// mostCopied bounds the checkpoints that jobs may make where these are copied: each is
// an event.
const mostCopied = 1 << 22

// addSites has sites be lost, and what lies there be copied.
func (b *builder) addSites() {
	names := b.topology.SiteNames()
	if len(names) < 2 {
		return
	}
	s := &sited{WAN: wan.New(b.cluster), names: names}
	b.sites = s
	if x := b.stopping; x != nil {
		watch := fault.NewWatch(b.cluster, x.outages, func(source, part int) int {
			if x.said[source].Kind.Value != "site" {
				return -1
			}
			return s.number(x.sources[source].Names[part])
		})
		watch.Lost, watch.Back, s.Settle = s.Lose, s.Restore, watch.Settle
	}
	if b.readConditions(); b.scenario.Scheduler.Site.Set {
		b.cluster.PlaceAtSites(b.siteOrder())
	}
	for i := range b.scenario.Topology.Dataset {
		s.datasets = append(s.datasets, s.dataset(&b.scenario.Topology.Dataset[i], b.scenario))
	}
}

// readConditions reads what energy costs and emits at each site.
func (b *builder) readConditions() {
	t, s := b.scenario.Topology, b.sites
	for i := range t.Site {
		price, faults := b.scenario.ReadTariff(&t.Site[i])
		b.faults = append(b.faults, faults...)
		s.prices = append(s.prices, price)
		c := cmp.Or(t.Site[i].Carbon, t.Carbon)
		if c == nil {
			continue
		}
		grid, faults := b.scenario.ReadCarbon(c)
		b.faults = append(b.faults, faults...)
		s.carbon = append(s.carbon, grid)
	}
	if len(s.carbon) < len(t.Site) {
		s.carbon = nil
	}
}

// price is that of energy at a site, emits the intensity of it.
func (s *sited) price(site int, at sim.Time) float64 { return s.prices[site].Value(at.Seconds()) }
func (s *sited) emits(site int, at sim.Time) float64 { return s.carbon[site].Value(at.Seconds()) }

// dataset makes and be copied.
func (s *sited) dataset(w *scenario.Dataset, of *scenario.Scenario) *wan.Dataset {
	d := &wan.Dataset{
		Name: w.Name.Value, Site: s.number(w.Site.Value), Bytes: float64(w.Size.Value), Unseeded: !w.Seeded.Value,
		Change: float64(w.Change.Value), Commit: sim.Time(w.Commit.Value), Synchronous: w.Mode.Value == "synchronous",
		Interval: 15 * 60 * sim.Second, Takeover: sim.Time(of.Topology.Takeover.Value),
	}
	if w.Interval.Set {
		d.Interval = sim.Time(w.Interval.Value)
	}
	for _, name := range w.Copies.Value {
		d.To = append(d.To, s.number(name))
	}
	return d
}

// replicate begins with datasets, once it is known what else there is.
func (b *builder) replicate() {
	if b.sites == nil || b.faults != nil {
		return
	}
	b.cluster.Crossed = len(b.sites.datasets) > 0 || b.stopping != nil || b.queued != nil
	for _, d := range b.sites.datasets {
		b.sites.Replicate(d, len(b.cluster.Jobs) == 0)
	}
}

// copying is how the checkpoints of the jobs of a file come to other sites; nil if they do
// not.
func (b *builder) copying(w *scenario.Jobs, durations []sim.Time) *jobs.Copying {
	c := &w.CheckpointCopies
	if !c.To.Set || b.sites == nil {
		return nil
	}
	made := 0.0
	for _, d := range durations {
		made += float64(d) / float64(w.Interval.Value)
	}
	if made > mostCopied {
		b.fault(w.Interval.Pos, w.Path+".checkpoint_interval", "makes %.3g checkpoints, each of which is looked at where they are copied; up to %d can be", made, mostCopied)
	}
	return &jobs.Copying{
		Bytes: float64(c.Size.Value), Synchronous: c.Mode.Value == "synchronous", Interval: sim.Time(c.Every.Value),
		To: b.sites.takers(c.To.Value),
	}
}

// takers are the sites that take the copies of each, -1 where none does: the first of some
// that is another.
func (s *sited) takers(some []string) []int {
	to := slices.Repeat([]int{-1}, len(s.names))
	for site, own := range s.names {
		for _, name := range some {
			if name != own {
				to[site] = s.number(name)
				break
			}
		}
	}
	return to
}

// replicated is where the checkpoints of a training lie; nil if no site loses them.
func (b *builder) replicated(w *scenario.Training, requeued bool) *training.Copying {
	c := &w.TrainingCopies
	if c.To.Set && !requeued && b.breaks {
		b.fault(c.To.Pos, w.Path+".replicate_to", "belongs to on_failure = \"requeue\": the job keeps its accelerators when they fail")
	}
	if b.sites == nil || !requeued || !w.Checkpointing.Interval.Set || !c.To.Set && !b.scenario.Topology.Storage.BySite.Value {
		return nil
	}
	return &training.Copying{
		Sites: b.sites.WAN, To: b.sites.takers(c.To.Value), Synchronous: c.Mode.Value == "synchronous", Interval: sim.Time(c.Every.Value),
	}
}
