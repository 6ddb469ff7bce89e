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
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/railyard/railyard/result"
)

// Write writes the summary and the tables into a folder, which it makes if need
// be, and returns the files it wrote, in order.
func Write(dir string, r *result.Results) (files []string, err error) {
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
	}
	return files, nil
}

// WriteFile writes a file whole or not at all.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
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

// WriteJSON writes a record with indentation and a final newline.
func WriteJSON(w io.Writer, r *result.Record) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // the names of links have a ">"
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteCSV writes a table.
func WriteCSV(w io.Writer, t *result.Table) error {
	out := csv.NewWriter(w)
	row := make([]string, len(t.Columns))
	for i := range t.Columns {
		row[i] = t.Columns[i].Metric.Name
	}
	if err := out.Write(row); err != nil {
		return err
	}
	for n := range t.Rows() {
		for i := range t.Columns {
			row[i] = t.Columns[i].Cell(n)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteLines writes a table as a JSON object a row.
func WriteLines(w io.Writer, t *result.Table) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for i := range t.Rows() {
		if err := e.Encode(t.Record(i)); err != nil {
			return err
		}
	}
	return nil
}
