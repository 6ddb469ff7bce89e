package figure

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Parity sets what was predicted against what was measured, a point for each pair: on the
// diagonal the two are equal, within the band they differ by no more than Within. Below
// stands the error, which is small on axes that span decades.
type Parity struct {
	Title, Subtitle string
	// X is the axis of what was measured; Label names what was predicted. Both have the
	// unit of X, are logarithmic if X is, and show one range.
	X     Axis
	Label string
	// Within is the half width of the band as a share of the measured value: 0.1 is
	// ±10 %.
	Within float64
	// Series are the pairs, measured in X and predicted in Y, all above zero; Low and High
	// are the ends of an error bar of what was predicted.
	Series []Series
}

// Validate reports everything that keeps the picture from being drawn.
func (p Parity) Validate() error {
	var errs []error
	if !(p.Within >= 0.001 && p.Within < 1) {
		errs = append(errs, fmt.Errorf("a band of %v: want 0.001 to less than 1", p.Within))
	}
	if len(p.Series) == 0 {
		errs = append(errs, errors.New("no series"))
	}
	for i, s := range p.Series {
		if err := s.paired(); err != nil {
			errs = append(errs, fmt.Errorf("series %d (%q): %w", i, clean(s.Name), err))
		}
		if len(errs) > 20 {
			errs = append(errs, errors.New("and maybe more"))
			break
		}
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	return p.panels().Validate()
}

// paired reports the first value that has no error or is no share of another.
func (s Series) paired() error {
	columns := [][]float64{s.X, s.Y}
	if s.Low != nil || s.High != nil {
		columns = append(columns, s.Low, s.High)
	}
	for _, of := range columns {
		if len(of) != len(s.X) {
			return fmt.Errorf("x has %d values, y %d, low %d and high %d", len(s.X), len(s.Y), len(s.Low), len(s.High))
		}
		for i, v := range of {
			if !(v >= smallest && v <= largest) {
				return fmt.Errorf("value %d is %v, want one above 0", i, v)
			}
		}
	}
	return nil
}

func (p Parity) titles() (title, subtitle string) { return p.Title, p.Subtitle }

func (p Parity) size() (width, height float64) { return p.panels().size() }

func (p Parity) draw(c *canvas) { p.panels().draw(c) }

// panels is the scatter over the errors.
func (p Parity) panels() Panels {
	all := noExtent()
	errors := make([]Series, 0, len(p.Series)+1)
	for _, s := range p.Series {
		e := s
		e.Y, e.Low, e.High, e.Labels = slices.Clone(s.Y), slices.Clone(s.Low), slices.Clone(s.High), nil
		for i, x := range s.X {
			all.add(x)
			for _, of := range [][]float64{e.Y, e.Low, e.High} {
				if of != nil {
					all.add(of[i])
					of[i] = of[i]/x - 1
				}
			}
		}
		errors = append(errors, e)
	}
	x := p.X
	lo, hi := 0.0, all.hi*1.04
	if x.Log {
		k := max(math.Pow(all.hi/all.lo, 0.04), 1.05)
		lo, hi = all.lo/k, all.hi*k
	}
	x.Min, x.Max, x.Names = &lo, &hi, nil
	y := x
	y.Label = p.Label

	// Corners of the band stand where it meets the ends of the axes.
	equal := Series{Name: fmt.Sprintf("equal, ±%.3g %%", 100*p.Within), Dashed: true, Band: true}
	none := Series{Dashed: true, Band: true}
	corners := []float64{lo, lo / (1 - p.Within), hi / (1 + p.Within), hi}
	slices.Sort(corners)
	for _, at := range corners {
		if at < lo || at > hi {
			continue
		}
		equal.X, equal.Y = append(equal.X, at), append(equal.Y, at)
		equal.Low, equal.High = append(equal.Low, max(at*(1-p.Within), lo)), append(equal.High, min(at*(1+p.Within), hi))
		none.X, none.Y = append(none.X, at), append(none.Y, 0)
		none.Low, none.High = append(none.Low, -p.Within), append(none.High, p.Within)
	}
	none.Name = equal.Name
	return Panels{
		Title: p.Title, Subtitle: p.Subtitle, X: x,
		Panels: []Panel{
			{Y: y, Series: append(slices.Clone(p.Series), equal), Height: 2.4},
			{Y: Axis{Label: "error", Unit: Ratio}, Series: append(errors, none), Unnamed: true, Height: 0.9},
		},
	}
}
