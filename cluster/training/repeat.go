package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
)

// mark is what had happened until an instant.
type mark struct {
	at      sim.Time
	network *network.Snapshot
	ledgers []cluster.Ledger // of the gangs
	quiet   sim.Time         // until when it was quiet then
}

// mark is the present, from which what the job does may be repeated; nil while
// others share the data centre.
func (j *Job) mark() *mark {
	if !j.c.Alone() {
		return nil
	}
	m := &mark{at: j.c.Engine.Now(), network: j.c.Network.Snapshot(), ledgers: make([]cluster.Ledger, len(j.gangs)), quiet: j.c.QuietUntil}
	for i, g := range j.gangs {
		m.ledgers[i] = *g.ledger
	}
	return m
}

// repeat accounts for what the job has done since a mark being done times more, or
// as often as time allows, and gives how often.
func (j *Job) repeat(since *mark, times int64, now sim.Time) int64 {
	if !j.repeatable(since) {
		return 0
	}
	period := max(now-since.at, 1)
	times = j.c.Repeats(times, period)
	j.account(since, times, period, now)
	return times
}

// repeatable says whether what the job has done since a mark will happen again as it
// did.
func (j *Job) repeatable(since *mark) bool {
	return since != nil && since.quiet == j.c.QuietUntil && j.c.Alone()
}

// account accounts for what the job has done since a mark being done times more, once
// in each period from now on.
func (j *Job) account(since *mark, times int64, period, now sim.Time) {
	if times == 0 {
		return
	}
	j.c.Network.Repeat(since.network, times, period)
	for i, g := range j.gangs {
		g.ledger.Repeat(since.ledgers[i], period, times, now)
	}
}

// round is the iterations from the end of an interlude to the end of the next.
type round struct {
	began  sim.Time
	since  *mark    // its beginning
	before sim.Time // length of the one before
}

// endInterlude closes an interlude, and with it a round.
func (j *Job) endInterlude(now sim.Time) {
	j.Interlude = j.mean(now - j.began)
	j.observe(j.interlude(), j.began, now, j.Interludes+1, 1)
	if j.course != nil {
		j.recoverableInterlude(now)
		return
	}
	j.Interludes++
	length := now - j.round.began
	if length == j.round.before && j.Stragglers.Jitter == 0 && j.feed == nil {
		rounds := j.repeat(j.round.since, (j.Iterations-j.Done)/j.Every, now)
		from := now
		now += sim.Time(rounds) * length
		j.observe("rounds like the last", from, now, j.Interludes+1, rounds)
		j.Done += rounds * j.Every
		j.Interludes += rounds
	}
	j.round = round{began: now, before: length}
	if j.Done >= Simulated && now == j.c.Engine.Now() {
		j.round.since = j.mark()
	}
	j.follow(now)
}
