package scheduler

import "slices"

// What an engine that computes prompts hands over to one that goes on: see
// Batching.Hold. The second fetches keys and values as it has room for them, so that
// nothing is on its way that has no place (Zhong et al., DistServe, OSDI 2024, section
// 4.3, pull).

// Release frees the blocks of a sequence that has ended in a batch with Hold.
func (b *Batcher) Release(s *Sequence) {
	b.held = slices.DeleteFunc(b.held, func(h *Sequence) bool { return h == s })
	b.release(s)
}

// Expect puts a sequence whose Cached tokens another engine has behind those that are
// expected, but before those of a lower priority.
func (b *Batcher) Expect(s *Sequence) { b.expected = insert(b.expected, 0, s) }

// Fetch takes the blocks of the next sequence that is expected and gives it; nil if there
// is none, or no room. Those that have been preempted come first.
func (b *Batcher) Fetch() *Sequence {
	if len(b.expected) == 0 || b.queued() > 0 || len(b.running)+len(b.coming) >= b.MaxBatch {
		return nil
	}
	s := b.expected[0]
	tokens, spare := int(s.Cached)+1, b.Watermark
	if b.Reserve {
		tokens, spare = int(s.Cached+s.Left), 0
	}
	if !b.take(s, tokens, spare) {
		return nil
	}
	b.expected = slices.Delete(b.expected, 0, 1)
	b.coming = append(b.coming, s)
	return s
}

// Arrive has a sequence run that was fetched.
func (b *Batcher) Arrive(s *Sequence) {
	b.forgo(s)
	b.running = insert(b.running, 0, s)
}

// Withdraw takes a sequence back that is expected or was fetched, and has not arrived.
func (b *Batcher) Withdraw(s *Sequence) {
	b.forgo(s)
	b.release(s)
}

// forgo no longer waits for a sequence.
func (b *Batcher) forgo(s *Sequence) {
	same := func(x *Sequence) bool { return x == s }
	b.expected, b.coming = slices.DeleteFunc(b.expected, same), slices.DeleteFunc(b.coming, same)
}

// Decline no longer waits for those that are expected, and gives them.
func (b *Batcher) Decline() (expected []*Sequence) {
	expected, b.expected = b.expected, nil
	return expected
}

// Held is how many sequences that have ended are held for other engines.
func (b *Batcher) Held() int { return len(b.held) }

// Disown frees what is held for other engines, and withdraws what is to come from them.
func (b *Batcher) Disown() (held, expected []*Sequence) {
	held, expected = b.held, slices.Concat(b.coming, b.expected)
	for _, s := range slices.Concat(held, expected) {
		b.release(s)
	}
	b.held, b.coming, b.expected = nil, nil, nil
	return held, expected
}
