package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/timeline"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// timelineFlags are what is said of a timeline.
type timelineFlags struct{ file, ranks, window string }

func (f *timelineFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.file, "timeline", "", "write a timeline for ui.perfetto.dev into this file: .json, .pftrace, each with .gz behind it if wanted")
	flags.StringVar(&f.ranks, "timeline-ranks", "", `show these accelerators, as in 0-15,32, or "all"; default: of those that do the same, the first`)
	flags.StringVar(&f.window, "timeline-window", "", "show what happens from one time to another, as in 10s..10.5s; either may be left out")
}

// options are those of a run, nil without a timeline.
func (f *timelineFlags) options() (*railyard.TimelineOptions, error) {
	if f.file == "" {
		if f.ranks != "" || f.window != "" {
			return nil, fmt.Errorf("--timeline-ranks and --timeline-window need --timeline FILE")
		}
		return nil, nil
	}
	if _, err := timeline.FormatOf(f.file); err != nil {
		return nil, fmt.Errorf("--timeline %w", err)
	}
	o := &railyard.TimelineOptions{}
	var err error
	if o.All = f.ranks == "all"; o.All {
		f.ranks = ""
	}
	if o.Accelerators, err = parseRanks(f.ranks); err != nil {
		return nil, fmt.Errorf("--timeline-ranks %s: %w", f.ranks, err)
	}
	if o.From, o.To, err = parseWindow(f.window); err != nil {
		return nil, fmt.Errorf("--timeline-window %s: %w", f.window, err)
	}
	return o, nil
}

// reported are the options where a page of the run is made, which shows an iteration rank
// by rank: of a timeline that nobody asked for, of what has iterations.
func (f *timelineFlags) reported(o *railyard.TimelineOptions, s *railyard.Scenario, out string) *railyard.TimelineOptions {
	switch {
	case o == nil && len(s.Workload.Training)+len(s.Workload.Replay) > 0:
		return &railyard.TimelineOptions{Brief: true, InFolder: true}
	case o != nil:
		name := filepath.Base(f.file)
		o.InFolder = filepath.Clean(f.file) != filepath.Join(out, name) || name != "timeline.json.gz" && name != "timeline.json"
	}
	return o
}

// write writes the timeline of a run, if one was asked for.
func (f *timelineFlags) write(r *railyard.Result) error {
	if r.Timeline == nil || f.file == "" {
		return nil
	}
	write, err := timeline.FormatOf(f.file)
	if err != nil {
		return err
	}
	return report.WriteFile(f.file, func(w io.Writer) error { return write(w, r.Timeline) })
}

// maxRank bounds what a list of ranks may name, and so its size.
const maxRank = 1 << 20

// parseRanks reads "0-15,32".
func parseRanks(text string) (ranks []int, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(low)
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(high)
		}
		if err != nil || first < 0 || last < first || last >= maxRank || len(ranks)+last-first >= 2*maxRank {
			return nil, fmt.Errorf("%q is no accelerator, and no range of them such as 0-15", part)
		}
		for n := first; n <= last; n++ {
			ranks = append(ranks, n)
		}
	}
	return ranks, nil
}

// parseWindow reads "10s..10.5s".
func parseWindow(text string) (from, to sim.Time, err error) {
	if text == "" {
		return 0, 0, nil
	}
	low, high, found := strings.Cut(text, "..")
	if !found {
		return 0, 0, fmt.Errorf(`it is two times such as "10s..10.5s"`)
	}
	for _, end := range []struct {
		text string
		at   *sim.Time
	}{{low, &from}, {high, &to}} {
		if end.text == "" {
			continue
		}
		d, err := units.ParseDuration(end.text)
		if err != nil {
			return 0, 0, err
		}
		*end.at = sim.Time(d)
	}
	if high != "" && to <= from || from < 0 || to > math.MaxInt64/2 {
		return 0, 0, fmt.Errorf("it ends before it begins")
	}
	return from, to, nil
}
