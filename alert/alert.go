// Package alert has the alerts of a scenario look at what a run found: its [[alert]]
// tables, as rules for Prometheus ([Rules]), and where and when each fired in virtual time
// ([Add]).
//
// An alert looks at a column of a table over time, such as job_series.queued. A value holds
// until the next; the alert is pending from the first value that is amiss, and fires if
// values stay so for as long as it says, as in Prometheus, but at every instant instead of
// every scrape (https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules).
package alert

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/railyard/railyard/report/openmetrics"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
)

// maxFirings bounds the rows of alerts.csv.
const maxFirings = 1 << 16

// Rules are the alerts of a scenario, for a Prometheus that has what the run wrote.
func Rules(s *scenario.Scenario) []openmetrics.Rule {
	var all []openmetrics.Rule
	for i := range s.Alert {
		all = append(all, ruleOf(&s.Alert[i]))
	}
	return all
}

func ruleOf(a *scenario.Alert) openmetrics.Rule {
	table, column, _ := strings.Cut(a.Metric.Value, ".")
	return openmetrics.Rule{
		Name: a.Name.Value, Table: table, Column: column, Of: a.Of.Value, Op: a.Op.Value, Value: a.Value.Value,
		For: time.Duration(sim.Time(a.For.Value) / sim.Nanosecond), Severity: a.Severity.Value,
	}
}

// Check sees to it that what alerts look at is told over time.
func Check(s *scenario.Scenario) (faults scenario.Faults) {
	if len(s.Alert) == 0 {
		return nil // listing every metric takes longer than a small run
	}
	over := map[string]bool{} // columns of tables over time
	var names []string
	for _, d := range result.Reference() {
		if table, _, _ := strings.Cut(d.Path, "."); strings.HasSuffix(table, "_series") && table+".csv" == d.Where && d.Metric != result.SeriesTime {
			over[d.Path] = true
			names = append(names, d.Path)
		}
	}
	for i := range s.Alert {
		a := &s.Alert[i]
		r := ruleOf(a)
		if !over[a.Metric.Value] || !r.Written() {
			hint := ""
			if near := scenario.Nearest(a.Metric.Value, names); near != "" {
				hint = fmt.Sprintf(" (did you mean %q?)", near)
			}
			key := a.Path + ".metric"
			faults = append(faults, a.Metric.Pos.Faultf(key, "%s: %q is no column of a table over time%s", key, a.Metric.Value, hint))
		}
	}
	return faults
}

// firing is a time for which an alert fired.
type firing struct {
	alert                  int
	of                     string
	amiss, fired, resolved float64 // when; resolved is missing if the run ended before
	worst                  float64
}

// Add adds to the results of a scenario that ran for so many seconds which alerts fired,
// and when, as a Prometheus finds them that looks at every instant. What they could not
// look at it returns as warnings.
func Add(s *scenario.Scenario, r *result.Results, seconds float64) (warnings []string) {
	if len(s.Alert) == 0 {
		return nil
	}
	var all []firing
	for i := range s.Alert {
		a := ruleOf(&s.Alert[i])
		t := r.Table(a.Table)
		if t == nil {
			warnings = append(warnings, fmt.Sprintf("the alert %s looks at %s, which this run does not have", a.Name, a.Table))
			continue
		}
		all = append(all, firings(i, &a, t, seconds)...)
		if len(all) > maxFirings {
			warnings = append(warnings, fmt.Sprintf("alerts.csv has the first %d times that alerts fired", maxFirings))
			all = all[:maxFirings]
			break
		}
	}
	r.Tables = append(r.Tables, table(s, all))
	r.Summary.Add(result.Alerts, records(s, all, seconds))
	return warnings
}

// firings are the times for which an alert fires on the series of a table.
func firings(number int, a *openmetrics.Rule, t *result.Table, end float64) (all []firing) {
	at, values := t.Column(result.SeriesTime.Name), t.Column(a.Column)
	if values == nil {
		return nil
	}
	text := slices.IndexFunc(t.Columns, func(c result.Column) bool { return c.Text != nil })
	of := func(i int) string {
		if text < 0 {
			return ""
		}
		return t.Columns[text].Text[i]
	}
	n := t.Rows()
	for from := 0; from < n; {
		to := from + 1
		for to < n && of(to) == of(from) {
			to++
		}
		if a.Of == "" || a.Of == of(from) {
			f := firing{alert: number, of: of(from), amiss: -1}
			for i := from; i <= to; i++ {
				now, bad := end, false
				if i < to {
					now, bad = at.Numbers[i], amiss(a, values.Numbers[i])
				}
				switch {
				case bad && f.amiss < 0:
					f.amiss, f.worst = now, values.Numbers[i]
				case bad && (a.Op[0] == '<') == (values.Numbers[i] < f.worst):
					f.worst = values.Numbers[i]
				case !bad && f.amiss >= 0:
					if f.fired = f.amiss + a.For.Seconds(); f.fired < now {
						f.resolved = now
						if i == to {
							f.resolved = result.Missing
						}
						all = append(all, f)
					}
					f.amiss = -1
				}
			}
		}
		from = to
	}
	return all
}

// amiss says whether a value is what an alert is about.
func amiss(a *openmetrics.Rule, v float64) bool {
	switch a.Op {
	case "<":
		return v < a.Value
	case "<=":
		return v <= a.Value
	case ">":
		return v > a.Value
	case ">=":
		return v >= a.Value
	case "==":
		return v == a.Value
	}
	return v != a.Value
}

// table has a row for each time that an alert fired.
func table(s *scenario.Scenario, all []firing) *result.Table {
	n := len(all)
	name, of, severity := make([]string, n), make([]string, n), make([]string, n)
	from, fired, resolved, worst := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, f := range all {
		a := &s.Alert[f.alert]
		name[i], of[i], severity[i] = a.Name.Value, f.of, a.Severity.Value
		from[i], fired[i], resolved[i], worst[i] = f.amiss, f.fired, f.resolved, f.worst
	}
	return &result.Table{Name: "alerts", Columns: []result.Column{
		{Metric: result.AlertName, Text: name},
		{Metric: result.AlertOf, Text: of},
		{Metric: result.AlertSeverity, Text: severity},
		{Metric: result.AlertAmiss, Numbers: from},
		{Metric: result.AlertFired, Numbers: fired},
		{Metric: result.AlertResolved, Numbers: resolved},
		{Metric: result.AlertWorst, Numbers: worst},
	}}
}

// records is a record for each alert.
func records(s *scenario.Scenario, all []firing, end float64) []*result.Record {
	records := make([]*result.Record, len(s.Alert))
	for i := range records {
		a := &s.Alert[i]
		times, first, lasted := int64(0), result.Missing, 0.0
		for _, f := range all {
			if f.alert != i {
				continue
			}
			if times++; times == 1 || f.fired < first {
				first = f.fired
			}
			until := end
			if !math.IsNaN(f.resolved) {
				until = f.resolved
			}
			lasted += until - f.fired
		}
		r := &result.Record{}
		r.Add(result.AlertName, a.Name.Value)
		r.Add(result.AlertSeverity, a.Severity.Value)
		r.Add(result.AlertRule, inWords(a))
		r.Add(result.AlertTimes, times)
		if times > 0 {
			r.Add(result.AlertFirst, first)
		}
		r.Add(result.AlertLasted, lasted)
		records[i] = r
	}
	return records
}

// inWords is an alert in words.
func inWords(a *scenario.Alert) string {
	text := a.Metric.Value + " " + a.Op.Value + " " + result.Number(a.Value.Value)
	if a.For.Value > 0 {
		text += " for " + a.For.Value.String()
	}
	return text
}
