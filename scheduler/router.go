package scheduler

// Routing is a rule by which requests are sent to the replicas of a model.
type Routing uint8

// The rules.
const (
	RoundRobin   Routing = iota // one after the other
	LeastLoaded                 // the fewest requests that have not ended
	LeastWaiting                // the shortest queue, whatever runs
)

var routingNames = [...]string{"round-robin", "least-loaded", "least-waiting"}

// String is the name as a scenario writes it.
func (r Routing) String() string { return routingNames[r] }

// ParseRouting finds a rule by its name.
func ParseRouting(name string) (r Routing, ok bool) {
	for i, n := range routingNames {
		if n == name {
			return Routing(i), true
		}
	}
	return 0, false
}

// Load is what a router sees of a replica.
type Load struct {
	Waiting, Running int
}

// Route gives the replica of the request that is the turn-th of all; of equals the
// first.
func (r Routing) Route(turn int, loads []Load) int {
	if r == RoundRobin {
		return turn % len(loads)
	}
	weight := func(l Load) int {
		if r == LeastWaiting {
			return l.Waiting
		}
		return l.Waiting + l.Running
	}
	best := 0
	for i, l := range loads {
		if weight(l) < weight(loads[best]) {
			best = i
		}
	}
	return best
}
