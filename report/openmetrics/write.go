package openmetrics

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/railyard/railyard/result"
)

// Options are how a run is told.
type Options struct {
	// Start is the moment of time 0 of the simulation.
	Start time.Time
	// Run is the label of all samples.
	Run string
}

// Write writes results, and tables of what was looked at one by one.
func Write(w io.Writer, r *result.Results, usage []*result.Table, o Options) error {
	e := &exposition{start: o.Start.UnixMilli(), run: o.Run, families: map[string]*family{}, end: r.Summary.Float(result.Makespan.Name)}
	e.summary(r.Summary)
	models := map[string]string{} // of serving workloads
	for _, s := range r.Summary.List(result.Serving.Name) {
		models[s.Text(result.Name.Name)] = s.Text(result.Model.Name)
	}
	for _, t := range r.Tables {
		switch {
		case t.Name == "serving_series":
			e.serving(t, models)
		case t.Name == "requests":
			e.requests(t, models)
		case strings.HasSuffix(t.Name, "_series"):
			e.series(t)
		}
	}
	for _, t := range usage {
		switch t.Name {
		case "accelerator_usage":
			e.accelerators(t)
		case "host_usage":
			e.hosts(t)
		case "interface_usage":
			e.interfaces(t)
		}
	}
	return e.write(w)
}

// family is the samples of one metric: all of its series, one after another.
type family struct {
	name, kind, unit, help string
	samples                strings.Builder
}

// exposition is families in the order in which they came up.
type exposition struct {
	start    int64 // of the simulation, in ms
	end      float64
	run      string
	families map[string]*family
	order    []*family
}

// label is a label of a sample.
type label struct{ name, value string }

// family finds a family, or adds it. Of a counter the name is without "_total".
func (e *exposition) family(name, kind, unit, help string) *family {
	f := e.families[name]
	if f == nil {
		f = &family{name: name, kind: kind, unit: unit, help: help}
		e.families[name], e.order = f, append(e.order, f)
	}
	return f
}

// stream is one series of a family, whose samples come in the order of time.
type stream struct {
	start  int64
	f      *family
	prefix string
	last   int64
	some   bool
}

// stream begins a series. suffix is what its samples have behind the family's name.
func (e *exposition) stream(f *family, suffix string, labels ...label) *stream {
	var b strings.Builder
	b.WriteString(f.name + suffix + `{run="` + escape(e.run) + `"`)
	for _, l := range labels {
		b.WriteString("," + l.name + `="` + escape(l.value) + `"`)
	}
	b.WriteString("} ")
	return &stream{start: e.start, f: f, prefix: b.String()}
}

// add adds a sample at a time of the simulation, unless it has none or comes within the
// millisecond of the one before.
func (s *stream) add(seconds, value float64) {
	at := s.start + int64(math.Round(seconds*1e3))
	if math.IsNaN(value) || s.some && at <= s.last {
		return
	}
	s.last, s.some = at, true
	b := &s.f.samples
	b.WriteString(s.prefix)
	b.WriteString(decimal(value))
	b.WriteByte(' ')
	b.WriteString(stamp(at))
	b.WriteByte('\n')
}

// decimal is the shortest number that reads back the same.
func decimal(v float64) string {
	if math.IsInf(v, 0) {
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return result.Number(v)
}

// stamp is milliseconds as exact seconds.
func stamp(ms int64) string {
	sign := ""
	if ms < 0 {
		sign, ms = "-", -ms
	}
	return fmt.Sprintf("%s%d.%03d", sign, ms/1000, ms%1000)
}

// write writes all families, and the end that tells a whole file from a part.
func (e *exposition) write(w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	for _, f := range e.order {
		if f.samples.Len() == 0 {
			continue
		}
		fmt.Fprintf(b, "# TYPE %s %s\n", f.name, f.kind)
		if f.unit != "" {
			fmt.Fprintf(b, "# UNIT %s %s\n", f.name, f.unit)
		}
		fmt.Fprintf(b, "# HELP %s %s\n", f.name, escape(f.help))
		b.WriteString(f.samples.String())
	}
	b.WriteString("# EOF\n")
	return b.Flush()
}

// escape writes a text as a label or a help has it.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(text)
}
