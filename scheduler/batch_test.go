package scheduler_test

import (
	"fmt"
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
		x.Finish(func(*scheduler.Sequence, bool) {})
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
		x.Finish(func(*scheduler.Sequence, bool) {})
	}
	if want := []string{"2:7 0:7", "2:1 0:1", "2:1", "0:9", "1:7", "1:1", "1:1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
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
		x := scheduler.NewBatcher(b)
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
			x.Finish(func(s *scheduler.Sequence, last bool) {
				if came[s.Request]++; last != (came[s.Request] == due[s.Request]) {
					t.Fatalf("token %d of %d of request %d is the last: %v", came[s.Request], due[s.Request], s.Request, last)
				}
			})
		}
		if x.Used() != 0 || x.Waiting() != 0 || x.Running() != 0 {
			t.Fatalf("%d blocks used, %d waiting and %d running at the end", x.Used(), x.Waiting(), x.Running())
		}
		for _, s := range all {
			i := s.Request
			if came[i] != due[i] {
				t.Errorf("request %d has %d tokens of %d", i, came[i], due[i])
			}
			if least := due0[i] + due[i] - 1; computed[i] < least || s.Stops == 0 && computed[i] > least {
				t.Errorf("request %d computed %d tokens, %d are needed; it was stopped %d times", i, computed[i], least, s.Stops)
			}
		}
	})
}

func TestRouting(t *testing.T) {
	loads := []scheduler.Load{{Waiting: 0, Running: 5}, {Waiting: 2, Running: 0}, {Waiting: 1, Running: 1}}
	for _, c := range []struct {
		rule scheduler.Routing
		turn int
		want int
	}{
		{scheduler.RoundRobin, 4, 1},
		{scheduler.LeastLoaded, 4, 1}, // 5, 2 and 2
		{scheduler.LeastWaiting, 4, 0},
	} {
		if got := c.rule.Route(c.turn, loads); got != c.want {
			t.Errorf("%s sends to %d, want %d", c.rule, got, c.want)
		}
	}
}
