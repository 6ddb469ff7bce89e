package sim

import (
	"encoding/binary"
	"slices"
	"testing"
)

// sortedQueue is the obviously right twin of queue: a slice kept in order of
// time, and among equals in order of arrival.
type sortedQueue []event

func (s *sortedQueue) push(e event) {
	i, _ := slices.BinarySearchFunc(*s, e.at+1, func(x event, t Time) int {
		if x.at < t {
			return -1
		}
		return 1
	})
	*s = slices.Insert(*s, i, e)
}

func (s *sortedQueue) pop(limit Time) (event, bool) {
	if len(*s) == 0 || (*s)[0].at > limit {
		return event{}, false
	}
	e := (*s)[0]
	*s = (*s)[1:]
	return e, true
}

// earliest is the time of the next event, without moving the queue on to it.
func (q *queue) earliest() Time {
	if q.length == 0 {
		return Never
	}
	_, index := q.first()
	return q.least(&q.buckets[index])
}

// FuzzQueue plays a script of pushes, peeks and bounded pops on both queues.
// Three bytes are one step: what to do, and a delay whose bits are spread so
// that ties, neighbours and far jumps all occur.
func FuzzQueue(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x01\x00\x00\x02\x10\x00"))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00"))
	r := Stream(7, "queue script")
	for range 4 {
		script := make([]byte, 3*4000)
		for i := range script {
			script[i] = byte(r.Uint32())
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		q, twin := newQueue(), sortedQueue{}
		var now Time
		var serial uint64
		check := func(limit Time) {
			want, wantOK := twin.pop(limit)
			var got event
			ok := q.pop(&got, limit)
			if ok != wantOK || ok && got != want {
				t.Fatalf("pop(%d): %v %v, want %v %v", limit, got, ok, want, wantOK)
			}
			if ok {
				now = got.at
			}
		}
		for ; len(script) >= 3; script = script[3:] {
			x := Time(binary.LittleEndian.Uint16(script[1:]))
			delay := (x & 0xff) << ((x >> 8) % 48) // 0 to 255 << 47
			switch script[0] % 4 {
			case 0, 1:
				serial++
				e := event{at: now + delay, arg: serial}
				q.push(&e)
				twin.push(e)
			case 2:
				check(unlimited)
			case 3:
				check(now + delay)
			}
			want := Never
			if len(twin) > 0 {
				want = twin[0].at
			}
			if got := q.earliest(); got != want || q.length != len(twin) {
				t.Fatalf("earliest %d of %d events, want %d of %d", got, q.length, want, len(twin))
			}
		}
		for len(twin) > 0 {
			check(Never)
		}
		if q.pop(&event{}, Never) {
			t.Fatal("an event came out that never went in")
		}
	})
}
