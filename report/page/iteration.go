package page

import (
	"cmp"
	"compress/gzip"
	"container/heap"
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

	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

// Bounds of the time line of an iteration.
const (
	maxTrace  = 2 << 30 // bytes of a time line, unpacked
	maxTracks = 96
	maxSlices = 20_000
	maxHues   = 8    // categories with a colour of their own
	seenApart = 2000 // slices in a row, about
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
	from, to, total := math.Inf(1), math.Inf(-1), 0
	err := eachEvent(path, func(e *event) error {
		at := track{e.Process, e.Thread}
		switch {
		case e.Phase == "M" && e.Name == "process_name":
			processes[e.Process] = e.Args.Name
		case e.Phase == "M" && e.Name == "thread_name":
			threads[at] = e.Args.Name
		case e.Phase == "X":
			if !(e.Duration >= 0 && e.Duration <= maxSize && math.Abs(e.At) <= maxSize) {
				return fmt.Errorf("%s is at %v for %v", input.Shorten(e.Name), e.At, e.Duration)
			}
			total++
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
	stands := false // a row for others that do the same
	for i, t := range tracks {
		row[t] = i
		process, thread := processes[t.process], threads[t]
		if process == "" {
			process = "process " + strconv.FormatInt(t.process, 10)
		}
		if thread == "" {
			thread = "thread " + strconv.FormatInt(t.thread, 10)
		}
		process, _, _ = strings.Cut(process, " (") // its rack
		if name, alike, ok := strings.Cut(thread, ", 1 of "); ok {
			thread = name + " ×" + strings.TrimSuffix(alike, " alike")
			stands = true
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
	// Of very many, those that follow each other and could not be told apart are one.
	apart := 0.0
	if total > maxSlices {
		apart = (to - from) / seenApart
	}
	shown, more, order := longest{}, 0, 0
	add := func(p *piece) {
		if p == nil {
			return
		}
		heap.Push(&shown, *p)
		if len(shown) > maxSlices {
			heap.Pop(&shown)
			more++
		}
	}
	latest := make([]*piece, len(tracks)) // of each row
	err = eachEvent(path, func(e *event) error {
		r, ok := row[track{e.Process, e.Thread}]
		if e.Phase != "X" || !ok || e.At >= to || e.At+e.Duration <= from {
			return nil
		}
		p := &piece{r, max(e.At, from), min(e.At+e.Duration, to), e.Name, e.Category, 1, order}
		order++
		if l := latest[r]; l != nil && p.to-p.from < apart && p.from >= l.to && p.from-l.to < apart && p.kind() == l.kind() {
			l.to, l.count = p.to, l.count+1
			return nil
		}
		add(latest[r])
		latest[r] = p
		return nil
	})
	for _, p := range latest {
		add(p)
	}
	if err != nil || len(shown) == 0 {
		return nil, err
	}
	slices.SortFunc(shown, func(a, b piece) int { return cmp.Compare(a.order, b.order) })
	names, hues := map[string]int{}, map[string]int{}
	for _, p := range shown {
		g.Row = append(g.Row, p.row)
		g.From, g.To = append(g.From, (p.from-from)/1e6), append(g.To, (p.to-from)/1e6)
		name := p.name
		if p.count > 1 {
			name = fmt.Sprintf("%d × %s", p.count, p.kind())
		}
		g.Name = append(g.Name, place(names, &g.Names, name, maxSlices))
		g.Hue = append(g.Hue, place(hues, &g.Hues, p.kind(), maxHues))
	}
	g.Text = []any{"From " + name + ", ", amount(from/1e6, "s"), " into the run. Point at a slice for what it is."}
	if stands {
		g.Text = append(g.Text, " A row with × stands for so many accelerators that do the same.")
	}
	if apart > 0 {
		g.Text = append(g.Text, " Of one kind in a row, those too short to be told apart are drawn as one.")
	}
	if more > 0 {
		g.Text = append(g.Text, " The ", count(float64(more)), " shortest slices have no room here.")
	}
	return g, nil
}

// piece is a slice of a time line, or what of it lies within the iteration.
type piece struct {
	row            int
	from, to       float64
	name, category string
	count          int // of slices that it stands for
	order          int // in the file
}

// kind is what its colour stands for.
func (p *piece) kind() string {
	if p.category != "" {
		return p.category
	}
	return strings.TrimRight(p.name, "0123456789 ")
}

// longest is a heap of pieces from which the shortest goes first, and of equals the last.
type longest []piece

func (l longest) Len() int      { return len(l) }
func (l longest) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *longest) Push(x any)   { *l = append(*l, x.(piece)) }

func (l longest) Less(i, j int) bool {
	a, b := l[i].to-l[i].from, l[j].to-l[j].from
	return a < b || a == b && l[i].order > l[j].order
}

func (l *longest) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
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
