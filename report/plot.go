package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

// Bounds of what a picture shows. A folder may come from anywhere.
const (
	maxIntervals = 1024   // of a series over time; a run writes at most 256
	maxRows      = 64     // of the heat map, the hottest links
	maxCurves    = 24     // of busbw, the first; more cannot be told apart
	maxSizes     = 10_000 // of one curve
	maxSummary   = 256 << 20
	fewSizes     = 16 // up to so many are marked on their curve
)

// PlotOptions are where pictures go and what they are. The zero value writes PNG and
// SVG into the results folder itself.
type PlotOptions struct {
	Out     string   // folder for the pictures, made if there is none
	Formats []string // "png", "svg", "pdf"
	Links   int      // rows of the heat map, at most 64; 0 is 64
	With    []string // further results folders whose jobs are compared with these
	Only    []string // pictures by their names, as in "busbw"; all that can be drawn where empty
	Metrics []string // of a sweep: what it is for, and what that takes, each with min or max before it
	// Published is a table of figures to compare with, a row each: columns metric, as in
	// training.0.samples_per_s, and published; maybe series and label; all others are
	// columns of points.csv, or paths in summary.json, that say of which point it is.
	Published string
	Draw      figure.Options
}

// picture is a figure and the name of its files.
type picture struct {
	name string
	figure.Figure
}

// FileError is what is wrong with a file of a results folder.
type FileError = result.FileError

// Plot draws the pictures that the tables of a results folder allow and returns
// the files it wrote, for each format:
//
//	utilization  shares of the accelerators over time, from accelerator_series.csv
//	links        utilization of the hottest links over time, from link_series.csv;
//	             beside each the share of the makespan in which it was contended,
//	             from links.csv
//	network      hosts and switches, the cables coloured by their utilization, from
//	             links.csv
//	contention   what the link on which most was lost carried over time, and what
//	             was wanted of it, from contention.csv and link_series.csv
//	busbw        bus bandwidth against message size, from collectives.csv, if it
//	             has two sizes of one collective
//	jobs         which job had which accelerators of which host when, from
//	             stretches.csv; of many jobs, how much of each host was allocated
//	queue        jobs that waited and ran, over the share of the accelerators that
//	             they had, and of those that computed, from job_series.csv
//	completion   distribution of completion time and wait, from jobs.csv, of each
//	             run that is compared
//	serving      requests that waited and ran, the share of the caches in use, and
//	             replicas that come and go, from serving_series.csv
//	latency      distribution of time to first token, per token and end to end, from
//	             requests.csv
//	roofline     what the kernels of the first training job reach, by their arithmetic
//	             intensity, under the accelerator's roofline, from kernels.csv
//	plan         cost and energy of the points of a plan over their time, from plan.csv
//	published    what was simulated against the figures of a table of the user's
//
// Of the folder of a sweep, from points.csv:
//
//	pareto        what the sweep is for against what that takes, and the points than
//	              which none is better in both
//	scaling       the best rate of each number of accelerators, beside the ideal
//	response-KEY  how the metric goes with each key that is varied
//	completion    distribution of completion time over the jobs of a queue, a curve for
//	              each point, those of other seeds together; wait, the same of waiting
//	curve         of inference, time to first token and per token against throughput
//	published     as of a run
//
// Titles are from summary.json, which a folder must have; a table that is not
// there is skipped. Everything wrong with the folder comes back joined, each as
// a *FileError, and then nothing is drawn.
func Plot(dir string, o PlotOptions) ([]string, error) {
	formats := o.Formats
	if len(formats) == 0 {
		formats = []string{"png", "svg"}
	}
	for _, f := range formats {
		if !slices.Contains(figure.Formats, f) {
			return nil, fmt.Errorf("unknown format %q of a picture: one of %s", f, strings.Join(figure.Formats, ", "))
		}
	}
	if o.Links < 0 || o.Links > maxRows {
		return nil, fmt.Errorf("%d rows of links; the heat map has 1 to %d", o.Links, maxRows)
	}
	if isSweep(dir) {
		pictures, lacks, err := plotSweep(dir, o)
		if err == nil {
			pictures, err = o.addPublished(pictures, dir)
		}
		if err != nil {
			return nil, err
		}
		return o.save(dir, pictures, lacks, formats)
	}
	s, err := readSummary(dir)
	if err != nil {
		return nil, err
	}
	links := func(dir string, s *summary) (figure.Figure, string, error) {
		return plotLinks(dir, s, cmp.Or(o.Links, maxRows))
	}
	completion := func(dir string, s *summary) (figure.Figure, string, error) {
		return plotCompletion(dir, s, o.With)
	}
	var pictures []picture
	var lacks []string
	var errs []error
	for _, p := range []struct {
		name string
		draw func(dir string, s *summary) (f figure.Figure, lacks string, err error)
	}{{"utilization", plotUtilization}, {"links", links}, {"network", plotNetwork}, {"contention", plotContention}, {"busbw", plotBandwidth}, {"jobs", plotStretches}, {"queue", plotQueue}, {"completion", completion}, {"serving", plotServing}, {"latency", plotLatency}, {"roofline", plotRoofline}, {"plan", plotPlan}} {
		if len(o.Only) > 0 && !slices.Contains(o.Only, p.name) {
			continue
		}
		f, lack, err := p.draw(dir, s)
		switch {
		case err != nil:
			errs = append(errs, err)
		case f == nil:
			lacks = append(lacks, lack)
		default:
			pictures = append(pictures, picture{p.name, f})
		}
	}
	if pictures, err = o.addPublished(pictures, dir); err != nil {
		errs = append(errs, err)
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	return o.save(dir, pictures, lacks, formats)
}

// addPublished adds the comparison with published figures, where it is asked for.
func (o PlotOptions) addPublished(pictures []picture, dir string) ([]picture, error) {
	const name = "published"
	if o.Published == "" || len(o.Only) > 0 && !slices.Contains(o.Only, name) {
		return pictures, nil
	}
	f, err := plotPublished(slices.Concat([]string{dir}, o.With), o.Published)
	if err != nil {
		return nil, err
	}
	return append(pictures, picture{name, f}), nil
}

// isSweep says whether a folder holds the table of a sweep, and not a run.
func isSweep(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "points.csv"))
	return err == nil
}

// save writes pictures, each in all formats.
func (o PlotOptions) save(dir string, pictures []picture, lacks, formats []string) ([]string, error) {
	if pictures == nil {
		return nil, &FileError{File: dir, Err: fmt.Errorf("nothing to draw: %s; `railyard run SCENARIO --out DIR` writes the tables of what it simulated",
			strings.Join(lacks, ", "))}
	}
	out := o.Out
	if out == "" {
		out = dir
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return nil, err
	}
	var files []string
	for _, p := range pictures {
		for _, format := range formats {
			file := filepath.Join(out, p.name+"."+format)
			if err := figure.Save(file, p.Figure, o.Draw); err != nil {
				return files, err
			}
			files = append(files, file)
		}
	}
	return files, nil
}

// summary is what titles need of summary.json.
type summary struct {
	Name     string  `json:"name"`
	Status   string  `json:"status"`
	Makespan float64 `json:"makespan_s"`
	Cluster  struct {
		Topology     string `json:"topology"`
		Accelerators int64  `json:"accelerators"`
		Hosts        int64  `json:"hosts"`
		Host         string `json:"host"`
		Links        int64  `json:"links"`
	} `json:"cluster"`
	Jobs struct {
		Policy string `json:"policy"`
	} `json:"jobs"`
	Limits struct { // of a plan
		Accelerators int64 `json:"accelerators"`
	} `json:"limits"`
}

// readSummaryText reads summary.json of a folder.
func readSummaryText(dir string) ([]byte, error) {
	path := filepath.Join(dir, "summary.json")
	f, err := input.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{File: dir, Err: errors.New("no summary.json, so no results folder; `railyard run SCENARIO --out DIR` makes one")}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSummary+1))
	if err == nil && len(text) > maxSummary {
		err = fmt.Errorf("larger than %d bytes", maxSummary)
	}
	if err != nil {
		return nil, &FileError{File: path, Err: err}
	}
	return text, nil
}

func readSummary(dir string) (*summary, error) {
	path := filepath.Join(dir, "summary.json")
	text, err := readSummaryText(dir)
	if err != nil {
		return nil, err
	}
	s := &summary{}
	if err := json.Unmarshal(text, s); err != nil {
		at := int64(0)
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = e.Offset
		}
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			at = e.Offset
		}
		line := 1 + strings.Count(string(text[:min(max(at, 0), int64(len(text)))]), "\n")
		return nil, &FileError{File: path, Line: line, Err: err}
	}
	if s.Makespan < 0 {
		return nil, &FileError{File: path, Err: fmt.Errorf("makespan_s is %v", s.Makespan)}
	}
	return s, nil
}

// title says what is seen, and of which run.
func (s *summary) title(seen string) string {
	if s.Name == "" {
		return seen
	}
	return s.Name + ": " + seen
}

// subtitle says which system it was, and if the run ended early.
func (s *summary) subtitle(more ...string) string {
	c := &s.Cluster
	var parts []string
	add := func(ok bool, format string, args ...any) {
		if ok {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(c.Topology != "", "%s", c.Topology)
	add(c.Hosts > 0 && c.Host != "", "%d × %s", c.Hosts, c.Host)
	add(c.Hosts > 0 && c.Host == "", "%d hosts", c.Hosts)
	add(c.Accelerators > 0, "%d accelerators", c.Accelerators)
	add(c.Accelerators == 0 && c.Links > 0, "%d links", c.Links)
	parts = append(parts, more...)
	add(s.Status == "horizon", "ended at the horizon")
	add(s.Status != "" && s.Status != "done" && s.Status != "horizon", "%s", s.Status)
	return strings.Join(parts, ", ")
}

// plotUtilization stacks what accelerators do over time.
func plotUtilization(dir string, s *summary) (figure.Figure, string, error) {
	const name = "accelerator_series.csv"
	columns := []result.Metric{result.SeriesTime, result.SeriesCompute, result.SeriesCommunication, result.SeriesIdle}
	var edges []float64
	layers := []figure.Layer{
		{Name: "compute", Role: figure.Useful},
		{Name: "exposed communication", Role: figure.Overhead},
		{Name: "idle", Role: figure.Idle},
	}
	found, err := readTable(dir, name, columns, func(r *row) {
		edges = r.interval(0, edges, s.Makespan)
		sum := 0.0
		for i := range layers {
			v := r.ratio(i + 1)
			layers[i].Values = append(layers[i].Values, v)
			sum += v
		}
		if sum > 1+1e-6 {
			r.fail(3, "the shares add up to %v, more than 1", sum)
		}
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if edges == nil {
		return nil, name + " is empty", nil
	}
	f := figure.Stack{
		Title: s.title("what accelerators do"), Subtitle: s.subtitle(),
		X:     figure.Axis{Label: "time", Unit: figure.Seconds},
		Edges: append(edges, s.Makespan), Layers: layers,
	}
	return f, "", drawable(dir, name, f)
}

// plotLinks maps the utilization of the hottest links over time.
func plotLinks(dir string, s *summary, most int) (figure.Figure, string, error) {
	const name = "link_series.csv"
	columns := []result.Metric{result.Link, result.SeriesTime, result.SeriesLinkUtilization}
	var (
		links  []string
		values [][]float64
		edges  []float64 // of the first link; all have the same
		seen   = map[string]bool{}
	)
	found, err := readTable(dir, name, columns, func(r *row) {
		link := r.text(0)
		if n := len(links); n == 0 || link != links[n-1] {
			switch {
			case seen[link]:
				r.fail(0, "%q again: the intervals of a link follow each other", link)
				return
			case n > 0 && len(values[n-1]) < len(edges):
				r.fail(0, "%q has %d intervals, the first link has %d", links[n-1], len(values[n-1]), len(edges))
				return
			case n == most:
				r.stop = true
				return
			}
			seen[link] = true
			links, values = append(links, link), append(values, nil)
		}
		last := len(links) - 1
		if last == 0 {
			edges = r.interval(1, edges, s.Makespan)
		} else if k := len(values[last]); k >= len(edges) || r.number(1) != edges[k] {
			r.fail(1, "%s is %q: not an interval of the first link", columns[1].Name, r.text(1))
		}
		values[last] = append(values[last], r.ratio(2))
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if links == nil {
		return nil, name + " is empty", nil
	}
	if last := len(links) - 1; len(values[last]) < len(edges) {
		return nil, "", &FileError{File: filepath.Join(dir, name), Err: fmt.Errorf("ends within %q: %d intervals of %d",
			links[last], len(values[last]), len(edges))}
	}
	notes, any, err := contention(dir, s, links)
	if err != nil {
		return nil, "", err
	}
	var more []string
	if notes != nil && !any {
		notes, more = nil, []string{"none of these links contended"}
	}
	title := "utilization of links"
	if int64(len(links)) < s.Cluster.Links {
		title = fmt.Sprintf("utilization of the %d hottest of %d links", len(links), s.Cluster.Links)
	}
	f := figure.HeatMap{
		Title: s.title(title), Subtitle: s.subtitle(more...),
		X:     figure.Axis{Label: "time", Unit: figure.Seconds},
		Edges: append(edges, s.Makespan), Rows: links, Values: values,
		Notes: notes, NotesHead: "contended",
	}
	return f, "", drawable(dir, name, f)
}

// contention gives for each link in which share of the makespan it was
// contended, "12 %", and whether any was; nil if there is no links.csv.
func contention(dir string, s *summary, links []string) (notes []string, any bool, err error) {
	place := make(map[string]int, len(links))
	for i, l := range links {
		place[l] = i
	}
	notes = make([]string, len(links))
	found, err := readTable(dir, "links.csv", []result.Metric{result.Link, result.Contended}, func(r *row) {
		contended := r.number(1)
		if !(contended >= 0 && contended <= s.Makespan*(1+1e-6)) {
			r.fail(1, "%s is %q: not between 0 and the makespan, %v", result.Contended.Name, r.text(1), s.Makespan)
			return
		}
		i, ok := place[r.text(0)]
		if !ok || contended == 0 {
			return
		}
		any = true
		switch percent := 100 * contended / s.Makespan; {
		case percent < 1:
			notes[i] = "<1 %"
		default:
			notes[i] = fmt.Sprintf("%.0f %%", percent)
		}
	})
	if err != nil || !found {
		return nil, false, err
	}
	return notes, any, nil
}

// drawable says whether a figure can be drawn, as an error of the table that it
// is drawn from.
func drawable(dir, name string, f figure.Figure) error {
	if err := f.Validate(); err != nil {
		return &FileError{File: filepath.Join(dir, name), Err: err}
	}
	return nil
}

// row is one row of a table while it is read. Its methods take the place of a
// column among those that were asked for; the first failure is kept and ends
// the table.
type row struct {
	*input.Reader
	columns []result.Metric
	at      []int // place of each column in the file
	stop    bool  // ends the table without a failure
	err     error
}

func (r *row) fail(column int, format string, args ...any) {
	if r.err == nil {
		r.err = r.Fault(r.at[column], fmt.Errorf(format, args...))
	}
}

func (r *row) text(column int) string { return r.Row[r.at[column]] }

// number is a finite number.
func (r *row) number(column int) float64 {
	v, err := strconv.ParseFloat(r.text(column), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		r.fail(column, "%s is %q: not a number", r.columns[column].Name, input.Shorten(r.text(column)))
		return 0
	}
	return v
}

// maybe is a number above 0, or NaN where there is none.
func (r *row) maybe(column int) float64 {
	if r.at[column] < 0 || r.text(column) == "" {
		return result.Missing
	}
	v := r.number(column)
	if v <= 0 {
		r.fail(column, "%s is %v: not above 0", r.columns[column].Name, v)
	}
	return v
}

// ratio is a number from 0 to 1, or NaN where there is none.
func (r *row) ratio(column int) float64 {
	if r.text(column) == "" {
		return result.Missing
	}
	v := r.number(column)
	if v < 0 || v > 1 {
		r.fail(column, "%s is %v: not between 0 and 1", r.columns[column].Name, v)
	}
	return v
}

// interval appends the beginning of an interval to those before it.
func (r *row) interval(column int, edges []float64, makespan float64) []float64 {
	begin := r.number(column)
	switch n := len(edges); {
	case begin < 0 || n > 0 && begin <= edges[n-1]:
		r.fail(column, "%s is %v: not after the row before", r.columns[column].Name, begin)
	case begin >= makespan:
		r.fail(column, "%s is %v: not before the makespan of summary.json, %v", r.columns[column].Name, begin, makespan)
	case n == maxIntervals:
		r.fail(column, "more than %d intervals", maxIntervals)
	}
	return append(edges, begin)
}

// readTable calls row for each row of a table, until it fails or stops. found is
// false if there is no such file. Columns that are optional may be missing.
func readTable(dir, name string, columns []result.Metric, each func(*row), optional ...result.Metric) (found bool, err error) {
	in, err := input.Open(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	defer in.Close()
	at, err := in.Columns(columns, optional)
	if err != nil {
		return true, err
	}
	r := &row{Reader: in, columns: slices.Concat(columns, optional), at: at}
	for !r.stop && in.Next() {
		if each(r); r.err != nil {
			return true, r.err
		}
	}
	return true, in.Err()
}
