package jobs

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/railyard/railyard/units"
)

// Info is what is in a trace of jobs.
type Info struct {
	Format             string  `json:"format"`
	Jobs               int     `json:"jobs"`
	Span               float64 `json:"span_s"` // from the first submission to the last
	AcceleratorSeconds float64 `json:"accelerator_s"`
	Largest            int     `json:"largest_accelerators"`
	Sizes              []Count `json:"sizes"` // jobs by accelerators
	Median             float64 `json:"median_duration_s"`
	Longest            float64 `json:"longest_duration_s"`
	Statuses           []Count `json:"statuses,omitempty"`
	Users              int     `json:"users"`
	Groups             int     `json:"groups"`
	Bad                int     `json:"bad_rows"`
	Left               []Left  `json:"left_out,omitempty"`
}

// Count is how many jobs have something.
type Count struct {
	Name string `json:"name"`
	Jobs int    `json:"jobs"`
}

// Inspect says what is in jobs that were read.
func Inspect(f Format, all []Job, r Report) Info {
	i := Info{Format: f.String(), Jobs: len(all), Bad: r.Bad, Left: r.Left, Sizes: []Count{}}
	if len(all) == 0 {
		return i
	}
	sizes, statuses, users, groups := map[int]int{}, map[string]int{}, map[string]bool{}, map[string]bool{}
	first, last := all[0].Submit, all[0].Submit
	durations := make([]float64, len(all))
	for k := range all {
		j := &all[k]
		first, last = min(first, j.Submit), max(last, j.Submit)
		durations[k] = j.Duration
		part := 1.0
		if j.Milli > 0 {
			part = float64(j.Milli) / 1000
		}
		i.AcceleratorSeconds += j.Duration * float64(j.Accelerators) * part
		sizes[j.Accelerators]++
		if j.Status != "" {
			statuses[j.Status]++
		}
		if j.User != "" {
			users[j.User] = true
		}
		if j.Group != "" {
			groups[j.Group] = true
		}
	}
	slices.Sort(durations)
	i.Span, i.Users, i.Groups = last-first, len(users), len(groups)
	i.Median, i.Longest = durations[(len(durations)-1)/2], durations[len(durations)-1]
	for size, n := range sizes {
		i.Largest = max(i.Largest, size)
		i.Sizes = append(i.Sizes, Count{fmt.Sprint(size), n})
	}
	slices.SortFunc(i.Sizes, func(a, b Count) int { // by number, not by text
		return cmp.Or(cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	for status, n := range statuses {
		i.Statuses = append(i.Statuses, Count{status, n})
	}
	slices.SortFunc(i.Statuses, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Jobs, a.Jobs), cmp.Compare(a.Name, b.Name))
	})
	return i
}

// Write prints the info for a person.
func (i Info) Write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	counts := func(name string, all []Count) {
		const most = 12
		for k, c := range all {
			if k == most {
				line("", "and %d more", len(all)-most)
				break
			}
			if k > 0 {
				name = ""
			}
			line(name, "%d x %s", c.Jobs, c.Name)
		}
	}
	line("format", "%s", i.Format)
	line("jobs", "%d, submitted over %s", i.Jobs, span(i.Span))
	counts("sizes", i.Sizes)
	line("durations", "median %s, longest %s", span(i.Median), span(i.Longest))
	line("demand", "%.6g accelerator-hours", i.AcceleratorSeconds/3600)
	line("users", "%d in %d groups", i.Users, i.Groups)
	counts("statuses", i.Statuses)
	if i.Bad > 0 {
		line("bad rows", "%d", i.Bad)
	}
	for _, l := range i.Left {
		line("left out", "%d: %s", l.Jobs, l.Reason)
	}
	return out.Flush()
}

// span is a duration in its shortest form, or in years where it has none.
func span(seconds float64) string {
	d, err := units.DurationOf(seconds)
	if err != nil {
		return fmt.Sprintf("%.1f years", seconds/(365*86400))
	}
	return d.String()
}
