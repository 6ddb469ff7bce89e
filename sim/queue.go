package sim

import "math/bits"

// event is what the queue holds: when, whose, and what for. It has no pointers,
// so the garbage collector does not look into the queue.
//
// A plain event (generation 0) belongs to actor id and carries arg. A timer's
// event belongs to timer id and is stale unless its generation is the timer's.
type event struct {
	at         Time
	arg        uint64
	id         uint32
	generation uint32
}

const (
	digitBits  = 7
	digits     = 1 << digitBits                   // buckets of one level
	digitMask  = digits - 1                       // the digit of a time at its level
	levels     = (63 + digitBits - 1) / digitBits // levels for a 63-bit time
	inlineSize = 4                                // events in a bucket itself
	blockSize  = 127                              // events of one block
	unlimited  = Never - 1                        // the limit of a pop that has none
	noBlock    = int32(-1)                        // end of a chain of blocks
)

// queue is a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for
// the shortest path problem", J. ACM 37, 1990) with 128-way digits: a monotone
// priority queue, whose push never lies before the last pop.
//
// An event at time t lies at the level of the highest 7-bit digit in which t
// differs from base, in the bucket of t's digit there. All events of a level-0
// bucket are at one instant. A pop takes from the first non-empty bucket of the
// lowest non-empty level; from a higher level it first moves base into that
// bucket, to its least time or, of many events, its beginning, and spreads the
// bucket over the levels below. An event
// moves at most once a level, so push and pop cost O(log128 of the time span)
// and mostly touch lines that are in cache.
//
// Events at one instant leave in the order in which they came: at any base they
// share a bucket, and buckets are spread front to back.
//
// A bucket keeps its first events in itself and further ones in a chain of
// blocks from one arena, so the memory is that of the events pending at the
// most, plus a block a bucket.
type queue struct {
	base   Time // the time of the last pop
	length int

	busy    uint64                      // levels that hold events
	masks   [levels][digits / 64]uint64 // buckets of each level that hold events
	buckets [levels * digits]bucket

	blocks []block
	free   int32 // first free block
}

// bucket is a queue of events: inline[inlinePos:inlineLen], then the chain of
// blocks, read from headPos in the first and filled to tailLen in the last.
type bucket struct {
	inline               [inlineSize]event
	head, tail           int32
	headPos, tailLen     int16
	inlinePos, inlineLen int16
}

type block struct {
	events [blockSize]event
	next   int32
}

var emptyBucket = bucket{head: noBlock, tail: noBlock}

func newQueue() *queue {
	q := &queue{free: noBlock}
	for i := range q.buckets {
		q.buckets[i] = emptyBucket
	}
	return q
}

// place gives the level and bucket of time t under the present base.
func (q *queue) place(t Time) (level, index uint) {
	level = uint(63-bits.LeadingZeros64(uint64(t^q.base)|1)) / digitBits
	return level, level*digits + uint(t>>(level*digitBits))&digitMask
}

// push adds an event. Its time must not lie before base.
func (q *queue) push(e *event) {
	q.length++
	q.put(e)
}

func (q *queue) put(e *event) {
	level, index := q.place(e.at)
	b := &q.buckets[index]
	if b.inlineLen < inlineSize && b.head == noBlock {
		b.inline[b.inlineLen] = *e
		b.inlineLen++
		q.busy |= 1 << level
		q.masks[level][index%digits/64] |= 1 << (index % 64)
		return
	}
	if b.tail == noBlock || b.tailLen == blockSize {
		q.grow(b)
	}
	q.blocks[b.tail].events[b.tailLen] = *e
	b.tailLen++
}

// grow adds a block to the end of a bucket.
func (q *queue) grow(b *bucket) {
	n := q.free
	if n != noBlock {
		q.free = q.blocks[n].next
		q.blocks[n].next = noBlock
	} else {
		q.blocks = append(q.blocks, block{next: noBlock})
		n = int32(len(q.blocks) - 1)
	}
	if b.tail == noBlock {
		b.head, b.headPos = n, 0
	} else {
		q.blocks[b.tail].next = n
	}
	b.tail, b.tailLen = n, 0
}

// release frees a block and gives the one behind it.
func (q *queue) release(n int32) (next int32) {
	next = q.blocks[n].next
	q.blocks[n].next = q.free
	q.free = n
	return next
}

// chunk gives the events of block n, the first of which is at pos.
func (q *queue) chunk(b *bucket, n int32, pos int16) []event {
	end := int16(blockSize)
	if n == b.tail {
		end = b.tailLen
	}
	return q.blocks[n].events[pos:end]
}

// first finds the bucket that holds the earliest events. The queue must not be
// empty.
func (q *queue) first() (level, index uint) {
	level = uint(bits.TrailingZeros64(q.busy))
	m := &q.masks[level]
	if m[0] != 0 {
		return level, level*digits + uint(bits.TrailingZeros64(m[0]))
	}
	return level, level*digits + 64 + uint(bits.TrailingZeros64(m[1]))
}

// begin is the earliest time that a bucket is for.
func (q *queue) begin(level, index uint) Time {
	return (q.base>>(level*digitBits)&^digitMask | Time(index&digitMask)) << (level * digitBits)
}

// least is the earliest time in a bucket.
func (q *queue) least(b *bucket) Time {
	least := Never
	for i := b.inlinePos; i < b.inlineLen; i++ {
		least = min(least, b.inline[i].at)
	}
	pos := b.headPos
	for n := b.head; n != noBlock; n = q.blocks[n].next {
		for i := range q.chunk(b, n, pos) {
			least = min(least, q.blocks[n].events[int(pos)+i].at)
		}
		pos = 0
	}
	return least
}

// pop removes the earliest event if it lies at or before limit, and makes its
// time the base. ok is false, and the queue unchanged, if there is none.
func (q *queue) pop(e *event, limit Time) (ok bool) {
	if q.length == 0 {
		return false
	}
	level, index := q.first()
	b := &q.buckets[index]
	for b.head != noBlock && level > 1 && limit == unlimited {
		// Many events: spread them as they are, from the bucket's beginning on.
		// Nothing can be pushed before that, since one of them is popped.
		q.base = q.begin(level, index)
		q.spread(level, index, Never, e)
		level, index = q.first()
		b = &q.buckets[index]
	}
	if level > 0 && (b.head != noBlock || b.inlineLen-b.inlinePos > 1) {
		if q.begin(level, index) > limit { // do not look at what may be many
			return false
		}
		least := q.least(b)
		if least > limit {
			return false
		}
		q.base = least
		q.spread(level, index, least, e)
		q.length--
		return true
	}
	// All events of b are at one instant, or b holds one event.
	if b.inlinePos < b.inlineLen {
		next := &b.inline[b.inlinePos]
		if next.at > limit {
			return false
		}
		*e = *next
		b.inlinePos++
	} else {
		next := &q.blocks[b.head].events[b.headPos]
		if next.at > limit {
			return false
		}
		*e = *next
		b.headPos++
		if b.head == b.tail {
			if b.headPos == b.tailLen {
				q.release(b.head)
				b.head, b.tail = noBlock, noBlock
			}
		} else if b.headPos == blockSize {
			b.head, b.headPos = q.release(b.head), 0
		}
	}
	if b.inlinePos == b.inlineLen && b.head == noBlock {
		b.inlinePos, b.inlineLen = 0, 0
		q.clear(level, index)
	}
	q.base = e.at
	q.length--
	return true
}

// discard takes out what is stale, and leaves the rest in its order. O(events and buckets)
func (q *queue) discard(stale func(*event) bool) {
	keep := func(e *event) {
		if stale(e) {
			q.length--
		} else {
			q.put(e)
		}
	}
	for index := range uint(len(q.buckets)) {
		b := q.buckets[index]
		if b.inlinePos == b.inlineLen && b.head == noBlock {
			continue
		}
		q.buckets[index] = emptyBucket
		q.clear(index/digits, index)
		for i := b.inlinePos; i < b.inlineLen; i++ {
			keep(&b.inline[i])
		}
		pos := b.headPos
		for n := b.head; n != noBlock; n = q.release(n) {
			for i := range q.chunk(&b, n, pos) {
				keep(&q.blocks[n].events[int(pos)+i])
			}
			pos = 0
		}
	}
}

// clear notes that a bucket holds nothing any more.
func (q *queue) clear(level, index uint) {
	m := &q.masks[level]
	m[index%digits/64] &^= 1 << (index % 64)
	if m[0]|m[1] == 0 {
		q.busy &^= 1 << level
	}
}

// spread moves the events of a bucket to lower levels, after base has moved into
// it. The first event at the time least, if any, is taken out instead.
func (q *queue) spread(level, index uint, least Time, first *event) {
	b := &q.buckets[index]
	q.clear(level, index)
	taken := false
	// Nothing spread lands in b again: its digit at this level is now base's.
	for i := b.inlinePos; i < b.inlineLen; i++ {
		e := &b.inline[i]
		if !taken && e.at == least {
			*first, taken = *e, true
			continue
		}
		q.put(e)
	}
	b.inlinePos, b.inlineLen = 0, 0
	pos := b.headPos
	for n := b.head; n != noBlock; {
		for i := range q.chunk(b, n, pos) {
			e := &q.blocks[n].events[int(pos)+i] // stays as it is if put moves the arena
			if !taken && e.at == least {
				*first, taken = *e, true
				continue
			}
			q.put(e)
		}
		pos = 0
		n = q.release(n)
	}
	b.head, b.tail = noBlock, noBlock
}
