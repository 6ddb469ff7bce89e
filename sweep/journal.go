package sweep

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// header is the first line of a journal: which sweep it belongs to.
type header struct {
	Sweep   string   `json:"sweep"` // id, see Sweep.identity
	Version string   `json:"version"`
	Keys    []string `json:"keys"`
	Points  int      `json:"points"`
}

// row is a point that has run, a line of a journal.
type row struct {
	Point  int    `json:"point"`
	Status Status `json:"status"`
	Run    string `json:"run,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Values are the point's own, Metrics name and value by turns.
	Values  []string `json:"values"`
	Metrics []string `json:"metrics,omitempty"`
	// Spread is metric, share and value by turns, of distributions.
	Spread []string `json:"spread,omitempty"`
}

// maxLine bounds a line of a journal: what a point found is some kilobytes.
const maxLine = 16 << 20

func journalName(s Shard) string {
	return fmt.Sprintf("journal-%d-of-%d.jsonl", s.Index, s.count())
}

// journals are the journals in a folder.
func journals(dir string) ([]string, error) {
	return filepath.Glob(filepath.Join(dir, "journal-*.jsonl"))
}

// journal is a file to which lines are added whole.
type journal struct {
	file  writer
	buf   bytes.Buffer
	whole int64 // bytes of whole lines
}

// writer is what a journal needs of a file.
type writer interface {
	io.Writer
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// openJournal opens a journal to add to. A last line that is not whole, because
// the process was killed over it, is dropped; a new journal begins with its
// header.
func openJournal(path string, h header) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	j := &journal{file: f}
	j.whole, err = wholeLines(f)
	if err == nil {
		err = f.Truncate(j.whole)
	}
	if err == nil && j.whole == 0 {
		err = j.write(h)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return j, nil
}

// wholeLines is the length of a file up to its last end of line.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	const piece = 64 << 10
	buf := make([]byte, piece)
	for end := info.Size(); end > 0; {
		from := max(0, end-piece)
		n, err := f.ReadAt(buf[:end-from], from)
		if err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return from + int64(i) + 1, nil
		}
		end = from
	}
	return 0, nil
}

// write adds a line with one call. If it cannot be written whole, as on a full
// disk, it is taken away again.
func (j *journal) write(v any) error {
	j.buf.Reset()
	e := json.NewEncoder(&j.buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	n, err := j.file.Write(j.buf.Bytes())
	if err != nil {
		return errors.Join(err, j.file.Truncate(j.whole))
	}
	j.whole += int64(n)
	return nil
}

func (j *journal) close() error { return errors.Join(j.file.Sync(), j.file.Close()) }

// readJournal visits the header of a journal and then its points, with where
// their lines begin. What follows the last end of line is left out.
func readJournal(f *os.File, begin func(*header) error, visit func(r *row, offset int64) error) error {
	in := bufio.NewReaderSize(f, 1<<20)
	var h *header
	var offset int64
	for number := 1; ; number++ {
		line, err := readLine(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		damaged := func(problem string) error {
			return inputf("%s:%d: the journal is damaged: %s", f.Name(), number, problem)
		}
		if h == nil {
			h = &header{}
			if json.Unmarshal(line, h) != nil || h.Sweep == "" || h.Points < 1 || h.Points > MaxPoints {
				return damaged("its first line is no header")
			}
			err = begin(h)
		} else {
			var r row
			if json.Unmarshal(line, &r) != nil || r.Point < 0 || r.Point >= h.Points || len(r.Values) != len(h.Keys) || len(r.Metrics)%2 != 0 || len(r.Spread)%3 != 0 {
				return damaged("the line is no point of the sweep")
			}
			err = visit(&r, offset)
		}
		if err != nil {
			return err
		}
		offset += int64(len(line))
	}
}

// readLine reads a line with its end, io.EOF where there is none.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		switch {
		case err == nil && line == nil:
			return part, nil
		case err == nil:
			return append(line, part...), nil
		case err != bufio.ErrBufferFull:
			return nil, err
		case len(line) > maxLine:
			return nil, fmt.Errorf("a line has more than %d bytes", maxLine)
		}
		line = append(line, part...)
	}
}

// have says which points a shard need not run, because it is resumed and the
// journals in the folder hold them. The journals of other shards may grow
// meanwhile.
func (s *Sweep) have(dir string, o Options, t *Tally) ([]bool, error) {
	done := make([]bool, s.Len())
	paths, err := journals(dir)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		err = readJournal(f, func(h *header) error {
			switch {
			case h.Sweep != s.id:
				return inputf("%s holds another sweep: its scenario, its values or its version of railyard differ; take another folder", dir)
			case !o.Resume && filepath.Base(path) == journalName(o.Shard):
				return inputf("%s holds this sweep already: --resume goes on with it", dir)
			}
			return nil
		}, func(r *row, _ int64) error {
			if o.Resume && o.Shard.in(r.Point) && !done[r.Point] {
				done[r.Point] = true
				t.add(r)
			}
			return nil
		})
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return done, nil
}
