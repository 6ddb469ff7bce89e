package page

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
)

// runDocument is the page of one run.
func runDocument(f *folder) (*document, error) {
	if err := f.readSummary(); err != nil {
		return nil, err
	}
	d := &document{Title: f.summary.string("name"), Subtitle: f.subtitle(), Status: f.summary.string("status")}
	if d.Title == "" {
		d.Title = "run"
	}
	for _, topic := range []func(*folder) (section, error){
		headline, whereTimeGoes, bandwidth, iteration, overTime, jobsInTime, fabric, distributions, tables, figuresOfSummary, origin,
	} {
		s, err := topic(f)
		if err != nil {
			return nil, err
		}
		if len(s.Parts) > 0 {
			d.Sections = append(d.Sections, s)
		}
	}
	return d, nil
}

// subtitle says which system it was.
func (f *folder) subtitle() []any {
	s := &f.summary
	var text []any
	add := func(path, after string) {
		if v := s.number("cluster." + path); v > 0 {
			if text != nil {
				text = append(text, ", ")
			}
			text = append(text, count(v), " "+after)
		}
	}
	if kind := s.string("cluster.topology"); kind != "" {
		text = append(text, kind)
	}
	host := things(s.number("cluster.hosts"), "host", "hosts")
	if name := s.string("cluster.host"); name != "" {
		host = "× " + name
	}
	add("hosts", host)
	add("accelerators", things(s.number("cluster.accelerators"), "accelerator", "accelerators"))
	add("switches", things(s.number("cluster.switches"), "switch", "switches"))
	add("links", things(s.number("cluster.links"), "link", "links"))
	return text
}

// things names one of something or several.
func things(n float64, one, several string) string {
	if n == 1 {
		return one
	}
	return several
}

// traffic reports whether anything crossed the network. Jobs that are durations, and
// what happens inside one accelerator, leave it idle.
func (f *folder) traffic() bool { return f.summary.number("network.bytes") > 0 }

// makespan is the virtual time of the run.
func (f *folder) makespan() float64 { return max(0, f.summary.number("makespan_s")) }

// each is the paths of the records of an array of the summary.
func (s *summary) each(array string) []string {
	var paths []string
	for _, key := range s.keys(array) {
		paths = append(paths, array+"."+key)
	}
	return paths
}

// shown is one figure of the headline by its path from the record.
type shown struct {
	path, label string
}

// headlines are the figures that come first, by what they are figures of: an array
// of the summary or one of its objects.
var headlines = []struct {
	of      string
	list    bool
	figures []shown
}{
	{"training", true, []shown{
		{"iteration_s", "an iteration"},
		{"tokens_per_s", "tokens"},
		{"samples_per_s", "samples"},
		{"mfu_ratio", "model FLOPs utilization"},
		{"model_tflops_per_accelerator", "each accelerator"},
		{"memory_per_accelerator_bytes", "memory of an accelerator"},
		{"time_to_train_s", "time to train"},
		{"goodput_ratio", "goodput"},
		{"lost_to_others_s", "lost to others"},
		{"lost_to_faults_s", "lost to faults"},
	}},
	{"serving", true, []shown{
		{"requests", "requests"},
		{"ttft_s.p50", "time to first token, median"},
		{"ttft_s.p99", "time to first token, p99"},
		{"tpot_s.p50", "time per token, median"},
		{"tpot_s.p99", "time per token, p99"},
		{"e2e_s.p99", "end to end, p99"},
		{"output_tokens_per_s", "tokens of answers"},
		{"requests_per_s", "requests answered"},
		{"kv_ratio", "cache in use"},
		{"preemptions", "preemptions"},
	}},
	{"jobs", false, []shown{
		{"count", "jobs"},
		{"finished", "finished"},
		{"jct_s.mean", "completion, mean"},
		{"jct_s.p99", "completion, p99"},
		{"wait_s.mean", "wait, mean"},
		{"slowdown.median", "slowdown, median"},
		{"rho.p95", "finish-time fairness, p95"},
		{"allocation_ratio", "accelerators allocated"},
		{"preemptions", "preemptions"},
	}},
	{"placement", false, []shown{
		{"allocated_ratio", "accelerators allocated"},
		{"fragmented_ratio", "of the rest in fragments"},
	}},
	{"replay", true, []shown{
		{"finish_s", "the last rank is done"},
		{"first_finish_s", "the first rank is done"},
		{"compute_s", "a rank computes"},
		{"communication_s", "a rank communicates"},
		{"lost_to_others_s", "lost to others"},
	}},
	{"flows", false, []shown{
		{"flows", "flows"},
		{"mean_completion_s", "completion, mean"},
		{"longest_completion_s", "completion, longest"},
	}},
	{"energy", false, []shown{
		{"total_J", "energy"},
		{"average_power_W", "power, mean"},
		{"peak_power_W", "power, highest"},
		{"emissions_g", "emissions"},
	}},
	{"cost", false, []shown{
		{"total_USD", "cost"},
		{"per_hour_USD", "cost of an hour"},
	}},
}

// ofRun are figures of every run.
var ofRun = []shown{
	{"makespan_s", "virtual time"},
	{"events", "events"},
	{"network.peak_utilization_ratio", "the busiest link"},
	{"network.contended_links", "contended links"},
	{"network.contended_s", "contended time"},
}

// unitless are ratios that are said as so many times, not in percent.
var unitless = map[string]bool{result.Slowdown.Name: true, result.JobSlowdown.Name: true, result.JobRho.Name: true}

// unitOf is the unit of the metric at a path; parts of a breakdown have that of the
// whole.
func unitOf(path string, m result.Metric) string {
	for _, name := range strings.Split(path, ".") {
		if unitless[name] {
			return "times"
		}
	}
	if m.Unit != "" {
		return m.Unit
	}
	parts := strings.Split(path, ".")
	if n := len(parts); n > 1 {
		if _, err := strconv.Atoi(parts[n-1]); err != nil {
			above := strings.Join(parts[:n-1], ".")
			if whole, ok := declared(above); ok {
				return whole.Unit
			}
		}
	}
	return ""
}

// figure is the single value at a path of the summary. The mean of something is
// explained as that.
func (f *folder) figure(path, label string) (single, bool) {
	v := f.summary.number(path)
	if math.IsNaN(v) {
		return single{}, false
	}
	m, _ := declared(path)
	definition, formula := m.Definition, m.Formula
	if i := strings.LastIndexByte(path, '.'); i > 0 {
		if whole, ok := declared(path[:i]); ok && isSpread[m.Name] {
			definition, formula = whole.Definition, whole.Formula
		}
	}
	return single{Label: label, Value: v, Unit: unitOf(path, m), Definition: definition, Formula: formula, Path: path}, true
}

var isSpread = func() map[string]bool {
	names := map[string]bool{}
	for _, m := range []result.Metric{result.Mean, result.Median, result.P50, result.P90, result.P95, result.P99} {
		names[m.Name] = true
	}
	return names
}()

// headline is what a reader wants first, and what the scenario expected.
func headline(f *folder) (section, error) {
	sec := section{ID: "headline", Title: "In short"}
	for _, h := range headlines {
		records := []string{h.of}
		if h.list {
			records = f.summary.each(h.of)
		}
		for i, record := range records {
			if i == maxRecords {
				break
			}
			part := figures{caption: caption{Kind: "figures", Title: h.of}}
			if name := f.summary.string(record + ".name"); name != "" {
				part.Title += " · " + name
			}
			if policy := f.summary.string(record + ".policy"); policy != "" {
				part.Title += " · " + policy
			}
			for _, s := range h.figures {
				if one, ok := f.figure(record+"."+s.path, s.label); ok && (one.Value != 0 || !strings.HasPrefix(s.path, "lost_to")) {
					part.Figures = append(part.Figures, one)
				}
			}
			if part.Figures != nil {
				sec.Parts = append(sec.Parts, part)
			}
		}
	}
	if c := f.collectives(); c.Figures != nil {
		sec.Parts = append(sec.Parts, c)
	}
	run := figures{caption: caption{Kind: "figures", Title: "run"}}
	for _, s := range ofRun {
		if strings.HasPrefix(s.path, "network.") && !f.traffic() {
			continue
		}
		if one, ok := f.figure(s.path, s.label); ok {
			run.Figures = append(run.Figures, one)
		}
	}
	if run.Figures != nil {
		sec.Parts = append(sec.Parts, run)
	}
	if t := f.expectations(); t.Total > 0 {
		sec.Parts = append(sec.Parts, t)
	}
	return sec, nil
}

// collectives are the bus bandwidths of the largest collectives.
func (f *folder) collectives() figures {
	part := figures{caption: caption{Kind: "figures", Title: "collectives"}}
	records := f.summary.each("collectives")
	slices.SortStableFunc(records, func(a, b string) int {
		size := func(r string) float64 { return f.summary.number(r + "." + result.CollectiveSize.Name) }
		return cmp.Compare(size(b), size(a))
	})
	for _, record := range records[:min(len(records), maxRecords)] {
		label := f.summary.string(record + "." + result.CollectiveOp.Name)
		if w := f.summary.string(record + "." + result.Workload.Name); w != "" && w != label {
			label = w + ": " + label
		}
		one, ok := f.figure(record+"."+result.BusBandwidth.Name, label)
		if !ok {
			continue
		}
		if part.Figures != nil {
			one.Definition, one.Formula = "", "" // the first has said it
		}
		one.Note = []any{
			f.summary.string(record+"."+result.CollectiveAlgorithm.Name) + " of ",
			amount(f.summary.number(record+"."+result.CollectiveSize.Name), "bytes"),
			" in ",
			amount(f.summary.number(record+"."+result.CollectiveTime.Name), "s"),
		}
		part.Figures = append(part.Figures, one)
	}
	return part
}

// maxRecords is of how many workloads of a kind single figures are shown.
const maxRecords = 8

// expectations are the thresholds of the scenario.
func (f *folder) expectations() table {
	t := table{caption: caption{Kind: "table", Title: "expected"}}
	columns := []result.Metric{result.ExpectMetric, result.ExpectOp, result.ExpectValue, result.ExpectActual, result.ExpectHolds}
	values := make([][]string, len(columns))
	for _, record := range f.summary.each("expect") {
		for i, m := range columns {
			values[i] = append(values[i], f.summary.text(record+"."+m.Name))
		}
		t.Total++
	}
	for i, m := range columns {
		t.Columns = append(t.Columns, columnOf(m, values[i]))
	}
	return t
}

// text is the value at a path as a file has it.
func (s *summary) text(path string) string {
	switch v := s.values[path].(type) {
	case string:
		return v
	case float64:
		return result.Number(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// figuresOfSummary is every value of summary.json with its meaning.
func figuresOfSummary(f *folder) (section, error) {
	t := table{caption: caption{Kind: "table"}, File: "summary.json"}
	var path, value, unit, definition []string
	for _, p := range f.summary.paths {
		if t.Total++; len(path) == maxTableRows {
			continue
		}
		m, _ := declared(p)
		path, value, unit = append(path, p), append(value, f.summary.text(p)), append(unit, unitOf(p, m))
		definition = append(definition, m.Definition)
	}
	t.Columns = []cells{
		{Name: "metric", Definition: "dotted path into summary.json, as an [[expect]] has it", Values: path},
		{Name: "value", Definition: "in SI base units", Values: value},
		{Name: "unit", Values: unit},
		{Name: "meaning", Values: definition},
	}
	return section{
		ID: "figures", Title: "Every figure", Parts: []any{t},
		Text: []any{"All of summary.json, with what each value means."},
	}, nil
}

// origin is where the results come from: the scenario as it was resolved, seed,
// version, checksums. What differs from one host or moment to another stays away.
func origin(f *folder) (section, error) {
	sec := section{ID: "origin", Title: "Scenario and versions"}
	const name = "manifest.json"
	text, err := f.text(name)
	if errors.Is(err, fs.ErrNotExist) {
		return sec, nil
	}
	if err != nil {
		return sec, err
	}
	var m struct {
		Run, Status, Version string
		Seed                 int64
		Scenario             json.RawMessage
		Inputs               []struct{ Path, SHA256 string }
		Warnings             []string
	}
	path := filepath.Join(f.dir, name)
	if err := json.Unmarshal(text, &m); err != nil {
		return sec, &FileError{File: path, Err: fmt.Errorf("not a manifest: %w", err)}
	}
	facts := table{caption: caption{Kind: "table", Title: "Run"}}
	what := []string{"run", "seed", "version"}
	value := []string{m.Run, strconv.FormatInt(m.Seed, 10), m.Version}
	for _, in := range m.Inputs {
		what, value = append(what, "sha256 of "+filepath.Base(in.Path)), append(value, in.SHA256)
	}
	for _, w := range m.Warnings {
		what, value = append(what, "warning"), append(value, w)
	}
	facts.Total = len(what)
	facts.Columns = []cells{{Name: "what", Values: what}, {Name: "value", Values: value}}
	sec.Parts = append(sec.Parts, facts)
	if len(m.Scenario) == 0 || string(m.Scenario) == "null" || string(m.Scenario) == "{}" {
		return sec, nil
	}
	keys, err := flatten(m.Scenario)
	if err != nil {
		return sec, &FileError{File: path, Err: err}
	}
	set := table{caption: caption{Kind: "table", Title: "Scenario"}, Total: len(keys.paths)}
	var values []string
	paths := keys.paths[:min(len(keys.paths), maxTableRows)]
	for _, p := range paths {
		values = append(values, keys.text(p))
	}
	set.Columns = []cells{
		{Name: "key", Definition: "as --set takes it", Values: paths},
		{Name: "value", Values: values},
	}
	sec.Parts = append(sec.Parts, set)
	return sec, nil
}
