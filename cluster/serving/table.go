package serving

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/topology"
)

// Part is what a row of a table of costs is about.
type Part uint8

// The parts of a step.
const (
	DensePart   Part = iota // all that the number of tokens alone decides
	PrefillPart             // attention of prompts
	DecodePart              // attention of sequences that come to a token
	numParts
)

var partNames = [numParts]string{"dense", "prefill", "decode"}

// ParsePart finds a part by its name.
func ParsePart(name string) (Part, bool) {
	i := slices.Index(partNames[:], name)
	return Part(max(i, 0)), i >= 0
}

// Row is one cost that somebody has measured, of all layers together.
type Row struct {
	Part      Part
	Sequences int // chunks of prompts, or sequences that decode; of dense 0
	Cached    int // tokens in the cache: of all chunks, or of a decoding sequence in the mean
	Tokens    int // of the step, or of the chunk; of decode 0
	Seconds   float64
}

// Table is costs that were measured, in place of computed ones. A step is the sum of its
// parts: one of dense for its tokens, one of prefill if it has prompts, one of decode if
// it has sequences that decode. Each is looked up at the next number of sequences, then
// of cached tokens, then of tokens that the table has; more chunks than it has count as
// its most.
//
// Of several chunks the tokens are the root of the sum of their squares, since attention
// is quadratic, and what each has in the cache counts up to the next number of the table,
// summed. The context of decoding sequences is their mean, rounded down. This is how
// Vidur (Agrawal et al., MLSys 2024) reads its profiles.
type Table struct {
	parts  [numParts][]Row
	cached []int // that prefill has for one chunk
}

// NewTable gives the costs of some rows.
func NewTable(rows []Row) *Table {
	t := &Table{}
	for _, r := range rows {
		t.parts[r.Part] = append(t.parts[r.Part], r)
	}
	for _, p := range t.parts {
		slices.SortStableFunc(p, func(a, b Row) int {
			return cmp.Or(cmp.Compare(a.Sequences, b.Sequences), cmp.Compare(a.Cached, b.Cached), cmp.Compare(a.Tokens, b.Tokens))
		})
	}
	for _, r := range t.parts[PrefillPart] {
		t.cached = append(t.cached, r.Cached)
	}
	slices.Sort(t.cached)
	t.cached = slices.Compact(t.cached)
	return t
}

// Place has nothing to find out.
func (t *Table) Place(*cluster.Cluster, []topology.NodeID) error { return nil }

// Time is the cost of a step.
func (t *Table) Time(s *Step) (float64, error) {
	sum, err := t.find(DensePart, 0, 0, s.Tokens)
	if err == nil && s.Decodes > 0 {
		var v float64
		v, err = t.find(DecodePart, s.Decodes, int(s.Context/int64(s.Decodes)), 0)
		sum += v
	}
	if err == nil && len(s.Chunks) > 0 {
		cached, squares := 0, 0
		for _, c := range s.Chunks {
			squares += c.Tokens * c.Tokens
			if i, _ := slices.BinarySearch(t.cached, c.Cached); i < len(t.cached) {
				cached += t.cached[i]
			} else {
				cached += c.Cached
			}
		}
		var v float64
		v, err = t.find(PrefillPart, len(s.Chunks), cached, int(math.Round(math.Sqrt(float64(squares)))))
		sum += v
	}
	return sum, err
}

// find looks a part up.
func (t *Table) find(p Part, sequences, cached, tokens int) (float64, error) {
	rows := t.parts[p]
	if n := len(rows); p == PrefillPart && n > 0 {
		sequences = min(sequences, rows[n-1].Sequences)
	}
	narrow := func(want int, of func(*Row) int) {
		compare := func(r Row, want int) int { return cmp.Compare(of(&r), want) }
		from, _ := slices.BinarySearchFunc(rows, want, compare)
		if rows = rows[from:]; len(rows) > 0 {
			to, _ := slices.BinarySearchFunc(rows, of(&rows[0])+1, compare)
			rows = rows[:to]
		}
	}
	narrow(sequences, func(r *Row) int { return r.Sequences })
	narrow(cached, func(r *Row) int { return r.Cached })
	narrow(tokens, func(r *Row) int { return r.Tokens })
	if len(rows) == 0 {
		return 0, fmt.Errorf("the table of step costs has no %s of %d sequences, %d cached tokens and %d tokens", partNames[p], sequences, cached, tokens)
	}
	return rows[0].Seconds, nil
}
