package sweep

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// SpreadTable is the name of the table of the distributions of all points.
const SpreadTable = "distributions.csv"

// mostSpread is of how many points a sweep keeps distributions: a picture shows few.
const mostSpread = 1000

// spread is distributions as a journal keeps them.
func spread(all []result.Distribution) (triples []string) {
	for _, d := range all {
		for i, v := range d.Values {
			triples = append(triples, d.Name, result.Number(d.Shares[i]), result.Number(v))
		}
	}
	return triples
}

// writeSpread writes the table of distributions, or sees to it that there is none where no
// point has any.
func (m *merged) writeSpread(path string) error {
	if m.spread {
		return report.WriteFile(path, m.spreadRows)
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (m *merged) spreadRows(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"point", "metric", "share", "value"}); err != nil {
		return err
	}
	in := bufio.NewReader(nil)
	for i := range m.places {
		r, err := m.row(i, in)
		if err != nil {
			return err
		}
		for k := 0; k+2 < len(r.Spread); k += 3 {
			if err := out.Write(append([]string{strconv.Itoa(i)}, r.Spread[k:k+3]...)); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}
