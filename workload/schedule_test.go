package workload

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

// pipelined is a training whose schedule is of so many stages, chunks a stage and
// micro-batches.
func pipelined(schedule string, stages, chunks, micros int) Training {
	m := Model{Layers: int64(stages * chunks), Hidden: 16, Heads: 1, Vocab: 16, Sequence: 16}
	return Training{
		Model: m, GlobalBatch: micros, Pipeline: stages, VirtualStages: chunks,
		PipelineSchedule: schedule, Precision: topology.BF16,
	}
}

// anyPipeline draws a legal pipeline.
func anyPipeline(t *rapid.T) Training {
	schedule := rapid.SampledFrom([]string{GPipe, OneFOneB, Interleaved, ZeroBubble}).Draw(t, "schedule")
	stages := rapid.IntRange(1, 12).Draw(t, "stages")
	micros := rapid.IntRange(1, 40).Draw(t, "micro-batches")
	chunks := 1
	if schedule == Interleaved {
		chunks = rapid.IntRange(1, 5).Draw(t, "chunks")
		if chunks > 1 {
			micros = stages * rapid.IntRange(1, 5).Draw(t, "groups")
		}
	}
	p := pipelined(schedule, stages, chunks, micros)
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	return p
}

// play runs all stages on free communication: forward passes of a chunk take f,
// backward ones b, of ZeroBubble without the weights' gradients, which take w. It
// gives the time at which the last stage has ended, and fails if stages wait for
// each other for ever.
func play(t rapid.TB, tr Training, f, b, w int) (end int) {
	type pass struct {
		pass         Pass
		chunk, micro int // chunk of all
	}
	took := [...]int{ForwardPass: f, BackwardPass: b, WeightPass: w}
	done := map[pass]int{}
	schedules := make([][]Action, tr.Pipeline)
	for s := range schedules {
		schedules[s] = tr.Schedule(s)
	}
	last := tr.Pipeline*tr.VirtualStages - 1
	free := make([]int, tr.Pipeline) // when a stage is
	for moved := true; moved; {
		moved = false
		for s := range schedules {
			for len(schedules[s]) > 0 {
				next := schedules[s][:1]
				if next[0].Woven {
					next = schedules[s][:2]
				}
				from, length, ready := free[s], 0, true
				for _, a := range next {
					own := pass{a.Pass, int(a.Chunk)*tr.Pipeline + s, int(a.Micro)}
					needs := own
					switch {
					case a.Pass == WeightPass:
						needs.pass = BackwardPass
					case a.Pass == BackwardPass && own.chunk == last:
						needs.pass = ForwardPass
					case a.Pass == BackwardPass:
						needs.chunk++
					case own.chunk > 0:
						needs.chunk--
					}
					at, ok := done[needs]
					ready = ready && (needs == own || ok)
					from, length = max(from, at), length+took[a.Pass]
				}
				if !ready {
					break
				}
				free[s] = from + length
				for _, a := range next {
					done[pass{a.Pass, int(a.Chunk)*tr.Pipeline + s, int(a.Micro)}] = free[s]
				}
				end = max(end, free[s])
				schedules[s] = schedules[s][len(next):]
				moved = true
			}
		}
	}
	for s, left := range schedules {
		if len(left) > 0 {
			t.Fatalf("stage %d waits for ever before %+v", s, left[0])
		}
	}
	return end
}

// Every stage runs every micro-batch through every chunk once in each pass,
// backward after forward, and no stage waits for ever.
func TestSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := anyPipeline(t)
		passes := 2
		if tr.PipelineSchedule == ZeroBubble {
			passes = 3
		}
		for s := range tr.Pipeline {
			at := map[Action]int{}
			for i, a := range tr.Schedule(s) {
				if _, twice := at[a]; twice {
					t.Fatalf("stage %d runs %+v twice", s, a)
				}
				if a.Micro < 0 || int(a.Micro) >= tr.Accumulation() || a.Chunk < 0 || int(a.Chunk) >= tr.VirtualStages {
					t.Fatalf("stage %d runs %+v, which there is not", s, a)
				}
				at[a] = i
				if a.Pass > ForwardPass {
					if before, ok := at[Action{Pass: a.Pass - 1, Chunk: a.Chunk, Micro: a.Micro}]; !ok || before > i {
						t.Fatalf("stage %d runs %+v before the pass that it needs", s, a)
					}
				}
			}
			if want := passes * tr.Accumulation() * tr.VirtualStages; len(at) != want {
				t.Fatalf("stage %d runs %d passes, want %d", s, len(at), want)
			}
		}
		play(t, tr, 1, 2, 1)
	})
}

// The bubbles of the papers: GPipe and 1F1B (p-1)(f+b), interleaving a v-th of it
// (Narayanan et al. 2021, section 2.2), ZB-H1 (p-1)(f+b-w) where w is the shortest
// (Qi et al. 2023, table 2, with as many micro-batches as stages or more).
func TestBubbles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := anyPipeline(t)
		v, p, m := tr.VirtualStages, tr.Pipeline, tr.Accumulation()
		f, b := rapid.IntRange(1, 20).Draw(t, "f"), rapid.IntRange(1, 40).Draw(t, "b") // of a chunk
		w := 0
		bubble := (p - 1) * (f + b)
		if tr.PipelineSchedule == ZeroBubble {
			if m < p {
				t.Skip()
			}
			w = rapid.IntRange(1, min(f, b)).Draw(t, "w")
			bubble = (p - 1) * (f + b - w)
		}
		if got, want := play(t, tr, f, b, w), v*m*(f+b+w)+bubble; got != want {
			t.Fatalf("%s: %d stages, %d chunks, %d micro-batches end after %d, want %d", tr.PipelineSchedule, p, v, m, got, want)
		}
	})
	// The case of the paper: f = b = w. A third of 1F1B's bubble.
	for p := 1; p <= 16; p++ {
		for m := p; m <= 3*p; m++ {
			if got, want := play(t, pipelined(ZeroBubble, p, 1, m), 1, 1, 1), 3*m+p-1; got != want {
				t.Errorf("ZB-H1: %d stages, %d micro-batches end after %d, want %d", p, m, got, want)
			}
		}
	}
}

// Woven passes are one forward and one backward of different micro-batches, all but
// those with which a stage fills and empties; it keeps those of two micro-batches for
// each stage behind it, with chunks of Megatron-LM's warm-up, and two more. Where every
// pair takes f + b, with free communication and enough micro-batches, the bubble stays
// (p-1)(f+b).
func TestWovenSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := anyPipeline(t)
		if tr.PipelineSchedule == GPipe {
			t.Skip()
		}
		tr.ExpertOverlap = true
		v, p, m := tr.VirtualStages, tr.Pipeline, tr.Accumulation()
		for s := range p {
			warm := min(m*v, 2*(p-s-1)+(v-1)*p+1)
			all, pairs := tr.Schedule(s), 0
			for i, a := range all {
				if !a.Woven {
					continue
				}
				pairs++
				if b := all[i+1]; a.Pass != ForwardPass || b.Pass != BackwardPass || b.Woven || a.Micro == b.Micro && a.Chunk == b.Chunk {
					t.Fatalf("stage %d weaves %+v and %+v", s, a, b)
				}
			}
			if want := m*v - warm; pairs != want {
				t.Fatalf("stage %d of %d weaves %d pairs, want %d", s, p, pairs, want)
			}
			if got, want := tr.InFlight(s), min(m*v, warm+1); tr.PipelineSchedule != ZeroBubble && got != want {
				t.Fatalf("stage %d of %d keeps %d, want %d", s, p, got, want)
			}
		}
		f, b := rapid.IntRange(1, 20).Draw(t, "f"), rapid.IntRange(1, 40).Draw(t, "b")
		got := play(t, tr, f, b, 0)
		if want := (v*m + p - 1) * (f + b); m >= 2*p && got != want {
			t.Fatalf("%s: %d stages, %d chunks, %d micro-batches end after %d, want %d", tr.PipelineSchedule, p, v, m, got, want)
		}
	})
}

// What a stage keeps at once: GPipe all m, 1F1B min(m, p-s), ZB-H1 never more than
// 1F1B's first stage, interleaving the warm-up of Megatron-LM and one more, in
// chunks of a v-th of the stage. That is what its schedule begins and has not ended.
func TestInFlight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tr := anyPipeline(t)
		v, p, m := tr.VirtualStages, tr.Pipeline, tr.Accumulation()
		for s := range p {
			want := min(m, p-s)
			switch {
			case tr.PipelineSchedule == GPipe:
				want = m
			case tr.PipelineSchedule == ZeroBubble:
				want = min(m, p)
			case v > 1:
				want = min(m*v, 2*(p-s-1)+(v-1)*p+1)
			}
			if got := tr.InFlight(s); got != want {
				t.Fatalf("%s: stage %d of %d keeps %d of %d micro-batches in %d chunks, want %d", tr.PipelineSchedule, s, p, got, m, v, want)
			}
			kept, most, last := 0, 0, BackwardPass // that needs them
			if tr.PipelineSchedule == ZeroBubble {
				last = WeightPass
			}
			for _, a := range tr.Schedule(s) {
				switch a.Pass {
				case ForwardPass:
					kept++
					most = max(most, kept)
				case last:
					kept--
				}
			}
			if most != want || kept != 0 {
				t.Fatalf("%s: the schedule of stage %d of %d keeps %d of %d micro-batches in %d chunks and %d in the end, want %d", tr.PipelineSchedule, s, p, most, m, v, kept, want)
			}
		}
		// Korthikanti et al. 2022, section 4.2.3: 1 + (p-1)/(pv) times the layers.
		if v > 1 && m > 2*p {
			if got, want := tr.InFlight(0), v*p+p-1; got != want {
				t.Fatalf("the first stage keeps %d chunks, want %d", got, want)
			}
		}
	})
}

// A schedule as the papers draw it.
func ExampleTraining_Schedule() {
	for stage := range 3 {
		fmt.Print("stage ", stage, ":")
		for _, a := range pipelined(ZeroBubble, 3, 1, 4).Schedule(stage) {
			fmt.Printf(" %c%d", "FBW"[a.Pass], a.Micro)
		}
		fmt.Println()
	}
	// Output:
	// stage 0: F0 F1 F2 B0 W0 F3 B1 W1 B2 W2 B3 W3
	// stage 1: F0 F1 B0 F2 B1 W0 F3 B2 W1 B3 W2 W3
	// stage 2: F0 B0 F1 B1 F2 B2 W0 F3 B3 W1 W2 W3
}
