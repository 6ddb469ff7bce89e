package scheduler

import (
	"cmp"
	"math"
	"slices"

	"github.com/railyard/railyard/units"
)

// maxClasses is in how many classes of attained service gittins tells jobs apart.
const maxClasses = 64

// gittins is the index policy of Gittins (1979) as Tiresias has it (Gu et al., NSDI
// 2019, section 3.3): durations are unknown, their distribution is. A job that has
// attained a of service without ending has the index
//
//	G(a) = max over d of P(S - a <= d | S > a) / E[min(S - a, d) | S > a]
//
// the best ratio of the chance to end to the service that it costs, and the greatest
// index goes first. The distribution is a sample; the index changes where a job has
// attained the service of one of its quantiles.
//
// Where ends become less likely with age, that is las without limits, where more
// likely first come, first served (Aalto, Ayesta, Righter 2009).
type gittins struct {
	bounds []float64 // accelerator-seconds at which each class begins; the first is 0
	place  []uint64  // of each class in the order of falling index; equal indices have one

	next units.Duration // no running job changes its class before
}

func newGittins(p Policy) *gittins {
	g := &gittins{bounds: []float64{0}, next: Never}
	sample := slices.DeleteFunc(slices.Clone(p.Services), func(s float64) bool { return !(s > 0) || math.IsInf(s, 0) })
	slices.Sort(sample)
	for i := 1; i <= maxClasses && len(sample) > 0; i++ {
		if s := sample[(len(sample)*i-1)/maxClasses]; s > g.bounds[len(g.bounds)-1] {
			g.bounds = append(g.bounds, s)
		}
	}
	g.place = places(indices(sample, g.bounds))
	return g
}

// indices gives G at each bound, in O(bounds^2 + sample). Beyond the whole sample it
// is 0: nothing says that such a job ever ends.
func indices(sample, bounds []float64) []float64 {
	// Of the sample up to each bound: how many, and the sum of their services.
	count, sum := make([]float64, len(bounds)), make([]float64, len(bounds))
	k := 0
	n, total := 0.0, 0.0
	for i, b := range bounds {
		for ; k < len(sample) && sample[k] <= b; k++ {
			n++
			total += sample[k]
		}
		count[i], sum[i] = n, total
	}
	all := float64(len(sample))
	index := make([]float64, len(bounds))
	for a := range bounds {
		for d := a + 1; d < len(bounds); d++ {
			ended := count[d] - count[a]
			cost := sum[d] - sum[a] - ended*bounds[a] + (all-count[d])*(bounds[d]-bounds[a])
			index[a] = max(index[a], ended/cost)
		}
	}
	return index
}

// places numbers values from the greatest down, equal ones alike.
func places(index []float64) []uint64 {
	order := slices.Clone(index)
	slices.SortFunc(order, func(a, b float64) int { return cmp.Compare(b, a) })
	order = slices.Compact(order)
	place := make([]uint64, len(index))
	for i, v := range index {
		at, _ := slices.BinarySearchFunc(order, v, func(x, v float64) int { return cmp.Compare(v, x) })
		place[i] = uint64(at)
	}
	return place
}

// bound is the time for which a job runs until it comes to a class.
func (g *gittins) bound(r *record, class int) units.Duration {
	s := math.Ceil(g.bounds[class] / float64(max(1, r.Accelerators)) * float64(second))
	if s >= float64(Never) {
		return Never
	}
	return units.Duration(s)
}

func (g *gittins) arrive(_ *Queue, r *record) rank { return g.of(r) }

func (g *gittins) of(r *record) rank { return rank{lo: g.place[r.level], seq: r.seq} }

func (g *gittins) begin(q *Queue, h *holder) {
	r := &q.jobs[h.job]
	h.turn = g.turn(r)
	g.next = min(g.next, h.turn)
}

// turn is when a running job comes to its next class.
func (g *gittins) turn(r *record) units.Duration {
	if int(r.level)+1 == len(g.bounds) {
		return Never
	}
	left := g.bound(r, int(r.level)+1) - r.executed
	if left > Never-r.began {
		return Never
	}
	return r.began + left
}

func (g *gittins) rerank(q *Queue, running []holder) uint64 {
	if q.now < g.next {
		return 0
	}
	g.next = Never
	for i := range running {
		h := &running[i]
		for r := &q.jobs[h.job]; h.turn <= q.now; h.turn = g.turn(r) {
			r.level++
			h.rank = g.of(r)
		}
		g.next = min(g.next, h.turn)
	}
	sortHolders(running)
	return 0
}

// A job that begins anew keeps what it has attained: could it win by starting over,
// two jobs might stop each other for ever.
func (g *gittins) stopped(*Queue, []entry) {}

func (g *gittins) settle(*Queue, []holder) {}

func (g *gittins) wake(running []holder) units.Duration {
	if len(running) == 0 {
		g.next = Never
	}
	return g.next
}
