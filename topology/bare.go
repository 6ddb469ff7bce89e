package topology

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// BareLink is one directed link without ends.
type BareLink struct {
	Name     string
	Capacity float64 // B/s
	Latency  sim.Time
}

// Links builds directed links without nodes, for flows that bring their routes.
func Links(links []BareLink) (*Topology, error) {
	if err := checkLinks(len(links)); err != nil {
		return nil, err
	}
	t := &Topology{Kind: "links", linkNames: make([]string, len(links)), Links: make([]Link, len(links))}
	for i, l := range links {
		if !(l.Capacity > 0) || math.IsInf(l.Capacity, 0) || l.Latency < 0 {
			return nil, fmt.Errorf("topology: link %s has capacity %v and latency %v", l.Name, l.Capacity, l.Latency)
		}
		t.linkNames[i] = l.Name
		t.Links[i] = Link{From: None, To: None, Latency: l.Latency, Capacity: l.Capacity, Payload: l.Capacity}
	}
	return t, nil
}

// Ring builds accelerators with one link each way between neighbours; two
// accelerators have one link each way in all. A message goes the shorter way
// round, and upwards if both are as long.
func Ring(n int, bandwidth units.Rate, latency units.Duration) (*Topology, error) {
	if err := checkBare(n, bandwidth, latency, 2*n); err != nil {
		return nil, err
	}
	t := &Topology{Kind: "ring", accelerators: n}
	t.router = t.buildRing(span{0, 1, n}, false, float64(bandwidth), 1, sim.Time(latency))
	return t, nil
}

// span is accelerators at equal distances: all of a host, or a line of a grid.
type span struct {
	first  NodeID
	stride int
	n      int
}

func (s span) at(i int) NodeID { return s.first + NodeID(i*s.stride) }

// ringRouter knows that link 2i of its links leads from accelerator i up to
// i+1, and link 2i+1 back.
type ringRouter struct {
	first NodeID
	n     int
	links LinkID
	open  bool // a line: its ends are not joined
	evens bool // a way half round goes up from even places only
}

// ringLinks is the number of links of a ring, or of a line.
func ringLinks(n int, open bool) int {
	if open || n <= 2 {
		return 2 * (n - 1)
	}
	return 2 * n
}

func (t *Topology) buildRing(s span, open bool, capacity, efficiency float64, latency sim.Time) ringRouter {
	r := ringRouter{first: s.first, n: s.n, links: LinkID(len(t.Links)), open: open || s.n <= 2}
	for i := range ringLinks(s.n, open) / 2 {
		t.addCable(s.at(i), s.at((i+1)%s.n), capacity, efficiency, latency, latency)
	}
	return r
}

func (r ringRouter) route(src, dst NodeID, _ uint64, path []LinkID) []LinkID {
	i, j := int(src-r.first), int(dst-r.first)
	up := (j - i + r.n) % r.n
	upwards := 2*up < r.n || 2*up == r.n && (i%2 == 0 || !r.evens)
	if r.open {
		upwards = i < j
	}
	if upwards {
		for ; i != j; i = (i + 1) % r.n {
			path = append(path, r.links+LinkID(2*i))
		}
		return path
	}
	for ; i != j; i = (i - 1 + r.n) % r.n {
		path = append(path, r.links+LinkID(2*((i-1+r.n)%r.n)+1))
	}
	return path
}

// Switch builds accelerators around one switch: a link up and a link down each,
// of the full bandwidth and half of the latency.
func Switch(n int, bandwidth units.Rate, latency units.Duration) (*Topology, error) {
	if err := checkBare(n, bandwidth, latency, 2*n); err != nil {
		return nil, err
	}
	t := &Topology{Kind: "switch", accelerators: n}
	t.router = t.buildStar("switch", span{0, 1, n}, float64(bandwidth), 1, sim.Time(latency))
	return t, nil
}

// starRouter knows that link 2i of its links leads from accelerator i to the
// switch, and link 2i+1 back.
type starRouter struct {
	first NodeID
	links LinkID
}

func (t *Topology) buildStar(name string, s span, capacity, efficiency float64, latency sim.Time) starRouter {
	r := starRouter{s.first, LinkID(len(t.Links))}
	hub := t.addSwitch(name)
	for i := range s.n {
		t.addCable(s.at(i), hub, capacity, efficiency, latency/2, latency-latency/2)
	}
	return r
}

func (r starRouter) route(src, dst NodeID, _ uint64, path []LinkID) []LinkID {
	return append(path, r.links+LinkID(2*(src-r.first)), r.links+LinkID(2*(dst-r.first)+1))
}

// FullMesh builds accelerators with one link each way between every pair.
func FullMesh(n int, bandwidth units.Rate, latency units.Duration) (*Topology, error) {
	if err := checkBare(n, bandwidth, latency, n*(n-1)); err != nil {
		return nil, err
	}
	t := &Topology{Kind: "full-mesh", accelerators: n}
	t.router = t.buildMesh(span{0, 1, n}, float64(bandwidth), 1, sim.Time(latency))
	return t, nil
}

// meshRouter knows that the links out of accelerator i are n-1 in a row, in the
// order of the accelerators they lead to.
type meshRouter struct {
	first NodeID
	n     int
	links LinkID
}

func (t *Topology) buildMesh(s span, capacity, efficiency float64, latency sim.Time) meshRouter {
	r := meshRouter{s.first, s.n, LinkID(len(t.Links))}
	for i := range s.n {
		for j := range s.n {
			if i != j {
				t.Links = append(t.Links, Link{
					From: s.at(i), To: s.at(j), Latency: latency,
					Capacity: capacity, Payload: capacity * efficiency,
				})
			}
		}
	}
	return r
}

func (r meshRouter) route(src, dst NodeID, _ uint64, path []LinkID) []LinkID {
	i, j := int(src-r.first), int(dst-r.first)
	if j > i {
		j--
	}
	return append(path, r.links+LinkID(i*(r.n-1)+j))
}
