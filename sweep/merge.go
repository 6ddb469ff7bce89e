package sweep

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/railyard/railyard/report"
)

// Table is the name of the table of all points.
const Table = "points.csv"

// place is where a point lies in the journals.
type place struct {
	journal int32 // -1 where no journal has it
	offset  int64
}

// merged is the journals of one sweep.
type merged struct {
	header *header
	files  []*os.File
	places []place
	names  []string // of the metrics, in the order of the columns
	spread bool     // a point has distributions
}

// Merge makes points.csv in a folder from the journals in others, which must be
// of one sweep and hold all of its points between them. A point that several
// hold is taken from the first: they are the same.
//
// The table has a row for each point in their order: point, a column for each
// key, status, run, then the metrics that any point has, and at last the reason
// why a point has none. distributions.csv, with the columns point, metric, share and
// value, says what share of the jobs of a point took no longer than a value.
func Merge(out string, dirs ...string) error {
	m := &merged{}
	defer func() {
		for _, f := range m.files {
			f.Close()
		}
	}()
	for _, dir := range dirs {
		paths, err := journals(dir)
		if err != nil {
			return err
		}
		if len(paths) == 0 {
			return &InputError{fmt.Errorf("%s %w", dir, errNoJournal)}
		}
		for _, path := range paths {
			if err := m.add(path); err != nil {
				return err
			}
		}
	}
	if m.header == nil {
		return &InputError{fmt.Errorf("%s %w", strings.Join(dirs, ", "), errNoJournal)}
	}
	if missing := m.missing(); len(missing) > 0 {
		return &IncompleteError{missing, m.header.Points}
	}
	if err := m.columns(); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	if err := report.WriteFile(filepath.Join(out, Table), m.write); err != nil {
		return err
	}
	return m.writeSpread(filepath.Join(out, SpreadTable))
}

var errNoJournal = errors.New("holds no sweep: there is no journal in it")

// Pending says whether an error of Merge may be gone when more points have run.
func Pending(err error) bool {
	return errors.As(err, new(*IncompleteError)) || errors.Is(err, errNoJournal)
}

// IncompleteError says which points of a sweep no journal has.
type IncompleteError struct {
	Missing []int
	Points  int
}

func (e *IncompleteError) Error() string {
	some := make([]string, 0, 10)
	for _, i := range e.Missing[:min(len(e.Missing), cap(some))] {
		some = append(some, strconv.Itoa(i))
	}
	more := ""
	if len(e.Missing) > len(some) {
		more = ", ..."
	}
	return fmt.Sprintf("%d of %d points have not run: %s%s", len(e.Missing), e.Points, strings.Join(some, ", "), more)
}

// add notes where a journal has its points.
func (m *merged) add(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	number := int32(len(m.files))
	m.files = append(m.files, f)
	return readJournal(f, func(h *header) error {
		switch {
		case m.header == nil:
			m.header = h
			m.places = make([]place, h.Points)
			for i := range m.places {
				m.places[i].journal = -1
			}
		case m.header.Sweep != h.Sweep:
			return inputf("%s is of another sweep than %s", path, m.files[0].Name())
		}
		return nil
	}, func(r *row, offset int64) error {
		if m.places[r.Point].journal < 0 {
			m.places[r.Point] = place{number, offset}
		}
		return nil
	})
}

func (m *merged) missing() []int {
	var points []int
	for i, p := range m.places {
		if p.journal < 0 {
			points = append(points, i)
		}
	}
	return points
}

// row reads a point again: a table of many points does not fit in memory.
func (m *merged) row(i int, in *bufio.Reader) (*row, error) {
	p := m.places[i]
	in.Reset(io.NewSectionReader(m.files[p.journal], p.offset, 1<<62))
	line, err := readLine(in)
	if err != nil {
		return nil, err
	}
	r := &row{}
	return r, json.Unmarshal(line, r)
}

// columns gathers the names of metrics. One that a point has and earlier ones
// have not goes behind the one before it.
func (m *merged) columns() error {
	in := bufio.NewReader(nil)
	at := map[string]bool{}
	for i := range m.places {
		r, err := m.row(i, in)
		if err != nil {
			return err
		}
		m.spread = m.spread || r.Spread != nil
		before := -1
		for k := 0; k < len(r.Metrics); k += 2 {
			name := r.Metrics[k]
			if at[name] {
				before = m.find(name, before)
				continue
			}
			at[name] = true
			before++
			m.names = append(m.names[:before], append([]string{name}, m.names[before:]...)...)
		}
	}
	return nil
}

// find is the column of a name, looked for first behind another: names come in
// one order nearly always.
func (m *merged) find(name string, after int) int {
	for i := after + 1; i < len(m.names); i++ {
		if m.names[i] == name {
			return i
		}
	}
	for i := range m.names {
		if m.names[i] == name {
			return i
		}
	}
	return -1
}

// write writes the table.
func (m *merged) write(w io.Writer) error {
	out := csv.NewWriter(w)
	head := append([]string{"point"}, m.header.Keys...)
	head = append(head, "status", "run")
	head = append(head, m.names...)
	head = append(head, "reason")
	if err := out.Write(head); err != nil {
		return err
	}
	in := bufio.NewReader(nil)
	first := 3 + len(m.header.Keys)
	cells := make([]string, len(head))
	for i := range m.places {
		r, err := m.row(i, in)
		if err != nil {
			return err
		}
		clear(cells)
		cells[0] = strconv.Itoa(i)
		copy(cells[1:], r.Values)
		cells[first-2], cells[first-1], cells[len(cells)-1] = string(r.Status), r.Run, r.Reason
		column := -1
		for k := 0; k < len(r.Metrics); k += 2 {
			column = m.find(r.Metrics[k], column)
			cells[first+column] = r.Metrics[k+1]
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
