// Package rollout brings software to hosts, batch after batch, as rolling updates do.
//
// # Model
//
// Each host of a batch gets the image, unpacks it, is drained, and restarts; when all of
// the batch have, the next begins. Jobs go on beside the image on its way, and contend
// with it. A drained host takes no new jobs; those that are on it when the drain ends are
// put back. Each host pulls by one NIC.
//
// From a registry every host has a stream of its own. With n hosts of a batch, an image of
// B bytes, s registries of rate R and NICs of rate U, on an idle network, that takes
//
//	B / min(U, s R / n)
//
// Peer to peer, in the manner of Kraken and Dragonfly, hosts pass on pieces of P bytes as
// they come: along a chain from each registry, which needs to give the image only once,
// since the hosts of a batch that have it head the chains of the next. With n/s hosts to a
// chain,
//
//	(B + (n/s - 1) P) / min(U, R)
//
// which for small pieces is the least that any swarm of hosts with equal NICs takes: B / U
// (Kumar and Ross, Peer-assisted file distribution: the minimum distribution time,
// HOTWEB 2006). A chain goes at the pace of its slowest hop.
//
// Left out: layers that hosts have already (state the bytes that are left), failed hosts
// and rolling back.
package rollout

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Registry is a host that gives the image, and what it reads it from; nil for nothing
// that would be slower than its NIC.
type Registry struct {
	Host     int
	Services []topology.LinkID
}

// Holder takes hosts out of use and gives them back.
type Holder interface {
	Drain(hosts []int32)
	Vacate(hosts []int32) (interrupted int)
	Release(hosts []int32)
}

// Job is a program that rolls software out. It takes no accelerators.
type Job struct {
	Image      float64 // bytes
	Registries []Registry
	Hosts      []int32
	Batch      int     // hosts at a time
	Peers      bool    // hosts pass the image on
	Piece      float64 // bytes, of these

	Unpack, Drain, Restart sim.Time
	Hold                   Holder // nil: there is no queue whose jobs could be in the way

	Rows []Row // the batches

	c       *cluster.Cluster
	job     int
	actor   sim.Actor
	streams []stream // of the batch
	pending int      // of them
	before  sent     // in all batches before
	heads   []int32  // hosts that have the image, one for each chain; nil: none yet
}

// stream is an image on its way, from a registry or not, over so many hops.
type stream struct {
	id         network.ID
	registered bool
	hops       int
	came       bool
}

// sent is images that registries gave, and that hosts passed on.
type sent struct{ registered, passed float64 }

// add adds a part of the image of a stream.
func (s *sent) add(x *stream, part float64) {
	passed := x.hops
	if x.registered {
		s.registered += part
		passed--
	}
	s.passed += part * float64(passed)
}

// Sent is the bytes that registries gave and that hosts passed on until now, those of images
// that are still on their way among them; these are known of a fluid only.
func (j *Job) Sent() (registered, passed float64) {
	all := j.before
	for i := range j.streams {
		x := &j.streams[i]
		switch {
		case x.came:
			all.add(x, 1)
		case !j.c.Network.Ships():
			all.add(x, 1-j.c.Network.Left(x.id)/j.Image)
		}
	}
	return all.registered * j.Image, all.passed * j.Image
}

// Row is one batch: when it began, when all its hosts had the image, unpacked, when they
// were drained, and when they had restarted; -1 until then.
type Row struct {
	Hosts                         int
	Start, Pulled, Drained, Ended sim.Time
	Interrupted                   int
}

// Events of a job.
const (
	argPulled uint64 = iota
	argUnpacked
	argDrained
	argRestarted
	argKinds = iota // the stream that is pulled is above
)

// Begin begins the first batch.
func (j *Job) Begin(c *cluster.Cluster, job int) {
	j.c, j.job, j.actor = c, job, c.Engine.Register(j)
	j.pull()
}

// batch is the hosts of the present batch.
func (j *Job) batch() []int32 {
	first := (len(j.Rows) - 1) * j.Batch
	return j.Hosts[first:min(first+j.Batch, len(j.Hosts))]
}

// pull has the image go to the next batch.
func (j *Job) pull() {
	j.Rows = append(j.Rows, Row{Start: j.c.Engine.Now(), Pulled: -1, Drained: -1, Ended: -1})
	hosts := j.batch()
	j.Rows[len(j.Rows)-1].Hosts = len(hosts)
	for i := range j.streams {
		j.before.add(&j.streams[i], 1)
	}
	j.streams = j.streams[:0]
	if j.Peers {
		j.chain(hosts)
		return
	}
	for i, h := range hosts {
		r := &j.Registries[i%len(j.Registries)]
		t := j.hop(r.Host, int(h), i/len(j.Registries), r.Services)
		j.send(&t, true, 1)
	}
}

// chain has each host of a chain pass the image on to the next.
func (j *Job) chain(hosts []int32) {
	chains := min(len(j.Registries), len(hosts))
	heads := make([]int32, chains)
	for k := range chains {
		from, services := j.Registries[k].Host, j.Registries[k].Services
		if j.heads != nil {
			from, services = int(j.heads[k]), nil
		}
		var all network.Transfer
		place := map[topology.LinkID]int{} // in all
		hops := 0
		for i := k; i < len(hosts); i += chains {
			add(&all, place, j.hop(from, int(hosts[i]), 0, services))
			from, services = int(hosts[i]), nil
			hops++
		}
		heads[k] = int32(from)
		// The last host has the last piece once all before have passed it on.
		all.Latency = all.Latency.After(sim.FromSeconds(float64(hops-1) * j.Piece / j.rate(&all)))
		j.send(&all, j.heads == nil, hops)
	}
	if len(heads) >= len(j.heads) { // the last batch may be small
		j.heads = heads
	}
}

// hop is the way from one host to another, by NICs that take turns.
func (j *Job) hop(from, to, turn int, services []topology.LinkID) network.Transfer {
	t := j.c.Topology
	nic := func(host, turn int) topology.NodeID {
		s := &t.Servers[host]
		return s.FirstNIC + topology.NodeID(turn%s.Spec.NICs)
	}
	return j.c.Between(nic(from, turn), nic(to, 0), uint64(to), services...)
}

// add adds a hop to the links that a chain crosses.
func add(all *network.Transfer, place map[topology.LinkID]int, hop network.Transfer) {
	for i, l := range hop.Links {
		count := 1.0
		if hop.Counts != nil {
			count = hop.Counts[i]
		}
		k, there := place[l]
		if !there {
			k = len(all.Links)
			place[l] = k
			all.Links, all.Counts = append(all.Links, l), append(all.Counts, 0)
		}
		all.Counts[k] += count
	}
	all.Latency = all.Latency.After(hop.Latency)
}

// rate is that of a chain on an idle network.
func (j *Job) rate(t *network.Transfer) float64 {
	rate := j.c.Topology.Links[t.Links[0]].Payload / t.Counts[0]
	for i, l := range t.Links {
		rate = min(rate, j.c.Topology.Links[l].Payload/t.Counts[i])
	}
	return rate
}

// send sends the image, from a registry or not, over so many hops.
func (j *Job) send(t *network.Transfer, registered bool, hops int) {
	t.Bytes, t.Owner = j.Image, j.c.Jobs[j.job].Owner
	t.Notify, t.Actor, t.Arg, t.Forget = true, j.actor, argPulled+argKinds*uint64(len(j.streams)), true
	j.streams = append(j.streams, stream{id: j.c.Network.Add(t), registered: registered, hops: hops})
	j.pending++
}

// Handle goes on to what comes next.
func (j *Job) Handle(now sim.Time, arg uint64) {
	row := &j.Rows[len(j.Rows)-1]
	after := func(d sim.Time, what uint64) { j.c.Engine.Schedule(now.After(d), j.actor, what) }
	switch arg % argKinds {
	case argPulled:
		j.streams[arg/argKinds].came = true
		if j.pending--; j.pending == 0 {
			after(j.Unpack, argUnpacked)
		}
	case argUnpacked:
		row.Pulled = now
		if j.Hold != nil {
			j.Hold.Drain(j.batch())
		}
		after(j.Drain, argDrained)
	case argDrained:
		row.Drained = now
		if j.Hold != nil {
			row.Interrupted = j.Hold.Vacate(j.batch())
		}
		after(j.Restart, argRestarted)
	case argRestarted:
		row.Ended = now
		if j.Hold != nil {
			j.Hold.Release(j.batch())
		}
		if len(j.Rows)*j.Batch >= len(j.Hosts) {
			j.c.Done(j.job)
			return
		}
		j.pull()
	}
}
