package scenario

import "github.com/railyard/railyard/units"

// Storage is [topology.storage]: a file system, as rates or as servers with drives.
type Storage struct {
	Header
	FileSystem
	Write Key[units.Rate] `key:"write" positive:"true" doc:"rate at which all hosts together write, as Tectonic's 2 TB/s for Llama 3"`
	Read  Key[units.Rate] `key:"read" positive:"true" doc:"rate at which they read; that of writing where left out"`
	Host  Key[units.Rate] `key:"host" positive:"true" doc:"the most that one host writes or reads; the payload of its NICs where left out"`
}

func (s *Storage) check(t *Topology, b *binder) {
	if s.At.Line == 0 && s.At.File == "" {
		return
	}
	s.checkLayout(t, b)
	if !s.Layout.Set && !s.Write.Set && !b.inside(s.Path) {
		b.faultf(s.At, s.Path, `needs the key "write" (rate at which all hosts together write)`)
	}
}

// Checkpointing is what a [[workload.training]] says about saving its state and coming
// back after a failure.
type Checkpointing struct {
	Interval Key[DurationOrAuto] `key:"checkpoint_interval" positive:"true" doc:"work between two checkpoints, to the nearest whole iteration; auto is what loses least (Daly 2006, whose first term is Young's of 1974). None are made where left out, and a failure undoes all"`
	Mode     Key[string]         `key:"checkpoint_mode" default:"\"synchronous\"" enum:"synchronous asynchronous" doc:"synchronous: the job waits until one is written; asynchronous: until it is copied to the memory of the hosts"`
	Size     Key[units.Bytes]    `key:"checkpoint_size" positive:"true" doc:"size of a checkpoint; where left out the parameters that are trained as the passes use them and the state of their optimizer: 14 bytes each with Adam in 16 bits, as MLPerf Storage has it"`
	Snapshot Key[units.Duration] `key:"checkpoint_snapshot" doc:"with checkpoint_mode = \"asynchronous\", time of the copy to the memory of the hosts; at their PCIe rate where left out"`
	Detect   Key[units.Duration] `key:"detection_time" default:"\"5m\"" doc:"from a failure until it is noticed; where left out the period of the health checks of RSC (Kokolis et al. 2024)"`
	Restart  Key[units.Duration] `key:"restart_time" default:"\"5m\"" doc:"from then, or from when all hosts are there, or from when a job that was stopped for others has accelerators again, until processes and communication groups stand: diagnosis, rescheduling, start; where left out the least of the 5 to 20 min of Kokolis et al. 2024"`
	Failure  Key[string]         `key:"on_failure" enum:"requeue hold" doc:"what a job does of which accelerators fail: requeue, it gives them back once that is noticed, and goes on from its checkpoint when it gets others; hold, it keeps those that are left until all are back. Where left out hold, for a job that is alone in the data centre or lists its accelerators, else requeue"`
	Runs     Key[int64]          `key:"failure_runs" min:"1" max:"100000" doc:"beside the run itself, so many ways that failures may come, of the seeds from that of the run on: how the job fares in each, all iterations being as in the steady state"`
}

// TrainingCopies is what a [[workload.training]] says of copies of its checkpoints.
type TrainingCopies struct {
	To    Key[[]string]       `key:"replicate_to" doc:"sites that take copies of the checkpoints: the first of them that is not the job's own. Checkpoints then lie at the site of the job, which is lost with them; where left out they do so with by_site in [topology.storage], else no site loses them"`
	Mode  Key[string]         `key:"replication" default:"\"asynchronous\"" enum:"synchronous asynchronous" doc:"synchronous: a checkpoint counts only when its copy has come; asynchronous: it counts at once, for failures within its site"`
	Every Key[units.Duration] `key:"replication_interval" doc:"with replication = \"asynchronous\", time that must have passed since the latest copy was begun; a copy of every checkpoint where left out"`
}

// checkCopies judges what a training says of copies.
func (t *Training) checkCopies(s *Scenario, b *binder) {
	c := &t.TrainingCopies
	for _, name := range c.To.Value {
		s.Topology.siteKey(b, t.Path+".replicate_to", name, c.To.Pos)
	}
	for _, k := range []struct {
		name, to string
		set      bool
		at       Position
		does     bool
	}{
		{"replicate_to", "checkpoint_interval, which is missing", c.To.Set, c.To.Pos, t.Checkpointing.Interval.Set},
		{"replicate_to", `on_failure = "requeue"`, c.To.Set, c.To.Pos, t.Checkpointing.Failure.Value != "hold"},
		{"replication", "replicate_to, which is missing", c.Mode.Set, c.Mode.Pos, c.To.Set},
		{"replication_interval", `replication = "asynchronous"`, c.Every.Set, c.Every.Pos, c.Mode.Value == "asynchronous"},
		{"replication_interval", "replicate_to, which is missing", c.Every.Set, c.Every.Pos, c.To.Set},
	} {
		if k.set && !k.does {
			b.faultf(k.at, t.Path+"."+k.name, "belongs to %s", k.to)
			return
		}
	}
	s.fluidOnly(b, t.Path+".replicate_to", c.To.Pos, c.To.Set)
}

// DurationOrAuto is a time, or "auto" to have it chosen.
type DurationOrAuto struct {
	Duration units.Duration
	Auto     bool
}

// UnmarshalText reads a time or "auto".
func (d *DurationOrAuto) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*d = DurationOrAuto{Auto: true}
		return nil
	}
	*d = DurationOrAuto{}
	return d.Duration.UnmarshalText(text)
}

// checkCheckpoints judges what no key shows by itself.
func (t *Training) checkCheckpoints(s *Scenario, b *binder) {
	c := &t.Checkpointing
	storage, fails, stops, rated := false, false, false, false
	if s.Topology != nil {
		storage = s.Topology.Storage.Write.Set || s.Topology.Storage.Layout.Set
		fails = len(s.Topology.Fault) > 0
		for i := range s.Topology.Fault {
			f := &s.Topology.Fault[i]
			stops = stops || !f.Rerouted()
			rated = rated || f.MTBF.Set
		}
	}
	if s.Workload.Several() || c.Failure.Value == "requeue" {
		stops = fails // to a queue a host without links has failed
	}
	if c.Interval.Set && !storage {
		b.faultf(c.Interval.Pos, t.Path+".checkpoint_interval", "where to? [topology.storage] with its write rate or a layout is missing")
	}
	if c.Interval.Set && !c.Interval.Value.Auto && c.Interval.Value.Duration == 0 {
		b.faultf(c.Interval.Pos, t.Path+".checkpoint_interval", "must be more than 0")
	}
	if c.Interval.Value.Auto && !rated {
		b.faultf(c.Interval.Pos, t.Path+".checkpoint_interval", "auto needs a mean time between failures: no [[topology.fault]] has an mtbf")
	}
	for _, k := range []struct {
		name, to string
		set      bool
		at       Position
		does     bool
	}{
		{"checkpoint_mode", "checkpoint_interval, which is missing", c.Mode.Set, c.Mode.Pos, c.Interval.Set},
		{"checkpoint_size", "checkpoint_interval, which is missing", c.Size.Set, c.Size.Pos, c.Interval.Set},
		{"checkpoint_snapshot", `checkpoint_mode = "asynchronous"`, c.Snapshot.Set, c.Snapshot.Pos, c.Mode.Value == "asynchronous"},
		{"detection_time", "failures: no [[topology.fault]] stops a job", c.Detect.Set, c.Detect.Pos, stops},
		{"restart_time", "failures, and jobs that make room for others: there is no [[topology.fault]] that stops a job, and no other workload", c.Restart.Set, c.Restart.Pos, stops || s.Workload.Several()},
		{"on_failure", "failures, and there is no [[topology.fault]]", c.Failure.Set, c.Failure.Pos, fails},
		{"failure_runs", "failures: no [[topology.fault]] has an mtbf", c.Runs.Set, c.Runs.Pos, rated},
	} {
		if k.set && !k.does {
			b.faultf(k.at, t.Path+"."+k.name, "belongs to %s", k.to)
		}
	}
}
