// Package storage is distributed file systems over the hosts of a data centre, and what
// reads and writes them.
//
// # Model
//
// A file is cut into blocks (HDFS), stripes (Lustre) or objects (RADOS) of one size, and
// these are dealt out over the hosts that serve, in turn, from one that differs from
// file to file. What a client reads or writes crosses its NIC, the fabric, the NIC of a
// server and the server's drives: all of them links, shared max-min with everything else
// that crosses them. Blocks of a file that go the same way are one transfer.
//
//	layout           a block of B bytes is          on drives    over the network
//	local            in the client's own host       B            0
//	striped          on one server                  B            B
//	replicated       on Copies servers, written     Copies B     Copies B, less the
//	                 from each to the next                       first if it is local
//	object           on Copies servers, written     Copies B     the same
//	                 by the first to the others
//	erasure-coded    Data + Parity cells on as      (Data +      (Data + Parity) / Data B
//	                 many servers, which the        Parity) /    written, B read
//	                 client makes                   Data B
//
// Replicated is HDFS (Shvachko et al., MSST 2010): the first copy is on the client's
// own host if that serves, the second in another rack, the third in the second's rack.
// The pipeline goes at the pace of its slowest hop, since a packet of 64 KiB is passed
// on as it comes; so it is one transfer over all hops. Object is the primary copy of
// RADOS (Weil et al., PDSW 2007): the first server sends to all others at once.
// Striped is Lustre, erasure-coded HDFS-EC and 3FS's kin with coding in the client.
// A read takes a copy on the client's own host, else in its rack, else the first.
//
// Bytes go in requests, one for each block, or the part of it that a file has, unless
// they are said to be smaller. Drives, servers and clients may do no more than so many
// a second ([Rates]): of small files that is what binds, of large ones bandwidth. With
// requests of q bytes on an idle network a server gives min(B, q x IOPS).
//
// A client opens its files one after another, and what it reads or writes of one goes as
// soon as that is open. Clients share the metadata server, of a stated rate, max-min; a
// file costs a stated latency beside. An operation ends with its last byte, durable
// (MLPerf Storage asks for fsync, and counts the slowest client).
//
// Not modelled: seeks, beyond what requests a second say of them; failures of drives,
// rebuilding.
package storage

import (
	"fmt"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Layout is where the blocks of a file are.
type Layout uint8

// The layouts.
const (
	Local Layout = iota
	Striped
	Replicated
	Object
	ErasureCoded
)

// String is the name as a scenario writes it.
func (l Layout) String() string {
	return [...]string{"local", "striped", "replicated", "object", "erasure-coded"}[l]
}

// ParseLayout finds a layout by its name.
func ParseLayout(name string) (l Layout, ok bool) {
	for l := range ErasureCoded + 1 {
		if l.String() == name {
			return l, true
		}
	}
	return 0, false
}

// MaxCopies bounds the copies of a block.
const MaxCopies = 8

// System is a file system. Make one with New.
type System struct {
	Layout Layout
	Hosts  []int   // that serve
	Block  float64 // bytes
	Rates  Rates

	Stripes      int // Striped: servers of a file; 0 is all
	Copies       int // Replicated and Object, up to MaxCopies
	Data, Parity int // ErasureCoded: cells of a block

	Latency sim.Time // of a file, to open it

	// BySite has clients use the servers of their own site alone, where there are any: each
	// site then has a file system of its own.
	BySite bool

	Servers []Drives // of Hosts; New fills them in

	t       *topology.Topology
	server  map[int]int // by host
	clients []client    // by host
	opens   topology.LinkID
	way     topology.Way
	sites   []*System // of each site, where they differ: the servers that lie there
}

// New gives a file system on a topology, after checking that it has the servers that
// the layout wants, and the topology with it.
func New(t *topology.Topology, s System) (*System, *topology.Topology, error) {
	s.t, s.server, s.Servers = t, map[int]int{}, nil
	if want := s.Width(); want > len(s.Hosts) {
		return nil, nil, fmt.Errorf("%s storage puts a block on %d hosts, and %d serve", s.Layout, want, len(s.Hosts))
	}
	if err := s.serve(); err != nil {
		return nil, nil, err
	}
	if err := s.part(); err != nil {
		return nil, nil, err
	}
	if s.Stripes == 0 {
		s.Stripes = len(s.Hosts)
	}
	return &s, s.t, nil
}

// part makes the file systems of the sites.
func (s *System) part() error {
	names := s.t.SiteNames()
	if !s.BySite || len(names) < 2 {
		return nil
	}
	s.sites = make([]*System, len(names))
	for _, d := range s.Servers {
		n := s.t.SiteOfServer(d.Server)
		own := s.sites[n]
		if own == nil {
			made := *s
			made.Hosts, made.Servers, made.server, made.sites = nil, nil, map[int]int{}, nil
			own = &made
			s.sites[n] = own
		}
		own.server[d.Server] = len(own.Servers)
		own.Hosts, own.Servers = append(own.Hosts, d.Server), append(own.Servers, d)
	}
	for n, own := range s.sites {
		if own == nil {
			continue
		}
		if want := s.Width(); want > len(own.Servers) {
			return fmt.Errorf("%s storage puts a block on %d hosts, and at %s %d serve", s.Layout, want, names[n], len(own.Servers))
		}
		if own.Stripes == 0 {
			own.Stripes = len(own.Servers)
		}
	}
	return nil
}

// of is the file system that a client uses.
func (s *System) of(client topology.NodeID) *System {
	if s.sites == nil {
		return s
	}
	return s.At(s.t.SiteOf(client))
}

// At is the file system of a site, which clients at others can use, too.
func (s *System) At(site int) *System {
	if s.sites == nil || s.sites[site] == nil {
		return s
	}
	return s.sites[site]
}

// Width is on how many servers the layout puts a block, or a file that is striped.
func (s *System) Width() int {
	switch s.Layout {
	case Striped:
		return max(1, s.Stripes)
	case Replicated, Object:
		return s.Copies
	case ErasureCoded:
		return s.Data + s.Parity
	}
	return 1
}

// Overhead is how many bytes are on drives for each byte of a file.
func (s *System) Overhead() float64 {
	switch s.Layout {
	case Replicated, Object:
		return float64(s.Copies)
	case ErasureCoded:
		return float64(s.Data+s.Parity) / float64(s.Data)
	}
	return 1
}

// Serves says whether the client at an accelerator can use the file system: whether its
// host has drives, where they are local, or NICs.
func (s *System) Serves(client topology.NodeID) bool {
	if s.Layout == Local {
		_, own := s.server[s.t.Server(client)]
		return own
	}
	return s.t.NIC(client) != topology.None
}
