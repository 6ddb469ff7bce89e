package scenario

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/railyard/railyard/energy"
)

// maxCarbonRows bounds a series of carbon intensity: a century of quarter hours.
const maxCarbonRows = 1 << 22

// Carbon is [topology.carbon]: what the grid's power emits.
type Carbon struct {
	Header
	Intensity  Key[float64] `key:"intensity" min:"0" max:"100000" doc:"grams of carbon dioxide for a kWh, at any time"`
	File       Key[string]  `key:"file" doc:"in place of intensity, CSV of it over time, ascending; the last holds for good. Either of OpenDC, timestamp,carbon_intensity in milliseconds since 1970 and g/kWh; or as Electricity Maps exports them, with columns Datetime (UTC) and Carbon intensity gCO₂eq/kWh, further ones being ignored"`
	Accounting Key[string]  `key:"accounting" default:"\"life-cycle\"" enum:"life-cycle direct" doc:"of a file of Electricity Maps, which has both: what building the plants and bringing the fuel emits included, as their maps show it, or only what burns in them"`
	Start      Key[string]  `key:"start" doc:"date and time of the file at which the run begins, as in 2022-01-01T00:00:00Z; its first where left out"`
}

func (c *Carbon) check(b *binder) {
	switch {
	case c.Intensity.Set && c.File.Set:
		b.faultf(c.Intensity.Pos, c.Path+".intensity", "contradicts file: give one of them")
	case !c.Intensity.Set && !c.File.Set && !b.inside(c.Path):
		b.faultf(c.At, c.Path, `needs the key "intensity" (g/kWh) or "file" (a series of it)`)
	case c.Start.Set && !c.File.Set:
		b.faultf(c.Start.Pos, c.Path+".start", "belongs to file, which is missing")
	case c.Accounting.Set && !c.File.Set:
		b.faultf(c.Accounting.Pos, c.Path+".accounting", "belongs to file, which is missing")
	}
	if _, err := c.start(); err != nil {
		b.faultf(c.Start.Pos, c.Path+".start", "%v", err)
	}
}

// start is the date at which a run begins, the zero time where none is given.
func (c *Carbon) start() (time.Time, error) {
	if !c.Start.Set {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.Parse(layout, c.Start.Value); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date; write 2022-01-01, or 2022-01-01T00:00:00Z", shown(c.Start.Value))
}

// ReadCarbon is the carbon intensity over time, in s from the beginning of the run and
// g/kWh.
func (s *Scenario) ReadCarbon(c *Carbon) (energy.Steps, Faults) {
	if !c.File.Set {
		return energy.Steps{At: []float64{0}, Values: []float64{c.Intensity.Value}}, nil
	}
	var steps energy.Steps
	maps := false
	faults := s.withTable(c.File, c.Path+".file", func(file string, in io.Reader) (faults Faults) {
		steps, maps, faults = readCarbon(file, in, c.Accounting.Value)
		return faults
	})
	switch {
	case faults != nil:
		return steps, faults
	case c.Accounting.Set && !maps:
		return steps, Faults{c.Accounting.Pos.Faultf(c.Path+".accounting", "%s.accounting: %q says one intensity and not how it was reckoned: accounting belongs to a file of Electricity Maps", c.Path, shown(c.File.Value))}
	}
	start := steps.At[0]
	if given, _ := c.start(); c.Start.Set {
		start = float64(given.UnixMilli()) / 1000
		if start < steps.At[0] {
			first := time.UnixMilli(int64(steps.At[0] * 1000)).UTC().Format(time.RFC3339)
			return steps, Faults{c.Start.Pos.Faultf(c.Path+".start", "%s.start: is before the first row of %q, %s", c.Path, shown(c.File.Value), first)}
		}
	}
	for i := range steps.At {
		steps.At[i] -= start
	}
	return steps, nil
}

// The columns of the two layouts; of Electricity Maps, small letters and the beginning:
// over the years it has written intensity large and small, and life cycle as LCA.
const (
	carbonTime, carbonIntensity = "timestamp", "carbon_intensity"
	mapsTime, mapsIntensity     = "datetime (utc)", "carbon intensity gco"
)

// mapsEnds are how the columns of Electricity Maps end, by accounting.
var mapsEnds = map[string][]string{"life-cycle": {"(life cycle)", "(lca)"}, "direct": {"(direct)"}}

// readCarbon reads a series in s since 1970, and says whether it is of Electricity Maps.
func readCarbon(file string, in io.Reader, accounting string) (steps energy.Steps, maps bool, _ Faults) {
	rows := newRows(file, in)
	if !rows.heading("its first row must name the columns " + carbonTime + "," + carbonIntensity) {
		return steps, false, rows.all()
	}
	at := slices.IndexFunc(rows.names, func(name string) bool { return strings.ToLower(name) == mapsTime })
	if at < 0 {
		if rows.columns([]string{carbonTime, carbonIntensity}, nil) {
			at, intensity := rows.column(carbonTime), rows.column(carbonIntensity)
			for rows.next() && rows.step(&steps, at, rows.number(at)/1000, rows.number(intensity)) {
			}
		}
		return steps, false, rows.all()
	}
	intensity := slices.IndexFunc(rows.names, func(name string) bool {
		name = strings.ToLower(name)
		return strings.HasPrefix(name, mapsIntensity) && slices.ContainsFunc(mapsEnds[accounting], func(end string) bool { return strings.HasSuffix(name, end) })
	})
	if intensity < 0 {
		rows.add(Position{file, 1, 1}.Faultf("", "there is no column Carbon intensity gCO₂eq/kWh %s", mapsEnds[accounting][0]))
		return steps, true, rows.all()
	}
	for rows.next() {
		if rows.text(intensity) == "" {
			continue // not known: what was before holds
		}
		when, value := rows.date(at), rows.number(intensity)
		if !when.IsZero() && !rows.step(&steps, at, float64(when.Unix()), value) {
			break
		}
	}
	if steps.At == nil && len(rows.faults) == 0 {
		rows.add(Position{file, 1, 1}.Faultf("", "%s is empty in all rows", rows.names[intensity]))
	}
	return steps, true, rows.all()
}

// step appends to a series, whose times rise, and says whether there may be more.
func (r *rows) step(steps *energy.Steps, column int, seconds, value float64) bool {
	switch n := len(steps.At); {
	case n > 0 && seconds <= steps.At[n-1]:
		r.faultf(column, "does not follow that of the row before: rows ascend")
	case n == maxCarbonRows:
		r.faultf(column, "there are more than %d rows", n)
		return false
	default:
		steps.At, steps.Values = append(steps.At, seconds), append(steps.Values, value)
	}
	return true
}

// date is a date and time in UTC, the zero time where it is none.
func (r *rows) date(column int) time.Time {
	text := r.text(column)
	for _, layout := range []string{time.DateTime, time.RFC3339, "2006-01-02 15:04:05Z07:00", time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil && !at.IsZero() {
			return at
		}
	}
	r.faultf(column, "%q is no date and time; write 2022-01-01 00:00:00", shown(text))
	return time.Time{}
}
