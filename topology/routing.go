package topology

import "fmt"

// Policy is how messages choose among equally short paths.
type Policy uint8

// The policies. All but Valiant and UGAL take shortest paths only.
const (
	// HashECMP: every switch on the way hashes the connection; see ECMP. A
	// message goes over Routing.QueuePairs connections at once, and may so take
	// several paths.
	HashECMP Policy = iota
	// Adaptive: of the equal paths the one whose links are least loaded when the
	// message starts.
	Adaptive
	// Spray: every switch deals the packets of a message out over all links that
	// lead on, an equal part to each.
	Spray
	// Static: the destination alone decides, as in the forwarding tables of
	// InfiniBand. In a fat tree this is D-mod-k (Zahavi, "Fat-tree routing and
	// node ordering providing contention free traffic for MPI global
	// collectives", 2012), under which a shift permutation meets no other
	// message on its way.
	Static
	// Minimal is HashECMP in the words of dragonflies.
	Minimal
	// Valiant: the packets of a message to another group go to a random third
	// one first (Valiant and Brebner 1981), an equal part to each. Dragonflies
	// only.
	Valiant
	// UGAL: the minimal path or Valiant's, whichever is less loaded when the
	// message starts (Singh 2005, in the global form of Kim et al. 2008).
	// Dragonflies only.
	UGAL
)

var policyNames = [...]string{"ecmp", "adaptive", "spray", "static", "minimal", "valiant", "ugal"}

// String is the name as a scenario writes it.
func (p Policy) String() string { return policyNames[p] }

// ParsePolicy finds a policy by its name.
func ParsePolicy(name string) (p Policy, ok bool) {
	for i, n := range policyNames {
		if n == name {
			return Policy(i), true
		}
	}
	return 0, false
}

// Adapts says whether the policy looks at the load of links.
func (p Policy) Adapts() bool { return p == Adaptive || p == UGAL }

// Routing is how a topology chooses among equally short paths.
type Routing struct {
	Policy Policy
	// Seed is that of the switches' hashes.
	Seed uint64
	// QueuePairs is how many connections a message is spread over under
	// HashECMP; 0 is 1.
	QueuePairs int
}

// onePath says whether a message takes the path of a single connection.
func (r Routing) onePath() bool {
	return r.Policy == Static || (r.Policy == HashECMP || r.Policy == Minimal) && r.QueuePairs <= 1
}

// MaxQueuePairs bounds the connections that a message is spread over.
const MaxQueuePairs = 1024

func (r Routing) check() error {
	if r.QueuePairs < 0 || r.QueuePairs > MaxQueuePairs {
		return fmt.Errorf("topology: %d queue pairs; at most %d can be simulated", r.QueuePairs, MaxQueuePairs)
	}
	return nil
}

// ECMP is the hash that picks one of n equally good next hops of a connection
// at a switch: the splitmix64 finalizer (Steele, Lea, Flood, OOPSLA 2014) over
// seed, switch, source, destination and label, reduced to n by its high bits.
// Real switches hash the five-tuple with a seed of their own; the label stands
// for the ports.
func ECMP(seed uint64, at, src, dst NodeID, label uint64, n int) int {
	x := mix(seed + uint64(uint32(at)))
	x = mix(x ^ (uint64(uint32(src))<<32 | uint64(uint32(dst))))
	x = mix(x ^ label)
	return int((x >> 32) * uint64(n) >> 32)
}

func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// stepper knows the links that lead from a node on to another by a shortest
// path: fan is how many there are, and step gives the i-th and the node at its
// end. rank is the number that Static goes by: at every node it takes link rank
// modulo fan.
type stepper interface {
	fan(at, to NodeID) int
	step(at, to NodeID, i int) (LinkID, NodeID)
	rank(at, to NodeID) int
}

// forked is a router whose ways have a part with equally short paths: from the
// node that fork gives to the other one, by steps. Before it are the links that
// fork appends, behind it those that join appends. Where nothing is to be chosen
// fork appends all of the way, and gives None.
type forked interface {
	router
	steps() stepper
	fork(src, dst NodeID, path []LinkID) (head []LinkID, from, to NodeID)
	join(dst NodeID, path []LinkID) []LinkID
}

// connection is what a switch hashes.
type connection struct {
	src, dst NodeID
	label    uint64
}

// routeForked is the route of one connection.
func (t *Topology) routeForked(f forked, c connection, path []LinkID) []LinkID {
	path, from, to := f.fork(c.src, c.dst, path)
	if from == None {
		return path
	}
	if t.Routing.Policy == Valiant {
		d := f.steps().(*dragonfly)
		if n := d.thirds(from, to); n > 0 {
			i := ECMP(t.Routing.Seed, from, c.src, c.dst, c.label, n)
			return f.join(c.dst, d.detour(d.third(from, to, i), from, to, c, path))
		}
	}
	return f.join(c.dst, t.walk(f.steps(), from, to, c, path))
}

// walk appends the links that the switches choose for a connection on its way
// from one node to another.
func (t *Topology) walk(s stepper, at, to NodeID, c connection, path []LinkID) []LinkID {
	for at != to {
		i := 0
		if n := s.fan(at, to); n > 1 {
			i = t.choose(s, at, to, c, n)
		}
		var l LinkID
		l, at = s.step(at, to, i)
		path = append(path, l)
	}
	return path
}

// choose is the link that a switch takes for a connection out of n.
func (t *Topology) choose(s stepper, at, to NodeID, c connection, n int) int {
	if t.Routing.Policy == Static {
		return s.rank(at, to) % n
	}
	return ECMP(t.Routing.Seed, at, c.src, c.dst, c.label, n)
}
