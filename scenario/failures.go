package scenario

import (
	"cmp"
	"io"
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// clock is the range of the simulator's clock.
var clock = units.Duration(math.MaxInt64).Seconds()

// Failed is one row of a file of failures.
type Failed struct {
	At     float64 // s
	Repair float64 // s; 0: the file does not say
	Name   string  // of the part; "" for Share of them
	Share  float64 // of the part that the key names, or of all of the kind
	Line   int32
}

// ReadFailures reads the file that a [[topology.fault]] names, in the order of time. It
// has columns of ours, or those of the failure traces of OpenDC: in milliseconds, how
// long after the end of the failure before, and for how long; and the share of hosts.
func (s *Scenario) ReadFailures(w *TopologyFault) ([]Failed, Faults) {
	var all []Failed
	faults := s.withTable(w.File, w.Path+".file", func(file string, in io.Reader) (faults Faults) {
		all, faults = readFailures(file, in)
		return faults
	})
	return all, faults
}

func readFailures(file string, in io.Reader) ([]Failed, Faults) {
	rows := newRows(file, in)
	ours, theirs := []string{"at_s", "name", "repair_s"}, []string{"failure_interval", "failure_duration", "failure_intensity"}
	if !rows.header(nil, slices.Concat(ours, theirs)) {
		return nil, rows.all()
	}
	var all []Failed
	switch {
	case rows.column(ours[0]) >= 0:
		all = readAtTimes(rows)
	case rows.column(theirs[0]) >= 0 && rows.column(theirs[1]) >= 0 && rows.column(theirs[2]) >= 0:
		all = readOpenDC(rows)
	default:
		rows.add(Position{file, 1, 1}.Faultf("at_s", "there is no column at_s, nor all of failure_interval, failure_duration and failure_intensity"))
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	slices.SortStableFunc(all, func(a, b Failed) int { return cmp.Compare(a.At, b.At) })
	return all, nil
}

func readAtTimes(rows *rows) (all []Failed) {
	at, name, repair := rows.column("at_s"), rows.column("name"), rows.column("repair_s")
	for rows.next() {
		f := Failed{At: rows.time(at), Share: 1, Line: rows.line()}
		if rows.text(repair) != "" {
			f.Repair = rows.time(repair)
		}
		if name >= 0 {
			f.Name = rows.node(name)
		}
		all = append(all, f)
	}
	return all
}

func readOpenDC(rows *rows) (all []Failed) {
	interval, duration, intensity := rows.column("failure_interval"), rows.column("failure_duration"), rows.column("failure_intensity")
	now := 0.0
	for rows.next() {
		now += rows.number(interval) / 1000
		f := Failed{At: now, Repair: rows.positive(duration) / 1000, Share: rows.positive(intensity), Line: rows.line()}
		if f.Share > 1 {
			rows.faultf(intensity, "must be a share of at most 1, not %v", f.Share)
		}
		if now += f.Repair; now < clock {
			all = append(all, f)
			continue
		}
		rows.faultf(interval, "comes to %g s, beyond the range of the clock", now)
	}
	return all
}
