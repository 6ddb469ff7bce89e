package scheduler

// prefixes are the beginnings of prompts whose keys and values an engine has kept, in
// pieces of so many tokens (Kwon et al., SOSP 2023; vLLM's automatic prefix caching).
// What a piece is called stands for all tokens up to its end. Pieces that no sequence
// uses stay until their blocks are needed, and go by when they were used last, of one
// sequence the last piece first. Answers are not kept: what they are called is not known.
type prefixes struct {
	tokens, blocks int // of a piece
	known          map[uint64]*piece
	unused         piece // a ring, from the oldest on
	idle           int   // blocks of those that are unused

	asked, hit int64 // tokens of prompts, and those of them that were there
}

// piece is blocks that sequences share.
type piece struct {
	name           uint64
	users          int
	older, younger *piece // of those that are unused
}

func newPrefixes(tokens, blockSize int) *prefixes {
	p := &prefixes{tokens: tokens, blocks: tokens / blockSize, known: map[uint64]*piece{}}
	p.unused.older, p.unused.younger = &p.unused, &p.unused
	return p
}

// match is how many pieces a prompt begins with that are there. A token is left to compute,
// which the next one comes from.
func (p *prefixes) match(s *Sequence) (pieces int) {
	most := min(len(s.Prefix), int(s.Prompt-1)/p.tokens)
	for pieces < most && p.known[s.Prefix[pieces]] != nil {
		pieces++
	}
	return pieces
}

// use has a sequence share a piece.
func (p *prefixes) use(s *Sequence, x *piece) {
	if x.users == 0 && x.older != nil {
		x.older.younger, x.younger.older = x.younger, x.older
		x.older, x.younger = nil, nil
		p.idle -= p.blocks
	}
	x.users++
	s.shared = append(s.shared, x)
}

// leave has a sequence share nothing any more.
func (p *prefixes) leave(s *Sequence) {
	for i := len(s.shared) - 1; i >= 0; i-- {
		x := s.shared[i]
		if x.users--; x.users == 0 {
			x.older, x.younger = p.unused.older, &p.unused
			x.older.younger, x.younger.older = x, x
			p.idle += p.blocks
		}
	}
	s.shared, s.named = s.shared[:0], 0
}

// drop forgets the piece that has not been used for longest, and gives its blocks.
func (p *prefixes) drop() (blocks int) {
	x := p.unused.younger
	x.older.younger, x.younger.older = x.younger, x.older
	delete(p.known, x.name)
	p.idle -= p.blocks
	return p.blocks
}

// keep makes the pieces that a sequence has computed known, unless another has been
// faster: then it keeps its own to itself.
func (p *prefixes) keep(s *Sequence) {
	for s.named < len(s.Prefix) && (s.named+1)*p.tokens <= int(min(s.Cached, s.Prompt)) {
		if name := s.Prefix[s.named]; p.known[name] == nil {
			x := &piece{name: name}
			p.known[name] = x
			p.use(s, x)
			s.blocks -= int32(p.blocks)
		}
		s.named++
	}
}

// Match is how many tokens of a prompt that begins so the engine has.
func (b *Batcher) Match(s *Sequence) int {
	if b.prefixes == nil {
		return 0
	}
	return b.prefixes.match(s) * b.prefixes.tokens
}

// Prefixes is how many tokens of prompts were admitted, and how many of them were there.
func (b *Batcher) Prefixes() (asked, hit int64) {
	if b.prefixes == nil {
		return 0, 0
	}
	return b.prefixes.asked, b.prefixes.hit
}

// first is the sequence that is to be admitted next, with what is there of its prompt.
func (b *Batcher) first() *Sequence {
	s := b.waiting[b.head]
	if b.prefixes != nil && s.away == 0 {
		s.Cached = int32(b.Match(s))
	}
	return s
}

// share has a sequence that is admitted use what is there of its prompt.
func (b *Batcher) share(s *Sequence) {
	p := b.prefixes
	if p == nil {
		return
	}
	for range int(s.Cached) / p.tokens {
		p.use(s, p.known[s.Prefix[s.named]])
		s.named++
	}
}

// available is the blocks that are free, or can be.
func (b *Batcher) available() int {
	if b.prefixes == nil {
		return b.free
	}
	return b.free + b.prefixes.idle
}

// sharedBlocks are those of a sequence that are not its own.
func (b *Batcher) sharedBlocks(s *Sequence) int {
	if b.prefixes == nil {
		return 0
	}
	return len(s.shared) * b.prefixes.blocks
}
