package topology

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/railyard/railyard/sim"
)

// hostRouter finds ways in a fabric of hosts: inside a host by its scale-up
// network, between hosts from NIC to NIC by the fabric's cables and switches.
type hostRouter struct {
	t       *Topology
	scaleUp []router // of each host
	pcie    []LinkID // first link of each host between accelerators and NICs
	fabric  stepper
	relays  bool // a message may change rails in its host
}

// SingleHost builds one host; its NICs lead nowhere.
func SingleHost(h Host) (*Topology, error) {
	t, _, err := newHosts("single-host", Fabric{Host: h, Hosts: 1}, func(*Host) int { return 1 })
	return t, err
}

// newHosts builds the hosts of a fabric and their insides. hostsPerRack is how
// many hosts of a kind make a rack.
func newHosts(kind string, f Fabric, hostsPerRack func(*Host) int) (*Topology, *hostRouter, error) {
	t := &Topology{Kind: kind, Routing: f.Routing}
	hosts, links := 0, 0
	pools := f.pools()
	for i := range pools {
		h, n := &pools[i].Host, pools[i].Hosts
		if h.Accelerators < 0 || h.NICs < 0 || n < 1 || n > (MaxAccelerators-t.accelerators)/max(1, h.Accelerators) {
			return nil, nil, fmt.Errorf("topology: %d hosts of %d accelerators; 1 to %d accelerators can be built in all",
				n, h.Accelerators, MaxAccelerators)
		}
		if h.NICs == 0 && (n > 1 || len(pools) > 1) {
			return nil, nil, fmt.Errorf("topology: %d hosts without NICs cannot reach others", n)
		}
		perHost := 4*h.Accelerators + 2*h.NICs
		switch h.ScaleUp {
		case ScaleUpMesh:
			perHost += h.Accelerators * h.Accelerators
		case ScaleUpTorus:
			perHost += 4 * h.Accelerators
		}
		if perHost > (MaxLinks-links)/n {
			return nil, nil, checkLinks(links + perHost*n)
		}
		hosts, links = hosts+n, links+perHost*n
		t.accelerators += n * h.Accelerators
		t.nics += n * h.NICs
	}
	if t.accelerators == 0 {
		return nil, nil, errors.New("topology: hosts without accelerators alone")
	}
	t.Servers = make([]Server, 0, hosts)
	t.hostOf = make([]int32, 0, t.accelerators)
	t.Links = make([]Link, 0, links)
	r := &hostRouter{t: t, scaleUp: make([]router, hosts), pcie: make([]LinkID, hosts)}
	t.router = r
	nic := NodeID(t.accelerators)
	for i := range pools {
		spec := new(pools[i].Host)
		perRack := hostsPerRack(spec)
		for s := range pools[i].Hosts {
			if s%perRack == 0 {
				t.Racks = append(t.Racks, Rack{Name: "rack" + strconv.Itoa(len(t.Racks)), Site: "site0"})
			}
			t.Servers = append(t.Servers, Server{
				Spec: spec, Rack: len(t.Racks) - 1, FirstAccelerator: NodeID(len(t.hostOf)), FirstNIC: nic,
			})
			nic += NodeID(spec.NICs)
			for range spec.Accelerators {
				t.hostOf = append(t.hostOf, int32(len(t.Servers)-1))
			}
			t.buildHost(r, len(t.Servers)-1)
		}
	}
	return t, r, nil
}

// buildHost adds the links inside host s.
func (t *Topology) buildHost(r *hostRouter, s int) {
	server := &t.Servers[s]
	h := server.Spec
	name := t.ServerName(s)
	rate, latency := float64(h.ScaleUpBandwidth), sim.Time(h.ScaleUpLatency)
	first, n := server.FirstAccelerator, h.Accelerators
	all := span{first, 1, n}
	if n > 1 || n == 1 && h.ScaleUp == ScaleUpPCIe {
		switch h.ScaleUp {
		case ScaleUpMesh:
			r.scaleUp[s] = t.buildMesh(all, rate/float64(n-1), h.ScaleUpEfficiency, latency)
		case ScaleUpRing:
			r.scaleUp[s] = t.buildRing(all, false, rate/float64(min(n-1, 2)), h.ScaleUpEfficiency, latency)
		case ScaleUpTorus:
			r.scaleUp[s] = t.buildHostTorus(first, nearCube(n, cmp.Or(h.ScaleUpDimensions, 3)), rate, h.ScaleUpEfficiency, latency)
		case ScaleUpPCIe:
			r.scaleUp[s] = t.buildStar(name+"/pcie", all, rate, h.ScaleUpEfficiency, latency)
		default:
			r.scaleUp[s] = t.buildStar(name+"/switch", all, rate, h.ScaleUpEfficiency, latency)
		}
	}
	r.pcie[s] = LinkID(len(t.Links))
	pcie := math.Max(float64(h.PCIeBandwidth), float64(h.NICBandwidth))
	if h.NICs == 0 || n == 0 {
		return
	}
	if h.ScaleUp == ScaleUpPCIe { // NICs sit on the same PCIe switch
		hub := NodeID(t.nodes() - 1)
		for i := range h.NICs {
			t.addCable(hub, server.FirstNIC+NodeID(i), pcie, 1, 0, 0)
		}
		return
	}
	for i := range n {
		t.addCable(first+NodeID(i), server.FirstNIC+NodeID(h.nicOf(i)), pcie, 1, 0, 0)
	}
}

// toNIC appends the links from an accelerator to its NIC.
func (r *hostRouter) toNIC(a NodeID, path []LinkID) []LinkID {
	if r.t.isNIC(a) {
		return path
	}
	s := r.t.hostOf[a]
	server := &r.t.Servers[s]
	i := int(a - server.FirstAccelerator)
	if star, ok := r.scaleUp[s].(starRouter); ok && server.Spec.ScaleUp == ScaleUpPCIe {
		return append(path, star.links+LinkID(2*i), r.pcie[s]+LinkID(2*server.Spec.nicOf(i)))
	}
	return append(path, r.pcie[s]+LinkID(2*i))
}

// fromNIC appends the links from an accelerator's NIC to it.
func (r *hostRouter) fromNIC(a NodeID, path []LinkID) []LinkID {
	if r.t.isNIC(a) {
		return path
	}
	s := r.t.hostOf[a]
	server := &r.t.Servers[s]
	i := int(a - server.FirstAccelerator)
	if star, ok := r.scaleUp[s].(starRouter); ok && server.Spec.ScaleUp == ScaleUpPCIe {
		return append(path, r.pcie[s]+LinkID(2*server.Spec.nicOf(i)+1), star.links+LinkID(2*i+1))
	}
	return append(path, r.pcie[s]+LinkID(2*i+1))
}

func (r *hostRouter) route(src, dst NodeID, label uint64, path []LinkID) []LinkID {
	return r.t.routeForked(r, connection{src, dst, label}, path)
}

func (r *hostRouter) steps() stepper { return r.fabric }

func (r *hostRouter) fork(src, dst NodeID, path []LinkID) (head []LinkID, from, to NodeID) {
	s := r.t.Server(src)
	if s == r.t.Server(dst) {
		return r.scaleUp[s].route(src, dst, 0, path), None, None
	}
	if r.relays && !r.t.isNIC(src) && !r.t.isNIC(dst) {
		if relay := r.relay(src, dst); relay != src {
			path = r.scaleUp[s].route(src, relay, 0, path)
			src = relay
		}
	}
	return r.toNIC(src, path), r.t.NIC(src), r.t.NIC(dst)
}

func (r *hostRouter) join(dst NodeID, path []LinkID) []LinkID { return r.fromNIC(dst, path) }

// relay is the accelerator of src's host from which a message on rails leaves it.
func (r *hostRouter) relay(src, dst NodeID) NodeID {
	from, to := &r.t.Servers[r.t.hostOf[src]], &r.t.Servers[r.t.hostOf[dst]]
	if from.Rack != to.Rack || from.Spec.ScaleUp != ScaleUpSwitch && from.Spec.ScaleUp != ScaleUpMesh {
		return src
	}
	want := to.Spec.nicOf(int(dst - to.FirstAccelerator))
	if from.Spec.nicOf(int(src-from.FirstAccelerator)) == want {
		return src
	}
	return from.FirstAccelerator + (dst - to.FirstAccelerator)
}
