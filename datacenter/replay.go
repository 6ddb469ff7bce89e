package datacenter

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/replay"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload/trace"
)

// replayed is a [[workload.replay]] with what reading its traces found.
type replayed struct {
	*replay.Job
	job    int // in the cluster
	mended trace.Mended
}

func (b *builder) addReplay(w *scenario.Replay) {
	before := len(b.faults)
	at, key := w.File.Pos, w.Path+".file"
	if w.Prefix.Set {
		at, key = w.Prefix.Pos, w.Path+".prefix"
	}
	if w.Ranks.Set {
		at, key = w.Ranks.Pos, w.Path+".ranks"
	}
	files, faults := b.scenario.TraceFiles(w)
	if faults != nil {
		b.faults = append(b.faults, faults...)
		return
	}
	algorithm, _ := collective.ParseAlgorithm(w.Algorithm.Value)
	r := &replayed{Job: &replay.Job{Ranks: len(files), Algorithm: algorithm}}
	if w.Ranks.Set {
		r.Ranks = int(w.Ranks.Value)
	}
	have := b.topology.Accelerators()
	if a := w.Accelerators; a.Set {
		have = int(max(a.Value.Count, int64(len(a.Value.List))))
	}
	var layers *trace.Layers
	if w.Format.Value == "aicb" {
		if layers = b.readLayers(w, files[0]); layers == nil {
			return
		}
		switch {
		case w.Ranks.Set:
		case layers.Ranks > 0:
			r.Ranks = layers.Ranks
		default:
			r.Ranks = have
		}
	}
	if r.Ranks > have {
		b.fault(at, key, "%d ranks are more than the %d accelerators; an accelerator holds one rank", r.Ranks, have)
		return
	}
	if layers != nil {
		t, err := layers.Trace(r.Ranks)
		if err != nil {
			b.fault(at, key, "%v", err)
			return
		}
		r.Traces = []*trace.Trace{t}
		for _, text := range layers.Warnings {
			b.warn(w, "%s", text)
		}
	} else if !b.readTraces(w, files, r) {
		return
	}
	if !b.topology.Bare() {
		r.Roofline.Accelerator = b.accelerator(&cluster.Job{}, topology.BF16)
	}
	for _, err := range flatten(r.Validate()) {
		if err != nil {
			b.fault(at, key, "%v", err)
		}
	}
	if w.Shared.Value {
		b.fault(w.Shared.Pos, w.Path+".shared", "is not built yet for replays: each accelerator computes for one job")
	}
	place := w.Placing
	if !place.Accelerators.Set {
		place.Accelerators = scenario.Key[scenario.Selection]{Value: scenario.Selection{Count: int64(r.Ranks)}, Set: true, Pos: at}
	}
	j := &cluster.Job{Name: b.name(w.Name, w.Name.Value), Program: r.Job}
	if !b.place(&place, w.Path, w.At, j) || len(b.faults) > before {
		return
	}
	r.job = len(b.cluster.Jobs)
	b.replays = append(b.replays, r)
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Replay: []scenario.Replay{only}})
}

// warn notes what in the input of a replay was mended or left out.
func (b *builder) warn(w *scenario.Replay, format string, args ...any) {
	b.warnings = append(b.warnings, w.Name.Value+": "+fmt.Sprintf(format, args...))
}

// readTraces reads the traces of a replay. What was mended in them is one
// warning.
func (b *builder) readTraces(w *scenario.Replay, files []string, r *replayed) bool {
	before := len(b.faults)
	for _, file := range files {
		b.open(w, file, func(f *os.File) error {
			t, err := trace.Read(f)
			if err == nil {
				r.Traces = append(r.Traces, t)
				r.mended.Add(t.Mended)
			}
			return err
		})
		if len(b.faults)-before > 20 {
			break
		}
	}
	if text := r.mended.String(); text != "" {
		b.warn(w, "%s", text)
	}
	return len(b.faults) == before
}

func (b *builder) readLayers(w *scenario.Replay, file string) (layers *trace.Layers) {
	b.open(w, file, func(f *os.File) (err error) {
		layers, err = trace.ReadLayers(f)
		return err
	})
	return layers
}

// open opens a file of a replay and has it read. A fault in it is at its place
// there; that it cannot be opened, at the key that names it.
func (b *builder) open(w *scenario.Replay, file string, read func(*os.File) error) {
	at, key, name := w.File.Pos, w.Path+".file", w.File.Value
	if w.Prefix.Set {
		at, key, name = w.Prefix.Pos, w.Path+".prefix", file
	}
	f, err := os.Open(file)
	if err == nil {
		err = read(f)
		f.Close()
	}
	syntax, isSyntax := errors.AsType[*trace.SyntaxError](err)
	path, isPath := errors.AsType[*fs.PathError](err)
	switch {
	case err == nil:
	case isSyntax && syntax.Line > 0:
		b.faults = append(b.faults, scenario.Position{File: file, Line: syntax.Line, Col: 1}.Faultf(key, "%s", syntax.Message))
	case isSyntax:
		b.faults = append(b.faults, scenario.Position{File: file}.Faultf(key, "%v", syntax))
	case isPath:
		b.fault(at, key, "cannot read %q: %v", name, path.Err)
	default:
		b.fault(at, key, "cannot read %q: %v", name, err)
	}
}

// replayWarnings adds what replays found as they ran.
func (p *plant) replayWarnings() {
	for _, r := range p.replays {
		for _, text := range r.Warnings() {
			p.warnings = append(p.warnings, p.cluster.Jobs[r.job].Name+": "+text)
		}
	}
}

// collectReplays tells when the ranks of each trace ended.
func (p *plant) collectReplays(r *Result) {
	if len(p.replays) == 0 {
		return
	}
	r.Tables = append(r.Tables, p.replayTable())
	r.Summary.Add(result.Replay, p.replayRecords())
}

func (p *plant) replayTable() *result.Table {
	var ranks []int64
	var finish []float64
	for _, r := range p.replays {
		for i := range r.Ranks {
			at := result.Missing
			if t, ok := r.Finish(i); ok {
				at = t.Seconds()
			}
			ranks, finish = append(ranks, int64(i)), append(finish, at)
		}
	}
	return &result.Table{Name: "replay", Columns: []result.Column{
		{Metric: result.Rank, Integers: ranks},
		{Metric: result.RankFinish, Numbers: finish},
	}}
}

func (p *plant) replayRecords() []*result.Record {
	var all []*result.Record
	for _, r := range p.replays {
		var nodes int64
		var compute, exposed, overlapped float64
		first, last, finished := 0.0, 0.0, 0
		for i := range r.Ranks {
			nodes += int64(len(r.Traces[min(i, len(r.Traces)-1)].Nodes))
			if l := r.Ledger(i); l != nil {
				compute += l.ComputeBy(p.engine.Now()).Seconds()
				exposed += l.Exposed.Seconds()
				overlapped += l.Overlapped.Seconds()
			}
			if t, ok := r.Finish(i); ok {
				if at := t.Seconds(); finished == 0 {
					first, last = at, at
				} else {
					first, last = min(first, at), max(last, at)
				}
				finished++
			}
		}
		n := float64(r.Ranks)
		s := &result.Record{}
		s.Add(result.Name, p.cluster.Jobs[r.job].Name)
		s.Add(result.TraceSchema, r.Traces[0].Schema)
		s.Add(result.ReplayRanks, int64(r.Ranks))
		s.Add(result.TraceNodes, nodes)
		if finished == r.Ranks {
			s.Add(result.ReplayFinish, last)
			s.Add(result.ReplayFirst, first)
		}
		s.Add(result.ReplayCompute, compute/n)
		s.Add(result.ReplayCommunication, exposed/n)
		s.Add(result.ReplayOverlapped, overlapped/n)
		p.addLost(s, r.job)
		p.addLostToFaults(s, r.job)
		m := &result.Record{}
		m.Add(result.MendedDangling, int64(r.mended.Dangling))
		m.Add(result.MendedSelf, int64(r.mended.Self))
		m.Add(result.MendedCircular, int64(r.mended.Circular))
		m.Add(result.MendedDuplicates, int64(r.mended.Duplicates))
		m.Add(result.MendedUnknown, int64(r.mended.Unknown))
		m.Add(result.MendedUnsized, int64(r.mended.Unsized))
		m.Add(result.MendedPartial, int64(r.mended.Partial))
		s.Add(result.Mended, m)
		all = append(all, s)
	}
	return all
}
