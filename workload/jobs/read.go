package jobs

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/railyard/railyard/units"
)

// Bounds of a trace. The largest that is published, Helios, has 3.4 million jobs
// in four files.
const (
	MaxJobs = 1 << 22
	maxLine = 1 << 20 // bytes of a row
	maxBad  = 5       // rows that are named
	maxGang = 1 << 20 // accelerators of a job
)

// RowError is what is wrong with a row of a trace.
type RowError struct {
	File   string
	Line   int
	Reason string
}

func (e *RowError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// Report counts what became of the rows of a trace.
type Report struct {
	Jobs int        // read
	Bad  int        // rows that could not be understood
	Rows []RowError // the first of them
	Left []Left     // jobs that are nothing to simulate
}

// Left is a reason to leave jobs out, and how many it hit.
type Left struct {
	Reason string
	Jobs   int
}

// String says what is missing, "" if nothing is.
func (r Report) String() string {
	var parts []string
	if r.Bad > 0 {
		rows := "rows"
		if r.Bad == 1 {
			rows = "row"
		}
		text := fmt.Sprintf("%d bad %s left out", r.Bad, rows)
		for _, e := range r.Rows {
			text += "\n  " + e.Error()
		}
		if more := r.Bad - len(r.Rows); more > 0 {
			text += fmt.Sprintf("\n  and %d more", more)
		}
		parts = append(parts, text)
	}
	for _, l := range r.Left {
		jobs := "jobs"
		if l.Jobs == 1 {
			jobs = "job"
		}
		parts = append(parts, fmt.Sprintf("%d %s left out: %s", l.Jobs, jobs, l.Reason))
	}
	return strings.Join(parts, "\n")
}

// errLeft is a job that is left out.
type errLeft string

func (e errLeft) Error() string { return string(e) }

const neverRan = errLeft("never ran")

// next gives the next job of a trace and its line. An error is an [errLeft], a
// [badRow], after both of which it goes on, or the end.
type next func() (Job, int, error)

// badRow is a reason why a row is no job.
type badRow string

func (e badRow) Error() string { return string(e) }

func badf(format string, args ...any) error { return badRow(fmt.Sprintf(format, args...)) }

// Read reads a trace. Of a file that is no trace of the format there are no jobs
// but an error; file names it in messages.
func Read(file string, in io.Reader, f Format) ([]Job, Report, error) {
	source := &lines{file: file, scanner: bufio.NewScanner(in)}
	source.scanner.Buffer(nil, maxLine)
	var report Report
	row, err := formats[f].open(file, in, source)
	if err != nil {
		return nil, report, err
	}
	var all []Job
	seen := map[string]struct{}{}
	words := map[string]string{} // users and the like are few: each is kept once
	word := func(s *string) {
		text := strings.TrimSpace(*s)
		kept, ok := words[text]
		if !ok {
			kept = strings.Clone(text)
			words[kept] = kept
		}
		*s = kept
	}
	for {
		j, line, err := row()
		j.ID = strings.TrimSpace(j.ID)
		if err == nil {
			err = j.check(seen)
		}
		var left errLeft
		var bad badRow
		switch {
		case err == io.EOF:
			report.Jobs = len(all)
			return all, report, nil
		case errors.As(err, &left):
			report.leave(string(left))
			continue
		case errors.As(err, &bad):
			report.Bad++
			if len(report.Rows) < maxBad {
				report.Rows = append(report.Rows, RowError{file, line, string(bad)})
			}
			continue
		case err != nil:
			return nil, report, err
		case len(all) == MaxJobs:
			return nil, report, &RowError{file, line, fmt.Sprintf("more than %d jobs", MaxJobs)}
		}
		if j.Milli == 1000 {
			j.Milli = 0
		}
		j.ID = strings.Clone(j.ID)
		seen[j.ID] = struct{}{}
		for _, s := range [...]*string{&j.User, &j.Group, &j.Type, &j.Model, &j.Status, &j.Accelerator, &j.Speeds} {
			word(s)
		}
		j.Line = line
		all = append(all, j)
	}
}

// WithoutCPUJobs leaves out the jobs that want no accelerator.
func (r *Report) WithoutCPUJobs(all []Job) []Job {
	return slices.DeleteFunc(all, func(j Job) bool {
		if j.Accelerators == 0 {
			r.leave("want no accelerator")
		}
		return j.Accelerators == 0
	})
}

func (r *Report) leave(reason string) {
	i := slices.IndexFunc(r.Left, func(l Left) bool { return l.Reason == reason })
	if i < 0 {
		i = len(r.Left)
		r.Left = append(r.Left, Left{Reason: reason})
	}
	r.Left[i].Jobs++
}

// check is what must hold for a job of any format.
func (j *Job) check(seen map[string]struct{}) error {
	_, dup := seen[j.ID]
	switch {
	case j.ID == "":
		return badf("the job has no name")
	case strings.ContainsFunc(j.ID+j.User+j.Group+j.Type+j.Model+j.Status+j.Accelerator+j.Speeds, unicode.IsControl):
		return badf("job %.40q has control characters in its texts", j.ID)
	case dup:
		return badf("job %.40q is there twice", j.ID)
	case j.Accelerators < 0 || j.Accelerators > maxGang:
		return badf("%d accelerators", j.Accelerators)
	case j.Least > j.Accelerators || j.Most > 0 && j.Most < j.Accelerators:
		return badf("%d accelerators, and from %d to %d", j.Accelerators, j.Least, j.Most)
	case j.Milli < 0 || j.Milli > 1000:
		return badf("%d thousandths of an accelerator", j.Milli)
	case j.CPU < 0 || j.Memory < 0:
		return badf("negative CPU or memory")
	case !(j.Duration >= 0) || math.IsInf(j.Duration, 0):
		return badf("it ran for %v s", j.Duration)
	case !(j.Submit >= 0 && j.Submit < 1<<53):
		return badf("it was submitted at %v s", j.Submit)
	}
	return nil
}

// Span is an error if the clock does not reach from the first submission to the
// end of the longest job. Jobs are rebased.
func Span(all []Job) error {
	for i := range all {
		j := &all[i]
		if _, err := units.DurationOf(j.Submit + j.Duration); err != nil {
			return fmt.Errorf("job %q would end %.1f years after the first is submitted: the clock counts int64 of 10 ps, 2.9 years", j.ID, (j.Submit+j.Duration)/(365*86400))
		}
	}
	return nil
}

// lines reads a text line by line.
type lines struct {
	file    string
	scanner *bufio.Scanner
	line    int
}

// next is the next line that is not empty, without the byte order mark and the
// carriage return of other systems.
func (l *lines) next() (string, error) {
	for l.scanner.Scan() {
		l.line++
		text := strings.TrimRight(l.scanner.Text(), "\r")
		if l.line == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		if strings.TrimSpace(text) != "" {
			return text, nil
		}
	}
	switch err := l.scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return "", &RowError{l.file, l.line + 1, fmt.Sprintf("a line of more than %d bytes", maxLine)}
	case err != nil:
		return "", fmt.Errorf("%s: %w", l.file, err)
	}
	return "", io.EOF
}

// split takes a row of a table apart. Rows of these traces are lines.
func split(text string, comma rune) ([]string, error) {
	if comma == '|' || !strings.Contains(text, `"`) {
		return strings.Split(text, string(comma)), nil
	}
	r := csv.NewReader(strings.NewReader(text))
	fields, err := r.Read()
	if syntax := new(csv.ParseError); errors.As(err, &syntax) {
		return nil, badf("column %d: %v", syntax.Column, syntax.Err)
	}
	return fields, err
}

// row is a row of a table whose columns have names. It keeps the first thing
// that is wrong with it.
type row struct {
	columns map[string]int
	fields  []string
	err     error
}

func (r *row) has(column string) bool {
	i, ok := r.columns[column]
	return ok && r.fields[i] != ""
}

// text is a field, "" where the table has no such column.
func (r *row) text(column string) string {
	if i, ok := r.columns[column]; ok {
		return r.fields[i]
	}
	return ""
}

func (r *row) fail(column, format string, args ...any) {
	if r.err == nil {
		r.err = badf("%s: %s", column, fmt.Sprintf(format, args...))
	}
}

// number is a finite number.
func (r *row) number(column string) float64 {
	text := r.text(column)
	v, err := units.ParseNumber(text)
	switch {
	case text == "":
		r.fail(column, "is empty")
	case err != nil || math.IsNaN(v) || math.IsInf(v, 0):
		r.fail(column, "%.40q is not a number", text)
	}
	return v
}

// count is a whole number from 0 to most.
func (r *row) count(column string, most float64) int64 {
	v := r.number(column)
	if v < 0 || v > most || v != math.Trunc(v) {
		r.fail(column, "%.40s is not a whole number from 0 to %.0f", r.text(column), most)
		return 0
	}
	return int64(v)
}

// integer is a whole number of either sign.
func (r *row) integer(column string) int64 {
	v := r.number(column)
	if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
		r.fail(column, "%.40s is not a whole number", r.text(column))
		return 0
	}
	return int64(v)
}

// instant is a point in time, in seconds.
func (r *row) instant(column string) float64 {
	v, err := instant(r.text(column))
	if err != nil {
		r.fail(column, "%v", err)
	}
	return v
}

// layouts are how traces write points in time, with Z or an offset after it where
// they tell the zone.
var layouts = [...]string{"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05Z0700"}

func instant(text string) (float64, error) {
	if v, err := units.ParseNumber(text); err == nil && math.Abs(v) < 1<<53 {
		return v, nil
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil {
			return float64(t.Unix()) + float64(t.Nanosecond())/1e9, nil
		}
	}
	if text == "" {
		return 0, errors.New("is empty")
	}
	return 0, fmt.Errorf("%.40q is not a time", text)
}

// elapsed is from one point in time to another, of a job that may not have run.
func (r *row) elapsed(start, end string) (float64, error) {
	for _, column := range [...]string{start, end} {
		switch r.text(column) {
		case "", "None", "Unknown", "NaN", "nan":
			return 0, neverRan
		}
	}
	from, to := r.instant(start), r.instant(end)
	if to < from {
		r.fail(end, "is before %s", start)
	}
	return to - from, nil
}
