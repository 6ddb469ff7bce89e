package serving

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Handover is the way of a request from the replica that computes its prompt to one that
// computes the tokens after the first (Zhong et al., DistServe, OSDI 2024; Patel et al.,
// Splitwise, ISCA 2024), so that neither is held up by the other.
//
// The second is chosen once the prompt has been computed. It pulls keys and values as soon
// as its cache has room for them, in the order of arrival, so that the first keeps them
// until then, and an overload of the second holds the first up (DistServe, section 4.3);
// sequences that the second has preempted, and computes again itself, come before. All
// layers go at once, after the prompt; Splitwise sends each while the next is computed.
// What a failure finds on its way still drains.
type Handover struct {
	Prefill  int32    // the replica that computed the prompt, the last time; -1: none yet
	From, To sim.Time // between which keys and values went over, the last time; -1: they have not
	Bytes    float64  // that did, in all

	sequence scheduler.Sequence // as the second replica has it
	source   *lane              // that has its keys and values
	target   *lane              // that it is to go to; nil: none yet
	left     int32              // tokens to come, with that which the prompt brings
	turn     uint32             // of those transfers that still count
}

// begin gives a request to the replicas that compute prompts: to those that hand over as
// one for a single token.
func (f *Fleet) begin(s *scheduler.Sequence) {
	if f.Decode != nil {
		f.Handovers[s.Request] = Handover{Prefill: -1, From: -1, To: -1, left: s.Left}
		s.Left = 1
	}
	f.route(&f.Pool, s)
}

// brought notes that a sequence has come to a token, the last that its batch asks for or
// not, and says whether it is the last of the request.
func (f *Fleet) brought(s *scheduler.Sequence, last bool) bool {
	h := &f.Handovers[s.Request]
	if s == &h.sequence {
		return last
	}
	f.handed = append(f.handed, s)
	h.left--
	return h.left == 0
}

// handOver sends on those whose prompts a lane has computed in the step that ends.
func (f *Fleet) handOver(l *lane) {
	for _, s := range f.handed {
		h := &f.Handovers[s.Request]
		h.Prefill = int32(l.replica.number)
		if h.left == 0 {
			l.leave(s)
			continue
		}
		h.source, h.target = l, nil
		h.sequence = scheduler.Sequence{Request: s.Request, Prompt: s.Prompt, Cached: s.Prompt, Left: h.left, Priority: s.Priority, Stops: s.Stops}
		f.route(f.Decode, &h.sequence)
	}
	f.handed = f.handed[:0]
}

// leave frees the blocks that a lane holds of a sequence.
func (l *lane) leave(s *scheduler.Sequence) {
	l.count(-1)
	l.Release(s)
	l.count(1)
}

// expect has a lane fetch what it needs of a sequence once it has room.
func (f *Fleet) expect(l *lane, s *scheduler.Sequence) {
	f.Handovers[s.Request].target = l
	l.Expect(s)
}

// way is from a replica to another, from and to a group of either.
type way struct{ from, to, source, target int }

// mostWays is of how many ways the plans are kept.
const mostWays = 1 << 14

// requestBits are those of an event's argument that tell the request.
const requestBits = 24

// fetch has a lane fetch what it has room for.
func (f *Fleet) fetch(l *lane) {
	if l.replica.pool != f.Decode {
		return
	}
	for s := l.Fetch(); s != nil; s = l.Fetch() {
		h := &f.Handovers[s.Request]
		h.From = f.now
		plan, size := f.transfer(h)
		f.c.Launch(cluster.Collective{
			Plan: plan, Size: size, Owner: f.c.Jobs[f.job].Owner,
			Actor: f.actor, Arg: argFetched | uint64(h.turn)<<requestBits | uint64(s.Request),
		})
	}
}

// transfer is how keys and values go over, and the bytes of each message. Ranks have
// shares of the heads in their order: each has messages with those that have parts of its
// own, as many as make all of them alike. Where the heads are fewer than the ranks, or
// attention is latent, several have the same, and each gets its own. Of groups that share
// experts, one has the request.
func (f *Fleet) transfer(h *Handover) (*collective.Plan, float64) {
	from, to := h.source.replica, h.target.replica
	parts := leastMultiple(f.Tensor, f.Decode.Tensor)
	request := int(h.sequence.Request)
	key := way{from.number, to.number, request % max(1, f.Expert), request % max(1, f.Decode.Expert)}
	plan := f.ways[key]
	if plan == nil {
		var senders, receivers []topology.NodeID
		for stage := range f.Stages {
			for i := range parts {
				senders = append(senders, from.ledger.Accelerators[stage*f.stageRanks()+key.source*f.Tensor+i*f.Tensor/parts])
				receivers = append(receivers, to.ledger.Accelerators[stage*f.Decode.stageRanks()+key.target*f.Decode.Tensor+i*f.Decode.Tensor/parts])
			}
		}
		plan = f.c.Planner.Sends(senders, receivers)
		if len(f.ways) == mostWays {
			clear(f.ways)
		}
		f.ways[key] = plan
	}
	return plan, float64(h.sequence.Cached) * f.TokenBytes * float64(f.Decode.Tensor) / float64(parts)
}

func leastMultiple(a, b int) int {
	x, y := a, b
	for y > 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// fetched is the end of a transfer.
func (f *Fleet) fetched(n int) {
	h := &f.Handovers[n&(1<<requestBits-1)]
	if h.turn != uint32(n>>requestBits) {
		return
	}
	plan, size := f.transfer(h)
	h.To = f.now
	h.Bytes += size * float64(len(plan.Ranks))
	if f.c.Observer != nil {
		f.c.Observer.Observe(f.c.Communicated(f.job, h.From, plan, size, [][]topology.NodeID{h.source.replica.ledger.Accelerators}))
	}
	h.turn++
	h.source.leave(&f.sequences[h.sequence.Request])
	f.due(h.source.number)
	h.target.count(-1)
	h.target.Arrive(&h.sequence)
	h.target.count(1)
	f.due(h.target.number)
}

// again has a prompt computed again, with the tokens that have come.
func (f *Fleet) again(s *scheduler.Sequence) {
	f.Handovers[s.Request].left = s.Left
	q := &f.sequences[s.Request]
	*q = scheduler.Sequence{Request: s.Request, Prompt: s.Prompt, Left: 1, Prefix: q.Prefix, Priority: s.Priority, Stops: s.Stops}
	f.route(&f.Pool, q)
}

// decline has others fetch what replicas were to fetch that go, and have not begun to.
func (f *Fleet) decline() {
	for i := range f.Decode.replicas {
		r := &f.Decode.replicas[i]
		if r.phase != draining {
			continue
		}
		for n := range r.lanes {
			l := &r.lanes[n]
			l.count(-1)
			expected := l.Decline()
			l.count(1)
			f.redirect(expected)
			f.due(l.number)
		}
	}
}

// redirect has others fetch what a replica was to fetch that fails or goes.
func (f *Fleet) redirect(expected []*scheduler.Sequence) {
	for _, s := range expected {
		h := &f.Handovers[s.Request]
		h.target = nil
		h.turn++
		f.route(f.Decode, s)
	}
}

// recall has the prompts computed again whose keys and values a replica held that fails.
func (f *Fleet) recall(held []*scheduler.Sequence) {
	for _, s := range held {
		h := &f.Handovers[s.Request]
		h.turn++
		q := &h.sequence
		if t := h.target; t != nil {
			t.count(-1)
			t.Withdraw(q)
			t.count(1)
			f.due(t.number)
		} else {
			f.Decode.held = slices.DeleteFunc(f.Decode.held, func(x *scheduler.Sequence) bool { return x == q })
			f.Decode.Level.waiting--
		}
		f.Grown.Moved++
		q.Prompt, q.Cached = q.Prompt+1, 0
		q.Stops++
		f.again(q)
	}
}
