package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// bench is a publication that measured collectives.
type bench struct {
	name, title, url, note string
	apart                  string // why it does not count; empty if it does
	points                 []*point
}

// point is one published bus bandwidth.
type point struct {
	cells     map[string]string // by column of collectives.csv
	size      float64           // bytes
	published float64           // B/s
	simulated float64
	how       string // algorithm and protocol that were run
}

func (p *point) error() float64 { return p.simulated/p.published - 1 }

var collectiveColumns = []string{"source", "op", "algorithm", "accelerator", "host", "ranks", "hosts", "nic_bandwidth", "size_bytes", "busbw_GBps"}

// readBenches reads collective-sources.csv and collectives.csv of a folder.
func readBenches(dir string) ([]*bench, error) {
	var benches []*bench
	byName := map[string]*bench{}
	err := readCSV(filepath.Join(dir, "collective-sources.csv"), []string{"source", "title", "url", "note", "apart"}, func(cell map[string]string) error {
		b := &bench{name: cell["source"], title: cell["title"], url: cell["url"], note: cell["note"], apart: cell["apart"]}
		if byName[b.name] != nil {
			return errors.New("is there twice")
		}
		byName[b.name] = b
		benches = append(benches, b)
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = readCSV(filepath.Join(dir, "collectives.csv"), collectiveColumns, func(cell map[string]string) error {
		b := byName[cell["source"]]
		if b == nil {
			return fmt.Errorf("collective-sources.csv has no source %q", cell["source"])
		}
		p := &point{cells: cell}
		var err error
		if p.size, err = strconv.ParseFloat(cell["size_bytes"], 64); err != nil || p.size <= 0 {
			return fmt.Errorf("size_bytes is %q, want a number above 0", cell["size_bytes"])
		}
		if p.published, err = strconv.ParseFloat(cell["busbw_GBps"], 64); err != nil || p.published <= 0 {
			return fmt.Errorf("busbw_GBps is %q, want a number above 0", cell["busbw_GBps"])
		}
		p.published *= 1e9
		b.points = append(b.points, p)
		return nil
	})
	return benches, err
}

// cluster is what the point was measured on, in TOML, and the operation without its
// sizes: points that agree in it are one run.
func (p *point) cluster() string {
	ranks, _ := strconv.Atoi(p.cells["ranks"])
	hosts, _ := strconv.Atoi(p.cells["hosts"])
	each := ranks / max(hosts, 1)
	var b strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	write("[topology]\nkind = \"rail\"\nhosts = %d\nhost = \"case\"", hosts)
	write("[hosts.case]\nbase = %q\naccelerator = %q\naccelerators = %d", p.cells["host"], p.cells["accelerator"], each)
	if rate := p.cells["nic_bandwidth"]; rate != "" {
		write("nics = %d\nnic_bandwidth = %q", each, rate)
	}
	write("[[workload.collective]]\nop = %q", p.cells["op"])
	if a := p.cells["algorithm"]; a != "" {
		write("algorithm = %q", a)
	}
	return b.String()
}

// simulateBenches runs every collective at its published sizes.
func simulateBenches(benches []*bench) error {
	for _, b := range benches {
		runs := map[string][]*point{}
		for _, p := range b.points {
			runs[p.cluster()] = append(runs[p.cluster()], p)
		}
		for text, points := range runs { // whose order does not matter
			if err := simulatePoints(b.name, text, points); err != nil {
				return err
			}
		}
	}
	return nil
}

func simulatePoints(name, text string, points []*point) error {
	sizes := make([]string, len(points))
	for i, p := range points {
		sizes[i] = fmt.Sprintf("\"%sB\"", p.cells["size_bytes"])
	}
	s, faults := scenario.Parse(name, []byte(text+"sizes = ["+strings.Join(sizes, ", ")+"]\n"), nil)
	if err := faults.Err(); err != nil {
		return err
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i, row := range r.Summary.List(result.Collectives.Name) {
		points[i].simulated = row.Float(result.BusBandwidth.Name)
		points[i].how = row.Text(result.CollectiveAlgorithm.Name) + ", " + row.Text(result.CollectiveProtocol.Name)
	}
	return nil
}

// largeMessage is the size from which bandwidth decides, below which latency does.
const largeMessage = 16 << 20

// errorsBySize are the errors of points of large messages, and of small ones.
func errorsBySize(points []*point) (large, small []float64) {
	for _, p := range points {
		if p.size >= largeMessage {
			large = append(large, p.error())
		} else {
			small = append(small, p.error())
		}
	}
	return large, small
}

// collectiveSummary is the totals and the table of sources, as docs/validation.md and
// the README show them.
func collectiveSummary(benches []*bench) string {
	var b strings.Builder
	var all []*point
	for _, s := range benches {
		if s.apart == "" {
			all = append(all, s.points...)
		}
	}
	large, small := errorsBySize(all)
	l, s := summarize(large), summarize(small)
	fmt.Fprintf(&b, "\n%d published bus bandwidths of collectives: from 16 MiB up median error %s, 90th percentile %s; below %s and %s.\n",
		len(all), percent(l.median), percent(l.p90), percent(s.median), percent(s.p90))
	b.WriteString("\n| source | from 16 MiB | median | p90 | bias | below | median | p90 | bias |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	half := func(errors []float64) string {
		if len(errors) == 0 {
			return "0 | | | "
		}
		s := summarize(errors)
		return fmt.Sprintf("%d | %s | %s | %s", len(errors), percent(s.median), percent(s.p90), signed(s.bias))
	}
	line := func(name string, points []*point) {
		large, small := errorsBySize(points)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, half(large), half(small))
	}
	for _, s := range benches {
		if s.apart == "" {
			line(s.name, s.points)
		}
	}
	line("**all of these**", all)
	for _, s := range benches {
		if s.apart != "" {
			line(s.name+" (apart)", s.points)
		}
	}
	return b.String()
}

// collectivePages are the points of every source.
func collectivePages(benches []*bench) string {
	var b strings.Builder
	b.WriteString("\n# Collectives\n\nErrors are those of the bus bandwidth, simulated / published - 1: negative is slow.\n\n![Bus bandwidth of all-reduces by size, simulated and published](pictures/busbw.svg)\n")
	for _, s := range benches {
		fmt.Fprintf(&b, "\n## %s\n\n[%s](%s)", s.name, s.title, s.url)
		if s.note != "" {
			fmt.Fprintf(&b, ". %s", capital(s.note))
		}
		b.WriteString(".\n")
		if s.apart != "" {
			fmt.Fprintf(&b, "\nApart: %s.\n", s.apart)
		}
		b.WriteString("\n| operation | ranks | host | bytes | published | simulated | by | error |\n|---|--:|---|--:|--:|--:|---|--:|\n")
		for _, p := range s.points {
			b.WriteString(p.line())
		}
	}
	return b.String()
}

// manySizes is how many sizes of one collective make a curve.
const manySizes = 10

// collectivePicture is bus bandwidth by size of all-reduces of many sizes: a curve
// simulated, and points published.
func collectivePicture(benches []*bench) figure.Lines {
	l := figure.Lines{
		Title:    "All-reduce: simulated (lines) and published (points)",
		Subtitle: "the protocol and the algorithm of each size are predicted; one set of constants a link class",
		X:        figure.Axis{Label: "message size", Unit: figure.Bytes, Log: true},
		Y:        figure.Axis{Label: "bus bandwidth", Unit: figure.BytesPerSecond},
	}
	var marks []figure.Series
	for _, b := range benches {
		of := slices.Clone(b.points)
		if b.apart != "" || len(of) < manySizes || slices.ContainsFunc(of, func(p *point) bool { return p.cluster() != of[0].cluster() }) {
			continue
		}
		slices.SortFunc(of, func(a, b *point) int { return cmp.Compare(a.size, b.size) })
		curve := figure.Series{Name: fmt.Sprintf("%s, %s ranks", b.name, of[0].cells["ranks"])}
		points := figure.Series{Like: curve.Name, Points: true}
		for _, p := range of {
			curve.X, curve.Y = append(curve.X, p.size), append(curve.Y, p.simulated)
			points.X, points.Y = append(points.X, p.size), append(points.Y, p.published)
		}
		l.Series, marks = append(l.Series, curve), append(marks, points)
	}
	l.Series = append(l.Series, marks...)
	return l
}

// line is a row of docs/validation.md.
func (p *point) line() string {
	return fmt.Sprintf("| %s | %s | %s x %s, %s | %s | %s GB/s | %.4g GB/s | %s | %s |\n", p.cells["op"], p.cells["ranks"], p.cells["hosts"], p.cells["host"],
		p.cells["accelerator"], p.cells["size_bytes"], p.cells["busbw_GBps"], p.simulated/1e9, p.how, signed(p.error()))
}
