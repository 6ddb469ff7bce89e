package network

import "github.com/railyard/railyard/sim"

// tournament finds the first finish of the draining flows (Knuth, The Art of Computer
// Programming 3, 5.4.1): a binary tree with the slots as its leaves, each node
// holding the earlier of the two below it. Another finish of a flow moves nothing,
// and is played on only until it changes no winner: of many flows whose rates change
// at once, few get far. Of equal finishes the lower slot comes first.
//
// A flow that has become slower stays where it is: it is known to end no earlier, and
// when is found out should it win.
type tournament struct {
	tree []sim.Time // node i is above 2i and 2i+1; the second half are the leaves
}

// first is the flow that finishes first, and when; Never if there is none.
// O(log flows) for it and for each that has become too slow to be it.
func (t *tournament) first(flows []flow) (slot int32, at sim.Time) {
	if t.tree == nil {
		return -1, sim.Never
	}
	for {
		at = t.tree[1]
		if at == sim.Never {
			return -1, at
		}
		leaves, i := len(t.tree)/2, 1
		for i < leaves {
			if i *= 2; t.tree[i] > t.tree[i+1] {
				i++
			}
		}
		slot = int32(i - leaves)
		if f := &flows[slot]; f.slowed {
			f.slowed = false
			t.set(slot, f.finish())
			continue
		}
		return slot, at
	}
}

// set gives a flow its finish, its first or another. O(log flows).
func (t *tournament) set(slot int32, at sim.Time) {
	for int(slot) >= len(t.tree)/2 {
		t.grow()
	}
	i := len(t.tree)/2 + int(slot)
	t.tree[i] = at
	for i > 1 {
		i /= 2
		first := min(t.tree[2*i], t.tree[2*i+1])
		if t.tree[i] == first {
			return
		}
		t.tree[i] = first
	}
}

// remove takes a flow out.
func (t *tournament) remove(slot int32) { t.set(slot, sim.Never) }

// grow makes room for twice as many flows.
func (t *tournament) grow() {
	leaves := max(1, len(t.tree)/2)
	tree := make([]sim.Time, 4*leaves)
	for i := range tree {
		tree[i] = sim.Never
	}
	if t.tree != nil {
		for width := 1; width <= leaves; width *= 2 {
			copy(tree[2*width:], t.tree[width:2*width])
		}
		tree[1] = t.tree[1]
	}
	t.tree = tree
}
