package network

import "github.com/railyard/railyard/sim"

// finishHeap is a 4-ary heap of the draining flows by finish, each of which
// knows its place, so that a changed finish moves in O(log n) and leaves
// nothing behind. Of equal finishes the lower slot comes first.
type finishHeap struct{ entries []finish }

type finish struct {
	at   sim.Time
	slot int32
}

func (a finish) before(b finish) bool { return a.at < b.at || a.at == b.at && a.slot < b.slot }

// earliest is the first finish, Never if there is none.
func (h *finishHeap) earliest() sim.Time {
	if len(h.entries) == 0 {
		return sim.Never
	}
	return h.entries[0].at
}

// due is a flow that finishes by now, -1 if there is none.
func (h *finishHeap) due(now sim.Time) int32 {
	if h.earliest() > now {
		return -1
	}
	return h.entries[0].slot
}

// set gives a flow its finish, its first or another.
func (h *finishHeap) set(flows []flow, slot int32, at sim.Time) {
	i := int(flows[slot].heapAt)
	if i < 0 {
		i = len(h.entries)
		h.entries = append(h.entries, finish{at, slot})
	}
	e := finish{at, slot}
	later := h.entries[i].before(e)
	h.entries[i] = e
	if later {
		h.down(flows, i)
	} else {
		h.up(flows, i)
	}
}

// remove takes a flow out.
func (h *finishHeap) remove(flows []flow, slot int32) {
	i := int(flows[slot].heapAt)
	flows[slot].heapAt = -1
	last := len(h.entries) - 1
	moved := h.entries[last]
	h.entries = h.entries[:last]
	if i == last {
		return
	}
	h.entries[i] = moved
	h.up(flows, i)
	h.down(flows, int(flows[moved.slot].heapAt))
}

func (h *finishHeap) up(flows []flow, i int) {
	e := h.entries[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(h.entries[parent]) {
			break
		}
		h.entries[i] = h.entries[parent]
		flows[h.entries[i].slot].heapAt = int32(i)
		i = parent
	}
	h.entries[i] = e
	flows[e.slot].heapAt = int32(i)
}

func (h *finishHeap) down(flows []flow, i int) {
	e := h.entries[i]
	for {
		first := 4*i + 1
		if first >= len(h.entries) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h.entries)); c++ {
			if h.entries[c].before(h.entries[least]) {
				least = c
			}
		}
		if !h.entries[least].before(e) {
			break
		}
		h.entries[i] = h.entries[least]
		flows[h.entries[i].slot].heapAt = int32(i)
		i = least
	}
	h.entries[i] = e
	flows[e.slot].heapAt = int32(i)
}
