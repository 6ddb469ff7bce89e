// Package session answers requests for runs, one JSON object a line, so that a program in
// any language can ask for many without starting a process for each.
//
// # Protocol
//
// A request is a line, and so is its answer, which comes before the next request is read:
//
//	{"id": 1, "do": "run", "file": "quickstart.toml", "set": ["topology.hosts=4"], "tables": ["links"]}
//	{"id": 1, "run": "98a3...", "summary": {...}, "tables": {"links": {"link": [...], "bytes": [...]}}, "warnings": []}
//
// do says what the answer has:
//
//	run       "run", "summary", "tables" and "warnings"; where do is left out
//	check     "ok": true
//	estimate  "estimate", as `railyard estimate --json` prints it
//	sweep     "points", the columns of points.csv
//	version   "version"
//
// The scenario is file, or scenario: a text, or an object of the same shape. set is a list
// of KEY=VALUE, or an object of keys and values. What is missing in a table is null. A
// sweep is asked for as [sweep] in a scenario has it, and adds to what the scenario says:
//
//	{"do": "sweep", "file": "quickstart.toml", "vary": {"topology.hosts": [2, 4, 8], "sim.seed": "1..3"}, "where": ["hosts > 2"]}
//
// with method, points, seeds, where, and workers, the points to run at one time. It has at
// most [MaxPoints] points; more are for `railyard sweep`.
//
// An answer has the id of its request, whatever that is, null if it has none. If something
// is wrong it has an error in place of results:
//
//	{"id": 1, "error": {"code": 3, "message": "...", "where": [{"file": "quickstart.toml", "line": 4, "column": 1, "key": "...", "message": "..."}]}}
//
// with the exit status that the command would have as its code, 2 for a request that is
// none. Of a scenario that is an object the line and the column are those in the object. A
// missed [[expect]] is no error: the summary says so.
//
// # Memory
//
// The answers to run that were given last are kept, up to [maxKept] bytes of them, and
// given again to a request for the same scenario, files, overrides and tables; files are
// read again for that. A request has at most [MaxRequest] bytes.
package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/sweep"
)

// MaxRequest bounds the bytes of a request.
const MaxRequest = 16 << 20

// maxKept bounds the bytes of answers that are kept.
const maxKept = 64 << 20

// request is a line that comes in.
type request struct {
	ID       json.RawMessage `json:"id"`
	Do       string          `json:"do"`
	File     string          `json:"file"`
	Scenario text            `json:"scenario"`
	Set      settings        `json:"set"`
	Tables   []string        `json:"tables"`
	points
}

// answer is what goes out, beside its id.
type answer struct {
	OK       bool                         `json:"ok,omitempty"`
	Version  string                       `json:"version,omitempty"`
	Run      string                       `json:"run,omitempty"`
	Summary  *result.Record               `json:"summary,omitempty"`
	Tables   map[string]map[string]column `json:"tables,omitempty"`
	Estimate *result.Record               `json:"estimate,omitempty"`
	Points   cells                        `json:"points,omitempty"`
	Warnings []string                     `json:"warnings,omitempty"`
	Error    *failure                     `json:"error,omitempty"`
}

// failure is why there are no results.
type failure struct {
	Code    int     `json:"code"`
	Message string  `json:"message"`
	Where   []where `json:"where,omitempty"`
}

type where struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Key     string `json:"key,omitempty"`
	Message string `json:"message"`
}

// The codes of failures are exit statuses of the command.
const (
	codeInternal   = 1
	codeRequest    = 2
	codeInput      = 3
	codeUnfinished = 4
)

// Serve answers requests until there are no more, or ctx ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	s := &session{kept: map[string][]byte{}}
	return serve(ctx, in, out, s.do)
}

// serve reads requests and writes what do answers.
func serve(ctx context.Context, in io.Reader, out io.Writer, do func(context.Context, *request) []byte) error {
	lines := make(chan line)
	go func() { // which a read that does not end outlives, when ctx has ended
		r := bufio.NewReaderSize(in, 1<<16)
		for {
			text, err := readLine(r)
			select {
			case lines <- line{text, err}:
			case <-ctx.Done():
				return
			}
			if err != nil && !errors.Is(err, errTooLong) {
				return
			}
		}
	}()
	w := bufio.NewWriterSize(out, 1<<16)
	for {
		var l line
		select {
		case <-ctx.Done():
			return ctx.Err()
		case l = <-lines:
		}
		if errors.Is(l.err, io.EOF) {
			return nil
		}
		var text []byte
		switch {
		case errors.Is(l.err, errTooLong):
			text = wrap(nil, encode(&answer{Error: &failure{Code: codeRequest, Message: l.err.Error()}}))
		case l.err != nil:
			return l.err
		case len(bytes.TrimSpace(l.text)) == 0:
			continue
		default:
			text = answerTo(ctx, l.text, do)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

// line is one that was read, or why there is none.
type line struct {
	text []byte
	err  error
}

var errTooLong = fmt.Errorf("a request of more than %d bytes", MaxRequest)

// readLine reads a line, the last of which may have no end, and skips one that is too long.
func readLine(r *bufio.Reader) (line []byte, err error) {
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if long = long || len(line)+len(part) > MaxRequest; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || long):
		case err != nil:
			return nil, err
		}
		if long {
			return nil, errTooLong
		}
		return line, nil
	}
}

// session is the answers that are kept.
type session struct {
	kept  map[string][]byte
	order []string // of them, the oldest first
	size  int
}

// answerTo is the line that answers a request.
func answerTo(ctx context.Context, line []byte, do func(context.Context, *request) []byte) []byte {
	var q request
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&q); err != nil {
		return wrap(q.ID, encode(&answer{Error: &failure{Code: codeRequest, Message: "no request: " + err.Error()}}))
	}
	if d.More() {
		return wrap(q.ID, encode(&answer{Error: &failure{Code: codeRequest, Message: "more than one request in a line"}}))
	}
	return wrap(q.ID, do(ctx, &q))
}

// wrap puts the id before the rest of an answer.
func wrap(id json.RawMessage, rest []byte) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	line := append([]byte(`{"id":`), id...)
	if len(rest) > 2 { // more than {}
		line = append(line, ',')
	}
	line = append(line, rest[1:]...)
	return append(line, '\n')
}

func encode(a *answer) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(a); err != nil {
		return encode(&answer{Error: &failure{Code: codeInternal, Message: err.Error()}})
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (s *session) do(ctx context.Context, q *request) []byte {
	refuse := func(format string, args ...any) []byte {
		return encode(&answer{Error: &failure{Code: codeRequest, Message: fmt.Sprintf(format, args...)}})
	}
	switch q.Do {
	case "version":
		return encode(&answer{Version: railyard.Version().Version})
	case "", "run", "check", "estimate", "sweep":
	default:
		return refuse("there is no %q to do: run, check, estimate, sweep or version", q.Do)
	}
	if (q.File == "") == (q.Scenario == "") {
		return refuse("a request has file, a path, or scenario, a text or an object")
	}
	if q.Do != "sweep" && q.asked() {
		return refuse("vary, method, points, seeds, where and workers belong to sweep")
	}
	if q.File == "-" {
		return refuse("standard input has requests, and no scenario")
	}
	if len(q.Tables) > 0 && q.Do != "" && q.Do != "run" {
		return refuse("tables belong to run")
	}
	path, text := "-", []byte(q.Scenario)
	if q.File != "" {
		var err error
		path = q.File
		if text, err = railyard.ReadText(path); err != nil {
			return failed(err)
		}
	}
	if q.Do == "sweep" {
		all, err := q.run(ctx, path, text, q.Set)
		if err != nil {
			return failed(err)
		}
		return encode(&answer{Points: all})
	}
	scenario, err := railyard.Parse(path, text, q.Set...)
	if err != nil {
		return failed(err)
	}
	switch q.Do {
	case "check":
		if err := railyard.Check(scenario); err != nil {
			return failed(err)
		}
		return encode(&answer{OK: true})
	case "estimate":
		r, err := railyard.Estimate(ctx, scenario, railyard.Options{})
		if err != nil {
			return failed(err)
		}
		return encode(&answer{Estimate: r})
	}
	id, err := runID(scenario)
	if err != nil {
		return failed(err)
	}
	key := id + "\n" + strings.Join(q.Tables, "\n")
	if kept, known := s.kept[key]; known {
		return kept
	}
	r, err := railyard.Run(ctx, scenario, railyard.Options{SummaryOnly: len(q.Tables) == 0})
	if r == nil {
		return failed(err)
	}
	a := &answer{Run: id, Summary: r.Summary, Warnings: r.Warnings}
	for _, name := range q.Tables {
		t := r.Table(name)
		if t == nil {
			var have []string
			for _, t := range r.Tables {
				have = append(have, t.Name)
			}
			return refuse("the run has no table %q; it has %s", name, strings.Join(have, ", "))
		}
		if a.Tables == nil {
			a.Tables = map[string]map[string]column{}
		}
		a.Tables[name] = map[string]column{}
		for i := range t.Columns {
			a.Tables[name][t.Columns[i].Metric.Name] = column{&t.Columns[i]}
		}
	}
	line := encode(a)
	if after, err := runID(scenario); err == nil && after == id && ctx.Err() == nil { // no file has changed meanwhile
		s.keep(key, line)
	}
	return line
}

// runID is what a run of the scenario and its files, as they are now, is called.
func runID(s *railyard.Scenario) (string, error) {
	var inputs []report.File
	for _, file := range s.Files() {
		f, err := report.Describe(file)
		if err != nil {
			return "", railyard.Faults{{File: file, Message: "cannot read it: " + err.Error()}}
		}
		inputs = append(inputs, f)
	}
	return report.RunID(s.Resolved(), inputs, s.Sim.Seed.Value, railyard.Version().Version)
}

// keep keeps an answer, and forgets the oldest that there is no more room for.
func (s *session) keep(key string, line []byte) {
	if len(line) > maxKept/4 {
		return
	}
	s.kept[key] = line
	s.order = append(s.order, key)
	for s.size += len(line); s.size > maxKept; s.order = s.order[1:] {
		s.size -= len(s.kept[s.order[0]])
		delete(s.kept, s.order[0])
	}
}

// failed is the answer that says what is wrong.
func failed(err error) []byte {
	f := &failure{Code: codeInternal, Message: err.Error()}
	var faults railyard.Faults
	var deadlock *sim.DeadlockError
	var job *cluster.JobError
	var asked *sweep.InputError
	switch {
	case errors.As(err, &faults):
		f.Code = codeInput
		for _, x := range faults {
			f.Where = append(f.Where, where{x.File, x.Line, x.Col, x.Key, x.Message})
		}
	case errors.As(err, &asked):
		f.Code = codeInput
	case errors.As(err, &deadlock), errors.As(err, &job), errors.Is(err, sim.ErrEventLimit):
		f.Code = codeUnfinished
	}
	return encode(&answer{Error: f})
}

// column is one of a table, as a JSON array.
type column struct{ *result.Column }

// MarshalJSON writes what is missing as null.
func (c column) MarshalJSON() ([]byte, error) {
	switch {
	case c.Text != nil:
		return json.Marshal(c.Text)
	case c.Integers != nil:
		return json.Marshal(c.Integers)
	}
	all := make([]*float64, len(c.Numbers))
	for i, v := range c.Numbers {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			all[i] = &c.Numbers[i]
		}
	}
	return json.Marshal(all)
}
