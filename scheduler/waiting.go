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

// waiting holds jobs by the size of their gang: gangs come in few sizes, and of
// those of one size only the first can be next.
type waiting struct {
	sizes []int32
	lines []line // of each size
	count int
	total int64  // accelerators of all gangs
	drift *drift // if ranks change while jobs wait; then a line has only the first
}

// drift is where the jobs of each class are of which another is the first.
type drift struct {
	behind []kinetic
	queue  *Queue
	moves  func(r *record) mover
	rank   func(q *Queue, r *record) rank
}

// put has a job wait behind the first.
func (d *drift) put(class int, job int32) {
	r := &d.queue.jobs[job]
	m := d.moves(r)
	m.job, m.seq = job, r.seq
	d.behind[class].push(m, d.queue.now)
}

// take is the next first.
func (d *drift) take(class int) entry {
	job := d.behind[class].pop(d.queue.now).job
	return entry{d.rank(d.queue, &d.queue.jobs[job]), job}
}

// none is the class of a job that there is not.
const none = -1

// push adds a job. O(log n) and a search among the sizes.
func (w *waiting) push(size int32, e entry) {
	c, found := slices.BinarySearch(w.sizes, size)
	if !found {
		w.sizes = slices.Insert(w.sizes, c, size)
		w.lines = slices.Insert(w.lines, c, line{})
		if w.drift != nil {
			w.drift.behind = slices.Insert(w.drift.behind, c, nil)
		}
	}
	if w.drift == nil {
		w.lines[c].push(e)
	} else {
		w.drift.put(c, e.job)
		w.refill(c)
	}
	w.count++
	w.total += int64(size)
}

// rerank ranks the first job of each class anew. O(log n) of each class, and of each
// change of places.
func (w *waiting) rerank() {
	for c := range w.lines {
		if l := &w.lines[c]; !l.empty() {
			w.drift.put(c, l.pop().job)
			w.refill(c)
		}
	}
}

// refill gives a class that drifts its first job, if it has none.
func (w *waiting) refill(class int) {
	if l := &w.lines[class]; l.empty() && len(w.drift.behind[class]) > 0 {
		l.push(w.drift.take(class))
	}
}

// best is the class, that is the index of the size, of the least job whose gang is
// at most so large, none if there is none.
func (w *waiting) best(most int32) int {
	best := none
	for c, size := range w.sizes {
		if size > most {
			break
		}
		if l := &w.lines[c]; !l.empty() && (best == none || l.first().less(&w.lines[best].first().rank)) {
			best = c
		}
	}
	return best
}

// first is the least job of a class.
func (w *waiting) first(class int) *entry { return w.lines[class].first() }

// pop takes out the first job of a class.
func (w *waiting) pop(class int) entry {
	w.count--
	w.total -= int64(w.sizes[class])
	e := w.lines[class].pop()
	if w.drift != nil {
		w.refill(class)
	}
	return e
}

// line is jobs of one size, the least of which can be taken. While jobs come in
// the order of their ranks it is a queue, from then on a heap until it is empty: a
// sorted list is a heap.
type line struct {
	all  []entry
	head int // of the queue; 0 in a heap
	heap bool
}

func (l *line) empty() bool { return l.head == len(l.all) }

func (l *line) first() *entry { return &l.all[l.head] }

func (l *line) push(e entry) {
	n := len(l.all)
	if !l.heap && n > l.head && e.less(&l.all[n-1].rank) {
		l.all, l.head, l.heap = l.all[:copy(l.all, l.all[l.head:])], 0, true
	}
	if !l.heap && l.head > n/2 { // what has left is more than what is there
		l.all, l.head = l.all[:copy(l.all, l.all[l.head:])], 0
	}
	l.all = append(l.all, e)
	if l.heap {
		l.up(len(l.all) - 1)
	}
}

// up moves entry i towards the root to its place.
func (l *line) up(i int) {
	e := l.all[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !e.less(&l.all[parent].rank) {
			break
		}
		l.all[i] = l.all[parent]
		i = parent
	}
	l.all[i] = e
}

func (l *line) pop() entry {
	first := *l.first()
	n := len(l.all) - 1
	switch {
	case n == l.head:
		*l = line{all: l.all[:0]}
	case !l.heap:
		l.head++
	default:
		last := l.all[n]
		l.all = l.all[:n]
		l.down(last)
	}
	return first
}

// down puts an entry at the root and moves it to its place.
func (l *line) down(e entry) {
	i := 0
	for {
		child := 2*i + 1
		if child >= len(l.all) {
			break
		}
		if child+1 < len(l.all) && l.all[child+1].less(&l.all[child].rank) {
			child++
		}
		if !l.all[child].less(&e.rank) {
			break
		}
		l.all[i] = l.all[child]
		i = child
	}
	l.all[i] = e
}
