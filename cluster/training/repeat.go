package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// mark is what had happened until an instant.
type mark struct {
	at      sim.Time
	network *network.Snapshot
	ledgers []cluster.Ledger // of the gangs
	until   sim.Time         // until when the job was to be undisturbed
}

// mark is the present, from which what the job does may be repeated; nil while
// others may share its links.
func (j *Job) mark() *mark {
	_, until := j.c.Undisturbed(j.job)
	if until <= j.c.Engine.Now() || j.course != nil && j.course.sending || j.feed != nil && j.feed.reading >= 0 {
		return nil
	}
	m := &mark{at: j.c.Engine.Now(), network: j.c.Network.Snapshot(), ledgers: make([]cluster.Ledger, len(j.gangs)), until: until}
	for i, g := range j.gangs {
		m.ledgers[i] = *g.ledger
	}
	return m
}

// repeat accounts for what the job has done since a mark being done times more, or
// as often as time allows, and gives how often.
func (j *Job) repeat(since *mark, times int64, now sim.Time) int64 {
	links, until := j.repeatable(since)
	if until <= now {
		return 0
	}
	period := max(now-since.at, 1)
	times = j.c.Repeats(times, period, until)
	j.account(since, links, times, period, now)
	return times
}

// repeatable says on which links, and until when, what the job has done since a mark
// will happen again as it did; until is no later than now where it will not.
func (j *Job) repeatable(since *mark) (links []topology.LinkID, until sim.Time) {
	if since == nil || since.until < j.c.Engine.Now() {
		return nil, -1
	}
	return j.c.Undisturbed(j.job)
}

// account accounts for what the job has done since a mark, on some links, being done
// times more, once in each period from now on.
func (j *Job) account(since *mark, links []topology.LinkID, times int64, period, now sim.Time) {
	if times == 0 {
		return
	}
	j.c.Network.Repeat(since.network, links, times, period)
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
