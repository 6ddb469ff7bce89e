package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/google/uuid"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// point runs one point. What goes wrong is a row too: a sweep is there to find
// out what can be. If ctx ends first, the point has no row: it is not whole.
func (s *Sweep) point(ctx context.Context, i int) (r row, whole bool) {
	r, whole = row{Point: i, Values: s.Values(i)}, true
	defer func() {
		if p := recover(); p != nil { // the other points are not to be lost by it
			r.Status, r.Reason = Failed, fmt.Sprintf("internal error: %v", p)
		}
	}()
	fail := func(err error) (row, bool) {
		r.Status, r.Reason = Failed, err.Error()
		if faults, ok := errors.AsType[railyard.Faults](err); ok {
			faults.Sort()
			r.Status, r.Reason = Invalid, faults[0].Error()
		}
		return r, true
	}
	scenario, err := s.load(i)
	if err != nil {
		return fail(err)
	}
	if r.Run, err = s.runID(scenario); err != nil {
		return fail(err)
	}
	found, err := railyard.Run(ctx, scenario, railyard.Options{SummaryOnly: true})
	if ctx.Err() != nil {
		return row{}, false
	}
	if err != nil {
		return fail(err)
	}
	r.Status = Status(found.Summary.Text(result.Status.Name))
	r.Metrics = metrics(nil, "", found.Summary, 0)
	if s.Len() <= mostSpread {
		r.Spread = spread(found.Distributions)
	}
	return r, true
}

// metrics lists the numbers and words of a summary with their paths, as in
// training.0.iteration_s. Lists inside the records of a list are left out.
func metrics(all []string, path string, record *result.Record, lists int) []string {
	for _, f := range record.Fields {
		name := f.Metric.Name
		if path != "" {
			name = path + "." + name
		} else if name == result.Status.Name || name == result.Events.Name {
			continue // the status is the point's, and events are fewer than in a full run
		}
		switch v := f.Value.(type) {
		case *result.Record:
			all = metrics(all, name, v, lists)
		case []*result.Record:
			if lists == 0 && path == "" {
				for i, item := range v {
					all = metrics(all, name+"."+strconv.Itoa(i), item, lists+1)
				}
			}
		case float64:
			all = append(all, name, result.Number(v))
		default:
			all = append(all, name, fmt.Sprint(v))
		}
	}
	return all
}

// runID is the id that `railyard run` gives the point.
func (s *Sweep) runID(scenario *railyard.Scenario) (string, error) {
	inputs, err := s.checksum.of(scenario.Files())
	if err != nil {
		return "", err
	}
	return report.RunID(scenario.Resolved(), inputs, scenario.Sim.Seed.Value, railyard.Version().Version)
}

// checksums remembers those of the input files: all points read the same.
type checksums struct {
	mu   sync.Mutex
	done map[string]report.File
}

func (c *checksums) of(paths []string) ([]report.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var files []report.File
	for _, path := range paths {
		f, ok := c.done[path]
		if !ok {
			var err error
			if f, err = report.Describe(path); err != nil {
				return nil, err
			}
			if c.done == nil {
				c.done = map[string]report.File{}
			}
			c.done[path] = f
		}
		files = append(files, f)
	}
	return files, nil
}

// identity names a sweep: a UUIDv5 over the scenario, the files that its first
// well-formed point reads, the keys and values, and the version. Who resumes or
// merges must have the same.
func (s *Sweep) identity(first *railyard.Scenario) (string, error) {
	inputs, err := s.checksum.of(first.Files())
	if err != nil {
		return "", err
	}
	var sums []string
	for _, f := range inputs {
		sums = append(sums, f.SHA256)
	}
	text, err := json.Marshal([]any{string(s.text), s.set, sums, s.Keys, s.points, railyard.Version().Version})
	if err != nil {
		return "", err
	}
	return uuid.NewSHA1(sweepSpace, text).String(), nil
}

// sweepSpace is the name space of the ids of sweeps.
var sweepSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/railyard/railyard/sweep"))

func (s *Sweep) header() header {
	return header{s.id, railyard.Version().Version, s.Keys, s.Len()}
}
