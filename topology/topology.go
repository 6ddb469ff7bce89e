// Package topology is what a data centre is made of: sites, racks, hosts,
// accelerators, NICs, switches, and the links between them. It knows which way
// a message goes, and nothing of messages.
//
// # Model
//
// A [Topology] is an immutable directed graph. Every cable is two links, one
// each way, with a capacity and a latency. Inside a host the scale-up network
// (NVSwitch, NVLink mesh, PCIe) is links as well, so that two collectives of
// one host contend there as they do in the fabric.
//
// A link has two rates. Capacity is that of the wire, as a data sheet and a
// port counter have it. Payload is the share of it left for the bytes that a
// program sends, behind packet headers, encoding and copy kernels: the
// efficiency of its class of link, a figure of the host's catalogue entry.
// Bare links, of the kinds without hosts, have a Payload equal to Capacity.
//
// Latency: a cable has the fabric's link latency, every switch on the way adds
// its switch latency once (it is counted on the link that leads into the
// switch), and one pass through the scale-up network has the host's scale-up
// latency. The hop between an accelerator and its NIC has none of its own: it
// is part of the collective library's step overhead. Where accelerators and NICs
// share a PCIe switch that hop passes it, at half its latency, and no faster than
// the accelerator's slot.
//
// # Routes
//
// A route is computed when asked for, from the structure of the fabric, in time
// proportional to its length; there is no table of all pairs. Where several
// paths are equally short the topology's [Routing] says which of them a message
// takes. [Topology.Way] is what a message crosses, be it one path or several with
// a part of the message on each; [Topology.Route] is the path of a single
// connection, which a hash of (source, destination, label) picks at every switch
// as equal-cost multi-path routing does with a packet's five-tuple; see [ECMP].
//
// # Numbering
//
// Accelerators come first, in the order of hosts, then NICs, then switches.
// Links of one host follow each other, then the NICs' cables, then the cables
// between switches.
package topology

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// NodeID names a node of one topology: an accelerator, a NIC or a switch.
type NodeID int32

// LinkID names a directed link of one topology.
type LinkID int32

// None is no node.
const None NodeID = -1

// Bounds on what may be built, so that a typing error costs an error message
// and not the machine's memory.
const (
	MaxAccelerators = 1 << 20
	MaxLinks        = 1 << 23
)

// Link is one direction of a cable.
type Link struct {
	From, To NodeID // None for bare links
	Latency  sim.Time
	Capacity float64 // B/s on the wire
	Payload  float64 // B/s that programs can use, at most Capacity
}

// Rack is hosts that share their leaf switches.
type Rack struct {
	Name string
	Site string
}

// Server is one host of a topology: where its parts are.
type Server struct {
	Spec             *Host
	Rack             int
	FirstAccelerator NodeID
	FirstNIC         NodeID
}

// Topology is an immutable graph. Build one with the function that is called like
// its kind: Ring, LeafSpine and so on. It is safe for concurrent use.
type Topology struct {
	Kind    string
	Routing Routing
	Links   []Link
	Racks   []Rack
	Servers []Server // none for the kinds without hosts

	accelerators int
	nics         int
	hostOf       []int32  // of each accelerator, where there are hosts
	endNames     []string // of accelerators, in a graph only
	switchNames  []string
	passing      int            // the last so many switches are hosts of a graph
	linkNames    []string       // of bare links only
	parallel     map[LinkID]int // how many links before it have the same ends, if any
	dimensions   []Dimension
	siteNames    []string // nil: one site
	siteFirst    []int    // first server of each site
	router       router
	detours      *detours // around links that are down; nil: none is
	services     []string // names of services, whose links are from firstService on
	firstService LinkID
}

// router finds the way between two accelerators that are not the same.
type router interface {
	route(src, dst NodeID, label uint64, path []LinkID) []LinkID
}

// Accelerators is the number of accelerators: nodes 0 to Accelerators()-1.
func (t *Topology) Accelerators() int { return t.accelerators }

// NICs is the number of network interfaces in all hosts.
func (t *Topology) NICs() int { return t.nics }

// Switches is the number of switches, those inside hosts included.
func (t *Topology) Switches() int { return len(t.switchNames) - t.passing }

// nodes is the number of nodes of every sort.
func (t *Topology) nodes() int { return t.accelerators + t.nics + len(t.switchNames) }

// SwitchNames are the names of all switches.
func (t *Topology) SwitchNames() []string { return t.switchNames }

// Server is the index in Servers of the host of an accelerator or a NIC, -1 where
// there are no hosts.
func (t *Topology) Server(n NodeID) int {
	switch {
	case t.hostOf == nil:
		return -1
	case t.isNIC(n):
		return t.serverOfNIC(n)
	}
	return int(t.hostOf[n])
}

// isNIC tells network interfaces from accelerators.
func (t *Topology) isNIC(n NodeID) bool { return int(n) >= t.accelerators }

// NIC is the network interface that an accelerator uses, None if it has none, and of
// a NIC itself.
func (t *Topology) NIC(n NodeID) NodeID {
	switch {
	case t.hostOf == nil:
		return None
	case t.isNIC(n):
		return n
	}
	s := &t.Servers[t.hostOf[n]]
	if s.Spec.NICs == 0 || t.nics == 0 {
		return None
	}
	return s.FirstNIC + NodeID(s.Spec.nicOf(int(n-s.FirstAccelerator)))
}

// nicOf is the NIC that accelerator i of the host uses.
func (h *Host) nicOf(i int) int { return i * h.NICs / h.Accelerators }

// Route appends to path the links of one connection from an accelerator to
// another, in order. Either end may be a NIC instead, of another host: that of what
// the host does itself. label tells apart connections between the same two (queue
// pairs, channels); where there are several shortest paths it decides between
// them, unless the routing is Static. An accelerator reaches itself over no links.
func (t *Topology) Route(src, dst NodeID, label uint64, path []LinkID) []LinkID {
	if src == dst {
		return path
	}
	if t.detours != nil {
		return t.detours.route(src, dst, label, path)
	}
	return t.router.route(src, dst, label, path)
}

// Bare says whether there are no hosts: accelerators and links alone.
func (t *Topology) Bare() bool { return len(t.Servers) == 0 }

// NodeName is the name of a node in files and messages: "host3/acc5",
// "host3/nic0", "leaf2". Of bare accelerators: "acc5".
func (t *Topology) NodeName(n NodeID) string {
	switch i := int(n); {
	case n < 0:
		return ""
	case i < len(t.endNames):
		return t.endNames[i]
	case i < t.accelerators:
		if t.Bare() {
			return "acc" + strconv.Itoa(i)
		}
		h := t.hostOf[i]
		return t.ServerName(int(h)) + "/acc" + strconv.Itoa(i-int(t.Servers[h].FirstAccelerator))
	case i < t.accelerators+t.nics:
		h := t.serverOfNIC(n)
		return t.ServerName(h) + "/nic" + strconv.Itoa(i-int(t.Servers[h].FirstNIC))
	default:
		return t.switchNames[i-t.accelerators-t.nics]
	}
}

// ServerName is the name of a host: "host3", or where there are several sites
// "east/host3".
func (t *Topology) ServerName(server int) string {
	if t.siteNames == nil {
		return "host" + strconv.Itoa(server)
	}
	site := t.siteOf(server)
	return t.siteNames[site] + "/host" + strconv.Itoa(server-t.siteFirst[site])
}

func (t *Topology) serverOfNIC(n NodeID) int {
	lo, hi := 0, len(t.Servers)
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if t.Servers[mid].FirstNIC <= n {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// LinkName is the name of a link: that of its ends, "host3/nic0>leaf0", of the
// second of parallel ones "a>b#2", or for bare links the name it was given.
func (t *Topology) LinkName(l LinkID) string {
	k := &t.Links[l]
	return t.linkName(l, t.NodeName(k.From), t.NodeName(k.To))
}

// linkName is the name of a link from the names of its ends.
func (t *Topology) linkName(l LinkID, from, to string) string {
	if t.linkNames != nil {
		return t.linkNames[l]
	}
	if name := t.serviceName(l); name != "" {
		return name
	}
	name := from + ">" + to
	if before := t.parallel[l]; before > 0 {
		name += "#" + strconv.Itoa(before+1)
	}
	return name
}

// LinkNames are the names of all links and of their ends, each of these made once.
func (t *Topology) LinkNames() (names, from, to []string) {
	n := len(t.Links)
	names, from, to = make([]string, n), make([]string, n), make([]string, n)
	nodes := make([]string, t.nodes())
	name := func(n NodeID) string {
		if n == None {
			return ""
		}
		if nodes[n] == "" {
			nodes[n] = t.NodeName(n)
		}
		return nodes[n]
	}
	for i := range t.Links {
		from[i], to[i] = name(t.Links[i].From), name(t.Links[i].To)
		names[i] = t.linkName(LinkID(i), from[i], to[i])
	}
	return names, from, to
}

// countParallel tells apart the links from one on that have the same ends.
func (t *Topology) countParallel(first LinkID) {
	seen := make(map[[2]NodeID]int, len(t.Links)-int(first))
	for i, k := range t.Links[first:] {
		ends := [2]NodeID{k.From, k.To}
		t.follow(first+LinkID(i), seen[ends])
		seen[ends]++
	}
}

// follow notes how many links before one have the same ends.
func (t *Topology) follow(l LinkID, before int) {
	if before == 0 {
		return
	}
	if t.parallel == nil {
		t.parallel = map[LinkID]int{}
	}
	t.parallel[l] = before
}

// AcceleratorNames maps the names of all accelerators to their nodes, and in a
// graph those of all hosts, between which there may be flows as well.
func (t *Topology) AcceleratorNames() map[string]NodeID {
	names := make(map[string]NodeID, t.accelerators)
	for i := range NodeID(t.accelerators) {
		names[t.NodeName(i)] = i
	}
	for i := NodeID(t.nodes() - t.passing); int(i) < t.nodes(); i++ {
		names[t.NodeName(i)] = i
	}
	return names
}

// addCable adds both directions between two nodes and gives the first link.
// into and back are the latencies of the two directions.
func (t *Topology) addCable(a, b NodeID, capacity, efficiency float64, into, back sim.Time) LinkID {
	t.Links = append(t.Links,
		Link{From: a, To: b, Latency: into, Capacity: capacity, Payload: capacity * efficiency},
		Link{From: b, To: a, Latency: back, Capacity: capacity, Payload: capacity * efficiency})
	return LinkID(len(t.Links) - 2)
}

func (t *Topology) addSwitch(name string) NodeID {
	t.switchNames = append(t.switchNames, name)
	return NodeID(t.nodes() - 1)
}

func checkBare(n int, bandwidth units.Rate, latency units.Duration, links int) error {
	if n < 1 || n > MaxAccelerators {
		return fmt.Errorf("topology: %d accelerators; 1 to %d can be built", n, MaxAccelerators)
	}
	if !(bandwidth > 0) || math.IsInf(float64(bandwidth), 0) || latency < 0 {
		return fmt.Errorf("topology: links of bandwidth %v and latency %v", bandwidth, latency)
	}
	return checkLinks(links)
}

// reserve makes room for so many more links, or says that they are too many.
func (t *Topology) reserve(more int) error {
	if err := checkLinks(len(t.Links) + more); err != nil {
		return err
	}
	t.Links = slices.Grow(t.Links, more)
	return nil
}

func checkLinks(links int) error {
	if links > MaxLinks {
		return fmt.Errorf("topology: %d links; at most %d can be built", links, MaxLinks)
	}
	return nil
}
