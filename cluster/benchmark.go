package cluster

import (
	"iter"
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// CollectiveBenchmark is a program that performs one operation at several sizes,
// one after another, as nccl-tests does.
type CollectiveBenchmark struct {
	Op         collective.Op
	Algorithm  collective.Algorithm
	Sizes      []float64 // bytes
	Iterations int64     // of each size
	// Ranks picks accelerators of the job, by place; nil takes all.
	Ranks    []int
	Explode  bool
	Overhead *sim.Time // in place of the host's, if not nil

	// Rows are the results, one a size that has ended.
	Rows []CollectiveRow

	c       *Cluster
	job     int
	actor   sim.Actor
	ledger  *Ledger
	ranks   []topology.NodeID
	plans   collective.Plans
	plan    *collective.Plan // of the size that is on
	done    int64            // iterations of the size that is on
	spent   sim.Time         // in them
	last    sim.Time         // the latest took
	began   sim.Time
	before  *network.Snapshot
	until   sim.Time // until when it was to be undisturbed
	account Ledger
}

// CollectiveRow is the mean time of an operation at one size.
type CollectiveRow struct {
	Algorithm collective.Algorithm // that was run
	Protocol  collective.Protocol  // of it
	Size      float64              // bytes
	Time      float64              // s
	Bound     float64              // s, of its bytes on the links at the rate of the wire
}

// Begin starts the first size.
func (b *CollectiveBenchmark) Begin(c *Cluster, job int) {
	b.c, b.job = c, job
	b.actor = c.Engine.Register(b)
	all := c.Jobs[job].Accelerators
	b.ranks = all
	if b.Ranks != nil {
		b.ranks = make([]topology.NodeID, len(b.Ranks))
		for i, r := range b.Ranks {
			b.ranks[i] = all[r]
		}
	}
	b.ledger = c.NewLedger(b.ranks)
	if err := b.lay(); err != nil {
		c.Fail(job, err)
		return
	}
	if b.Overhead != nil {
		for _, p := range b.plans {
			p.SetOverhead(*b.Overhead)
		}
	}
	if !b.Explode {
		b.bundle()
	}
	b.start()
}

// bundle has the phases of the plans that will be run cost as much as they have
// kinds of links.
func (b *CollectiveBenchmark) bundle() {
	used := map[*collective.Plan]bool{}
	var all []*network.Footprint
	for _, size := range b.Sizes {
		if plan := b.plans.Fastest(size); !used[plan] {
			used[plan] = true
			all = append(all, plan.Footprints()...)
		}
	}
	b.c.Bundle(b.job, all...)
}

// start begins the next iteration, of the present size or the next.
func (b *CollectiveBenchmark) start() {
	if len(b.Rows) == len(b.Sizes) {
		b.c.Done(b.job)
		return
	}
	size := b.Sizes[len(b.Rows)]
	if b.done == 0 {
		b.plan = b.plans.Fastest(size)
	}
	b.began, b.before = b.c.Engine.Now(), nil
	if b.done >= 1 && b.Iterations > 2 {
		if _, b.until = b.c.Undisturbed(b.job); b.until > b.began {
			b.before, b.account = b.c.Network.Snapshot(), *b.ledger
		}
	}
	b.c.Launch(Collective{
		Plan: b.plan, Size: size, Owner: b.c.Jobs[b.job].Owner,
		Explode: b.Explode, Actor: b.actor, Arg: argEnded,
	})
}

// lay plans the operation by the algorithms that are asked for.
func (b *CollectiveBenchmark) lay() error {
	if b.Algorithm == collective.Auto {
		plans, err := b.c.Planner.Plans(b.Op, b.ranks)
		if b.Explode {
			plans = slices.DeleteFunc(plans, func(p *collective.Plan) bool { return !p.Expandable() })
		}
		b.plans = plans
		return err
	}
	plan, err := b.c.Planner.Plan(b.Op, b.Algorithm, b.ranks)
	b.plans = collective.Plans{plan}
	return err
}

// Links are those of the plans, once they are laid.
func (b *CollectiveBenchmark) Links() (links iter.Seq[topology.LinkID], known bool) {
	return func(yield func(topology.LinkID) bool) {
		for _, p := range b.plans {
			for _, f := range p.Footprints() {
				for _, l := range f.Links {
					if !yield(l) {
						return
					}
				}
			}
		}
	}, b.plans != nil
}

// RankCount is the number of ranks, once the job has begun.
func (b *CollectiveBenchmark) RankCount() int { return len(b.ranks) }

// Events of the benchmark.
const (
	argEnded uint64 = iota // an iteration has
	argNext                // start the next
)

// Handle is called when an iteration has ended, and after a jump over equal ones.
func (b *CollectiveBenchmark) Handle(now sim.Time, arg uint64) {
	if arg == argNext {
		b.start()
		return
	}
	took := now - b.began
	b.ledger.AddExposed(b.began, now)
	b.spent += took
	b.done++
	b.observe(b.began, 1)
	links, until := b.c.Undisturbed(b.job)
	left := b.c.Repeats(b.Iterations-b.done, took, until)
	if b.before != nil && b.until >= now && took == b.last && left > 0 {
		// The same again on idle links takes the same time.
		b.c.Network.Repeat(b.before, links, left, took)
		b.ledger.Repeat(b.account, took, left, now)
		b.spent += sim.Time(left) * took
		b.observe(now, left)
		b.done += left
	} else {
		left = 0
	}
	b.last = took
	if b.done == b.Iterations {
		b.finishSize()
	}
	b.c.Engine.Schedule(now+sim.Time(left)*took, b.actor, argNext)
}

// observe tells of so many iterations that take as long as the latest, from an instant
// on.
func (b *CollectiveBenchmark) observe(from sim.Time, times int64) {
	if b.c.Observer == nil {
		return
	}
	a := b.c.Communicated(b.job, from, b.plan, b.Sizes[len(b.Rows)], [][]topology.NodeID{b.ranks})
	if a.To = from + sim.Time(times)*(b.c.Engine.Now()-b.began); times > 1 {
		a.Notes = append(a.Notes, result.Note{Name: "repetitions", Number: float64(times)})
	}
	b.c.Observer.Observe(a)
}

func (b *CollectiveBenchmark) finishSize() {
	size := b.Sizes[len(b.Rows)]
	b.Rows = append(b.Rows, CollectiveRow{
		b.plan.Algorithm, b.plan.Protocol(size), size, b.spent.Seconds() / float64(b.Iterations), b.plan.Bound(size),
	})
	b.done, b.spent, b.last, b.before = 0, 0, -1, nil
}
