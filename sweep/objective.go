package sweep

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// Objective is a metric by which points are better or worse.
type Objective struct {
	Metric string // a path into summary.json
	Max    bool   // more is better
}

func (o Objective) String() string {
	if o.Max {
		return "max " + o.Metric
	}
	return "min " + o.Metric
}

func parseObjectives(texts []string) ([]Objective, error) {
	var all []Objective
	for _, text := range texts {
		words := strings.Fields(text)
		switch {
		case len(words) == 1:
			all = append(all, Objective{Metric: words[0]})
		case len(words) == 2 && (words[0] == "min" || words[0] == "max"):
			all = append(all, Objective{words[1], words[0] == "max"})
		default:
			return nil, inputf(`objective %q: a metric was expected, with min or max before it, as in "max training.0.mfu_ratio"`, text)
		}
		if err := checkMetric(all[len(all)-1].Metric); err != nil {
			return nil, inputf("objective %q: %w", text, err)
		}
	}
	return all, nil
}

// checkMetric says whether a summary could have a metric at a path, before any point
// has run.
func checkMetric(path string) error {
	var candidates []string
	for _, d := range result.Reference() {
		if d.Where != "summary.json" {
			continue
		}
		pattern := strings.ReplaceAll(d.Path, "[]", ".0")
		if slices.EqualFunc(strings.Split(pattern, "."), strings.Split(path, "."), func(want, have string) bool {
			if want == "0" {
				return strings.Trim(have, "0123456789") == ""
			}
			return want == have || want == strings.ToUpper(want) // a name such as KIND stands for any
		}) {
			return nil
		}
		candidates = append(candidates, pattern)
	}
	hint := ""
	if near := scenario.Nearest(path, candidates); near != "" {
		hint = fmt.Sprintf(" (did you mean %q?)", near)
	}
	return fmt.Errorf("summary.json has no metric %s%s", path, hint)
}

// Best is the Pareto front of the points in a folder's table: those than which
// no other is as good by every objective and better by one. It gives the header
// of the table with the keys and the objectives, and a row for each point of the
// front, the best by the first objective first. Points without one of the metrics
// are left out.
func Best(dir string, keys []string, objectives []Objective) (head []string, front [][]string, err error) {
	f, err := os.Open(filepath.Join(dir, Table))
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	in := csv.NewReader(f)
	in.ReuseRecord = true
	names, err := in.Read()
	if err != nil {
		return nil, nil, err
	}
	names = slices.Clone(names)
	head = append([]string{"point"}, keys...)
	for _, o := range objectives {
		if !slices.Contains(names, o.Metric) {
			return nil, nil, inputf("objective %s: no point has that metric", o)
		}
		head = append(head, o.Metric)
	}
	columns := make([]int, len(head))
	for i, name := range head {
		columns[i] = slices.Index(names, name)
	}
	var costs [][]float64
	for {
		cells, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		cost := make([]float64, len(objectives))
		usable := true
		for i, o := range objectives {
			v, err := strconv.ParseFloat(cells[columns[1+len(keys)+i]], 64)
			usable = usable && err == nil && !math.IsNaN(v)
			if cost[i] = v; o.Max {
				cost[i] = -v
			}
		}
		if !usable || slices.ContainsFunc(costs, func(other []float64) bool { return dominates(other, cost) }) {
			continue
		}
		kept := 0
		for i := range costs {
			if !dominates(cost, costs[i]) {
				costs[kept], front[kept] = costs[i], front[i]
				kept++
			}
		}
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = cells[c]
		}
		costs, front = append(costs[:kept], cost), append(front[:kept], row)
	}
	order := make([]int, len(front))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return slices.Compare(costs[a], costs[b]) })
	sorted := make([][]string, len(front))
	for i, at := range order {
		sorted[i] = front[at]
	}
	return head, sorted, nil
}

// dominates says whether a is as good as b everywhere and better somewhere.
func dominates(a, b []float64) bool {
	better := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		better = better || a[i] < b[i]
	}
	return better
}
