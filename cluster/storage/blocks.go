package storage

import (
	"math"
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/topology"
)

// Access is a whole file read or written by one client.
type Access struct {
	Write  bool
	Client topology.NodeID // an accelerator, by whose NIC it goes
	Bytes  float64
	First  int // server that the first block falls to
	// Request is the bytes of a request, 0 for a block at a time. It is never more than
	// a block, or the file.
	Request float64
}

// requested is how many bytes a client asks of a server at a time.
func (s *System) requested(a *Access) float64 {
	q := math.Min(s.Block, a.Bytes)
	if a.Request > 0 {
		q = math.Min(q, a.Request)
	}
	return s.cell(q)
}

// cell is the part of a request that goes to one server.
func (s *System) cell(request float64) float64 {
	if s.Layout == ErasureCoded {
		return request / float64(s.Data)
	}
	return request
}

// Transfers are what an access sends, each over a way of its own. Together they carry
// its bytes, with all copies and parity.
func (s *System) Transfers(a Access) []network.Transfer {
	return s.of(a.Client).transfers(a, s.requested(&a))
}

// transfers are those of an access in requests of so many bytes of a server.
func (s *System) transfers(a Access, request float64) []network.Transfer {
	r := routes{s: s, a: &a, request: request, label: uint64(a.First)}
	home, serves := s.server[s.t.Server(a.Client)]
	n := len(s.Servers)
	switch s.Layout {
	case Local:
		r.add(a.Bytes, home)
	case Striped:
		s.deal(a.Bytes, s.Stripes, func(i int, bytes float64) { r.add(bytes, (a.First+i)%n) })
	case Replicated, Object:
		first := -1
		if a.Write && s.Layout == Replicated && serves {
			first = home
		}
		s.deal(a.Bytes, n, func(i int, bytes float64) {
			copies := s.copies(first, (a.First+i)%n)
			if !a.Write {
				copies = []int{s.nearest(copies, a.Client)}
			}
			r.add(bytes, copies...)
		})
	case ErasureCoded:
		cells := s.Data
		if a.Write {
			cells += s.Parity
		}
		of := make([]float64, n)
		s.deal(a.Bytes, n, func(i int, bytes float64) {
			for c := range cells {
				of[(a.First+i+c)%n] += bytes / float64(s.Data)
			}
		})
		for i, bytes := range of {
			r.add(bytes, i)
		}
	}
	return r.all
}

// deal tells how many bytes of a file fall to each of n places that its blocks go to in
// turn, but for those that none goes to.
func (s *System) deal(bytes float64, n int, to func(i int, bytes float64)) {
	blocks := math.Ceil(bytes / s.Block)
	for i := range n {
		own := math.Floor((blocks-1-float64(i))/float64(n)) + 1 // blocks i, i+n, ...
		if own <= 0 {
			return
		}
		part := own * s.Block
		if last := blocks - 1; math.Mod(last, float64(n)) == float64(i) {
			part -= blocks*s.Block - bytes // the last block may be short
		}
		to(i, part)
	}
}

// copies are the servers of a block that falls to one in turn, or if the first is given
// has its first copy there: the second is in another rack, of whose servers each has its
// turn; the third is the next of the second's rack, any other the next at all.
func (s *System) copies(first, turn int) []int {
	n := len(s.Servers)
	all := make([]int, 1, s.Copies)
	if all[0] = first; first < 0 {
		all[0] = turn
	}
	for len(all) < s.Copies {
		last := all[len(all)-1]
		others := func(fits func(server int) bool) (some []int) { // from the one after the last on
			for i := range n - 1 {
				if at := (last + 1 + i) % n; !slices.Contains(all, at) && fits(at) {
					some = append(some, at)
				}
			}
			return some
		}
		rest := others(func(int) bool { return true })
		chosen := rest[0]
		switch len(all) {
		case 1:
			far := others(func(at int) bool { return s.rack(at) != s.rack(last) })
			if len(far) == 0 {
				far = rest
			}
			slices.Sort(far)
			chosen = far[turn%len(far)]
		case 2:
			if near := others(func(at int) bool { return s.rack(at) == s.rack(last) }); len(near) > 0 {
				chosen = near[0]
			}
		}
		all = append(all, chosen)
	}
	return all
}

// rack is that of a server.
func (s *System) rack(server int) int { return s.t.Servers[s.Servers[server].Server].Rack }

// nearest is the copy that a client reads.
func (s *System) nearest(copies []int, client topology.NodeID) int {
	host := s.t.Server(client)
	near := copies[0]
	for _, c := range copies {
		switch {
		case s.Servers[c].Server == host:
			return c
		case s.rack(c) == s.t.Servers[host].Rack && s.rack(near) != s.rack(c):
			near = c
		}
	}
	return near
}

// routes gathers transfers, one for each way that bytes go.
type routes struct {
	s       *System
	a       *Access
	request float64 // bytes
	label   uint64
	all     []network.Transfer
	of      map[[MaxCopies]int]int // in all, of the servers of a way, counted from 1
}

// add adds bytes that go to some servers, or come from one.
func (r *routes) add(bytes float64, servers ...int) {
	if bytes <= 0 {
		return
	}
	var key [MaxCopies]int
	for i, n := range servers {
		key[i] = n + 1
	}
	if i, found := r.of[key]; found {
		r.all[i].Bytes += bytes
		return
	}
	if r.of == nil {
		r.of = map[[MaxCopies]int]int{}
	}
	r.of[key] = len(r.all)
	t := network.Transfer{Bytes: bytes, Latency: r.s.Latency}
	crossed := crossing{t: &t, place: map[topology.LinkID]int{}}
	r.requests(&crossed, servers)
	if !r.a.Write {
		d := r.s.Servers[servers[0]]
		crossed.add(d.Read, 1)
		r.hop(&crossed, d.Server, r.s.t.Server(r.a.Client))
	}
	from := r.s.t.Server(r.a.Client)
	for i, n := range servers {
		if !r.a.Write {
			break
		}
		d := r.s.Servers[n]
		r.hop(&crossed, from, d.Server)
		crossed.add(d.Write, 1)
		if i == 0 || r.s.Layout == Replicated { // the next hop begins here
			from = d.Server
		}
	}
	crossed.end()
	r.all = append(r.all, t)
}

// requests adds the links of the requests in which the bytes go: of the client, and of
// each server and its drives.
func (r *routes) requests(c *crossing, servers []int) {
	share := RequestBytes / r.request
	c.bound(r.s.clients[r.s.t.Server(r.a.Client)].requests, share)
	for _, n := range servers {
		d := &r.s.Servers[n]
		c.bound(d.requests, share)
		if r.a.Write {
			c.bound(d.writes, share)
		} else {
			c.bound(d.reads, share)
		}
	}
}

// hop adds the way from one host to another: by the NIC of the client's accelerator,
// and of other hosts by the one of its number, so that rails are not changed. Where
// these have another number of NICs the clients take turns.
func (r *routes) hop(c *crossing, from, to int) {
	if from == to {
		return
	}
	t, s := r.s.t, r.s
	end := func(host int) topology.NodeID {
		own := t.Server(r.a.Client)
		if host == own {
			return r.a.Client
		}
		mine := &t.Servers[own]
		number := own*mine.Spec.NICs + int(t.NIC(r.a.Client)-mine.FirstNIC)
		return t.Servers[host].FirstNIC + topology.NodeID(number%t.Servers[host].Spec.NICs)
	}
	t.Way(end(from), end(to), r.label, nil, &s.way)
	for i, l := range s.way.Links {
		c.add(l, s.way.Share(i))
	}
	c.t.Latency += s.way.Latency
}

// crossing adds up what a transfer crosses.
type crossing struct {
	t     *network.Transfer
	place map[topology.LinkID]int
}

func (c *crossing) add(l topology.LinkID, share float64) {
	i, found := c.place[l]
	if !found {
		i = len(c.t.Links)
		c.place[l] = i
		c.t.Links, c.t.Counts = append(c.t.Links, l), append(c.t.Counts, 0)
	}
	c.t.Counts[i] += share
}

// bound adds a link if there is one.
func (c *crossing) bound(l topology.LinkID, share float64) {
	if l != unbounded {
		c.add(l, share)
	}
}

// end forgets counts that are all one.
func (c *crossing) end() {
	for _, count := range c.t.Counts {
		if count != 1 {
			return
		}
	}
	c.t.Counts = nil
}
