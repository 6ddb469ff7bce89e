package page

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
)

// Bounds of the time line of an iteration.
const (
	maxTrace  = 2 << 30 // bytes of a time line, unpacked
	maxTracks = 96
	maxSlices = 20_000
	maxHues   = 8 // categories with a colour of their own
)

// timelines are what a time line in a results folder may be called.
var timelines = []string{"timeline.json.gz", "timeline.json"}

// event is a line of the Chrome trace format (Trace Event Format, Google 2016):
// times are in microseconds, "X" is a slice with its duration, "M" a name.
type event struct {
	Phase    string  `json:"ph"`
	Name     string  `json:"name"`
	Category string  `json:"cat"`
	Process  int64   `json:"pid"`
	Thread   int64   `json:"tid"`
	At       float64 `json:"ts"`
	Duration float64 `json:"dur"`
	Args     struct {
		Name string `json:"name"`
	} `json:"args"`
}

// iteration is who did what in one iteration, from a time line in the folder.
func iteration(f *folder) (section, error) {
	sec := section{ID: "iteration", Title: "One iteration, rank by rank"}
	for _, name := range timelines {
		g, err := f.timeline(name)
		if err != nil {
			return sec, err
		}
		if g != nil {
			sec.Parts = append(sec.Parts, *g)
			break
		}
	}
	return sec, nil
}

// timeline reads a time line twice: for its beginning, its end and the names of its
// tracks, and for the slices of the iteration that is shown.
func (f *folder) timeline(name string) (*gantt, error) {
	path := filepath.Join(f.dir, name)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	type track struct{ process, thread int64 }
	processes, threads := map[int64]string{}, map[track]string{}
	row := map[track]int{}
	var tracks []track
	from, to := math.Inf(1), math.Inf(-1)
	err := eachEvent(path, func(e *event) error {
		at := track{e.Process, e.Thread}
		switch {
		case e.Phase == "M" && e.Name == "process_name":
			processes[e.Process] = e.Args.Name
		case e.Phase == "M" && e.Name == "thread_name":
			threads[at] = e.Args.Name
		case e.Phase == "X":
			if !(e.Duration >= 0 && e.Duration <= maxSize && math.Abs(e.At) <= maxSize) {
				return fmt.Errorf("%s is at %v for %v", shorten(e.Name), e.At, e.Duration)
			}
			from, to = min(from, e.At), max(to, e.At+e.Duration)
			if _, known := row[at]; !known && len(row) < maxTracks {
				row[at] = 0
				tracks = append(tracks, at)
			}
		}
		if len(threads) > maxRows {
			return fmt.Errorf("more than %d tracks", maxRows)
		}
		return nil
	})
	if err != nil || len(tracks) == 0 {
		return nil, err
	}
	slices.SortFunc(tracks, func(a, b track) int {
		return cmp.Or(cmp.Compare(a.process, b.process), cmp.Compare(a.thread, b.thread))
	})
	g := &gantt{caption: caption{Kind: "gantt"}, X: axis{Label: "time", Unit: "s"}}
	for i, t := range tracks {
		row[t] = i
		process, thread := processes[t.process], threads[t]
		if process == "" {
			process = "process " + strconv.FormatInt(t.process, 10)
		}
		if thread == "" {
			thread = "thread " + strconv.FormatInt(t.thread, 10)
		}
		g.Rows = append(g.Rows, process+" · "+thread)
	}
	// The second iteration is one in the steady state.
	if length := 1e6 * f.summary.number("training.0."+result.IterationTime.Name); length > 0 && to-from > 1.5*length {
		if to-from >= 2*length {
			from += length
		}
		to = min(to, from+length)
	}
	g.End = (to - from) / 1e6
	names, hues := map[string]int{}, map[string]int{}
	more := 0
	err = eachEvent(path, func(e *event) error {
		r, ok := row[track{e.Process, e.Thread}]
		if e.Phase != "X" || !ok || e.At >= to || e.At+e.Duration <= from {
			return nil
		}
		if len(g.Row) == maxSlices {
			more++
			return nil
		}
		g.Row = append(g.Row, r)
		g.From, g.To = append(g.From, (max(e.At, from)-from)/1e6), append(g.To, (min(e.At+e.Duration, to)-from)/1e6)
		g.Name = append(g.Name, place(names, &g.Names, e.Name, maxSlices))
		kind := e.Category
		if kind == "" {
			kind = strings.TrimRight(e.Name, "0123456789 ")
		}
		g.Hue = append(g.Hue, place(hues, &g.Hues, kind, maxHues))
		return nil
	})
	if err != nil || g.Row == nil {
		return nil, err
	}
	g.Text = []any{"From " + name + ", ", amount(from/1e6, "s"), " into the run. Point at a slice for what it is."}
	if more > 0 {
		g.Text = append(g.Text, " Another ", count(float64(more)), " slices have no room here.")
	}
	return g, nil
}

// eachEvent reads the events of a time line, which is an array or an object that has
// one as traceEvents.
func eachEvent(path string, do func(*event) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	fault := func(err error) error { return &FileError{File: path, Err: err} }
	in := io.Reader(file)
	if strings.HasSuffix(path, ".gz") {
		if in, err = gzip.NewReader(file); err != nil {
			return fault(err)
		}
	}
	d := json.NewDecoder(io.LimitReader(in, maxTrace))
	token, err := d.Token()
	for err == nil && token != json.Delim('[') {
		// An object: its members up to the array.
		if token, err = d.Token(); err == nil && token != json.Delim('[') && token != "traceEvents" {
			if token == json.Delim('}') {
				return fault(errors.New("no traceEvents"))
			}
			var skipped json.RawMessage
			err = d.Decode(&skipped)
		}
	}
	for err == nil && d.More() {
		var e event
		if err = d.Decode(&e); err == nil {
			err = do(&e)
		}
	}
	if err != nil {
		return fault(err)
	}
	return nil
}
