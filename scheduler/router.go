package scheduler

import "math/rand/v2"

// Routing is a rule by which requests are sent to the replicas of a model.
type Routing uint8

// The rules.
const (
	RoundRobin    Routing = iota // one after the other
	LeastLoaded                  // the fewest requests that have not ended
	LeastWaiting                 // the shortest queue, whatever runs
	RandomReplica                // any
	PowerOfTwo                   // the less loaded of two that are drawn (Mitzenmacher, IEEE TPDS 12, 2001)
	PrefixAware                  // that which has most of the prompt, as long as loads are even
	SessionAware                 // that which had the last request of the session; a new one to the least loaded
)

var routingNames = [...]string{"round-robin", "least-loaded", "least-waiting", "random", "power-of-two", "prefix-aware", "session-affine"}

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
	Match            int  // tokens of the prompt whose keys and values it has
	Home             bool // it had the last request of the session
}

func (l *Load) total() int { return l.Waiting + l.Running }

// Loads are uneven where the most of them exceeds the least by unevenBy and is unevenTimes
// as much: SGLang's router then leaves prefixes alone (its balance thresholds, recalled).
const (
	unevenBy    = 64
	unevenTimes = 1.5
)

// Route gives the replica of the request that is the turn-th of all; of equals the
// first.
func (r Routing) Route(turn int, loads []Load, random *rand.Rand) int {
	// best is the replica before which no other comes.
	best := func(before func(a, b *Load) bool) int {
		n := 0
		for i := range loads {
			if before(&loads[i], &loads[n]) {
				n = i
			}
		}
		return n
	}
	lighter := func(a, b *Load) bool { return a.total() < b.total() }
	switch r {
	case RoundRobin:
		return turn % len(loads)
	case LeastWaiting:
		return best(func(a, b *Load) bool { return a.Waiting < b.Waiting })
	case RandomReplica:
		return random.IntN(len(loads))
	case PowerOfTwo:
		if len(loads) == 1 {
			return 0
		}
		a, b := random.IntN(len(loads)), random.IntN(len(loads)-1)
		if b >= a {
			b++
		}
		if a, b = min(a, b), max(a, b); lighter(&loads[b], &loads[a]) {
			return b
		}
		return a
	case PrefixAware:
		least := loads[best(lighter)].total()
		most := loads[best(func(a, b *Load) bool { return b.total() < a.total() })].total()
		if most-least > unevenBy && float64(most) > unevenTimes*float64(least) {
			return best(lighter)
		}
		return best(func(a, b *Load) bool { return a.Match > b.Match || a.Match == b.Match && lighter(a, b) })
	case SessionAware:
		return best(func(a, b *Load) bool { return a.Home && !b.Home || a.Home == b.Home && lighter(a, b) })
	}
	return best(lighter)
}
