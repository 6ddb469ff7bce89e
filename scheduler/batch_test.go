package scheduler_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
)

// stepsOf runs a batcher on prompts and answers that are there from the start, and
// writes each step as request:tokens.
func stepsOf(b scheduler.Batching, requests ...[2]int32) []string {
	x := scheduler.NewBatcher(b)
	for i, r := range requests {
		x.Add(&scheduler.Sequence{Request: int32(i), Prompt: r[0], Left: r[1]})
	}
	var all []string
	for {
		step := x.Next()
		if len(step) == 0 {
			return all
		}
		text := ""
		for _, s := range step {
			text += fmt.Sprintf(" %d:%d", s.Request, s.Tokens)
		}
		all = append(all, text[1:])
		x.Finish(func(*scheduler.Sequence, int, bool) {})
	}
}

// Two prompts of 6 and 5 tokens, answers of 3 and 2, by hand.
func TestBatchingOrders(t *testing.T) {
	cache := scheduler.Batching{MaxBatch: 8, Blocks: 100, BlockSize: 4}
	with := func(o scheduler.Order, budget int, change func(*scheduler.Batching)) scheduler.Batching {
		b := cache
		b.Order, b.Budget = o, budget
		if change != nil {
			change(&b)
		}
		return b
	}
	for _, c := range []struct {
		name     string
		batching scheduler.Batching
		want     []string
	}{
		// The budget of 8 cuts the second prompt; then tokens and the rest go together.
		{"mixed", with(scheduler.Mixed, 8, nil), []string{"0:6 1:2", "0:1 1:3", "0:1 1:1"}},
		{"mixed, whole prompts", with(scheduler.Mixed, 8, func(b *scheduler.Batching) { b.Whole = true }), []string{"0:6", "0:1 1:5", "0:1 1:1"}},
		{"mixed, one at a time", with(scheduler.Mixed, 8, func(b *scheduler.Batching) { b.MaxBatch = 1 }), []string{"0:6", "0:1", "0:1", "1:5", "1:1"}},
		{"decode first", with(scheduler.DecodeFirst, 4, nil), []string{"0:4", "0:2 1:2", "0:1 1:3", "0:1 1:1"}},
		{"prefill first", with(scheduler.PrefillFirst, 8, func(b *scheduler.Batching) { b.Whole = true }), []string{"0:6", "1:5", "0:1 1:1", "0:1"}},
		{"prefill first, cut", with(scheduler.PrefillFirst, 8, nil), []string{"0:6 1:2", "1:3", "0:1 1:1", "0:1"}},
		// Padded to 6 each the two have 12 tokens, not 11.
		{"prefill first, padded", with(scheduler.PrefillFirst, 11, func(b *scheduler.Batching) { b.Whole, b.Padded = true, true }), []string{"0:6", "1:5", "0:1 1:1", "0:1"}},
		{"static", with(scheduler.Static, 0, func(b *scheduler.Batching) { b.Reserve = true }), []string{"0:6 1:5", "0:1 1:1", "0:1"}},
		// Of 4 blocks of 4 the prompts have 2 each. The first needs a third for its
		// fourth token: the second loses its own, and computes 5 + 1 tokens again.
		{
			"preempted",
			scheduler.Batching{Order: scheduler.Mixed, Budget: 100, MaxBatch: 8, Blocks: 4, BlockSize: 4},
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == nil {
				got := stepsOf(c.batching, [2]int32{7, 4}, [2]int32{5, 3})
				if want := []string{"0:7 1:5", "0:1 1:1", "0:1", "0:1", "1:7"}; !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
				return
			}
			if got := stepsOf(c.batching, [2]int32{6, 3}, [2]int32{5, 2}); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// The higher priority is taken in first, and preempted last: of four blocks of four
// tokens the third request, which is urgent, and the first have two each. The first
// loses its own when the third needs one more, and comes back before the second, for whose
// two blocks there is no room beside its three.
func TestUrgentSequences(t *testing.T) {
	x := scheduler.NewBatcher(scheduler.Batching{Order: scheduler.Mixed, Budget: 100, MaxBatch: 2, Blocks: 4, BlockSize: 4})
	for i, priority := range []int32{0, 0, 1} {
		x.Add(&scheduler.Sequence{Request: int32(i), Prompt: 7, Left: 3, Priority: priority})
	}
	var got []string
	for {
		text := ""
		for _, s := range x.Next() {
			text += fmt.Sprintf(" %d:%d", s.Request, s.Tokens)
		}
		if text == "" {
			break
		}
		got = append(got, text[1:])
		x.Finish(func(*scheduler.Sequence, int, bool) {})
	}
	if want := []string{"2:7 0:7", "2:1 0:1", "2:1", "0:9", "1:7", "1:1", "1:1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The case of four blocks of which the second request loses its own, with room for them in
// the host's memory: it comes back as it was, and its two blocks have been moved twice.
func TestSwap(t *testing.T) {
	b := scheduler.Batching{Order: scheduler.Mixed, Budget: 100, MaxBatch: 8, Blocks: 4, BlockSize: 4, Swap: 2}
	got := stepsOf(b, [2]int32{7, 4}, [2]int32{5, 3})
	if want := []string{"0:7 1:5", "0:1 1:1", "0:1", "0:1", "1:1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Swap = 1 // no room
	got = stepsOf(b, [2]int32{7, 4}, [2]int32{5, 3})
	if want := []string{"0:7 1:5", "0:1 1:1", "0:1", "0:1", "1:7"}; !slices.Equal(got, want) {
		t.Errorf("without room: got %q, want %q", got, want)
	}
}

// Three tokens are guessed and the first is right: each step of four brings two. The last
// token is not guessed beyond.
func TestLookahead(t *testing.T) {
	x := scheduler.NewBatcher(scheduler.Batching{Order: scheduler.Mixed, Budget: 100, MaxBatch: 1, Blocks: 8, BlockSize: 4, Lookahead: 3})
	x.Accept = func(int) int { return 1 }
	x.Add(&scheduler.Sequence{Prompt: 6, Left: 6})
	var computed, came []int
	for {
		step := x.Next()
		if len(step) == 0 {
			break
		}
		computed = append(computed, int(step[0].Tokens))
		x.Finish(func(_ *scheduler.Sequence, tokens int, _ bool) { came = append(came, tokens) })
	}
	if !slices.Equal(computed, []int{6, 4, 3, 1}) || !slices.Equal(came, []int{1, 2, 2, 1}) {
		t.Errorf("steps of %v tokens bring %v", computed, came)
	}
}

// A sequence that is alone and finds no free block for its next token is preempted and
// comes back in the same step: an engine with work never has an empty one.
func TestAlonePreempted(t *testing.T) {
	got := stepsOf(scheduler.Batching{Order: scheduler.PrefillFirst, Budget: 6, MaxBatch: 1, Blocks: 2, BlockSize: 3}, [2]int32{5, 2})
	if want := []string{"0:5", "0:6"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whatever the order and the cache: every token comes once, blocks are neither lost nor
// made, no sequence waits for ever, and no step is beyond its budget.
func TestBatchingConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := scheduler.Batching{
			Order:    scheduler.Order(rapid.IntRange(0, 3).Draw(t, "order")),
			MaxBatch: rapid.IntRange(1, 6).Draw(t, "batch"), Budget: rapid.IntRange(6, 40).Draw(t, "budget"),
			Blocks: rapid.IntRange(4, 30).Draw(t, "blocks"), BlockSize: rapid.IntRange(1, 8).Draw(t, "size"),
			Whole: rapid.Bool().Draw(t, "whole"), Padded: rapid.Bool().Draw(t, "padded"), Reserve: rapid.Bool().Draw(t, "reserve"),
			Watermark: rapid.IntRange(0, 1).Draw(t, "watermark"),
		}
		b.Reserve = b.Reserve || b.Order == scheduler.Static
		b.Piece = b.BlockSize * rapid.IntRange(0, 2).Draw(t, "piece")
		b.Swap = rapid.IntRange(0, 20).Draw(t, "swap")
		b.Lookahead = rapid.IntRange(0, 3).Draw(t, "lookahead")
		x := scheduler.NewBatcher(b)
		x.Accept = func(guessed int) int { return (guessed + 1) / 2 }
		n := rapid.IntRange(1, 12).Draw(t, "requests")
		due, due0, came := make([]int32, n), make([]int32, n), make([]int32, n)
		computed := make([]int32, n)
		var all []*scheduler.Sequence
		for i := range n {
			s := &scheduler.Sequence{Request: int32(i), Prompt: rapid.Int32Range(1, 40).Draw(t, "prompt"), Left: rapid.Int32Range(1, 20).Draw(t, "answer"), Priority: rapid.Int32Range(0, 2).Draw(t, "priority")}
			if !b.Fits(int(s.Prompt + s.Left)) {
				continue
			}
			due[i], due0[i] = s.Left, s.Prompt
			if b.Piece > 0 { // prompts begin like those of one of two families
				family := uint64(rapid.IntRange(0, 1).Draw(t, "family"))
				for k := range min(int(s.Prompt)/b.Piece, rapid.IntRange(0, 10).Draw(t, "shared")) {
					s.Prefix = append(s.Prefix, 100*family+uint64(k))
				}
			}
			all = append(all, s)
			x.Add(s)
		}
		for steps := 0; ; steps++ {
			if steps > 100_000 {
				t.Fatal("it does not end")
			}
			step := x.Next()
			if len(step) == 0 {
				break
			}
			tokens := 0
			for i, s := range step {
				if s.Tokens < 1 || slices.Index(step, s) != i {
					t.Fatalf("request %d is in the step with %d tokens, or twice", s.Request, s.Tokens)
				}
				tokens += int(s.Tokens)
				computed[s.Request] += s.Tokens
			}
			if x.Running() > b.MaxBatch || x.Used() < 0 || x.Used() > b.Blocks {
				t.Fatalf("%d run, %d blocks are used", x.Running(), x.Used())
			}
			if tokens > b.Budget && b.Order == scheduler.Mixed && !b.Whole {
				t.Fatalf("%d tokens in a step", tokens)
			}
			x.Finish(func(s *scheduler.Sequence, tokens int, last bool) {
				if came[s.Request] += int32(tokens); last != (came[s.Request] == due[s.Request]) {
					t.Fatalf("token %d of %d of request %d is the last: %v", came[s.Request], due[s.Request], s.Request, last)
				}
			})
		}
		if x.Used() != 0 || x.Waiting() != 0 || x.Running() != 0 {
			t.Fatalf("%d blocks used, %d waiting and %d running at the end", x.Used(), x.Waiting(), x.Running())
		}
		owed, given, stops := int64(0), int64(0), int32(0)
		for _, s := range all {
			i := s.Request
			if came[i] != due[i] {
				t.Errorf("request %d has %d tokens of %d", i, came[i], due[i])
			}
			least := due0[i] + due[i] - 1
			owed, stops = owed+int64(least), stops+s.Stops
			given += int64(computed[i])
			if b.Piece == 0 && b.Lookahead == 0 && (computed[i] < least || s.Stops == 0 && computed[i] > least) {
				t.Errorf("request %d computed %d tokens, %d are needed; it was stopped %d times", i, computed[i], least, s.Stops)
			}
		}
		if _, hit := x.Prefixes(); given+hit < owed || stops == 0 && b.Lookahead == 0 && given+hit > owed {
			t.Errorf("%d tokens computed and %d kept, %d are needed; %d stops", given, hit, owed, stops)
		}
	})
}

func TestRouting(t *testing.T) {
	loads := []scheduler.Load{{Waiting: 0, Running: 5}, {Waiting: 2, Running: 0, Match: 512}, {Waiting: 1, Running: 1}}
	busy := []scheduler.Load{{Waiting: 70, Running: 5, Match: 512}, {}, {Waiting: 1}}
	random := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		rule  scheduler.Routing
		turn  int
		loads []scheduler.Load
		want  int
	}{
		{scheduler.RoundRobin, 4, loads, 1},
		{scheduler.LeastLoaded, 4, loads, 1}, // 5, 2 and 2
		{scheduler.LeastWaiting, 4, loads, 0},
		{scheduler.PrefixAware, 4, loads, 1},
		{scheduler.PrefixAware, 4, busy, 1}, // it has the prefix, and too much to do
	} {
		if got := c.rule.Route(c.turn, c.loads, random); got != c.want {
			t.Errorf("%s sends to %d, want %d", c.rule, got, c.want)
		}
	}
	// Of three replicas each is drawn by a third of the requests; of two that are drawn the
	// one with 5 requests has none, and the first of equals those where both are drawn.
	var drawn, least [3]int
	for range 3000 {
		drawn[scheduler.RandomReplica.Route(0, loads, random)]++
		least[scheduler.PowerOfTwo.Route(0, loads, random)]++
	}
	for i, n := range drawn {
		if n < 900 || n > 1100 {
			t.Errorf("random sends %d of 3000 to replica %d", n, i)
		}
	}
	if least[0] != 0 || least[1]+least[2] != 3000 || min(least[1], least[2]) < 900 {
		t.Errorf("power of two sends %v", least)
	}
}

// Prompts of 12 tokens that share the first 8, in pieces of 4: the second request computes
// the last 4 alone. One that is all there still computes a piece, for its last token.
func TestPrefixes(t *testing.T) {
	x := scheduler.NewBatcher(scheduler.Batching{Order: scheduler.Mixed, Budget: 100, MaxBatch: 8, Blocks: 10, BlockSize: 2, Piece: 4})
	run := func(prefix ...uint64) (steps []int32) {
		x.Add(&scheduler.Sequence{Prompt: 12, Left: 2, Prefix: prefix})
		for {
			step := x.Next()
			if len(step) == 0 {
				return steps
			}
			steps = append(steps, step[0].Tokens)
			x.Finish(func(*scheduler.Sequence, int, bool) {})
		}
	}
	for _, c := range []struct {
		prefix []uint64
		want   int32
	}{
		{[]uint64{1, 2, 3}, 12},
		{[]uint64{1, 2, 4}, 4},
		{[]uint64{1, 2, 4}, 4},
		// 10 blocks are 5 pieces: 1, 2, 3 and 4 are kept, in that order of use: 3, then 4,
		// 2, 1. Seven blocks need all but one of those.
		{[]uint64{5, 6, 7}, 12},
		{[]uint64{1, 2, 4}, 8},
	} {
		if got := run(c.prefix...); got[0] != c.want || len(got) != 2 {
			t.Errorf("%v: steps of %v tokens, want %d first", c.prefix, got, c.want)
		}
	}
	if x.Used() != 0 {
		t.Errorf("%d blocks are used", x.Used())
	}
}
