package openmetrics

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/railyard/railyard/result"
)

// Rule is an alert on a column of a table over time.
type Rule struct {
	Name          string
	Table, Column string // such as "link_series" and "utilization_ratio"
	Of            string // text of the rows that count; empty: of all
	Op            string // "<", "<=", ">", ">=", "==" or "!="
	Value         float64
	For           time.Duration
	Severity      string
}

// Standard are alerts that fit any run.
var Standard = []Rule{
	{"LinkSaturated", "link_series", "utilization_ratio", "", ">", 0.9, 5 * time.Minute, "warning"},
	{"AcceleratorsIdle", "accelerator_series", "idle_ratio", "", ">", 0.5, 10 * time.Minute, "warning"},
	{"JobsWait", "job_series", "queued", "", ">", 0, time.Hour, "info"},
	{"AcceleratorsDown", "job_series", "down_ratio", "", ">", 0.05, 15 * time.Minute, "critical"},
	{"RequestsWait", "serving_series", "queue", "", ">", 100, time.Minute, "warning"},
	{"CacheFull", "serving_series", "kv_ratio", "", ">", 0.95, 5 * time.Minute, "warning"},
}

// Written says whether Write writes a column of a table over time.
func (r *Rule) Written() bool {
	name, _ := r.series()
	return name != ""
}

// series is the name that Write gives the column, and the label that tells its series
// apart.
func (r *Rule) series() (name, label string) {
	switch r.Table {
	case "serving_series":
		for _, x := range engineSeries {
			if x.metric.Name == r.Column {
				return x.name, "workload"
			}
		}
		return "", ""
	case "link_series":
		label = clean(result.Link.Name)
	}
	name, _ = named(strings.TrimSuffix(r.Table, "_series"), r.Column)
	return name, label
}

// Expression is the rule in PromQL, without its duration.
func (r *Rule) Expression() string {
	name, label := r.series()
	if r.Of != "" && label != "" {
		name += "{" + label + "=" + strconv.Quote(r.Of) + "}"
	}
	return name + " " + r.Op + " " + decimal(r.Value)
}

// Rules writes alerts as a rule file of Prometheus, which promtool check rules accepts.
func Rules(w io.Writer, all []Rule) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "groups:\n  - name: railyard\n    rules:\n")
	for i := range all {
		r := &all[i]
		fmt.Fprintf(b, "      - alert: %s\n        expr: %s\n", strconv.Quote(r.Name), strconv.Quote(r.Expression()))
		if r.For > 0 {
			fmt.Fprintf(b, "        for: %dms\n", r.For.Milliseconds())
		}
		fmt.Fprintf(b, "        labels:\n          severity: %s\n        annotations:\n          summary: %s\n", r.Severity,
			strconv.Quote(fmt.Sprintf("%s.%s %s %s", r.Table, r.Column, r.Op, decimal(r.Value))))
	}
	return b.Flush()
}
