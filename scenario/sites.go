package scenario

import (
	"io"
	"slices"

	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/jobs"
)

// Dataset is one [[topology.dataset]]: bytes that lie at a site, and the copies of them at
// others.
type Dataset struct {
	Header
	Name Key[string]      `key:"name" required:"true" doc:"name, as jobs name what they read"`
	Site Key[string]      `key:"site" required:"true" doc:"site at which it lies"`
	Size Key[units.Bytes] `key:"size" required:"true" positive:"true" doc:"all of it"`

	Copies   Key[[]string]       `key:"copies" doc:"other sites that have a copy of it, too"`
	Seeded   Key[bool]           `key:"seeded" default:"true" doc:"copies are there at the start; false: all of it is sent to them first"`
	Change   Key[units.Rate]     `key:"change" positive:"true" doc:"rate at which it changes; it does not where left out"`
	Commit   Key[units.Duration] `key:"commit" default:"\"10s\"" positive:"true" doc:"time between commits, in which the changes come"`
	Mode     Key[string]         `key:"replication" default:"\"asynchronous\"" enum:"synchronous asynchronous" doc:"synchronous: a commit is acknowledged when all copies have it, and a lost site loses none; asynchronous: it is acknowledged at once, and changes are sent every replication_interval"`
	Interval Key[units.Duration] `key:"replication_interval" positive:"true" doc:"with replication = \"asynchronous\", time between copies; 15m where left out, what Azure Storage aims at as the RPO of geo-replicated accounts (recalled)"`
}

// CheckpointCopies is what a [[workload.jobs]] says of copies of its checkpoints.
type CheckpointCopies struct {
	To    Key[[]string]       `key:"replicate_to" doc:"sites that take copies of the checkpoints: the first of them that is not the job's own. None are made where left out, and a job whose site is lost begins anew if it gets accelerators elsewhere"`
	Mode  Key[string]         `key:"replication" default:"\"asynchronous\"" enum:"synchronous asynchronous" doc:"synchronous: a checkpoint counts only when its copy has come; asynchronous: it counts at once, for failures within its site"`
	Every Key[units.Duration] `key:"replication_interval" doc:"with replication = \"asynchronous\", time that must have passed since the latest copy was begun; a copy of every checkpoint where left out"`
	Size  Key[units.Bytes]    `key:"checkpoint_size" positive:"true" doc:"with replicate_to, size of a checkpoint for each accelerator of the job"`
}

// SiteConditions is what a [[topology.site]] says of where it is.
type SiteConditions struct {
	Speed      Key[float64]      `key:"speed" default:"1" positive:"true" min:"0" max:"1e6" doc:"of a site whose accelerators are others, how many times as fast jobs of a [[workload.jobs]] are there as their duration_s says"`
	UTCOffset  Key[float64]      `key:"utc_offset" default:"0" min:"-14" max:"14" doc:"hours that its clocks are ahead of those of the run: with arrivals = \"diurnal\", requests of clients near it peak at peak by its own time"`
	Tariff     Key[units.Tariff] `key:"tariff" doc:"price of energy; that of [topology.cost], or its default, where left out"`
	TariffFile Key[string]       `key:"tariff_file" doc:"in place of tariff, CSV of it over time: time_s,tariff_USD_per_kWh, ascending; the last holds for good"`
	Carbon     *Carbon           `key:"carbon" doc:"what its power emits, in place of [topology.carbon]"`
}

// mostDatasets bounds the datasets of a scenario.
const mostDatasets = 10000

// sites are the names of the sites that the topology has, nil if it has but one network.
func (t *Topology) sites() (names []string) {
	if t != nil {
		for i := range t.Site {
			names = append(names, t.Site[i].Name.Value)
		}
	}
	return names
}

// siteKey sees to it that a key names a site, and says whether it does.
func (t *Topology) siteKey(b *binder, path, name string, at Position) bool {
	names := t.sites()
	switch {
	case len(names) == 0:
		b.faultf(at, path, "belongs to several sites, and there is no [[topology.site]]")
	case !slices.Contains(names, name):
		b.faultf(at, path, "there is no site %q%s", shown(name), meant(name, names))
	default:
		return true
	}
	return false
}

// checkSites judges what is said of sites beside how they are built.
func (s *Scenario) checkSites(b *binder) {
	t := s.Topology
	if t == nil {
		return
	}
	for i := range t.Site {
		w := &t.Site[i]
		if w.Tariff.Set && w.TariffFile.Set {
			b.faultf(w.Tariff.Pos, w.Path+".tariff", "contradicts tariff_file: give one of them")
		}
		if w.Carbon != nil {
			if w.Carbon.check(b); t.Carbon != nil {
				b.faultf(w.Carbon.At, w.Carbon.Path, "contradicts [topology.carbon], which says it of all sites")
			}
		}
		if t.Battery != nil && (w.Tariff.Set || w.TariffFile.Set) {
			b.faultf(t.Battery.At, t.Battery.Path, "is one of all sites, and site %s has a tariff of its own", shown(w.Name.Value))
		}
	}
	s.checkSiteRule(b)
	if t.Takeover.Set && len(t.Site) == 0 {
		b.faultf(t.Takeover.Pos, "topology.takeover", "belongs to several sites, and there is no [[topology.site]]")
	}
	if len(t.Dataset) > mostDatasets {
		b.faultf(t.Dataset[mostDatasets].At, "topology.dataset", "more than %d", mostDatasets)
		return
	}
	names := map[string]bool{}
	for i := range t.Dataset {
		d := &t.Dataset[i]
		if d.Name.Set && names[d.Name.Value] {
			b.faultf(d.Name.Pos, d.Path+".name", "%q is there twice", shown(d.Name.Value))
		}
		names[d.Name.Value] = true
		d.check(s, b)
	}
	for i := range s.Workload.Jobs {
		w := &s.Workload.Jobs[i]
		w.CheckpointCopies.check(s, w, b)
	}
	for i := range s.Workload.Training {
		s.Workload.Training[i].checkCopies(s, b)
	}
}

func (d *Dataset) check(s *Scenario, b *binder) {
	if d.Site.Set {
		s.Topology.siteKey(b, d.Path+".site", d.Site.Value, d.Site.Pos)
	}
	seen := map[string]bool{d.Site.Value: true}
	for _, name := range d.Copies.Value {
		if s.Topology.siteKey(b, d.Path+".copies", name, d.Copies.Pos) && seen[name] {
			b.faultf(d.Copies.Pos, d.Path+".copies", "%q has it already", shown(name))
		}
		seen[name] = true
	}
	for _, k := range []struct {
		name, to string
		set      bool
		at       Position
		does     bool
	}{
		{"seeded", "copies, which is missing", d.Seeded.Set, d.Seeded.Pos, d.Copies.Set},
		{"commit", "change, which is missing", d.Commit.Set, d.Commit.Pos, d.Change.Set},
		{"replication", "copies and change, of which one is missing", d.Mode.Set, d.Mode.Pos, d.Copies.Set && d.Change.Set},
		{"replication_interval", `replication = "asynchronous", with copies and change`, d.Interval.Set, d.Interval.Pos, d.Copies.Set && d.Change.Set && d.Mode.Value == "asynchronous"},
	} {
		if k.set && !k.does {
			b.faultf(k.at, d.Path+"."+k.name, "belongs to %s", k.to)
		}
	}
	if d.Change.Set && d.Commit.Value < second/10 {
		b.faultf(d.Commit.Pos, d.Path+".commit", "must be 100ms or more")
	}
	if d.Interval.Set && d.Interval.Value < second/10 {
		b.faultf(d.Interval.Pos, d.Path+".replication_interval", "must be 100ms or more")
	}
	s.fluidOnly(b, d.Path, d.At, d.Copies.Set)
	if d.Copies.Set && !s.Workload.any() && !s.Sim.Horizon.Set {
		b.faultf(d.At, d.Path, "is copied without end: there is no workload, and no sim.horizon")
	}
}

// any says whether there is a workload.
func (w *Workload) any() bool {
	return len(w.Training)+len(w.Collective)+len(w.Flows)+len(w.Jobs)+len(w.Serving)+len(w.Replay)+len(w.Storage) > 0
}

// fluidOnly refuses what is sent between sites where every packet is simulated.
func (s *Scenario) fluidOnly(b *binder, path string, at Position, sends bool) {
	if sends && s.Sim.Fidelity.Value == "packet" {
		b.faultf(at, path, `is not simulated with fidelity = "packet": between sites there would be too many`)
	}
}

func (c *CheckpointCopies) check(s *Scenario, w *Jobs, b *binder) {
	for _, name := range c.To.Value {
		s.Topology.siteKey(b, w.Path+".replicate_to", name, c.To.Pos)
	}
	for _, k := range []struct {
		name, to string
		set      bool
		at       Position
		does     bool
	}{
		{"replication", "replicate_to, which is missing", c.Mode.Set, c.Mode.Pos, c.To.Set},
		{"replication_interval", `replication = "asynchronous"`, c.Every.Set, c.Every.Pos, c.Mode.Value == "asynchronous"},
		{"replication_interval", "replicate_to, which is missing", c.Every.Set, c.Every.Pos, c.To.Set},
		{"checkpoint_size", "replicate_to, which is missing", c.Size.Set, c.Size.Pos, c.To.Set},
	} {
		if k.set && !k.does {
			b.faultf(k.at, w.Path+"."+k.name, "belongs to %s", k.to)
			return
		}
	}
	if c.To.Set && !w.Interval.Set {
		b.faultf(c.To.Pos, w.Path+".replicate_to", "copies of what? checkpoint_interval is missing")
	}
	if c.To.Set && !c.Size.Set {
		b.faultf(c.To.Pos, w.Path+".replicate_to", "of what size? checkpoint_size is missing")
	}
	s.fluidOnly(b, w.Path+".replicate_to", c.To.Pos, c.To.Set)
}

// checkSiteRule sees to it that there is what the choice of a site for jobs goes by.
func (s *Scenario) checkSiteRule(b *binder) {
	k, t := &s.Scheduler.Site, s.Topology
	switch {
	case !k.Set:
	case len(t.Site) == 0:
		b.faultf(k.Pos, "scheduler.site", "belongs to several sites, and there is no [[topology.site]]")
	case k.Value == "carbon":
		t.wantCarbon(b, "scheduler.site", k.Pos)
	case k.Value == "data" && len(t.Dataset) == 0:
		b.faultf(k.Pos, "scheduler.site", "which data? there is no [[topology.dataset]]")
	}
}

// wantCarbon sees to it that the carbon intensity of each site is known.
func (t *Topology) wantCarbon(b *binder, path string, at Position) {
	for i := range t.Site {
		if t.Site[i].Carbon == nil && t.Carbon == nil {
			b.faultf(at, path, "nothing says the carbon intensity of site %s: give [topology.site.carbon] or [topology.carbon]", shown(t.Site[i].Name.Value))
			return
		}
	}
}

// where are the columns of jobs that say where they run and what they read.
type where struct {
	site, dataset   int
	sites, datasets []string
}

func (s *Scenario) newWhere(r *rows) *where {
	w := &where{site: r.column("site"), dataset: r.column("dataset"), sites: s.Topology.sites()}
	if s.Topology != nil {
		for i := range s.Topology.Dataset {
			w.datasets = append(w.datasets, s.Topology.Dataset[i].Name.Value)
		}
	}
	return w
}

func (w *where) read(r *rows, j *jobs.Job) {
	number := func(column int, what string, names []string) int32 {
		if r.text(column) == "" {
			return 0
		}
		i := slices.Index(names, r.text(column))
		if i < 0 {
			r.faultf(column, "there is no %s %q%s", what, shown(r.text(column)), meant(r.text(column), names))
		}
		return int32(i) + 1
	}
	j.Site, j.Dataset = number(w.site, "[[topology.site]]", w.sites), number(w.dataset, "[[topology.dataset]]", w.datasets)
}

// ReadTariff is the price of energy at a site over time, in USD/kWh.
func (s *Scenario) ReadTariff(site *Site) (energy.Steps, Faults) {
	fixed := func(v units.Tariff) (energy.Steps, Faults) {
		return energy.Steps{At: []float64{0}, Values: []float64{float64(v)}}, nil
	}
	switch {
	case site.Tariff.Set:
		return fixed(site.Tariff.Value)
	case !site.TariffFile.Set && s.Topology.Cost != nil:
		return fixed(s.Topology.Cost.Tariff.Value)
	case !site.TariffFile.Set:
		return fixed(defaults[Cost]("topology.cost").Tariff.Value)
	}
	var steps energy.Steps
	faults := s.withTable(site.TariffFile, site.Path+".tariff_file", func(file string, in io.Reader) Faults {
		rows := newRows(file, in)
		if rows.header([]string{"time_s", "tariff_USD_per_kWh"}, nil) {
			at, price := rows.column("time_s"), rows.column("tariff_USD_per_kWh")
			for rows.next() && rows.step(&steps, at, rows.time(at), rows.number(price)) {
			}
			if steps.At == nil {
				rows.add(Position{file, 1, 1}.Faultf("", "has no rows"))
			}
		}
		return rows.all()
	})
	return steps, faults
}

// OwnConditions says whether sites have prices or intensities of their own.
func (t *Topology) OwnConditions() (prices, carbon bool) {
	for i := range t.Site {
		s := &t.Site[i]
		prices = prices || s.Tariff.Set || s.TariffFile.Set
		carbon = carbon || s.Carbon != nil
	}
	return prices, carbon
}
