package timeline

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/railyard/railyard/result"
)

// lane is a part of a track on which no two slices overlap.
type lane struct {
	track  int32
	number int32 // of the track's, from 0
	slices []int32
}

// name is that of the track, with the number of the lane if it is not the first.
func (l *lane) name(t *result.Timeline) string {
	name := t.Tracks[l.track].Name
	if l.number > 0 {
		name += " (" + strconv.Itoa(int(l.number)+1) + ")"
	}
	return name
}

// lanes puts the slices of each track on as few lanes as they need, each on the first
// that is free when it begins, in the order of time. of is the lane of each slice. That
// takes n log n for n slices of a track.
func lanes(t *result.Timeline) (all []lane, of []int32) {
	of = make([]int32, len(t.Slices))
	for track, list := range byTrack(t) {
		slices.SortFunc(list, func(a, b int32) int {
			x, y := &t.Slices[a], &t.Slices[b]
			return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(a, b))
		})
		first := int32(len(all))
		var busy, free heap
		counts := []int32{}
		for _, s := range list {
			for len(busy) > 0 && busy[0].until <= t.Slices[s].From {
				free.push(turn{number: busy.pop().number})
			}
			n := int32(len(counts))
			if len(free) > 0 {
				n = free.pop().number
			} else {
				counts = append(counts, 0)
			}
			busy.push(turn{t.Slices[s].To, n})
			of[s] = first + n
			counts[n]++
		}
		room := make([]int32, 0, len(list))
		for n, count := range counts {
			all = append(all, lane{track: int32(track), number: int32(n), slices: room[:0:count]})
			room = room[count:count:cap(room)]
		}
		for _, s := range list {
			l := &all[of[s]]
			l.slices = append(l.slices, s)
		}
	}
	return all, of
}

// byTrack are the slices of each track, in their order.
func byTrack(t *result.Timeline) [][]int32 {
	counts := make([]int, len(t.Tracks))
	for i := range t.Slices {
		counts[t.Slices[i].Track]++
	}
	all, room := make([][]int32, len(t.Tracks)), make([]int32, len(t.Slices))
	for i, n := range counts {
		all[i], room = room[:0:n], room[n:]
	}
	for i := range t.Slices {
		track := t.Slices[i].Track
		all[track] = append(all[track], int32(i))
	}
	return all
}

// turn is a lane and until when it is busy.
type turn struct {
	until  result.Ticks
	number int32
}

func (a turn) before(b turn) bool {
	return a.until < b.until || a.until == b.until && a.number < b.number
}

// heap is a binary heap of turns, the first on top.
type heap []turn

func (h *heap) push(x turn) {
	*h = append(*h, x)
	a := *h
	for i := len(a) - 1; i > 0 && a[i].before(a[(i-1)/2]); i = (i - 1) / 2 {
		a[i], a[(i-1)/2] = a[(i-1)/2], a[i]
	}
}

func (h *heap) pop() turn {
	a := *h
	top, last := a[0], len(a)-1
	a[0] = a[last]
	a = a[:last]
	for i := 0; ; {
		first := i
		for c := 2*i + 1; c <= 2*i+2 && c < last; c++ {
			if a[c].before(a[first]) {
				first = c
			}
		}
		if first == i {
			break
		}
		a[i], a[first] = a[first], a[i]
		i = first
	}
	*h = a
	return top
}
