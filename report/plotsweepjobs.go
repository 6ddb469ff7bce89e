package report

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
)

// spreadFile has the distributions of the points of a sweep.
const spreadFile = "distributions.csv"

// maxSpread is how many rows of it are read.
const maxSpread = 1 << 20

// mass is a share of the jobs of a point that took so long.
type mass struct{ value, share float64 }

// distributions draws how completion time and wait are distributed over the jobs of each
// point; nil and why where there is nothing to draw.
func (s *swept) distributions(dir string) (pictures []picture, lack string, err error) {
	kinds := []struct {
		name, metric, title, y string
	}{
		{"completion", result.Jobs.Name + "." + result.JobCompletion.Name, "completion time of jobs", "jobs that took no longer"},
		{"wait", result.Jobs.Name + "." + result.JobWaits.Name, "wait of jobs", "jobs that waited no longer"},
	}
	if len(s.points) > maxRuns {
		return nil, "more points than have a curve each in a picture", nil
	}
	jobs := make([][][]mass, len(kinds)) // of each kind, of each point
	for k := range jobs {
		jobs[k] = make([][]mass, len(s.points))
	}
	columns := []result.Metric{{Name: "point"}, {Name: "metric"}, {Name: "share"}, {Name: "value"}}
	rows, last, before := 0, "", 0.0
	found, err := readTable(dir, spreadFile, columns, func(r *row) {
		point, share, value := r.number(0), r.ratio(2), r.number(3)
		switch rows++; {
		case r.err != nil:
			return
		case point != math.Trunc(point) || point < 0 || point >= float64(len(s.place)):
			r.fail(0, "point %v is none of points.csv", point)
			return
		case value < 0:
			r.fail(3, "value is negative")
			return
		case rows > maxSpread:
			r.fail(0, "more than %d rows", maxSpread)
			return
		}
		if of := r.text(0) + " " + r.text(1); of != last { // the next distribution
			last, before = of, 0
		}
		if !(share > before) {
			r.fail(2, "share does not rise")
			return
		}
		place := s.place[int(point)]
		for k := range kinds {
			if place >= 0 && kinds[k].metric == r.text(1) {
				jobs[k][place] = append(jobs[k][place], mass{value, share - before})
			}
		}
		before = share
	})
	if err != nil || !found {
		return nil, "no " + spreadFile, err
	}
	every := make([]*sweptPoint, len(s.points))
	for i := range s.points {
		every[i] = &s.points[i]
	}
	labels := s.labels(every)
	for k, kind := range kinds {
		f := figure.Lines{
			Title: s.title(kind.title), Subtitle: s.subtitle(),
			X: figure.Axis{Label: "time", Unit: figure.Seconds, Log: true},
			Y: figure.Axis{Label: kind.y, Unit: figure.Ratio},
		}
		var zeros []float64
		for i, all := range jobs[k] {
			if curve, none := cumulative(all); curve.X != nil {
				curve.Name = cmp.Or(labels[i], filepath.Base(dir))
				f.Series, zeros = append(f.Series, curve), append(zeros, none)
			}
		}
		if f.Series != nil {
			fromZero(f.Series, zeros)
			pictures = append(pictures, picture{kind.name, f})
		}
	}
	return pictures, "no job took any time", nil
}

// cumulative is the curve of some shares, those of several seeds being one distribution;
// none is the share that took no time.
func cumulative(all []mass) (curve figure.Series, none float64) {
	slices.SortStableFunc(all, func(a, b mass) int { return cmp.Compare(a.value, b.value) })
	total, sum := 0.0, 0.0
	for _, m := range all {
		total += m.share
	}
	curve.Step = true
	for i, m := range all {
		sum += m.share
		switch {
		case m.value == 0:
			none = sum / total
		case i == len(all)-1 || all[i+1].value > m.value:
			curve.X, curve.Y = append(curve.X, m.value), append(curve.Y, min(1, sum/total))
		}
	}
	return curve, none
}
