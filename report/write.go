// Package report writes what a run found: tables as CSV, the summary as JSON and
// as text for a terminal, pictures, and the manifest. It reads results and knows
// nothing of the cluster that they come from.
//
// Every table is one CSV file with a header; numbers are in SI base units, the
// shortest decimals that read back the same, and what there is not is empty.
// Everything but manifest.json is a function of the scenario, the seed and the
// version, to the byte.
package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/railyard/railyard/result"
)

// TableFormat is a way to write tables beside CSV.
type TableFormat struct {
	Extension string // of its files: ".parquet"
	Write     func(w io.Writer, t *result.Table) error
}

// Write writes the summary and the tables into a folder, which it makes if need
// be, and returns the files it wrote, in order. Tables are written in other formats
// also, if any are given.
func Write(dir string, r *result.Results, also ...TableFormat) (files []string, err error) {
	if err := checkFolder(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	summary := filepath.Join(dir, "summary.json")
	if err := WriteFile(summary, func(w io.Writer) error { return WriteJSON(w, r.Summary) }); err != nil {
		return nil, err
	}
	files = append(files, summary)
	for _, t := range r.Tables {
		path, write := filepath.Join(dir, t.Name+".csv"), WriteCSV
		if t.Lines {
			path, write = filepath.Join(dir, t.Name+".jsonl"), WriteLines
		}
		if err := WriteFile(path, func(w io.Writer) error { return write(w, t) }); err != nil {
			return files, err
		}
		files = append(files, path)
		for _, f := range also {
			path := filepath.Join(dir, t.Name+f.Extension)
			if err := WriteFile(path, func(w io.Writer) error { return f.Write(w, t) }); err != nil {
				return files, err
			}
			files = append(files, path)
		}
	}
	return files, nil
}

// WriteFile writes a file whole or not at all. What is no regular file, a device or a
// pipe, is written to as it is, and stays.
func WriteFile(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return writeTo(path, write)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		failed.Op, failed.Path = "write", path // not the name that it has meanwhile
	}
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // does nothing once it has been renamed
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writeTo writes to what is there.
func writeTo(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err = write(w); err == nil {
		err = w.Flush()
	}
	return errors.Join(err, f.Close())
}

// WriteJSON writes a record with indentation and a final newline.
func WriteJSON(w io.Writer, r *result.Record) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // the names of links have a ">"
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteCSV writes a table as encoding/csv would, in a fraction of the time: a link
// is a row, and most numbers are those of the row before.
func WriteCSV(w io.Writer, t *result.Table) error {
	var line []byte
	for i := range t.Columns {
		line = appendText(append(line, ','), t.Columns[i].Metric.Name)
	}
	if _, err := w.Write(append(line[1:], '\n')); err != nil {
		return err
	}
	before := make([]number, len(t.Columns))
	for n := range t.Rows() {
		line = line[:0]
		for i := range t.Columns {
			line = append(line, ',')
			switch c := &t.Columns[i]; {
			case c.Numbers != nil:
				line = append(line, before[i].of(c.Numbers[n])...)
			case c.Integers != nil:
				line = strconv.AppendInt(line, c.Integers[n], 10)
			default:
				line = appendText(line, c.Cell(n))
			}
		}
		if _, err := w.Write(append(line[1:], '\n')); err != nil {
			return err
		}
	}
	return nil
}

// number is a number and how it is written.
type number struct {
	value float64
	text  string
}

func (b *number) of(v float64) string {
	if b.text == "" || math.Float64bits(v) != math.Float64bits(b.value) {
		b.value, b.text = v, result.Number(v)
	}
	return b.text
}

// appendText appends a field, in quotes where it has to be (RFC 4180).
func appendText(line []byte, text string) []byte {
	plain := text != `\.` && !strings.ContainsAny(text, ",\"\r\n")
	if plain && text != "" {
		first, _ := utf8.DecodeRuneInString(text)
		plain = !unicode.IsSpace(first)
	}
	if plain {
		return append(line, text...)
	}
	line = append(line, '"')
	line = append(line, strings.ReplaceAll(text, `"`, `""`)...)
	return append(line, '"')
}

// WriteLines writes a table as a JSON object a row, each chained to those before it; see
// [VerifyAudit].
func WriteLines(w io.Writer, t *result.Table) error {
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	var c chain
	for i := range t.Rows() {
		line.Reset()
		if err := e.Encode(t.Record(i)); err != nil {
			return err
		}
		if _, err := w.Write(c.seal(line.Bytes())); err != nil {
			return err
		}
	}
	return nil
}
