// Package sweep runs one scenario many times with some of its keys varied, on
// one machine or on many, and makes one table of it.
//
// # Points
//
// A [Space] says which keys are varied and how; its points are numbered from 0.
// A point is the scenario with the point's values set, as `railyard run --set`
// would, and nothing else: its row is the same whoever runs it and in whatever
// order, and its run id is that of the single run.
//
//	grid              every combination of the values, the last key fastest
//	zip               the first values of all keys, then the second, ...
//	random            values drawn independently and uniformly
//	latin-hypercube   each range cut into as many strata as there are points, and
//	                  each stratum drawn from once (McKay, Beckman and Conover
//	                  1979, Technometrics 21)
//	halton            the scrambled Halton sequence (Owen 2017, arXiv:1706.02808),
//	                  which fills a few dimensions more evenly than chance
//
// The last three draw from the stream "sweep" of the scenario's seed. From a
// list they take a value, from a range of integers an integer, from any other
// range a number of it.
//
// # What is lost when it stops
//
// Each point that has run is one line in a journal in the folder of the sweep,
// written with one call. Whatever kills the process, a line is there or it is
// not, and one that is not whole is dropped when the sweep resumes: what is lost
// is at most the points that were running. points.csv is made of the journals
// when every point has run. A journal names the sweep that it belongs to, so
// that two sweeps never mix.
//
// # Distributions
//
// Where jobs queue, and the points are no more than 1,000, each keeps how completion time
// and wait are distributed over its jobs: every value of up to a hundred jobs, else a
// hundred quantiles. They are in distributions.csv beside points.csv.
//
// # Many machines
//
// Shard I of N runs the points whose number is I modulo N, and keeps a journal
// of its own; [Merge] makes the table from all journals. Shards need to see
// nothing of each other.
package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/scenario"
)

// Options are how to run a sweep.
type Options struct {
	Workers int   // points run at one time; 0 is one for each core
	Shard   Shard // which points to run
	Resume  bool  // go on with what the folder holds
	// Progress, if set, is called when a point has run, by one goroutine at a
	// time.
	Progress func(Progress)
}

// Progress is how far a sweep has come.
type Progress struct {
	Done, Total int // points of this shard
	Began       time.Time
	Resumed     int // points that an earlier process had run
}

// Status is how a point ended. A point that misses an [[expect]] is done all the
// same: what it missed is among its metrics.
type Status string

const (
	Done    Status = "done"
	Horizon Status = "horizon" // work remained at the horizon
	Invalid Status = "invalid" // the scenario cannot be: does not fit in memory, degrees do not divide, ...
	Failed  Status = "failed"  // the simulation could not finish
)

// ErrInterrupted says that the context ended before all points had run. Those
// that were running were left, and run anew when the sweep is resumed.
var ErrInterrupted = errors.New("interrupted")

// InputError is something wrong with what a sweep was asked to do, rather than
// with the machine.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

func inputf(format string, args ...any) error { return &InputError{fmt.Errorf(format, args...)} }

// Tally counts how points ended.
type Tally struct {
	Points map[Status]int
	Reason map[Status]string // of the first point of that status
}

func (t *Tally) add(r *row) {
	if t.Points == nil {
		t.Points, t.Reason = map[Status]int{}, map[Status]string{}
	}
	if t.Points[r.Status]++; t.Points[r.Status] == 1 {
		t.Reason[r.Status] = r.Reason
	}
}

// Run runs the points of a shard that have not run yet and keeps them in a
// journal in the folder, which it makes if need be. A shard that is the whole
// sweep then writes points.csv. The tally has the points of the shard that an
// earlier process ran, too.
//
// An *InputError says that the folder holds something else; any other error
// that the folder could not be written, in which case the points that it holds
// are good and the sweep can be resumed.
func Run(ctx context.Context, s *Sweep, dir string, o Options) (Tally, error) {
	var t Tally
	if err := o.Shard.Validate(); err != nil {
		return t, &InputError{err}
	}
	if _, err := os.Stat(filepath.Join(dir, "summary.json")); err == nil {
		return t, inputf("%s holds a run (summary.json): take another folder for a sweep", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return t, err
	}
	done, err := s.have(dir, o, &t)
	if err != nil {
		return t, err
	}
	var todo []int
	total := 0
	for i := o.Shard.Index; i < s.Len(); i += o.Shard.count() {
		total++
		if !done[i] {
			todo = append(todo, i)
		}
	}
	j, err := openJournal(filepath.Join(dir, journalName(o.Shard)), s.header())
	if err != nil {
		return t, fmt.Errorf("cannot keep the points: %w", err)
	}
	err = s.run(ctx, j, todo, total, o, &t)
	if closed := j.close(); err == nil {
		err = closed
	}
	if err == nil && o.Shard.count() == 1 {
		err = Merge(dir, dir)
	}
	return t, err
}

// run gives points to workers and their rows to the journal.
func (s *Sweep) run(ctx context.Context, j *journal, todo []int, total int, o Options, t *Tally) error {
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, len(todo))
	points, rows := make(chan int), make(chan row)
	failed := make(chan struct{})
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range points {
				if r, whole := s.point(ctx, i); whole {
					rows <- r
				}
			}
		})
	}
	go func() {
		defer func() {
			close(points)
			all.Wait()
			close(rows)
		}()
		for _, i := range todo {
			if ctx.Err() != nil {
				return
			}
			select {
			case points <- i:
			case <-ctx.Done():
				return
			case <-failed:
				return
			}
		}
	}()
	began, resumed, ran := time.Now(), total-len(todo), 0
	var problem error
	for r := range rows {
		if problem != nil {
			continue // let those that run come to their end
		}
		if problem = j.write(r); problem != nil {
			problem = fmt.Errorf("cannot keep the points: %w", problem)
			close(failed)
			continue
		}
		ran++
		t.add(&r)
		if o.Progress != nil {
			o.Progress(Progress{resumed + ran, total, began, resumed})
		}
	}
	switch {
	case problem != nil:
		return problem
	case ran < len(todo):
		return ErrInterrupted
	}
	return nil
}

// Sweep is a scenario and the points at which it is to run.
type Sweep struct {
	*Space
	Objectives []Objective

	file     string
	text     []byte
	set      []string
	id       string
	checksum *checksums
}

// Request is what the command line asks for beside the scenario. What it gives
// goes before what [sweep] in the scenario says; a key that both vary has the
// command line's values.
type Request struct {
	Set        []string // KEY=VALUE, for all points
	Vary       []string // KEY=VALUES, see ParseVary
	Method     string
	Points     int
	Seeds      int
	Where      []string // beside the scenario's
	Objectives []string // in place of the scenario's
}

// Flags are the request as flags of railyard sweep.
func (r Request) Flags() []string {
	var flags []string
	each := func(name string, values []string) {
		for _, v := range values {
			flags = append(flags, name, v)
		}
	}
	each("--vary", r.Vary)
	each("--set", r.Set)
	if r.Method != "" {
		each("--method", []string{r.Method})
	}
	if r.Points != 0 {
		each("--points", []string{strconv.Itoa(r.Points)})
	}
	if r.Seeds != 0 {
		each("--seeds", []string{strconv.Itoa(r.Seeds)})
	}
	each("--where", r.Where)
	return flags
}

// Load reads a scenario and makes its sweep. It fails if no point is a
// well-formed scenario, with the faults of the first.
func Load(path string, r Request) (*Sweep, error) {
	text, err := railyard.ReadText(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text, r)
}

// Parse is [Load] with the text at hand.
func Parse(path string, text []byte, r Request) (*Sweep, error) {
	w, known, faults := scenario.ReadSweep(path, text, r.Set)
	if faults != nil {
		return nil, faults
	}
	plan := Plan{
		Method: cmp.Or(r.Method, w.Method.Value),
		Points: cmp.Or(r.Points, int(w.Points.Value)),
		Seeds:  cmp.Or(r.Seeds, int(w.Seeds.Value)),
		Where:  append(w.Where.Value, r.Where...),
		Seed:   1,
		Known:  known,
	}
	if seed, err := strconv.ParseInt(known["sim.seed"], 10, 64); err == nil {
		plan.Seed = seed
	}
	for _, p := range w.Point {
		plan.Listed = append(plan.Listed, p.Keys)
	}
	for _, v := range w.Vary.Keys {
		p := Parameter{Key: v.Key, Values: v.Values}
		if v.Range != "" {
			var err error
			if p, err = ParseValues(v.Key, v.Range); err != nil {
				return nil, railyard.Faults{v.Pos.Faultf("sweep.vary", "sweep.vary: %v", err)}
			}
		}
		plan.Parameters = append(plan.Parameters, p)
	}
	for _, text := range r.Vary {
		p, err := ParseVary(text)
		if err != nil {
			return nil, &InputError{fmt.Errorf("--vary %w", err)}
		}
		same := func(other Parameter) bool { return other.Key == p.Key }
		if i := slices.IndexFunc(plan.Parameters, same); i >= 0 {
			plan.Parameters[i] = p
		} else {
			plan.Parameters = append(plan.Parameters, p)
		}
	}
	objectives := w.Objectives.Value
	if r.Objectives != nil {
		objectives = r.Objectives
	}
	space, err := NewSpace(plan)
	if where, ok := errors.AsType[*whereError](err); ok && where.number < len(w.Where.Value) {
		return nil, railyard.Faults{w.Where.Pos.Faultf("sweep.where", "sweep.%v", err)}
	}
	if err != nil {
		return nil, err
	}
	s := &Sweep{Space: space, file: path, text: text, set: r.Set, checksum: &checksums{}}
	if s.Objectives, err = parseObjectives(objectives); err != nil && r.Objectives == nil {
		return nil, railyard.Faults{w.Objectives.Pos.Faultf("sweep.objectives", "sweep.objectives: %v", err)}
	} else if err != nil {
		return nil, err
	}
	return s, s.begin()
}

// begin finds the sweep's identity by its first well-formed point.
func (s *Sweep) begin() error {
	if s.Len() == 0 {
		return inputf("the sweep has no points: the constraints leave none")
	}
	var first error
	for i := range s.Len() {
		parsed, err := s.load(i)
		if err == nil {
			s.id, err = s.identity(parsed)
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// load is the scenario of a point.
func (s *Sweep) load(i int) (*railyard.Scenario, error) {
	return railyard.Parse(s.file, s.text, append(s.set[:len(s.set):len(s.set)], s.Settings(i)...)...)
}
