package figure

import (
	"errors"
	"fmt"
	"math"
)

// Axis describes one axis of a picture.
type Axis struct {
	// Label names the quantity, in lower case and without its unit: "time",
	// "message size", "bus bandwidth".
	Label string
	Unit  Unit
	// Log asks for a logarithmic axis, which has room for positive values
	// only. Bytes are then ticked at powers of two, the rest at 1, 2, 5.
	Log bool
	// Min and Max, where given, fix an end of the axis; data beyond it is cut
	// off. Otherwise the axis spans the data, and a linear y axis of
	// non-negative values starts at zero.
	Min, Max *float64
	// Names, if any, stand in place of numbers: the values 0, 1, ... are categories.
	Names []string
	// At, if any, are the values that a logarithmic axis is ticked at, in rising order: for
	// data at a few values of which none is 1, 2 or 5, such as 8, 16 and 32 hosts.
	At []float64
}

// Magnitudes that axes can show. Beyond them differences and quotients of
// float64 lose their meaning.
const (
	largest  = 1e150
	smallest = 1e-150
)

// check reports what is wrong with the axis itself.
func (a Axis) check(name string) error {
	var errs []error
	if a.Unit < Count || a.Unit > Ratio {
		errs = append(errs, fmt.Errorf("%s axis: unknown unit %d", name, int(a.Unit)))
	}
	for _, end := range []struct {
		name  string
		value *float64
	}{{"Min", a.Min}, {"Max", a.Max}} {
		if end.value != nil {
			if problem := a.problem(*end.value); problem != "" {
				errs = append(errs, fmt.Errorf("%s axis: %s is %v, %s", name, end.name, *end.value, problem))
			}
		}
	}
	if a.Names != nil && (a.Log || a.Min != nil || a.Max != nil || len(a.Names) > maxParts) {
		errs = append(errs, fmt.Errorf("%s axis: categories have no logarithm, no ends of their own, and are at most %d", name, maxParts))
	}
	if len(a.At) > maxParts {
		errs = append(errs, fmt.Errorf("%s axis: %d ticks, more than %d", name, len(a.At), maxParts))
	}
	for i, v := range a.At[:min(len(a.At), maxParts)] {
		if problem := a.problem(v); problem != "" || !a.Log || i > 0 && v <= a.At[i-1] {
			errs = append(errs, fmt.Errorf("%s axis: tick at %v: want rising values of a logarithmic axis", name, v))
			break
		}
	}
	if a.Min != nil && a.Max != nil && *a.Min >= *a.Max {
		errs = append(errs, fmt.Errorf("%s axis: Min %v is not below Max %v", name, *a.Min, *a.Max))
	}
	return errors.Join(errs...)
}

// problem says why a value cannot be shown on the axis, or "".
func (a Axis) problem(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "not a finite number"
	case math.Abs(v) > largest:
		return fmt.Sprintf("beyond ±%g, the largest magnitude an axis can show", largest)
	case a.Log && v <= 0:
		return "but a logarithmic axis shows positive values only"
	case a.Log && v < smallest:
		return fmt.Sprintf("below %g, the smallest value a logarithmic axis can show", smallest)
	}
	return ""
}

// scale maps values to 0..1 along an axis.
type scale struct {
	lo, hi float64
	log    bool
}

func (s scale) at(v float64) float64 {
	if s.log {
		lo := math.Log(s.lo)
		return (math.Log(v) - lo) / (math.Log(s.hi) - lo)
	}
	return (v - s.lo) / (s.hi - s.lo)
}

// contains reports whether a value is on the axis, the ends included.
func (s scale) contains(v float64) bool { return v >= s.lo && v <= s.hi }

// extent gathers the range of data.
type extent struct{ lo, hi float64 }

func noExtent() extent { return extent{math.Inf(1), math.Inf(-1)} }

// add takes a value into the extent; NaN, which is no data, has no place.
func (e *extent) add(v float64) {
	if v < e.lo {
		e.lo = v
	}
	if v > e.hi {
		e.hi = v
	}
}

// ends fixes the range of the axis from that of the data.
func (a Axis) ends(data extent) scale {
	lo, hi := data.lo, data.hi
	if lo > hi { // no data
		lo, hi = 0, 1
		if a.Log {
			lo, hi = 1, 100
		}
	}
	if a.Min != nil {
		lo = *a.Min
	}
	if a.Max != nil {
		hi = *a.Max
	}
	if a.Log {
		// An axis shows at least a factor of two.
		if hi < lo*2 {
			switch {
			case a.Min != nil && a.Max != nil:
				if hi < lo*(1+1e-7) {
					hi = lo * (1 + 1e-7)
				}
			case a.Min != nil:
				hi = lo * 2
			case a.Max != nil:
				lo = hi / 2
			default:
				mid := math.Sqrt(lo) * math.Sqrt(hi)
				lo, hi = mid/2, mid*2
			}
		}
		return scale{lo: lo, hi: hi, log: true}
	}
	// A range too narrow for the digits of a tick is widened.
	if least := max(1e-7*max(math.Abs(lo), math.Abs(hi)), smallest); hi-lo < least {
		room := 0.1 * max(math.Abs(lo), math.Abs(hi))
		if room < smallest {
			room = 1
		}
		switch {
		case a.Min != nil && a.Max == nil:
			hi = lo + room
		case a.Max != nil && a.Min == nil:
			lo = hi - room
		case lo >= 0 && lo < smallest:
			hi = lo + room
		default:
			lo, hi = lo-room, hi+room
		}
	}
	return scale{lo: lo, hi: hi}
}

// tick is a mark on an axis; a minor one has no label.
type tick struct {
	value float64
	label string
}

// plan is an axis ready to be drawn.
type plan struct {
	scale
	ticks []tick
	label string
	// write writes any value of the axis in its prefix, with three digits.
	write func(v float64) string
}

// layout says how much room labels have along an axis.
type layout struct {
	length float64              // of the axis
	along  func(string) float64 // length of a label along it
	gap    float64              // wanted between two labels
	most   int                  // labels
}

func horizontally(length float64) layout {
	return layout{length, face{size: tickSize}.width, 12, 10}
}

func vertically(length float64) layout {
	return layout{length, func(string) float64 { return tickSize }, 7, 8}
}

// fit reports whether all labels have their room.
func (l layout) fit(s scale, ticks []tick) bool {
	n, end := 0, math.Inf(-1)
	for _, t := range ticks {
		if t.label == "" {
			continue
		}
		at, half := s.at(t.value)*l.length, l.along(t.label)/2
		if at-half < end+l.gap {
			return false
		}
		n, end = n+1, at+half
	}
	return n <= l.most
}

// thin takes away the labels that would touch the one before.
func (l layout) thin(s scale, ticks []tick) []tick {
	end := math.Inf(-1)
	for i, t := range ticks {
		if t.label == "" {
			continue
		}
		at, half := s.at(t.value)*l.length, l.along(t.label)/2
		if at-half < end+2 {
			ticks[i].label = ""
			continue
		}
		end = at + half
	}
	return ticks
}

// enough is the least number of labelled ticks of an axis.
const enough = 4

// choose returns the finest of the candidates whose labels fit; the coarsest
// that has enough ticks, thinned out, if none does.
func (l layout) choose(s scale, candidates func(yield func([]tick) bool)) []tick {
	var last []tick
	for ticks := range candidates {
		n := 0
		for _, t := range ticks {
			if t.label != "" {
				n++
			}
		}
		if n < enough {
			continue
		}
		last = ticks
		if l.fit(s, ticks) {
			return ticks
		}
	}
	return l.thin(s, last)
}

// plan chooses ticks for the axis. With round, the ends that are not fixed
// move outwards to a tick.
func (a Axis) plan(data extent, l layout, round bool) plan {
	if a.Names != nil {
		return a.planNames(l)
	}
	s := a.ends(data)
	if s.log {
		return a.planLog(s, l, round)
	}
	p := plan{scale: s, label: clean(a.Label)}
	size := max(math.Abs(s.lo), math.Abs(s.hi))
	pre := a.Unit.prefix(size, false)
	if a.Unit == Count && size < 1e9 && s.hi-s.lo < 1e-3*pre.factor {
		pre = countPrefixes[0] // 1000000.2 rather than 1.0000002 M
	}
	p.write = func(v float64) string { return pre.with(threeDigits(v / pre.factor)) }
	suffix := prefix{}
	if pre.eachTick() {
		suffix = pre
	}
	label := func(v float64, decimals int) string { return suffix.with(fixed(v, decimals)) }
	p.ticks = nil
	if round {
		// The ends move to a multiple of the step, and with them the labels
		// must still fit.
		for st := range steps(s, pre.factor) {
			wider := s
			if a.Min == nil {
				wider.lo = math.Floor(s.lo/st.width(pre.factor)+1e-6) * st.width(pre.factor)
			}
			if a.Max == nil {
				wider.hi = math.Ceil(s.hi/st.width(pre.factor)-1e-6) * st.width(pre.factor)
			}
			ticks := st.ticks(wider, pre.factor, label)
			if len(ticks) >= enough && l.fit(wider, ticks) {
				p.scale, p.ticks = wider, ticks
				break
			}
		}
	}
	if p.ticks == nil {
		p.ticks = l.choose(s, linear(s, pre.factor, label))
	}
	if !pre.eachTick() && pre.symbol != "" {
		switch p.label {
		case "":
			p.label = pre.symbol
		default:
			p.label += " (" + pre.symbol + ")"
		}
	}
	return p
}

// planNames gives each category its name, as far as they have room.
func (a Axis) planNames(l layout) plan {
	p := plan{scale: scale{lo: -0.5, hi: float64(len(a.Names)) - 0.5}, label: clean(a.Label)}
	room := l.length/float64(len(a.Names)) - 4
	for i, name := range a.Names {
		name = clean(name)
		if l.along(name) > room {
			name = face{size: tickSize}.elide(name, max(room, 3*tickSize))
		}
		p.ticks = append(p.ticks, tick{float64(i), name})
	}
	p.ticks = l.thin(p.scale, p.ticks)
	p.write = func(v float64) string { return a.Names[min(max(int(math.Round(v)), 0), len(a.Names)-1)] }
	return p
}

// planX plans an x axis below the frame, and narrows the frame where a label
// at its end would reach into the margin.
func (c *canvas) planX(a Axis, f *frame, data extent) plan {
	p := a.plan(data, horizontally(f.x1-f.x0), false)
	for range 2 {
		left, right := margin-2, c.width-margin+2
		for _, t := range p.ticks {
			at, half := f.x(min(max(p.at(t.value), 0), 1)), face{size: tickSize}.width(t.label)/2
			left, right = min(left, at-half), max(right, at+half)
		}
		if left == margin-2 && right == c.width-margin+2 {
			break
		}
		f.x0 += margin - 2 - left
		f.x1 -= right - (c.width - margin + 2)
		p = a.plan(data, horizontally(f.x1-f.x0), false)
	}
	return p
}

// step is the distance between two ticks: m, which is 1, 2 or 5, times 10^e.
type step struct {
	m float64
	e int
}

// times is k steps, rounded once.
func (st step) times(k float64) float64 { return decade(k*st.m, st.e) }

// width is the step in the unit of the axis.
func (st step) width(factor float64) float64 { return st.times(1) * factor }

// ticks marks the multiples of the step on the axis; the ends count even if
// they are multiples but for rounding.
func (st step) ticks(s scale, factor float64, label func(value float64, decimals int) string) []tick {
	first := math.Ceil(s.lo/factor/st.times(1) - 1e-6)
	last := math.Floor(s.hi/factor/st.times(1) + 1e-6)
	var ticks []tick
	for k := first; k <= last; k++ {
		ticks = append(ticks, tick{st.times(k) * factor, label(st.times(k), max(-st.e, 0))})
	}
	return ticks
}

// steps yields the steps of a linear axis that divide it into at most twelve
// parts, from fine to coarse.
func steps(s scale, factor float64) func(func(step) bool) {
	return func(yield func(step) bool) {
		span := (s.hi - s.lo) / factor
		exponent := int(math.Floor(math.Log10(span)))
		for e := exponent - 2; e <= exponent; e++ {
			for _, m := range []float64{1, 2, 5} {
				st := step{m, e}
				if width := st.times(1); width == 0 || span/width > 12 {
					continue
				}
				if !yield(st) {
					return
				}
			}
		}
	}
}

// linear yields the ticks of each of the steps.
func linear(s scale, factor float64, label func(value float64, decimals int) string) func(func([]tick) bool) {
	return func(yield func([]tick) bool) {
		for st := range steps(s, factor) {
			if !yield(st.ticks(s, factor, label)) {
				return
			}
		}
	}
}

// percent is the axis of a whole, 0 to 100 %, with as many ticks as its height
// has room for; both ends always have one.
func percent(height float64) plan {
	p := plan{scale: scale{lo: 0, hi: 1}}
	n := 5
	switch {
	case height < 2*(tickSize+2):
		n = 1
	case height < 5*(tickSize+2):
		n = 2
	}
	for i := range n + 1 {
		at := float64(i) / float64(n)
		p.ticks = append(p.ticks, tick{at, fixed(100*at, 0) + " %"})
	}
	return p
}

// planLog chooses the ticks of a logarithmic axis, each with its own prefix.
func (a Axis) planLog(s scale, l layout, round bool) plan {
	if round {
		lo, hi := outwards(s.lo, a.Unit == Bytes, math.Floor), outwards(s.hi, a.Unit == Bytes, math.Ceil)
		if a.Min == nil {
			s.lo = lo
		}
		if a.Max == nil {
			s.hi = hi
		}
	}
	p := plan{scale: s, label: clean(a.Label), write: func(v float64) string { return a.Unit.short(v, true) }}
	if a.At != nil {
		for _, v := range a.At {
			if s.contains(v) {
				p.ticks = append(p.ticks, tick{v, a.Unit.exactly(v)})
			}
		}
		p.ticks = l.thin(s, p.ticks)
		return p
	}
	candidates := a.decades
	switch {
	case a.Unit == Bytes:
		candidates = a.octaves
	case a.Unit == Seconds && s.hi > 120:
		candidates = a.clock
	}
	p.ticks = l.choose(s, func(yield func([]tick) bool) {
		for _, ticks := range candidates(s) {
			if !yield(ticks) {
				return
			}
		}
	})
	if p.ticks == nil { // less than about a decade: the steps of a linear axis
		p.ticks = l.choose(s, linear(s, a.Unit.prefix(s.hi, true).factor, func(v float64, d int) string {
			pre := a.Unit.prefix(s.hi, true)
			return pre.with(fixed(v, d))
		}))
	}
	return p
}

// outwards rounds the end of a logarithmic axis to 1, 2, 5 times a power of
// ten or to a power of two.
func outwards(v float64, binary bool, round func(float64) float64) float64 {
	if binary {
		e := math.Log2(v)
		return math.Exp2(round(e + math.Copysign(1e-9, 0.5-round(0.5))))
	}
	up := round(0.5) == 1
	e := int(math.Floor(math.Log10(v)))
	best := v
	for _, k := range []int{e - 1, e, e + 1} {
		for _, m := range []float64{1, 2, 5} {
			t := decade(m, k)
			if up && t >= v*(1-1e-9) {
				return t
			}
			if !up && t <= v*(1+1e-9) {
				best = t
			}
		}
	}
	return best
}

// decade is m·10^e, exactly rounded for the exponents in use.
func decade(m float64, e int) float64 {
	if e < 0 {
		return m / math.Pow10(-e)
	}
	return m * math.Pow10(e)
}

// decades returns ticks at 1-2-5, then at every power of ten, then at every
// second, third, fifth, ... one.
func (a Axis) decades(s scale) [][]tick {
	first, last := int(math.Floor(math.Log10(s.lo))), int(math.Ceil(math.Log10(s.hi)))
	on := func(v float64) bool { return v >= s.lo*(1-1e-9) && v <= s.hi*(1+1e-9) }
	var all [][]tick
	if last-first <= 6 {
		var ticks []tick
		for e := first; e <= last; e++ {
			for m := 1.0; m < 10; m++ {
				if v := decade(m, e); on(v) {
					t := tick{value: v}
					if m == 1 || m == 2 || m == 5 {
						t.label = a.Unit.short(v, true)
					}
					ticks = append(ticks, t)
				}
			}
		}
		all = append(all, ticks)
	}
	for _, stride := range []int{1, 2, 3, 5, 10, 20, 30, 50, 100} {
		var ticks []tick
		for e := first; e <= last; e++ {
			if v := decade(1, e); on(v) {
				t := tick{value: v}
				if e%stride == 0 {
					t.label = a.Unit.short(v, true)
				}
				ticks = append(ticks, t)
			}
			for m := 2.0; m < 10 && stride == 1 && last-first <= 8; m++ {
				if v := decade(m, e); on(v) {
					ticks = append(ticks, tick{value: v})
				}
			}
		}
		all = append(all, ticks)
	}
	return all
}

// clock returns ticks of times that reach beyond minutes: at round parts of the units that a
// clock has, then at fewer, then at the units and their tens, then as decades does.
func (a Axis) clock(s scale) [][]tick {
	const minute, hour, day = 60.0, 3600.0, 86400.0
	var all [][]tick
	for _, parts := range []struct{ seconds, hours, others []float64 }{ // of a second or minute, of an hour, of all else
		{[]float64{1, 2, 3, 5, 10, 15, 20, 30, 45}, []float64{1, 2, 3, 4, 6, 8, 12}, []float64{1, 2, 3, 5}},
		{[]float64{1, 2, 5, 10, 20}, []float64{1, 2, 5, 10}, []float64{1, 2, 5}},
		{[]float64{1, 10}, []float64{1, 10}, []float64{1}},
		{[]float64{1}, []float64{1}, []float64{1}},
	} {
		var places []float64
		add := func(unit float64, parts []float64) {
			for _, p := range parts {
				places = append(places, p*unit)
			}
		}
		for e := -12; e < 0; e++ {
			add(decade(1, e), parts.others)
		}
		add(1, parts.seconds)
		add(minute, parts.seconds)
		add(hour, parts.hours)
		for unit := day; unit <= 1e6*day; unit *= 10 {
			add(unit, parts.others)
		}
		var ticks []tick
		for _, v := range places {
			if v >= s.lo*(1-1e-9) && v <= s.hi*(1+1e-9) {
				ticks = append(ticks, tick{v, clockTime(v)})
			}
		}
		all = append(all, ticks)
	}
	return append(all, a.decades(s)...)
}

// clockTime writes a time in the largest unit that it has one of.
func clockTime(v float64) string {
	for _, u := range []struct {
		seconds float64
		name    string
	}{{86400, "d"}, {3600, "h"}, {60, "min"}} {
		if v >= u.seconds {
			return threeDigits(v/u.seconds) + " " + u.name
		}
	}
	return Seconds.short(v, true)
}

// octaves returns ticks at every power of two, every second, fifth, ... one;
// 32 KiB and 1 MiB are five apart.
func (a Axis) octaves(s scale) [][]tick {
	first, last := int(math.Ceil(math.Log2(s.lo)-1e-9)), int(math.Floor(math.Log2(s.hi)+1e-9))
	var all [][]tick
	for _, stride := range []int{1, 2, 5, 10, 20, 50, 100, 200} {
		var ticks []tick
		for e := first; e <= last; e++ {
			t := tick{value: math.Exp2(float64(e))}
			switch {
			case e%stride == 0:
				t.label = a.Unit.short(t.value, true)
			case last-first > 40:
				continue
			}
			ticks = append(ticks, t)
		}
		all = append(all, ticks)
	}
	return all
}

// frame is the rectangle of the data.
type frame struct{ x0, y0, x1, y1 float64 }

func (f frame) x(at float64) float64 { return f.x0 + at*(f.x1-f.x0) }
func (f frame) y(at float64) float64 { return f.y0 + at*(f.y1-f.y0) }

// bottom is what the x axis takes below the frame, the margin included.
func (a Axis) bottom() float64 {
	h := margin + tickMark + 3 + tickSize*0.8
	if clean(a.Label) != "" || (a.Unit != Count && a.Unit != Ratio && !a.Log) {
		h += 7 + labelSize*0.8
	}
	return h
}

// drawX draws the x axis below the frame and, if asked, its grid.
func (c *canvas) drawX(f frame, p plan) {
	small := face{size: tickSize}
	for _, t := range p.ticks {
		x := f.x(min(max(p.at(t.value), 0), 1))
		mark := tickMark
		if t.label == "" {
			mark *= 0.6
		}
		c.rule(pen{color: axisInk, width: 0.6}, x, f.y0, x, f.y0-mark)
		c.text(small, axisInk, x, f.y0-tickMark-3-tickSize*0.72, centred, t.label)
	}
	c.rule(pen{color: axisInk, width: 0.8}, f.x0, f.y0, f.x1, f.y0)
	name := face{size: labelSize}
	label := name.cut(p.label, c.width-2*margin)
	half := name.width(label) / 2
	c.text(name, ink, min(max((f.x0+f.x1)/2, margin+half), c.width-margin-half), margin+1, centred, label)
}

// left is what the y axis takes to the left of the frame, the margin included.
func (p plan) left() float64 {
	w := margin + tickMark + 3 + p.widest()
	if p.label != "" {
		w += labelSize + 7
	}
	return w
}

func (p plan) widest() float64 {
	w := 0.0
	for _, t := range p.ticks {
		w = max(w, face{size: tickSize}.width(t.label))
	}
	return w
}

// drawY draws the y axis at the left of the frame.
func (c *canvas) drawY(f frame, p plan) {
	small := face{size: tickSize}
	for _, t := range p.ticks {
		y := f.y(min(max(p.at(t.value), 0), 1))
		mark := tickMark
		if t.label == "" {
			mark *= 0.6
		}
		c.rule(pen{color: axisInk, width: 0.6}, f.x0-mark, y, f.x0, y)
		c.textAt(small, axisInk, f.x0-tickMark-3, y, fromRight, t.label)
	}
	c.rule(pen{color: axisInk, width: 0.8}, f.x0, f.y0, f.x0, f.y1)
	name := face{size: labelSize}
	c.textUp(name, ink, margin+labelSize/2, (f.y0+f.y1)/2, name.cut(p.label, f.y1-f.y0+margin))
}

// grid draws a line at every labelled tick of either axis.
func (c *canvas) grid(f frame, x, y plan) {
	p := pen{color: grid, width: 0.5}
	for _, t := range x.ticks {
		if t.label != "" {
			at := f.x(min(max(x.at(t.value), 0), 1))
			c.rule(p, at, f.y0, at, f.y1)
		}
	}
	for _, t := range y.ticks {
		if t.label != "" {
			at := f.y(min(max(y.at(t.value), 0), 1))
			c.rule(p, f.x0, at, f.x1, at)
		}
	}
}
