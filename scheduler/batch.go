package scheduler

import "slices"

// Order is in which order an inference engine serves prompts and tokens.
type Order uint8

// The orders.
const (
	// Mixed steps have tokens of running sequences first, then of waiting prompts,
	// up to a budget (vLLM since its version 1, TensorRT-LLM's in-flight batching).
	// Blocks are taken as tokens need them.
	Mixed Order = iota
	// DecodeFirst steps have the next token of every sequence, then prompts in chunks
	// for what the budget leaves (Agrawal et al., Sarathi-Serve, OSDI 2024). The blocks
	// of a prompt are taken as it is admitted.
	DecodeFirst
	// PrefillFirst has prompts in steps of their own as long as there are any that fit,
	// and the next token of every sequence in the others (Kwon et al., PagedAttention,
	// SOSP 2023; SGLang).
	PrefillFirst
	// Static has a batch that stays together until its last sequence ends: what
	// inference was before Orca (Yu et al., OSDI 2022).
	Static
)

// Batching is what an engine decides its steps by.
type Batching struct {
	Order    Order
	MaxBatch int // sequences that run at a time
	Budget   int // tokens of a step with prompts; Static takes none

	// Whole prompts are not cut to fit the budget; one that is longer has a step of
	// its own. Padded ones count as long as the longest of their step.
	Whole, Padded bool

	// The cache of keys and values has Blocks blocks for BlockSize tokens each.
	// Watermark of them stay free when a prompt is admitted whole. Reserve takes the
	// blocks of all tokens to come with the prompt: nothing is ever preempted.
	Blocks, BlockSize, Watermark int
	Reserve                      bool
	// Hold keeps the blocks of a sequence that has ended, for another engine to fetch, until
	// Release. A batch of the static order has none.
	Hold bool
	// Swap is how many blocks the host's memory has for sequences that are preempted: they
	// come back as they were. Those for which it has no room are computed again.
	Swap int
	// Lookahead is how many tokens are guessed beyond the next one, and computed with it
	// (Leviathan et al., Fast Inference from Transformers via Speculative Decoding, ICML
	// 2023).
	Lookahead int
	// Piece is how many tokens a name in Sequence.Prefix stands for, a multiple of
	// BlockSize; at 0 no beginning of a prompt is kept for others.
	Piece int
}

// Sequence is a request as batching sees it.
type Sequence struct {
	Request int32
	Prompt  int32 // tokens to compute before the next one comes
	Left    int32 // tokens to come
	Cached  int32 // tokens whose keys and values are in the cache
	Stops   int32 // preemptions
	// Priority has it wait and run before those with a lower one, and be preempted
	// after them. It takes no place from one that runs already, but for want of blocks.
	Priority int32
	// Prefix names the pieces of the prompt, each for all tokens up to its end.
	Prefix []uint64

	// Tokens is how many of its tokens the present step computes.
	Tokens int32
	blocks int32    // its own
	away   int32    // blocks in the host's memory
	shared []*piece // that it uses with others
	named  int      // pieces of Prefix that are known, or were when it came to them
}

// Prefills says whether the sequence still computes its prompt.
func (s *Sequence) Prefills() bool { return s.Cached < s.Prompt }

// pending is the tokens of a sequence that could be computed next.
func (b *Batching) pending(s *Sequence) int {
	if s.Prefills() {
		return int(s.Prompt - s.Cached)
	}
	return min(1+b.Lookahead, int(s.Left))
}

// Batcher decides the steps of one engine: Next says what the next one computes, Finish
// that it has been. It knows no time. What it preempts is computed again, the tokens
// that had come before as part of the prompt.
type Batcher struct {
	Batching
	waiting []*Sequence // from head on, by priority; preempted ones come back before their equals
	head    int
	running []*Sequence // by priority, then in the order of their arrival
	step    []*Sequence
	free    int

	held, expected, coming []*Sequence // ended, and held; to be fetched; on their way

	swapped, moved int       // blocks in the host's memory; moved to it and back since Moved
	prefixes       *prefixes // nil: none are kept

	// Accept says how many of so many guessed tokens were right, up to the first that was
	// wrong; nil: all.
	Accept func(guessed int) int
}

// NewBatcher gives a batcher of an idle engine.
func NewBatcher(b Batching) *Batcher {
	x := &Batcher{Batching: b, free: b.Blocks}
	if b.Piece > 0 {
		x.prefixes = newPrefixes(b.Piece, b.BlockSize)
	}
	return x
}

// Fits says whether a sequence of so many tokens, the last of which needs no place, can
// ever be served.
func (b *Batching) Fits(tokens int) bool {
	return b.blocksOf(tokens-1)+b.Watermark <= b.Blocks
}

func (b *Batching) blocksOf(tokens int) int { return (tokens + b.BlockSize - 1) / b.BlockSize }

// Add puts a sequence at the end of the queue, but before those of a lower priority.
func (b *Batcher) Add(s *Sequence) {
	if b.head > 0 && len(b.waiting) == cap(b.waiting) { // reuse what those before have left
		n := copy(b.waiting, b.waiting[b.head:])
		clear(b.waiting[n:])
		b.waiting, b.head = b.waiting[:n], 0
	}
	b.waiting = insert(b.waiting, b.head, s)
}

// insert puts a sequence behind those of its priority or a higher one, from a place on.
func insert(all []*Sequence, from int, s *Sequence) []*Sequence {
	i := len(all)
	for i > from && all[i-1].Priority < s.Priority {
		i--
	}
	return slices.Insert(all, i, s)
}

// Waiting is how many sequences wait, those that are to be fetched among them.
func (b *Batcher) Waiting() int { return b.queued() + len(b.expected) }

// Running is how many sequences have been admitted and have not ended.
func (b *Batcher) Running() int { return len(b.running) + len(b.coming) }

// queued is how many sequences have not been admitted, or were preempted.
func (b *Batcher) queued() int { return len(b.waiting) - b.head }

// PromptTokens is how many tokens of prompts are yet to be computed, those that were
// preempted among them. O(sequences).
func (b *Batcher) PromptTokens() (tokens int) {
	for _, all := range [][]*Sequence{b.waiting[b.head:], b.running} {
		for _, s := range all {
			tokens += int(max(0, s.Prompt-s.Cached))
		}
	}
	return tokens
}

// Used is how many blocks of the cache sequences use.
func (b *Batcher) Used() int { return b.Blocks - b.available() }

// Next decides a step and gives its sequences, none if there is nothing to do. The slice
// is valid until the next call.
func (b *Batcher) Next() []*Sequence {
	b.step = b.step[:0]
	switch b.Order {
	case Mixed:
		b.mixed()
	case DecodeFirst:
		b.decodeFirst()
	case PrefillFirst:
		if b.prefills(); len(b.step) == 0 {
			b.decodes()
		}
		if len(b.step) == 0 { // the only sequence was preempted: it comes back at once
			b.prefills()
		}
	case Static:
		b.static()
	}
	return b.step
}

// Finish notes that the step has been computed and tells of every sequence that has
// come to a token, or to several, and whether the last was among them.
func (b *Batcher) Finish(token func(s *Sequence, tokens int, last bool)) {
	ended := 0
	for _, s := range b.step {
		came := int32(1)
		if guessed := int(s.Tokens) - 1; guessed > 0 && !s.Prefills() {
			if b.Accept != nil {
				guessed = b.Accept(guessed)
			}
			came += int32(guessed)
			s.Tokens = came // what was guessed wrong is overwritten
		}
		s.Cached += s.Tokens
		s.Tokens = 0
		if b.prefixes != nil {
			b.prefixes.keep(s)
		}
		if s.Prefills() {
			continue
		}
		s.Left -= came
		token(s, int(came), s.Left == 0)
		if s.Left == 0 {
			ended++
			switch {
			case b.Hold:
				b.held = append(b.held, s)
			case b.Order != Static:
				b.release(s)
			}
		}
	}
	b.step = b.step[:0]
	if ended == 0 || b.Order == Static && b.unended() > 0 {
		return
	}
	kept := b.running[:0]
	for _, s := range b.running {
		if s.Left > 0 {
			kept = append(kept, s)
		} else if b.Order == Static {
			b.release(s)
		}
	}
	b.running = kept
}

// unended is how many running sequences have tokens to come.
func (b *Batcher) unended() (n int) {
	for _, s := range b.running {
		if s.Left > 0 {
			n++
		}
	}
	return n
}

func (b *Batcher) schedule(s *Sequence, tokens int) {
	s.Tokens = int32(tokens)
	b.step = append(b.step, s)
}

// take gives a sequence the blocks that so many tokens need beside those that it has,
// if spare ones stay free.
func (b *Batcher) take(s *Sequence, tokens, spare int) bool {
	need := b.blocksOf(tokens) - int(s.blocks) - b.sharedBlocks(s)
	if need <= 0 {
		return true
	}
	if need > b.available()-spare {
		return false
	}
	for b.free < need {
		b.free += b.prefixes.drop()
	}
	b.free -= need
	s.blocks += int32(need)
	return true
}

func (b *Batcher) release(s *Sequence) {
	b.free += int(s.blocks)
	s.blocks = 0
	if b.prefixes != nil {
		b.prefixes.leave(s)
	}
}

// forget takes all blocks of a sequence: what it has computed is to be computed again,
// the tokens that came with the prompt.
func (b *Batcher) forget(s *Sequence) {
	b.release(s)
	if !s.Prefills() {
		s.Prompt = s.Cached + 1
	}
	s.Cached, s.Tokens, s.away = 0, 0, 0
	s.Stops++
}

// swap moves what a sequence has computed to the host's memory, if there is room.
func (b *Batcher) swap(s *Sequence) bool {
	blocks := b.blocksOf(int(s.Cached))
	if blocks == 0 || b.swapped+blocks > b.Swap {
		return false
	}
	b.release(s)
	b.swapped += blocks
	b.moved += blocks
	s.away, s.Tokens = int32(blocks), 0
	s.Stops++
	return true
}

// back moves it to the accelerator again.
func (b *Batcher) back(s *Sequence) {
	b.swapped -= int(s.away)
	b.moved += int(s.away)
	s.away = 0
}

// Moved is how many blocks have been moved to the host's memory and back since it was
// asked last.
func (b *Batcher) Moved() (blocks int) {
	blocks, b.moved = b.moved, 0
	return blocks
}

// Evict gives all sequences that have not ended, those that run first, and forgets them,
// all that it has kept, and any step that is under way: another engine may take them up.
func (b *Batcher) Evict() []*Sequence {
	var all []*Sequence
	for _, s := range b.running {
		if s.Left > 0 {
			b.forget(s)
			all = append(all, s)
		} else {
			b.release(s)
		}
	}
	for _, s := range b.waiting[b.head:] {
		if s.away > 0 {
			b.forget(s)
		}
		s.Cached = 0
		all = append(all, s)
	}
	prefixes, accept := b.prefixes, b.Accept
	*b = *NewBatcher(b.Batching)
	b.Accept = accept
	if prefixes != nil {
		b.prefixes.asked, b.prefixes.hit = prefixes.asked, prefixes.hit
	}
	return all
}

// preempt stops the sequence that came last of the lowest priority, and gives it.
func (b *Batcher) preempt() *Sequence {
	last := len(b.running) - 1
	s := b.running[last]
	b.running = b.running[:last]
	if !b.swap(s) {
		b.forget(s)
	}
	if b.head == 0 { // make room before the first
		room := len(b.waiting) + 8
		b.waiting = append(make([]*Sequence, room, room+len(b.waiting)), b.waiting...)
		b.head = room
	}
	b.head--
	i := b.head
	for ; i+1 < len(b.waiting) && b.waiting[i+1].Priority > s.Priority; i++ {
		b.waiting[i] = b.waiting[i+1]
	}
	b.waiting[i] = s
	return s
}

// admit moves the first of the queue to those that run, with blocks for so many tokens
// beside those that are there of it.
func (b *Batcher) admit(tokens, spare int) *Sequence {
	s := b.waiting[b.head]
	tokens += int(s.Cached)
	if b.Reserve {
		tokens, spare = int(s.Prompt+s.Left)-1, 0
	}
	back := s.away > 0
	if !back {
		b.share(s)
	}
	if !b.take(s, tokens, spare) {
		b.release(s)
		return nil
	}
	if back {
		b.back(s)
	} else if b.prefixes != nil {
		b.prefixes.asked += int64(s.Prompt)
		b.prefixes.hit += int64(s.Cached)
	}
	b.waiting[b.head] = nil
	if b.head++; b.head == len(b.waiting) {
		b.waiting, b.head = b.waiting[:0], 0
	}
	b.running = insert(b.running, 0, s)
	return s
}

// room says whether another sequence may run.
func (b *Batcher) room() bool { return b.queued() > 0 && b.Running() < b.MaxBatch }

func (b *Batcher) mixed() {
	left, stopped := b.Budget, false
	for i := 0; i < len(b.running) && left > 0; i++ {
		s := b.running[i]
		n := min(b.pending(s), left)
		for !b.take(s, int(s.Cached)+n, 0) {
			stopped = true
			if b.preempt() == s {
				return
			}
		}
		b.schedule(s, n)
		left -= n
	}
	for !stopped && left > 0 && b.room() {
		n := b.pending(b.first())
		if n > left {
			if b.Whole && len(b.step) > 0 {
				return
			}
			if !b.Whole {
				n = left
			}
		}
		s := b.admit(n, 0)
		if s == nil {
			return
		}
		b.schedule(s, n)
		left -= n
	}
}

// decodes has every sequence that has computed its prompt come to its next token. A
// free block is asked for even if the token still has a place: engines that decide for
// a whole step are as careful.
func (b *Batcher) decodes() {
	for i := 0; i < len(b.running); i++ {
		s := b.running[i]
		if s.Prefills() {
			continue
		}
		for !b.Reserve && b.available() == 0 {
			if b.preempt() == s {
				return
			}
		}
		n := b.pending(s)
		for !b.take(s, int(s.Cached)+n, 0) {
			n-- // fewer are guessed
		}
		b.schedule(s, n)
	}
}

// chunks goes on with prompts that were begun.
func (b *Batcher) chunks(left int) int {
	for _, s := range b.running {
		if s.Prefills() && left > 0 {
			n := min(b.pending(s), left)
			b.schedule(s, n)
			left -= n
		}
	}
	return left
}

func (b *Batcher) decodeFirst() {
	b.decodes()
	left := b.Budget
	for _, s := range b.step {
		left -= int(s.Tokens)
	}
	left = b.chunks(left)
	for left > 0 && b.room() {
		s := b.admit(b.pending(b.first()), b.Watermark)
		if s == nil {
			return
		}
		n := min(b.pending(s), left)
		b.schedule(s, n)
		left -= n
	}
}

func (b *Batcher) prefills() {
	left, longest := b.chunks(b.Budget), 0
	for left > 0 && b.room() {
		n := b.pending(b.first())
		longest = max(longest, n)
		if !b.Whole {
			n = min(n, left)
		} else if over := n > left || b.Padded && longest*(len(b.step)+1) > b.Budget; over && len(b.step) > 0 {
			return
		}
		s := b.admit(b.pending(b.waiting[b.head]), b.Watermark)
		if s == nil {
			return
		}
		b.schedule(s, n)
		left -= n
	}
}

func (b *Batcher) static() {
	if len(b.running) > 0 {
		for _, s := range b.running {
			if s.Left > 0 {
				b.schedule(s, b.pending(s))
			}
		}
		return
	}
	for b.room() {
		s := b.first()
		if b.admit(b.pending(s), 0) == nil {
			return
		}
		b.schedule(s, b.pending(s))
	}
}
