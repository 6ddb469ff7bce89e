package workload

import "fmt"

// The pipeline schedules: the order in which a stage runs the forward and
// backward passes of its micro-batches.
const (
	// GPipe runs all forward passes, then all backward passes (Huang et al.
	// 2019). Every micro-batch's activations are kept at once.
	GPipe = "gpipe"
	// OneFOneB starts backward passes as early as they can be (Narayanan et al.
	// 2019, PipeDream-Flush): after as many forward passes as there are stages
	// behind, a stage alternates between one forward and one backward pass.
	OneFOneB = "1f1b"
	// Interleaved gives every stage several chunks of layers that are not next to
	// each other, and runs them as 1F1B in groups of as many micro-batches as
	// there are stages (Narayanan et al. 2021, Megatron-LM, section 2.2).
	Interleaved = "interleaved"
	// ZeroBubble splits the backward pass into the gradients of the input and
	// those of the weights, which nothing waits for but the optimizer, and puts
	// the latter off to where 1F1B would wait (Qi et al. 2023, ZB-H1): a stage
	// leaves as many of them behind as there are stages before it, and so keeps
	// no more than the first stage of 1F1B does.
	ZeroBubble = "zero-bubble"
)

// MaxPasses is how many micro-batches an iteration may have, times the chunks that
// each goes through: every pass is simulated.
const MaxPasses = 1 << 22

// Pass is a step of a pipeline schedule.
type Pass uint8

// The passes. A schedule other than ZeroBubble has no WeightPass: its backward
// pass holds all gradients.
const (
	ForwardPass Pass = iota
	BackwardPass
	WeightPass
)

var passNames = [...]string{"forward", "backward", "weight gradients"}

// String is the name that a critical path uses: "forward".
func (p Pass) String() string { return passNames[p] }

// Action is one pass of one micro-batch through one chunk of a stage's layers.
type Action struct {
	Pass Pass
	// Woven passes run together with that of the next action, each computing while the
	// other's tokens are on their way between experts.
	Woven bool
	Chunk int32 // of the stage's own, from 0
	Micro int32
}

// Schedule is the actions of a pipeline stage in their order, each of which
// waits for what it needs.
//
// With forward and backward passes of f and b a micro-batch and stage, p stages,
// and free communication, each stage idles for (p-1)(f+b) an iteration under
// GPipe and 1F1B, (p-1)(f+b)/v under v-fold interleaving, and (p-1)(f+b-w) under
// ZeroBubble, b and w being the two halves of the backward pass and w no longer
// than f or b.
//
// Under ExpertOverlap a forward and a backward pass that alternate are woven. As neither
// may need the other, and a stage now sends both at once, every stage begins with one
// forward pass more, and with two for each stage behind it: its neighbours compute one
// pair while it computes the next.
func (t Training) Schedule(stage int) []Action {
	t = t.WithDefaults()
	micros, stages := t.Accumulation(), t.Pipeline
	var all []Action
	switch {
	case t.PipelineSchedule == GPipe:
		for m := range micros {
			all = append(all, Action{Pass: ForwardPass, Micro: int32(m)})
		}
		for m := range micros {
			all = append(all, Action{Pass: BackwardPass, Micro: int32(m)})
		}
		return all
	case t.VirtualStages > 1:
		chunks := t.VirtualStages
		total := micros * chunks
		pick := func(pass Pass, k int) Action {
			group, within := k/(stages*chunks), k%(stages*chunks)
			chunk := within / stages
			if pass == BackwardPass {
				chunk = chunks - 1 - chunk
			}
			return Action{Pass: pass, Chunk: int32(chunk), Micro: int32(group*stages + within%stages)}
		}
		return t.oneForwardOneBackward(total, t.warmup(stage), pick)
	}
	all = t.oneForwardOneBackward(micros, t.warmup(stage), func(pass Pass, k int) Action { return Action{Pass: pass, Micro: int32(k)} })
	if t.PipelineSchedule == ZeroBubble {
		return withWeightPasses(all, stage)
	}
	return all
}

// warmup is how many forward passes a stage runs before its first backward pass,
// under a schedule that alternates between them, one less than it then has begun.
func (t Training) warmup(stage int) int {
	behind := t.Pipeline - stage - 1
	if t.VirtualStages > 1 || t.ExpertOverlap {
		behind = 2*behind + (t.VirtualStages-1)*t.Pipeline
	}
	if t.ExpertOverlap {
		behind++
	}
	return min(t.Accumulation()*t.VirtualStages, behind)
}

// EvaluationSchedule is the passes of every stage in an evaluation of the model on
// so many samples, which the replicas share: forward only, micro-batches one after
// the other, with several chunks a stage in groups of as many as there are stages. A
// last micro-batch that the samples do not fill takes as long as the others.
func (t Training) EvaluationSchedule(samples int64) []Action {
	t = t.WithDefaults()
	micros := t.EvaluationMicros(samples)
	all := make([]Action, 0, micros*t.VirtualStages)
	for group := 0; group < micros; group += t.Pipeline {
		for chunk := range t.VirtualStages {
			for m := group; m < min(group+t.Pipeline, micros); m++ {
				all = append(all, Action{Pass: ForwardPass, Chunk: int32(chunk), Micro: int32(m)})
			}
		}
	}
	return all
}

// EvaluationMicros is how many micro-batches each replica runs in an evaluation.
func (t Training) EvaluationMicros(samples int64) int {
	t = t.WithDefaults()
	return int(Quotient(samples, int64(t.Data)*int64(t.MicroBatch)))
}

// withWeightPasses puts a weight pass after every backward pass that leaves more
// than so many of them put off, and those left at the end.
func withWeightPasses(actions []Action, putOff int) []Action {
	var all, pending []Action
	for _, a := range actions {
		all = append(all, a)
		if a.Pass != BackwardPass {
			continue
		}
		pending = append(pending, Action{Pass: WeightPass, Chunk: a.Chunk, Micro: a.Micro})
		if len(pending) > putOff {
			all = append(all, pending[0])
			pending = pending[1:]
		}
	}
	return append(all, pending...)
}

// oneForwardOneBackward is so many forward passes ahead, then one of each in
// turn, then the backward passes left.
func (t Training) oneForwardOneBackward(total, ahead int, pick func(Pass, int) Action) []Action {
	all := make([]Action, 0, 2*total)
	for k := range total + ahead {
		if k < total {
			a := pick(ForwardPass, k)
			a.Woven = t.ExpertOverlap && k >= ahead
			all = append(all, a)
		}
		if k >= ahead {
			all = append(all, pick(BackwardPass, k-ahead))
		}
	}
	return all
}

// InFlight is how many micro-batches' activations of a chunk a stage keeps at
// the most, summed over its chunks.
func (t Training) InFlight(stage int) int {
	t = t.WithDefaults()
	passes := t.Accumulation() * t.VirtualStages
	switch t.PipelineSchedule {
	case GPipe:
		return passes
	case ZeroBubble: // which needs them until the weight pass
		return min(passes, t.warmup(stage)+1+stage)
	}
	return min(passes, t.warmup(stage)+1)
}

// checkSchedule says what the schedule cannot do.
func (t Training) checkSchedule() error {
	switch s := t.PipelineSchedule; {
	case s != GPipe && s != OneFOneB && s != Interleaved && s != ZeroBubble:
		return fmt.Errorf("schedule %q is unknown: %q, %q, %q or %q", s, GPipe, OneFOneB, Interleaved, ZeroBubble)
	case s == GPipe && t.ExpertOverlap:
		return fmt.Errorf("expert_overlap weaves forward and backward passes, which %q does not alternate: %q, %q or %q", GPipe, OneFOneB, Interleaved, ZeroBubble)
	case s != Interleaved && t.VirtualStages > 1:
		return fmt.Errorf("schedule %q has one chunk a stage, virtual_stages is %d: %q takes more", s, t.VirtualStages, Interleaved)
	case t.Accumulation() > MaxPasses/t.VirtualStages/t.Pipeline:
		return fmt.Errorf("global_batch %d makes %d micro-batches, more than can be scheduled in %d chunks on %d stages: %d passes in all; a larger micro_batch makes fewer",
			t.GlobalBatch, t.Accumulation(), t.VirtualStages, t.Pipeline, MaxPasses)
	case s == Interleaved && t.VirtualStages > 1 && t.Accumulation()%t.Pipeline != 0:
		unit := t.Data * t.MicroBatch * t.Pipeline
		return fmt.Errorf("global_batch %d makes %d micro-batches, which interleaving takes in groups of as many as there are stages, %d: nearest global_batch %s",
			t.GlobalBatch, t.Accumulation(), t.Pipeline, nearest(t.GlobalBatch, unit))
	}
	return nil
}
