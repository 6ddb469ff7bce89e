package page

import (
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

// Bounds of what is read: a folder may come from anywhere.
const (
	maxText = 64 << 20 // bytes of summary.json or manifest.json
	maxRows = 1 << 23  // rows of a table
	maxDeep = 64       // objects and arrays of a JSON file within each other
	maxSize = 1e100    // of any number: sums and products of a few are still finite
)

// FileError is what is wrong with a file of a results folder.
type FileError = result.FileError

// folder is a results folder.
type folder struct {
	dir     string
	summary summary
}

// has reports whether the folder has a file.
func (f *folder) has(name string) bool {
	_, err := os.Stat(filepath.Join(f.dir, name))
	return err == nil
}

// text reads a whole file.
func (f *folder) text(name string) ([]byte, error) {
	path := filepath.Join(f.dir, name)
	file, err := input.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxText+1))
	switch {
	case err != nil:
		return nil, &FileError{File: path, Err: err}
	case len(text) > maxText:
		return nil, &FileError{File: path, Err: fmt.Errorf("larger than %d bytes", maxText)}
	}
	return text, nil
}

// row is one row of a table. What is wrong with a cell is remembered in the first
// that is.
type row struct {
	*input.Reader
	names []string
	at    []int // of each column asked for, -1 where the table has none
	err   error
}

// text is the cell of the i-th column asked for, "" where there is none.
func (r *row) text(i int) string {
	if r.at[i] < 0 {
		return ""
	}
	return r.Row[r.at[i]]
}

// number is that cell as a number, NaN where it is empty.
func (r *row) number(i int) float64 {
	text := r.text(i)
	if text == "" {
		return math.NaN()
	}
	v, ok := parse(text)
	if !ok {
		r.fail("%s is %q: not a number", r.names[i], input.Shorten(text))
	}
	return v
}

// parse reads a number that a metric can have.
func parse(text string) (float64, bool) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(v) <= maxSize) {
		return math.NaN(), false
	}
	return v, true
}

func (r *row) fail(format string, args ...any) {
	if r.err == nil {
		r.err = r.Fault(0, fmt.Errorf(format, args...))
	}
}

// scan reads a table row by row: need are the columns that it must have, may those
// that it can have, and both are asked for by their place in need, then may. The
// header is nil if there is no such table.
func (f *folder) scan(name string, need, may []result.Metric, each func(*row)) (header []string, err error) {
	in, err := input.Open(filepath.Join(f.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := &row{Reader: in}
	if r.at, err = in.Columns(need, may); err != nil {
		return nil, err
	}
	for _, m := range slices.Concat(need, may) {
		r.names = append(r.names, m.Name)
	}
	for n := 0; in.Next(); n++ {
		if n == maxRows {
			return nil, in.Fault(0, fmt.Errorf("more than %d rows", maxRows))
		}
		if each(r); r.err != nil {
			return nil, r.err
		}
	}
	return in.Header, in.Err()
}

// summary is summary.json as its single values, by their dotted paths and in
// their order: "training.0.iteration_s".
type summary struct {
	paths  []string
	values map[string]any // a string, a float64, a bool, or nil
}

// readSummary reads summary.json, without which there are no results.
func (f *folder) readSummary() error {
	text, err := f.text("summary.json")
	if errors.Is(err, fs.ErrNotExist) {
		return &FileError{File: f.dir, Err: errors.New("neither summary.json nor points.csv, so no results folder; `railyard run SCENARIO --out DIR` and `railyard sweep` make one")}
	}
	if err != nil {
		return err
	}
	f.summary, err = flatten(text)
	if err != nil {
		return &FileError{File: filepath.Join(f.dir, "summary.json"), Err: err}
	}
	return nil
}

// flatten reads JSON into single values.
func flatten(text []byte) (summary, error) {
	s := summary{values: map[string]any{}}
	d := json.NewDecoder(strings.NewReader(string(text)))
	// Of each open object or array: its path, the key that comes next, and the
	// index, -1 in an object.
	type level struct {
		path, key string
		index     int
	}
	var open []level
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 && len(s.paths) > 0 {
			return s, nil
		}
		if err != nil {
			return s, fmt.Errorf("not JSON: %w", err)
		}
		path := ""
		if n := len(open); n > 0 {
			top := &open[n-1]
			if end, is := token.(json.Delim); is && (end == '}' || end == ']') {
				open = open[:n-1]
				continue
			}
			if top.index < 0 && top.key == "" {
				key, _ := token.(string)
				top.key = "." + key
				continue
			}
			if top.index >= 0 {
				path = top.path + "." + strconv.Itoa(top.index)
				top.index++
			} else {
				path = top.path + top.key
				top.key = ""
			}
		} else if token != json.Delim('{') {
			return s, errors.New("not a JSON object")
		}
		if len(open) == maxDeep {
			return s, fmt.Errorf("more than %d levels deep", maxDeep)
		}
		switch token {
		case json.Delim('{'):
			open = append(open, level{path: path, index: -1})
		case json.Delim('['):
			open = append(open, level{path: path})
		default:
			path = strings.TrimPrefix(path, ".")
			if v, is := token.(float64); is && math.Abs(v) > maxSize {
				return s, fmt.Errorf("%s is %v: no metric is so large", path, v)
			}
			if _, twice := s.values[path]; !twice {
				s.paths = append(s.paths, path)
			}
			s.values[path] = token
		}
	}
}

// number is the number at a path, NaN if there is none.
func (s *summary) number(path string) float64 {
	if v, ok := s.values[path].(float64); ok {
		return v
	}
	return math.NaN()
}

// string is the text at a path.
func (s *summary) string(path string) string {
	text, _ := s.values[path].(string)
	return text
}

// keys are the names right below a path, in order.
func (s *summary) keys(path string) []string {
	var keys []string
	for _, p := range s.paths {
		rest, ok := strings.CutPrefix(p, path+".")
		if key, _, _ := strings.Cut(rest, "."); ok && (len(keys) == 0 || keys[len(keys)-1] != key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// declared finds the declaration of the metric at a path of summary.json.
func declared(path string) (result.Metric, bool) {
	parts := strings.Split(path, ".")
	general := ""
	for _, p := range parts {
		if _, err := strconv.Atoi(p); err == nil {
			general += "[]"
			continue
		}
		general += "." + p
	}
	general = strings.TrimPrefix(general, ".")
	if m, ok := metrics["summary.json "+general]; ok {
		return m, true
	}
	if i := strings.LastIndexByte(general, '.'); i > 0 {
		if m, ok := metrics["summary.json "+general[:i]+".*"]; ok {
			return m, true
		}
	}
	return result.Metric{}, false
}

// metrics are the declarations by file and path. One whose name is in capitals
// stands for any name.
var metrics = func() map[string]result.Metric {
	all := map[string]result.Metric{}
	for _, d := range result.Reference() {
		path := d.Path
		if d.Name == strings.ToUpper(d.Name) && len(d.Name) > 2 {
			path = strings.TrimSuffix(path, d.Name) + "*"
		}
		all[d.Where+" "+path] = d.Metric
	}
	return all
}()

// column finds the declaration of a column of a table.
func column(file, name string) result.Metric {
	table, _, _ := strings.Cut(file, ".")
	if m, ok := metrics[file+" "+table+"."+name]; ok {
		return m
	}
	return result.Metric{Name: name}
}
