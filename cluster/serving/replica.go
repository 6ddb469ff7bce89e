package serving

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Start is what a replica does before it answers. One whose host has been given back
// waits for a host; one that is the first on its host pulls the image; all load the
// weights and warm their engine up.
type Start struct {
	Provision, Image, Weights, Engine sim.Time
	// Keep is how long a host stays, with its image, after its last replica has gone.
	Keep sim.Time
	// Download, if set, is the image, or the weights, of a replica on some accelerators as
	// they come over the network. Image and Weights are then the least that they take.
	Download func(accelerators []topology.NodeID, weights bool) network.Transfer
}

// Measure is what an autoscaler looks at.
type Measure uint8

// The measures, each of a replica that is ready.
const (
	Requests     Measure = iota // that wait and run
	Queue                       // that wait
	PromptTokens                // of prompts, that are yet to be computed
	CacheUse                    // share of the blocks of the cache that hold something
	Utilization                 // share of the time since the last sync in which it computed
)

var measureNames = [...]string{"requests", "queue", "prompt-tokens", "kv", "utilization"}

// ParseMeasure finds a measure by its name.
func ParseMeasure(name string) (Measure, bool) {
	for i, n := range measureNames {
		if n == name {
			return Measure(i), true
		}
	}
	return 0, false
}

// Scaling is how the number of replicas follows the load.
type Scaling struct {
	scheduler.Autoscaling
	Initial    int // replicas at the start, ready
	Measure    Measure
	Sync, Poll sim.Time // time between decisions, and between looks whether anybody asks where there is none
	Grace      sim.Time // for which a replica that is to go still works on what it has
}

// Failures tells when hosts of a replica fail.
type Failures interface {
	// Next is the next time, and when the hosts are back; sim.Never if there is none.
	Next() (at, until sim.Time)
}

// Decision is one of the autoscaler.
type Decision struct {
	At                   sim.Time
	Pool                 int     // in the order of Pools
	Metric               float64 // mean over those that are ready
	Ready, Starting      int
	Recommended, Desired int
}

// phase is what a replica is at.
type phase uint8

const (
	off      phase = iota // there is none
	pending               // waits for its host and its image
	loading               // weights, then the engine
	ready                 // takes requests
	draining              // ends those that it has, and goes
	broken                // until its hosts are back
)

// replica is a place for one copy of the model: its accelerators.
type replica struct {
	number int
	pool   *Pool
	ledger *cluster.Ledger
	free   []sim.Time // when each stage has ended its latest step
	lanes  []lane
	host   *host
	intake intake
	across *across // nil: it lies in one host, or its costs are of one piece

	phase    phase
	since    sim.Time // when it came to its phase
	phased   sim.Timer
	failed   sim.Timer
	failures Failures
	download *download
	back     sim.Time // of the failure to come: when the hosts are back
	repaired sim.Time // of the last failure
	computed sim.Time // at the last sync
}

// up says whether a replica counts towards those that there are to be.
func (r *replica) up() bool { return r.phase == pending || r.phase == loading || r.phase == ready }

// host is what replicas share that begin on the same server.
type host struct {
	image    bool
	until    sim.Time // when it is given back
	replicas int      // that are not off or broken
}

// Grown is what became of the replicas.
type Grown struct {
	Decisions []Decision
	Most      int // replicas that held their accelerators at a time
	Starts    int // after the beginning
	Failed    int
	Moved     int // requests that went on elsewhere, and were computed again
}

// beginReplicas makes the replicas, and has those start that there are from the start.
func (f *Fleet) beginReplicas() error {
	hosts := map[int]*host{}
	all := f.c.Jobs[f.job].Accelerators
	places, lanes := 0, 0
	for _, p := range f.pools {
		places += p.Replicas
		lanes += p.Replicas * p.Stages
	}
	f.replicas, f.lanes = make([]replica, 0, places), make([]lane, 0, lanes)
	for i, p := range f.pools {
		p.number, p.wanted = i, p.Replicas
		p.loads = make([]scheduler.Load, p.Replicas)
		each := p.Ranks()
		if err := p.Costs.Place(f.c, all[:each]); err != nil {
			return err
		}
		first := len(f.replicas)
		for range p.Replicas {
			if err := f.addReplica(p, all[:each], hosts); err != nil {
				return err
			}
			all = all[each:]
		}
		p.replicas = f.replicas[first:]
	}
	for _, p := range f.pools {
		f.beginScaling(p)
	}
	for i := range f.replicas {
		if r := &f.replicas[i]; r.failures != nil {
			f.awaitFailure(r)
		}
	}
	f.refresh()
	return nil
}

// beginScaling has the replicas of a pool start that there are from the start, and its
// autoscaler watch them.
func (f *Fleet) beginScaling(p *Pool) {
	if x := p.Scaling; x != nil {
		p.wanted = x.Initial
		p.scaler = scheduler.NewAutoscaler(x.Autoscaling)
		p.syncs, p.polls = f.c.Engine.NewTimer(f.actor, argSync|uint64(p.number)), f.c.Engine.NewTimer(f.actor, argPoll|uint64(p.number))
		f.c.Engine.Arm(p.syncs, f.now.After(x.Sync))
		if x.Min == 0 {
			f.c.Engine.Arm(p.polls, f.now.After(x.Poll))
		}
	}
	for i := range p.replicas[:p.wanted] {
		r := &p.replicas[i]
		r.host.image = true
		f.enter(r, ready)
	}
}

// Scales says whether any replicas come and go, and hosts with them.
func (f *Fleet) Scales() bool {
	return slices.ContainsFunc(f.Pools(), func(p *Pool) bool { return p.Scaling != nil })
}

// addReplica makes one on some accelerators, which is off.
func (f *Fleet) addReplica(p *Pool, on []topology.NodeID, hosts map[int]*host) error {
	server := f.c.Topology.Server(on[0])
	if hosts[server] == nil {
		hosts[server] = &host{image: !f.Scales()}
		if !f.Scales() {
			hosts[server].until = sim.Never
		}
	}
	i := len(f.replicas)
	f.replicas = append(f.replicas, replica{number: i, pool: p, ledger: f.c.NewLedger(on), free: make([]sim.Time, p.Stages), host: hosts[server]})
	r := &f.replicas[i]
	first := len(f.lanes)
	for range p.Stages {
		l := lane{Batcher: scheduler.NewBatcher(p.Batching), number: len(f.lanes), replica: r}
		l.Accept = f.accept
		if f.Delay > 0 {
			l.window = f.c.Engine.NewTimer(f.actor, argDecide|uint64(l.number))
		}
		f.lanes = append(f.lanes, l)
	}
	r.lanes = f.lanes[first:]
	r.phased = f.c.Engine.NewTimer(f.actor, argPhase|uint64(i))
	if f.Failures != nil {
		r.failures = f.Failures(on)
		r.failed = f.c.Engine.NewTimer(f.actor, argFail|uint64(i))
	}
	return f.layAcross(r)
}

// end takes back all that is to come once the last request has ended.
func (f *Fleet) end() {
	for i := range f.replicas {
		r := &f.replicas[i]
		f.c.Engine.Disarm(r.phased)
		r.download = nil
		if r.failures != nil {
			f.c.Engine.Disarm(r.failed)
		}
	}
	for _, p := range f.pools {
		if p.scaler != nil {
			f.c.Engine.Disarm(p.syncs)
			f.c.Engine.Disarm(p.polls)
		}
	}
}

// enter brings a replica to a phase.
func (f *Fleet) enter(r *replica, p phase) {
	count := func(by int) {
		switch r.phase {
		case off, broken:
		case ready, draining:
			r.pool.Level.up += by
			fallthrough
		default:
			r.pool.Level.held += by
			r.host.replicas += by
		}
	}
	count(-1)
	r.phase, r.since, r.download = p, f.now, nil
	count(1)
	holding := 0
	for _, p := range f.pools {
		holding += p.Level.held
	}
	f.Grown.Most = max(f.Grown.Most, holding)
	r.pool.Level.Most = max(r.pool.Level.Most, r.pool.Level.held)
	if r.host.replicas > 0 {
		r.host.until = sim.Never
	} else if f.Scales() && r.host.until == sim.Never {
		r.host.until = f.now.After(r.pool.Start.Keep)
	}
}

// refresh lists the replicas that take requests, and sends them those that are held.
func (f *Fleet) refresh() {
	for _, p := range f.pools {
		p.open = p.open[:0]
	}
	for i := range f.replicas {
		if r := &f.replicas[i]; r.phase == ready {
			r.pool.open = append(r.pool.open, int32(i))
		}
	}
	for _, p := range f.pools {
		if len(p.open) == 0 {
			continue
		}
		held := p.held
		p.held = nil
		for _, s := range held {
			p.Level.waiting--
			f.route(p, s)
		}
	}
}

// reconcile has replicas of a pool start or go until there are as many as wanted, or no place is
// left: on hosts that are there first, and of those that go the latest.
func (f *Fleet) reconcile(p *Pool) {
	live := 0
	for i := range p.replicas {
		if p.replicas[i].up() {
			live++
		}
	}
	for ; live < p.wanted; live++ {
		r := f.place(p)
		if r == nil {
			break
		}
		f.start(r)
	}
	for ; live > p.wanted; live-- {
		f.remove(p.newest())
	}
	f.refresh()
	if p == f.Decode {
		f.decline()
	}
}

// place is where the next replica starts, nil if there is no room.
func (f *Fleet) place(p *Pool) (best *replica) {
	for i := range p.replicas {
		r := &p.replicas[i]
		if r.phase != off {
			continue
		}
		if r.host.image && r.host.until > f.now {
			return r
		}
		if best == nil {
			best = r
		}
	}
	return best
}

// start begins the way of a replica to its first request.
func (f *Fleet) start(r *replica) {
	f.Grown.Starts++
	var wait sim.Time
	if r.host.until <= f.now {
		wait, r.host.image = r.pool.Start.Provision, false
	}
	f.enter(r, pending)
	if r.host.image {
		f.c.Engine.Arm(r.phased, f.now)
		return
	}
	f.load(r, false, f.now.After(wait), r.pool.Start.Image, 0)
}

// newest is the replica that goes first: one that is not ready yet, else the one that
// became it last.
func (p *Pool) newest() (last *replica) {
	for i := range p.replicas {
		if r := &p.replicas[i]; r.up() && (last == nil || r.phase < last.phase || r.phase == last.phase && r.since >= last.since) {
			last = r
		}
	}
	return last
}

// remove has a replica go, once it has ended what it has or the grace is over.
func (f *Fleet) remove(r *replica) {
	f.c.Engine.Disarm(r.phased)
	if r.phase != ready || r.idle() {
		f.enter(r, off)
		return
	}
	f.enter(r, draining)
	f.c.Engine.Arm(r.phased, f.now.After(r.pool.Scaling.Grace))
}

// idle says whether a replica has nothing to do.
func (r *replica) idle() bool {
	if len(r.intake.queue) > 0 {
		return false
	}
	for i := range r.lanes {
		if l := &r.lanes[i]; l.Waiting()+l.Running()+l.Held() > 0 {
			return false
		}
	}
	return true
}

// drained lets a replica go that has ended what it had.
func (f *Fleet) drained(r *replica) {
	if r.phase == draining && r.idle() {
		f.c.Engine.Disarm(r.phased)
		f.enter(r, off)
		f.reconcile(r.pool)
	}
}

// phasePassed is the end of a replica's phase.
func (f *Fleet) phasePassed(r *replica) {
	switch r.phase {
	case pending:
		r.host.image = true
		f.enter(r, loading)
		f.load(r, true, f.now, r.pool.Start.Weights, r.pool.Start.Engine)
	case loading:
		f.enter(r, ready)
		r.pool.vain = 0
		r.computed = r.ledger.ComputeBy(f.now)
		f.refresh()
	case draining:
		f.enter(r, off)
		f.evict(r)
		f.reconcile(r.pool)
	case broken:
		f.enter(r, off)
		if r.host.until < sim.Never {
			r.host.until = f.now.After(r.pool.Start.Keep)
		}
		f.reconcile(r.pool)
	}
}

// evict sends the requests of a replica to others, to be computed again.
func (f *Fleet) evict(r *replica) {
	for _, s := range r.intake.abort() {
		r.pool.Level.waiting--
		f.elsewhere(s)
	}
	for i := range r.lanes {
		l := &r.lanes[i]
		l.count(-1)
		held, expected := l.Disown()
		moved := l.Evict()
		l.busy = false
		l.passage.turn++
		for _, s := range moved {
			f.Grown.Moved++
			if r.pool == f.Decode {
				f.again(s)
			} else {
				f.elsewhere(s)
			}
		}
		f.redirect(expected)
		f.recall(held)
	}
	clear(r.free)
	r.ledger.Cut(f.now)
	r.across.abort()
}

// elsewhere has a request that has lost its replica go to another.
func (f *Fleet) elsewhere(s *scheduler.Sequence) {
	if f.Geography != nil {
		f.Geography.evicted(f, s)
		return
	}
	f.route(&f.Pool, s)
}

// awaitFailure arms the next failure of a replica's hosts, or has them fail at once that are
// away already.
func (f *Fleet) awaitFailure(r *replica) {
	at, back := r.failures.Next()
	for at <= f.now && back <= f.now {
		at, back = r.failures.Next()
	}
	switch r.back = back; {
	case at == sim.Never:
	case at <= f.now:
		f.fail(r)
	default:
		f.c.Engine.Arm(r.failed, at)
	}
}

// mostVain is how many starts in a row may come to nothing, in a run without a horizon,
// until it is given up: hosts that never stay as long as a start takes would have it go on to
// the end of the clock.
const mostVain = 1 << 14

// fail is the failure of a replica's hosts. Their disks are new when they are back.
func (f *Fleet) fail(r *replica) {
	if r.phase != off && r.phase != broken {
		f.Grown.Failed++
	}
	if p := r.pool; len(p.open) == 0 && (r.phase == pending || r.phase == loading) {
		if p.vain++; p.vain == mostVain && f.c.Engine.Horizon == 0 {
			f.stop(fmt.Errorf("no replica answers: hosts have failed %d times in a row before one was ready; with a horizon the run ends there", mostVain))
			return
		}
	}
	f.enter(r, broken)
	r.host.image = false
	r.repaired = max(r.back, r.repaired, f.now)
	f.c.Engine.Arm(r.phased, r.repaired)
	f.refresh()
	f.evict(r)
	f.reconcile(r.pool)
	if r.repaired < sim.Never {
		f.awaitFailure(r)
	}
}

// gone says whether all replicas are broken for good, be it of one pool: others then have
// nothing to come to an end with.
func (f *Fleet) gone() bool {
	return slices.ContainsFunc(f.pools, func(p *Pool) bool {
		return !slices.ContainsFunc(p.replicas, func(r replica) bool { return r.phase != broken || r.repaired < sim.Never })
	})
}

// observe is what the autoscaler of a pool sees.
func (f *Fleet) observe(p *Pool) (seen scheduler.Observed) {
	for i := range p.replicas {
		r := &p.replicas[i]
		switch r.phase {
		case pending:
			seen.Unready++
		case loading:
			seen.Missing++
		case ready:
			seen.Ready++
			seen.Sum += f.measured(r)
		}
	}
	return seen
}

// measured is the metric of a replica.
func (f *Fleet) measured(r *replica) (sum float64) {
	x := r.pool.Scaling
	if x.Measure == Utilization {
		computed := r.ledger.ComputeBy(f.now)
		sum = (computed - r.computed).Seconds() / x.Sync.Seconds()
		r.computed = computed
		return sum
	}
	switch x.Measure {
	case Requests, Queue:
		sum = float64(len(r.intake.queue))
	case PromptTokens:
		for _, s := range r.intake.queue {
			sum += float64(s.Prompt)
		}
	}
	for i := range r.lanes {
		l := &r.lanes[i]
		switch x.Measure {
		case Requests:
			sum += float64(l.Waiting() + l.Running())
		case Queue:
			sum += float64(l.Waiting())
		case PromptTokens:
			sum += float64(l.PromptTokens())
		case CacheUse:
			sum += float64(l.Used()) / float64(r.pool.Blocks())
		}
	}
	return sum
}

// sync has the autoscaler of a pool decide.
func (f *Fleet) sync(p *Pool) {
	seen := f.observe(p)
	d := Decision{At: f.now, Pool: p.number, Ready: seen.Ready, Starting: seen.Unready + seen.Missing}
	if seen.Ready > 0 {
		d.Metric = seen.Sum / float64(seen.Ready)
	}
	d.Recommended, d.Desired = p.scaler.Decide(units.Duration(f.now), p.wanted, seen)
	f.scale(p, d)
	if !f.gone() {
		f.c.Engine.Arm(p.syncs, f.now.After(p.Scaling.Sync))
	}
}

// poll looks whether anybody asks for anything, where there may be no replica. Any request
// under way keeps one of each pool, which it comes to sooner or later.
func (f *Fleet) poll(p *Pool) {
	d := Decision{At: f.now, Pool: p.number}
	d.Desired = p.scaler.Activate(units.Duration(f.now), p.wanted, f.came > f.ended)
	if d.Recommended = d.Desired; d.Desired != p.wanted {
		seen := f.observe(p)
		d.Ready, d.Starting = seen.Ready, seen.Unready+seen.Missing
		f.scale(p, d)
	}
	if !f.gone() {
		f.c.Engine.Arm(p.polls, f.now.After(p.Scaling.Poll))
	}
}

// mostDecisions is how many decisions are kept: those of a year of syncs of 15 s.
const mostDecisions = 1 << 21

func (f *Fleet) scale(p *Pool, d Decision) {
	if len(f.Grown.Decisions) < mostDecisions {
		f.Grown.Decisions = append(f.Grown.Decisions, d)
	}
	if d.Desired != p.wanted {
		p.wanted = d.Desired
		f.reconcile(p)
	}
}
