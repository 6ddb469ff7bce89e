// Package input reads the tables of a results folder row by row. A folder may come from
// anywhere: a row has a bound, and what is wrong is a [result.FileError] with its line.
package input

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// maxRow bounds the bytes of a row.
const maxRow = 1 << 20

// Reader reads one table. Use Open.
type Reader struct {
	Header []string
	Row    []string // that Next has read, until it reads the next

	path string
	file *os.File
	in   *lineReader
	csv  *csv.Reader
	line int // of the row
	err  error
}

// Open opens a table and reads its header. Of a file that is not there the error is
// fs.ErrNotExist.
func Open(path string) (*Reader, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	in := &lineReader{r: f}
	r := &Reader{path: path, file: f, in: in, csv: csv.NewReader(in), line: 1}
	r.Header, err = r.csv.Read()
	r.csv.ReuseRecord = true
	if errors.Is(err, io.EOF) {
		err = errors.New("no header")
	}
	if err != nil {
		f.Close()
		return nil, r.broken(err)
	}
	return r, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }

// Columns are the places of columns in the header: need must be there, may be -1 where it
// is not.
func (r *Reader) Columns(need, may []result.Metric) ([]int, error) {
	var at []int
	for i, m := range slices.Concat(need, may) {
		k := slices.Index(r.Header, m.Name)
		if k < 0 && i < len(need) {
			return nil, r.broken(fmt.Errorf("no column %q; there are %s", m.Name, Shorten(strings.Join(r.Header, ", "))))
		}
		at = append(at, k)
	}
	return at, nil
}

// Next reads a row, and reports false at the end or where something is wrong.
func (r *Reader) Next() bool {
	r.in.since = 0
	row, err := r.csv.Read()
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		r.line++ // behind the row before
		r.err = r.broken(err)
		return false
	}
	r.Row = row
	r.line, _ = r.csv.FieldPos(0)
	return true
}

// Line is the line of the row.
func (r *Reader) Line() int { return r.line }

// Err is what was wrong.
func (r *Reader) Err() error { return r.err }

// Fault is an error at the line of a cell of the row.
func (r *Reader) Fault(column int, err error) error {
	line := r.line
	if column >= 0 && column < len(r.Row) {
		line, _ = r.csv.FieldPos(column)
	}
	return &result.FileError{File: r.path, Line: line, Err: err}
}

// broken is an error of the reader, which may know its line.
func (r *Reader) broken(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return &result.FileError{File: r.path, Line: e.Line, Err: e.Err}
	}
	return &result.FileError{File: r.path, Line: r.line, Err: err}
}

// OpenFile opens a file if it is one: reading a pipe might never end.
func OpenFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a file")
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok {
			err = e.Err
		}
		return nil, &result.FileError{File: path, Err: err}
	}
	return f, nil
}

// Shorten keeps the beginning of what a message quotes.
func Shorten(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

// lineReader refuses a row that would not fit in memory, such as all that follows a quote
// that is never closed.
type lineReader struct {
	r     io.Reader
	since int // bytes since the last row
}

func (r *lineReader) Read(p []byte) (int, error) {
	if r.since > maxRow {
		return 0, fmt.Errorf("a row of more than %d bytes; is a quote not closed?", maxRow)
	}
	n, err := r.r.Read(p)
	r.since += n
	return n, err
}
