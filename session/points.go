package session

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/railyard/railyard/sweep"
)

// MaxPoints bounds the points of a sweep, whose answer is held in memory.
const MaxPoints = 10_000

// points are what a request says of a sweep.
type points struct {
	Vary    variations `json:"vary"`
	Method  string     `json:"method"`
	Points  int        `json:"points"`
	Seeds   int        `json:"seeds"`
	Where   []string   `json:"where"`
	Workers int        `json:"workers"`
}

func (p *points) asked() bool {
	return p.Vary != nil || p.Method != "" || p.Points != 0 || p.Seeds != 0 || p.Where != nil || p.Workers != 0
}

// run runs the sweep of a scenario and gives its table.
func (p *points) run(ctx context.Context, path string, text []byte, set []string) (cells, error) {
	s, err := sweep.Parse(path, text, sweep.Request{
		Set: set, Vary: p.Vary, Method: p.Method, Points: p.Points, Seeds: p.Seeds, Where: p.Where,
	})
	if err != nil {
		return nil, err
	}
	if s.Len() > MaxPoints {
		return nil, &sweep.InputError{Err: fmt.Errorf("%d points are more than a session runs, %d: railyard sweep takes them", s.Len(), MaxPoints)}
	}
	dir, err := os.MkdirTemp("", "railyard-session-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if _, err := sweep.Run(ctx, s, dir, sweep.Options{Workers: p.Workers}); err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, sweep.Table))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return csv.NewReader(bufio.NewReader(f)).ReadAll()
}

// cells are the rows of a table, the first its header. In JSON it is an object of columns:
// a number is one where it reads as one, nothing is null.
type cells [][]string

// MarshalJSON writes the columns in their order.
func (c cells) MarshalJSON() ([]byte, error) {
	out := []byte("{")
	for i, name := range c[0] {
		if i > 0 {
			out = append(out, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		out = append(append(out, key...), ":["...)
		for k, row := range c[1:] {
			if k > 0 {
				out = append(out, ',')
			}
			cell, err := json.Marshal(value(row[i]))
			if err != nil {
				return nil, err
			}
			out = append(out, cell...)
		}
		out = append(out, ']')
	}
	return append(out, '}'), nil
}

// value is what a cell holds.
func value(cell string) any {
	if cell == "" {
		return nil
	}
	if json.Valid([]byte(cell)) {
		if _, err := strconv.ParseFloat(cell, 64); err == nil {
			return json.Number(cell)
		}
	}
	return cell
}
