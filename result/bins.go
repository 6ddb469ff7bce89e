package result

import (
	"math/bits"
	"slices"

	"github.com/railyard/railyard/sim"
)

// Bins is a quantity over time, kept in a fixed number of equal intervals from
// time 0: its memory does not grow with the run. The width of an interval is a
// power of two of ticks; when time runs past the last, neighbours are merged and
// the width doubles. The zero value keeps nothing yet.
//
// Amounts are rates times ticks, not seconds: those of whole rates, such as counts, are
// whole numbers, and their mean over an interval is exact.
type Bins struct {
	amounts []float64
	shift   uint8 // the width is 1<<shift ticks
	// Most often one amount follows another in the same interval: they are summed up
	// here, beside what is looked at anyway.
	open   int64   // the interval that was added to last
	opened float64 // what amounts lacks of it
}

// Add spreads a rate per second over the time from one instant to another. n
// is how many intervals are kept, the same at every call.
func (b *Bins) Add(from, to sim.Time, rate float64, n int) {
	if to <= from || rate == 0 {
		return
	}
	if b.amounts == nil || (to-1)>>b.shift >= sim.Time(len(b.amounts)) {
		b.reach(to, n)
	}
	first, last := from>>b.shift, (to-1)>>b.shift
	if first == last {
		if int64(first) != b.open {
			b.settle()
			b.open = int64(first)
		}
		b.opened += rate * float64(to-from)
		return
	}
	for i := first; i <= last; i++ {
		begin := i << b.shift
		end := min(to, begin.After(1<<b.shift))
		begin = max(from, begin)
		b.amounts[i] += rate * float64(end-begin)
	}
}

// settle puts what was summed up where it belongs.
func (b *Bins) settle() {
	if b.opened != 0 {
		b.amounts[b.open] += b.opened
		b.opened = 0
	}
}

// reach has the intervals reach an instant.
func (b *Bins) reach(to sim.Time, n int) {
	switch shift := binShift(to, n); {
	case b.amounts == nil:
		b.amounts, b.shift = make([]float64, n), shift
	case shift > b.shift:
		b.widen(shift)
	}
}

// binShift is the least shift with which n intervals reach t.
func binShift(t sim.Time, n int) uint8 {
	return uint8(bits.Len64(uint64(t-1) / uint64(n)))
}

// widen merges intervals until their width is 1<<shift.
func (b *Bins) widen(shift uint8) {
	b.settle()
	by := shift - b.shift
	for i, v := range b.amounts {
		b.amounts[i] = 0
		b.amounts[i>>by] += v // i>>by <= i: already merged or just emptied
	}
	b.shift = shift
}

// Merge adds what others hold, in as many intervals.
func (b *Bins) Merge(others *Bins) {
	b.settle()
	others.settle()
	switch {
	case others.amounts == nil:
		return
	case b.amounts == nil:
		b.amounts, b.shift = slices.Clone(others.amounts), others.shift
		return
	case others.shift > b.shift:
		b.widen(others.shift)
	}
	for i, v := range others.amounts {
		b.amounts[i>>(b.shift-others.shift)] += v
	}
}

// Rates gives the mean rate per second in equal intervals of the given shift,
// which CommonShift gave, that cover the time to end.
func (b *Bins) Rates(shift uint8, end sim.Time) []float64 {
	b.settle()
	width := float64(sim.Time(1) << shift)
	rates := make([]float64, Intervals(shift, end))
	for i, v := range b.amounts {
		if at := i >> (shift - b.shift); at < len(rates) {
			rates[at] += v / width
		}
	}
	return rates
}

// Intervals is how many of the given shift cover the time to end, which may be as late as
// the clock goes.
func Intervals(shift uint8, end sim.Time) int { return int((end-1)>>shift + 1) }

// CommonShift is the least shift at which the rates of all bins can be given up
// to end, for n intervals.
func CommonShift(end sim.Time, n int, all ...*Bins) uint8 {
	shift := binShift(max(end, 1), n)
	for _, b := range all {
		if b.amounts != nil {
			shift = max(shift, b.shift)
		}
	}
	return shift
}
