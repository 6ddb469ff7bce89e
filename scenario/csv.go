package scenario

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/units"
)

// Bounds of a table: an honest file of links or flows stays far below, and a
// hostile one cannot exhaust memory.
const (
	maxTable       = 2 << 30 // bytes in a file
	maxRow         = 1 << 20 // bytes in a row
	maxTableFaults = 20
)

// LinkTable is a CSV of bare directed links, a column for each of its fields.
type LinkTable struct {
	Name     []string
	Capacity []float64 // bytes/s, more than 0
	Latency  []float64 // s
	Line     []int32   // of the file, for faults found later

	index map[string]int32
}

// Find is the number of the named link.
func (t *LinkTable) Find(name string) (link int32, ok bool) {
	link, ok = t.index[name]
	return link, ok
}

// FlowTable is a CSV of flows, a column for each of its fields. A file has
// either routes or sources and destinations.
type FlowTable struct {
	Name   []string
	Start  []float64 // s
	Bytes  []float64
	Weight []float64 // 1 where the file has no such column or leaves it empty
	Line   []int32   // of the file, for faults found later

	Src, Dst []string // nil where the file has routes

	// Flow i takes the links Route[RouteAt[i]:RouteAt[i+1]], in order. Both are
	// nil where the file has none.
	Route   []int32
	RouteAt []int32

	// Flow i starts only after the flows After[AfterAt[i]:AfterAt[i+1]] have
	// ended. There is no cycle among them.
	After   []int32
	AfterAt []int32
}

// ReadLinks reads the file that the topology names.
func (s *Scenario) ReadLinks() (*LinkTable, Faults) {
	var links *LinkTable
	faults := s.withTable(s.Topology.File, s.Topology.Path+".file", func(file string, in io.Reader) (faults Faults) {
		links, faults = readLinks(file, in)
		return faults
	})
	return links, faults
}

// ReadFlows reads the file that a [[workload.flows]] names. Where flows take
// routes over bare links, link finds a link by name; where they have sources
// and destinations instead, it is nil.
func (s *Scenario) ReadFlows(w *Flows, link func(name string) (int32, bool)) (*FlowTable, Faults) {
	var flows *FlowTable
	faults := s.withTable(w.File, w.Path+".file", func(file string, in io.Reader) (faults Faults) {
		flows, faults = readFlows(file, in, link)
		return faults
	})
	return flows, faults
}

// withTable opens a file that a key names. That it cannot be opened is a fault
// of the key.
func (s *Scenario) withTable(name Key[string], path string, read func(file string, in io.Reader) Faults) Faults {
	file := s.Path(name.Value)
	in, err := os.Open(file)
	if err != nil {
		reason := err
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			reason = e.Err
		}
		return Faults{name.Pos.Faultf(path, "%s: cannot read %q: %v", path, shown(name.Value), reason)}
	}
	defer in.Close()
	return read(file, in)
}

func readLinks(file string, in io.Reader) (*LinkTable, Faults) {
	rows := newRows(file, in)
	if !rows.header([]string{"link", "capacity_Bps", "latency_s"}, nil) {
		return nil, rows.all()
	}
	link, capacity, latency := rows.column("link"), rows.column("capacity_Bps"), rows.column("latency_s")
	t := &LinkTable{index: map[string]int32{}}
	for rows.next() {
		t.Name = append(t.Name, rows.id(link, t.index))
		t.Capacity = append(t.Capacity, rows.positive(capacity))
		t.Latency = append(t.Latency, rows.latency(latency))
		t.Line = append(t.Line, rows.line())
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return t, nil
}

func readFlows(file string, in io.Reader, link func(name string) (int32, bool)) (*FlowTable, Faults) {
	rows := newRows(file, in)
	ends := []string{"src", "dst"}
	if link != nil {
		ends = []string{"route"}
	}
	if !rows.header(slices.Concat([]string{"flow", "start_s", "bytes"}, ends), []string{"weight", "after"}) {
		return nil, rows.all()
	}
	flow, start, bytes, weight := rows.column("flow"), rows.column("start_s"), rows.column("bytes"), rows.column("weight")
	src, dst, route, after := rows.column("src"), rows.column("dst"), rows.column("route"), rows.column("after")
	t := &FlowTable{}
	if link != nil {
		t.RouteAt = []int32{0}
	}
	index := map[string]int32{}
	var waits []wait
	for rows.next() {
		if names := rows.text(after); names != "" {
			line, col := rows.reader.FieldPos(after)
			waits = append(waits, wait{int32(len(t.Name)), strings.Clone(names), Position{file, line, col}})
		}
		t.Name = append(t.Name, rows.id(flow, index))
		t.Start = append(t.Start, rows.time(start))
		t.Bytes = append(t.Bytes, rows.number(bytes))
		t.Weight = append(t.Weight, rows.weight(weight))
		t.Line = append(t.Line, rows.line())
		if link != nil {
			t.Route = rows.route(t.Route, route, link)
			t.RouteAt = append(t.RouteAt, int32(len(t.Route)))
		} else {
			t.Src = append(t.Src, rows.node(src))
			t.Dst = append(t.Dst, rows.node(dst))
		}
	}
	t.resolve(waits, index, rows)
	if len(rows.faults) == 0 {
		t.checkCycles(file, rows)
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return t, nil
}

// wait is the "after" of one flow, whose names may stand further down.
type wait struct {
	flow  int32
	names string
	at    Position
}

// resolve turns the names of flows to wait for into their numbers.
func (t *FlowTable) resolve(waits []wait, index map[string]int32, rows *rows) {
	// A name that is near is looked for among this many in all: the search is
	// a courtesy, not worth seconds.
	candidates := 4_000_000
	t.AfterAt = make([]int32, 1, len(t.Name)+1)
	for i := range t.Name {
		if len(waits) > 0 && waits[0].flow == int32(i) {
			for name := range strings.FieldsSeq(waits[0].names) {
				other, ok := index[name]
				if ok {
					t.After = append(t.After, other)
					continue
				}
				hint := ""
				if candidates -= len(t.Name); candidates >= 0 && !rows.full() {
					hint = meant(name, t.Name)
				}
				rows.add(waits[0].at.Faultf("after", "after: there is no flow %q%s", shown(name), hint))
			}
			waits = waits[1:]
		}
		t.AfterAt = append(t.AfterAt, int32(len(t.After)))
	}
}

// checkCycles reports flows that wait for themselves: a depth-first search with
// a stack of its own, since a chain may be as long as the file. It takes
// O(flows + waits).
func (t *FlowTable) checkCycles(file string, rows *rows) {
	const (
		unseen = iota
		onPath
		done
	)
	state := make([]uint8, len(t.Name))
	next := slices.Clone(t.AfterAt) // the wait of each flow to follow next
	var path []int32
	for root := range t.Name {
		if state[root] != unseen {
			continue
		}
		state[root] = onPath
		path = append(path[:0], int32(root))
		for len(path) > 0 {
			flow := path[len(path)-1]
			if next[flow] == t.AfterAt[flow+1] {
				state[flow] = done
				path = path[:len(path)-1]
				continue
			}
			other := t.After[next[flow]]
			next[flow]++
			switch state[other] {
			case unseen:
				state[other] = onPath
				path = append(path, other)
			case onPath:
				cycle := path[slices.Index(path, other):]
				rows.add(Position{file, int(t.Line[other]), 1}.Faultf("after", "after: these wait for each other: %s", t.cycle(cycle)))
				if rows.full() {
					return
				}
			}
		}
	}
}

// cycle prints "f1 -> f2 -> f1", its middle left out where it is long.
func (t *FlowTable) cycle(flows []int32) string {
	const most = 10
	var names []string
	for i, f := range flows {
		if i == most && len(flows) > most {
			names = append(names, fmt.Sprintf("(%d more)", len(flows)-most))
			break
		}
		names = append(names, shown(t.Name[f]))
	}
	return strings.Join(append(names, shown(t.Name[flows[0]])), " -> ")
}

// rows reads a CSV row by row, and collects what is wrong with it.
type rows struct {
	limited
	file   string
	input  *bounded
	reader *csv.Reader
	names  []string // of the columns
	record []string
	last   int // line on which the last record ends
	count  int // of the rows of values
}

func newRows(file string, in io.Reader) *rows {
	input := &bounded{in: in}
	r := &rows{limited: limited{most: maxTableFaults}, file: file, input: input, reader: csv.NewReader(input)}
	r.reader.ReuseRecord = true
	return r
}

// bounded is an input that fails where a row or the whole of it is too long.
type bounded struct {
	in    io.Reader
	read  int64
	allow int64 // how far the row being read may reach
}

func (b *bounded) Read(p []byte) (int, error) {
	switch {
	case b.read >= maxTable:
		return 0, fmt.Errorf("the file is larger than %d GiB", maxTable>>30)
	case b.read >= b.allow:
		return 0, fmt.Errorf("a row is longer than %d MiB; is a quote left open?", maxRow>>20)
	}
	n, err := b.in.Read(p)
	b.read += int64(n)
	return n, err
}

// advance reads the next record that has a field for each column, and says
// whether there is one.
func (r *rows) advance() bool {
	for {
		r.input.allow = r.reader.InputOffset() + maxRow
		record, err := r.reader.Read()
		if err == nil {
			r.record = record
			r.last, _ = r.reader.FieldPos(len(record) - 1)
			return true
		}
		if errors.Is(err, csv.ErrFieldCount) {
			line, _ := r.reader.FieldPos(0)
			r.last, _ = r.reader.FieldPos(len(record) - 1)
			r.add(Position{r.file, line, 1}.Faultf("", "%d fields where the header has %d; is the file cut short?", len(record), len(r.names)))
			continue
		}
		if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
			r.add(Position{r.file, syntax.Line, syntax.Column}.Faultf("", "%v", syntax.Err))
		} else if err != io.EOF {
			r.add(Position{r.file, r.last + 1, 1}.Faultf("", "%v", err))
		}
		return false
	}
}

// header reads the first row and judges its columns.
func (r *rows) header(required, optional []string) bool {
	return r.heading("its first row must name the columns "+strings.Join(required, ",")) && r.columns(required, optional)
}

// heading reads the names in the first row, which a file that is empty lacks.
func (r *rows) heading(lacks string) bool {
	if !r.advance() {
		if len(r.faults) == 0 {
			r.add(Fault{File: r.file, Message: "the file is empty; " + lacks})
		}
		return false
	}
	r.names = make([]string, len(r.record))
	for i, name := range r.record {
		if i == 0 {
			name = strings.TrimPrefix(name, "\ufeff")
		}
		name = strings.TrimSpace(name)
		if slices.Contains(r.names[:i], name) {
			r.faultf(i, "the column %q is there twice", shown(name))
		}
		r.names[i] = strings.Clone(name)
	}
	return len(r.faults) == 0
}

// columns judges the names of the first row.
func (r *rows) columns(required, optional []string) bool {
	known := slices.Concat(required, optional)
	if !slices.ContainsFunc(r.names, func(name string) bool { return meant(name, known) != "" || slices.Contains(known, name) }) {
		r.add(Position{r.file, 1, 1}.Faultf("", "unknown column %q, as are all others; the first row must name %s", shown(r.names[0]), strings.Join(required, ",")))
		return false
	}
	for i, name := range r.names {
		if !slices.Contains(known, name) {
			line, col := r.reader.FieldPos(i)
			r.add(Position{r.file, line, col}.Faultf(name, "unknown column %q%s; columns: %s", shown(name), meant(name, known), strings.Join(known, ", ")))
		}
	}
	for _, name := range required {
		if !slices.Contains(r.names, name) {
			r.add(Position{r.file, 1, 1}.Faultf(name, "there is no column %s", name))
		}
	}
	return len(r.faults) == 0
}

// column is the number of a column, -1 where the file does not have it.
func (r *rows) column(name string) int { return slices.Index(r.names, name) }

// next goes to the next row of values. It goes on past a page of faults, only
// counting, so that the last line of the report is right.
func (r *rows) next() bool {
	if r.advance() {
		r.count++
		return true
	}
	if r.count == 0 && len(r.faults) == 0 {
		r.add(Fault{File: r.file, Message: "there are no rows below the header"})
	}
	return false
}

func (r *rows) line() int32 {
	line, _ := r.reader.FieldPos(0)
	return int32(line)
}

// faultf reports something about a field of the current row.
func (r *rows) faultf(column int, format string, args ...any) {
	if r.full() {
		r.more++
		return
	}
	name := ""
	if column < len(r.names) {
		name = r.names[column]
	}
	line, col := r.reader.FieldPos(column)
	r.add(Position{r.file, line, col}.Faultf(name, "%s", join(name, fmt.Sprintf(format, args...), ": ")))
}

// text is a field, "" where the file has no such column.
func (r *rows) text(column int) string {
	if column < 0 {
		return ""
	}
	return strings.TrimSpace(r.record[column])
}

// id is a name that no row before had, and enters it in the index.
func (r *rows) id(column int, index map[string]int32) string {
	name := strings.Clone(r.text(column)) // the field shares its row's memory
	switch _, dup := index[name]; {
	case name == "":
		r.faultf(column, "is empty")
	case strings.ContainsFunc(name, unprintable):
		r.faultf(column, "must not hold control characters, as %q does", shown(name))
	case dup:
		r.faultf(column, "%q is there twice", shown(name))
	default:
		index[name] = int32(len(index))
	}
	return name
}

// node is the name of a source or destination.
func (r *rows) node(column int) string {
	name := strings.Clone(r.text(column))
	if name == "" {
		r.faultf(column, "is empty")
	}
	return name
}

// number is a finite number of zero or more.
func (r *rows) number(column int) float64 {
	text := r.text(column)
	v, err := units.ParseNumber(text)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && v > mostNumber && !math.IsInf(v, 0):
		r.faultf(column, "%q is too large", shown(text))
	case err != nil:
		r.faultf(column, "%q is not a number", shown(text))
	case math.IsNaN(v) || math.IsInf(v, 0):
		r.faultf(column, "%q is not a finite number", shown(text))
	case v < 0:
		r.faultf(column, "%s is negative", shown(text))
	default:
		return v + 0 // -0 becomes 0
	}
	return 1 // a value that no later judgement stumbles over
}

func (r *rows) positive(column int) float64 {
	v := r.number(column)
	if v == 0 {
		r.faultf(column, "must be more than 0")
	}
	return v
}

// weight is a positive number, 1 where it is left out.
func (r *rows) weight(column int) float64 {
	if r.text(column) == "" {
		return 1
	}
	return r.positive(column)
}

// time is a number of seconds within the range of the simulator's clock.
func (r *rows) time(column int) float64 {
	v := r.number(column)
	if _, err := units.DurationOf(v); err != nil {
		r.faultf(column, "%v", err)
	}
	return v
}

// maxLatency is the most that a key of a scenario takes.
const maxLatency = 60. // s

// latency is the time that something takes to pass a link.
func (r *rows) latency(column int) float64 {
	v := r.time(column)
	if v > maxLatency {
		r.faultf(column, "must be at most %g s, not %g", maxLatency, v)
	}
	return v
}

// route appends the numbers of the links that a field names.
func (r *rows) route(route []int32, column int, link func(string) (int32, bool)) []int32 {
	before := len(route)
	for name := range strings.FieldsSeq(r.text(column)) {
		l, ok := link(name)
		if !ok {
			r.faultf(column, "there is no link %q", shown(name))
			l = -1
		}
		route = append(route, l)
	}
	if len(route) == before {
		r.faultf(column, "is empty: a flow takes one link or more")
	}
	return route
}
