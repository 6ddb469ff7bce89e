package scenario

import (
	"cmp"
	"io"
	"slices"
)

// Failed is one row of a file of failures.
type Failed struct {
	At     float64 // s
	Repair float64 // s; 0: the file does not say
	Name   string  // of the part; "" for the one that the key names, or all
	Line   int32
}

// ReadFailures reads the file that a [[topology.fault]] names, in the order of time.
func (s *Scenario) ReadFailures(w *TopologyFault) ([]Failed, Faults) {
	var all []Failed
	faults := s.withTable(w.File, w.Path+".file", func(file string, in io.Reader) Faults {
		rows := newRows(file, in)
		if !rows.header([]string{"at_s"}, []string{"name", "repair_s"}) {
			return rows.all()
		}
		at, name, repair := rows.column("at_s"), rows.column("name"), rows.column("repair_s")
		for rows.next() {
			f := Failed{At: rows.time(at), Line: rows.line()}
			if rows.text(repair) != "" {
				f.Repair = rows.time(repair)
			}
			if name >= 0 {
				f.Name = rows.node(name)
			}
			all = append(all, f)
		}
		return rows.all()
	})
	slices.SortStableFunc(all, func(a, b Failed) int { return cmp.Compare(a.At, b.At) })
	return all, faults
}
