package page

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// maxTableRows is how many rows of a table a page has.
const maxTableRows = 1000

// listed are the tables that a page shows, with the columns by which rows are chosen
// where there are too many: the greatest stay. Without, the first do.
var listed = []struct {
	file, title string
	by          []result.Metric
}{
	{"collectives.csv", "Collectives", nil},
	{"links.csv", "Links", []result.Metric{result.LossOnLink, result.Contended, result.Utilization}},
	{"accelerators.csv", "Accelerators", []result.Metric{result.IdleTime}},
	{"flows.csv", "Flows", []result.Metric{result.FlowLost}},
	{"jobs.csv", "Jobs", []result.Metric{result.JobWait}},
	{"requests.csv", "Requests", nil},
	{"replay.csv", "Ranks of the replay", []result.Metric{result.RankFinish}},
	{"faults.csv", "Faults", nil},
	{"interruptions.csv", "Interruptions", []result.Metric{result.UndoneWork}},
}

// tables are the rows of what was simulated.
func tables(f *folder) (section, error) {
	sec := section{ID: "tables", Title: "Tables", Text: []any{"Click a column to sort by it; point at its name for its meaning."}}
	busy, err := f.accelerators()
	if err != nil {
		return sec, err
	}
	for _, l := range listed {
		t, err := f.table(l.file, l.title, l.by)
		if err != nil {
			return sec, err
		}
		idle := l.file == "links.csv" && !f.traffic() || l.file == "accelerators.csv" && busy.Bars == nil
		if t.Total > 0 && !idle {
			sec.Parts = append(sec.Parts, t)
		}
	}
	return sec, nil
}

// table reads the rows of a file that matter most.
func (f *folder) table(file, title string, by []result.Metric) (table, error) {
	t := table{caption: caption{Kind: "table", Title: title}, File: file}
	type kept struct {
		number int // of the row
		by     []float64
		cells  []string
	}
	var rows []kept
	cut := func() {
		slices.SortFunc(rows, func(a, b kept) int {
			for i := range a.by {
				if c := cmp.Compare(b.by[i], a.by[i]); c != 0 {
					return c
				}
			}
			return cmp.Compare(a.number, b.number)
		})
		rows = rows[:min(len(rows), maxTableRows)]
	}
	least := make([]float64, len(by)) // of what would stay
	full := false
	header, err := f.scan(file, nil, by, func(r *row) {
		k := kept{number: t.Total}
		t.Total++
		for i := range by {
			v := r.number(i)
			if math.IsNaN(v) {
				v = math.Inf(-1)
			}
			k.by = append(k.by, v)
		}
		if full && slices.Compare(k.by, least) <= 0 {
			return
		}
		for _, c := range r.Row {
			k.cells = append(k.cells, strings.Clone(c))
		}
		if rows = append(rows, k); len(rows) == 2*maxTableRows {
			cut()
			full, least = true, rows[len(rows)-1].by
		}
	})
	if err != nil || header == nil {
		return t, err
	}
	cut()
	slices.SortFunc(rows, func(a, b kept) int { return cmp.Compare(a.number, b.number) })
	if len(rows) < t.Total {
		which := "the first"
		if len(by) > 0 {
			which = "those with the greatest " + by[0].Name
			for _, m := range by[1:] {
				which += ", then " + m.Name
			}
		}
		t.Text = []any{count(float64(len(rows))), " of ", count(float64(t.Total)), " rows, " + which + "; all are in " + file + "."}
	}
	for i, m := range by { // the first that says anything
		if t.Sort == "" && slices.ContainsFunc(rows, func(k kept) bool { return k.by[i] > 0 }) {
			t.Sort = m.Name
		}
	}
	for i, name := range header {
		values := make([]string, len(rows))
		for n, r := range rows {
			values[n] = r.cells[i]
		}
		t.Columns = append(t.Columns, columnOf(column(file, name), values))
	}
	return t, nil
}
