package scheduler

import "slices"

// rank is the place of a job in the order of a policy: a number of 128 bits, the
// least first, and the order of arrival among equals.
type rank struct {
	hi, lo uint64
	seq    int32
}

func (a *rank) less(b *rank) bool {
	if a.hi != b.hi {
		return a.hi < b.hi
	}
	if a.lo != b.lo {
		return a.lo < b.lo
	}
	return a.seq < b.seq
}

// entry is a job that waits.
type entry struct {
	rank
	job int32
}

// waiting holds jobs by the size of their gang, a heap by rank for each size:
// gangs come in few sizes, and of those of one size only the first can be next.
type waiting struct {
	sizes []int32
	heaps [][]entry // of each size, the least first
	count int
}

// none is the class of a job that there is not.
const none = -1

// push adds a job. O(log n) and a search among the sizes.
func (w *waiting) push(size int32, e entry) {
	c, found := slices.BinarySearch(w.sizes, size)
	if !found {
		w.sizes = slices.Insert(w.sizes, c, size)
		w.heaps = slices.Insert(w.heaps, c, nil)
	}
	h := append(w.heaps[c], e)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.less(&h[up].rank) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
	w.heaps[c] = h
	w.count++
}

// best is the class, that is the index of the size, of the least job whose gang is
// at most so large, none if there is none.
func (w *waiting) best(most int32) int {
	best := none
	for c, size := range w.sizes {
		if size > most {
			break
		}
		if h := w.heaps[c]; len(h) > 0 && (best == none || h[0].less(&w.heaps[best][0].rank)) {
			best = c
		}
	}
	return best
}

// first is the least job of a class, whose gang has so many accelerators.
func (w *waiting) first(class int) (e *entry, size int32) { return &w.heaps[class][0], w.sizes[class] }

// pop takes out the first job of a class.
func (w *waiting) pop(class int) entry {
	h := w.heaps[class]
	first := h[0]
	n := len(h) - 1
	e := h[n]
	h = h[:n]
	w.heaps[class] = h
	w.count--
	i := 0
	for {
		down := 2*i + 1
		if down >= n {
			break
		}
		if down+1 < n && h[down+1].less(&h[down].rank) {
			down++
		}
		if !h[down].less(&e.rank) {
			break
		}
		h[i] = h[down]
		i = down
	}
	if n > 0 {
		h[i] = e
	}
	return first
}
