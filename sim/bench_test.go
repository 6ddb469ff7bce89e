package sim

import (
	"container/heap"
	"context"
	"fmt"
	"testing"
)

// The hold model (Jones, "An empirical comparison of priority-queue and
// event-set implementations", CACM 29, 1986): a constant number of events is
// pending, and each that is handled schedules its successor after an
// exponential delay of 1 ms in the mean. The draws are made beforehand, so
// that both benchmarks measure the queue.

var holdSizes = []int{1000, 100_000, 1_000_000}

func exponentialDelays() []Time {
	r := Stream(1, "hold")
	delays := make([]Time, 1<<16)
	for i := range delays {
		delays[i] = FromSeconds(r.ExpFloat64() * 1e-3)
	}
	return delays
}

type holder struct {
	e      *Engine
	self   Actor
	delays []Time
	next   uint16
}

func (h *holder) Handle(now Time, arg uint64) {
	h.next++
	h.e.Schedule(now+h.delays[h.next], h.self, arg)
}

func BenchmarkHold(b *testing.B) {
	delays := exponentialDelays()
	for _, n := range holdSizes {
		b.Run(fmt.Sprintf("pending=%d", n), func(b *testing.B) {
			e := New()
			h := &holder{e: e, delays: delays}
			h.self = e.Register(h)
			for i := range n {
				h.next++
				e.Schedule(delays[h.next], h.self, uint64(i))
			}
			run := func(events uint64) {
				e.MaxEvents = e.Handled() + events
				if err := e.Run(context.Background()); err != ErrEventLimit {
					b.Fatal(err)
				}
			}
			run(uint64(4 * n)) // to the steady state
			b.ReportAllocs()
			b.ResetTimer()
			run(uint64(b.N))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// heapEvent and heapOfEvents are the textbook queue to compare with.
type heapEvent struct {
	time     int64
	seq      uint64
	argument uint64
}

type heapOfEvents []*heapEvent

func (h heapOfEvents) Len() int { return len(h) }
func (h heapOfEvents) Less(i, j int) bool {
	if h[i].time != h[j].time {
		return h[i].time < h[j].time
	}
	return h[i].seq < h[j].seq
}
func (h heapOfEvents) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *heapOfEvents) Push(x any)   { *h = append(*h, x.(*heapEvent)) }
func (h *heapOfEvents) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}

func BenchmarkHoldContainerHeap(b *testing.B) {
	delays := exponentialDelays()
	for _, n := range holdSizes {
		b.Run(fmt.Sprintf("pending=%d", n), func(b *testing.B) {
			var h heapOfEvents
			var next uint16
			var seq uint64
			schedule := func(at Time, argument uint64) {
				seq++
				heap.Push(&h, &heapEvent{int64(at), seq, argument})
			}
			hold := func(events int) {
				for range events {
					e := heap.Pop(&h).(*heapEvent)
					next++
					schedule(Time(e.time)+delays[next], e.argument)
				}
			}
			for i := range n {
				next++
				schedule(delays[next], uint64(i))
			}
			hold(4 * n)
			b.ReportAllocs()
			b.ResetTimer()
			hold(b.N)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
