package topology

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Tier is nodes of one kind at one height above the hosts.
type Tier struct {
	Name  string // "accelerators", "NICs", "leaf", "spine"
	Nodes int
	// Down and Up are the rates of all links from the tiers below into this one, and
	// from it to those above, in B/s; of switches of the fabric only.
	Down, Up float64
}

// Oversubscription is what the tier takes from below for each byte that it can send up;
// 0 for a tier that has nothing below or nothing above.
func (t *Tier) Oversubscription() float64 {
	if t.Up == 0 {
		return 0
	}
	return t.Down / t.Up
}

// Cables are those between two tiers, or within one.
type Cables struct {
	From, To      int // tiers; From is not above To
	Count         int
	Least, Most   float64 // rate of one, B/s each way
	Total         float64 // of all
	IntoHost      bool    // between a NIC and the fabric
	BetweenSwitch bool    // between switches of the fabric
}

// Survey is what a topology is made of.
type Survey struct {
	Tiers  []Tier
	Cables []Cables
	// Ports are those of all switches of the fabric, PortRate the sum of their rates in
	// B/s.
	Ports    int
	PortRate float64
}

// insideSwitches is the tier of switches that are inside hosts.
const insideSwitches = "scale-up switches"

// Survey counts nodes and cables by tier. Accelerators, switches inside hosts and NICs
// are tiers of their own; a switch of the fabric is in the tier of its distance from
// the nearest NIC, or bare accelerator.
func (t *Topology) Survey() *Survey {
	host := t.hosts()
	tier := make([]int, len(host))
	s := &Survey{}
	add := func(name string) int {
		s.Tiers = append(s.Tiers, Tier{Name: name})
		return len(s.Tiers) - 1
	}
	if t.accelerators > 0 {
		add("accelerators")
	}
	inside, nics := 0, 0
	for n := range tier {
		switch {
		case n < t.accelerators:
		case n < t.accelerators+t.nics:
			if nics == 0 {
				nics = add("NICs")
			}
			tier[n] = nics
		case host[n] != outside:
			if inside == 0 {
				inside = add(insideSwitches)
			}
			tier[n] = inside
		default:
			tier[n] = -1
		}
	}
	fabric := len(s.Tiers)
	t.rise(tier, func(height int) int {
		for fabric+height > len(s.Tiers)-1 {
			add("")
		}
		return fabric + height
	})
	t.nameTiers(s, tier, fabric)
	for _, i := range tier {
		s.Tiers[i].Nodes++
	}
	s.count(t, tier, fabric, nics)
	return s
}

// rise gives the switches of the fabric their tiers, from the bottom up.
func (t *Topology) rise(tier []int, tierOf func(height int) int) {
	out := make([][]NodeID, len(tier))
	for i := range t.Links {
		if l := &t.Links[i]; l.From != None && tier[l.To] < 0 {
			out[l.From] = append(out[l.From], l.To)
		}
	}
	var level []NodeID
	for n := range tier {
		if tier[n] >= 0 {
			level = append(level, NodeID(n))
		}
	}
	for height := 0; len(level) > 0; height++ {
		var above []NodeID
		for _, n := range level {
			for _, to := range out[n] {
				if tier[to] < 0 {
					tier[to] = tierOf(height)
					above = append(above, to)
				}
			}
		}
		level = above
	}
	// Switches that are joined to nothing, such as spines that no leaf reaches, go to
	// those of their name.
	tierOfStem := map[string]int{}
	for n := t.accelerators + t.nics; n < len(tier); n++ {
		if tier[n] >= 0 {
			tierOfStem[t.stem(NodeID(n))] = tier[n]
		}
	}
	for n := range tier {
		if tier[n] < 0 {
			i, found := tierOfStem[t.stem(NodeID(n))]
			if !found {
				i = tierOf(0)
			}
			tier[n] = i
		}
	}
}

// stem is the name of a node without what it lies in and without its number.
func (t *Topology) stem(n NodeID) string {
	name := t.NodeName(n)
	return strings.TrimRight(name[strings.LastIndexByte(name, '/')+1:], "0123456789")
}

// nameTiers names the tiers of the fabric as their switches are, if these have a name
// in common but for numbers.
func (t *Topology) nameTiers(s *Survey, tier []int, fabric int) {
	for n := t.accelerators + t.nics; n < len(tier); n++ {
		i := tier[n]
		if i < fabric {
			continue
		}
		name := t.stem(NodeID(n))
		switch other := fmt.Sprintf("tier %d", i-fabric+1); {
		case s.Tiers[i].Name == "":
			s.Tiers[i].Name = name
		case s.Tiers[i].Name != name:
			s.Tiers[i].Name = other
		}
	}
	for i := fabric; i < len(s.Tiers); i++ {
		if s.Tiers[i].Name == "" {
			s.Tiers[i].Name = fmt.Sprintf("tier %d", i-fabric+1)
		}
	}
}

// count counts cables and ports.
func (s *Survey) count(t *Topology, tier []int, fabric, nics int) {
	at := map[[2]int]int{} // place in Cables
	for i := range t.Links {
		l := &t.Links[i]
		if l.From == None {
			continue
		}
		from, to := tier[l.From], tier[l.To]
		if to >= fabric {
			s.Ports++ // one for each direction that leads in
			s.PortRate += l.Capacity
			if from < to {
				s.Tiers[to].Down += l.Capacity
			}
		}
		if from >= fabric && to > from {
			s.Tiers[from].Up += l.Capacity
		}
		if from > to || from == to && l.From > l.To {
			continue // the other direction
		}
		n, found := at[[2]int{from, to}]
		if !found {
			n = len(s.Cables)
			at[[2]int{from, to}] = n
			s.Cables = append(s.Cables, Cables{
				From: from, To: to, Least: l.Capacity, IntoHost: nics > 0 && from == nics && to >= fabric, BetweenSwitch: from >= fabric,
			})
		}
		c := &s.Cables[n]
		c.Count++
		c.Total += l.Capacity
		c.Least, c.Most = min(c.Least, l.Capacity), max(c.Most, l.Capacity)
	}
}

// Walk is what the ways between accelerators are like.
type Walk struct {
	Pairs   int64
	Sampled bool    // not all pairs were looked at
	Hops    []int64 // pairs by the number of links on their way
	Wrong   []string
}

// Diameter is the most links on a way.
func (w *Walk) Diameter() int { return max(0, len(w.Hops)-1) }

// Mean is the mean number of links on a way.
func (w *Walk) Mean() float64 {
	var sum, pairs float64
	for hops, n := range w.Hops {
		sum += float64(hops) * float64(n)
		pairs += float64(n)
	}
	if pairs == 0 {
		return 0
	}
	return sum / pairs
}

// mostPairs is how many pairs Walk looks at, mostWrong how many faults it names.
const (
	mostPairs = 1 << 18
	mostWrong = 5
)

// Walk follows the ways between all pairs of accelerators, or where these are more than
// a quarter of a million between so many drawn at random, and says what is wrong with
// them: links that do not join, or a way that does not arrive.
func (t *Topology) Walk(seed uint64) *Walk {
	n := int64(t.accelerators)
	w := &Walk{}
	var path []LinkID
	walk := func(src, dst NodeID) {
		path = t.Route(src, dst, 0, path[:0])
		at := src
		for _, l := range path {
			if t.Links[l].From != at {
				break
			}
			at = t.Links[l].To
		}
		if at != dst {
			if len(w.Wrong) < mostWrong {
				w.Wrong = append(w.Wrong, fmt.Sprintf("the way from %s to %s ends at %s", t.NodeName(src), t.NodeName(dst), t.NodeName(at)))
			}
			return
		}
		for len(w.Hops) <= len(path) {
			w.Hops = append(w.Hops, 0)
		}
		w.Hops[len(path)]++
	}
	if w.Pairs = n * (n - 1); w.Pairs <= mostPairs {
		for src := range NodeID(n) {
			for dst := range NodeID(n) {
				if src != dst {
					walk(src, dst)
				}
			}
		}
		return w
	}
	w.Pairs, w.Sampled = mostPairs, true
	random := rand.New(rand.NewPCG(seed, 0))
	for range w.Pairs {
		src := random.Int64N(n)
		dst := random.Int64N(n - 1)
		if dst >= src {
			dst++
		}
		walk(NodeID(src), NodeID(dst))
	}
	return w
}
