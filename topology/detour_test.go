package topology

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// down marks links.
func down(t *Topology, links ...[]LinkID) []bool {
	all := make([]bool, len(t.Links))
	for _, some := range links {
		for _, l := range some {
			all[l] = true
		}
	}
	return all
}

func crosses(topo *Topology, route []LinkID, marked []bool) bool {
	return slices.ContainsFunc(route, func(l LinkID) bool { return marked[l] })
}

// Two leaves, two spines: when one spine is down all messages take the other, and
// those that did before stay where they were.
func TestAroundASpine(t *testing.T) {
	topo, err := LeafSpine(fabric(host(2, 1, ScaleUpSwitch), 8, 4, 2, 0))
	if err != nil {
		t.Fatal(err)
	}
	dead := down(topo, topo.Parts().Switch("spine1"))
	around := topo.Around(dead)
	moved := 0
	for src := range NodeID(8) {
		for dst := NodeID(8); dst < 16; dst++ {
			before, after := topo.Route(src, dst, 0, nil), around.Route(src, dst, 0, nil)
			checkRoute(t, topo, src, dst, after)
			if len(after) != len(before) || crosses(topo, after, dead) {
				t.Errorf("%d to %d goes by %v, around spine1", src, dst, after)
			}
			if crosses(topo, before, dead) {
				moved++
			} else if !slices.Equal(before, after) {
				t.Errorf("%d to %d went by %v and goes by %v", src, dst, before, after)
			}
		}
	}
	if moved == 0 || moved == 64 {
		t.Errorf("%d of 64 messages crossed spine1", moved)
	}
	if cut := around.Severed(); cut != nil {
		t.Errorf("%v are cut off", cut)
	}
}

// An accelerator whose NIC is gone sends through the others of its host, spread over
// them; one with a single NIC is cut off.
func TestAroundANIC(t *testing.T) {
	topo, err := Rail(fabric(host(4, 4, ScaleUpSwitch), 4, 2, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	dead := down(topo, topo.Parts().NIC("host0/nic1"))
	around := topo.Around(dead)
	first := map[LinkID]bool{}
	for dst := NodeID(4); dst < 16; dst++ {
		route := around.Route(1, dst, 0, nil)
		checkRoute(t, topo, 1, dst, route)
		if crosses(topo, route, dead) {
			t.Errorf("1 to %d goes by its NIC, which is down", dst)
		}
		first[route[1]] = true
	}
	if len(first) < 2 {
		t.Error("all messages leave the host by the same NIC")
	}
	if cut := around.Severed(); cut != nil {
		t.Errorf("%v are cut off", cut)
	}

	single, err := LeafSpine(fabric(host(4, 1, ScaleUpSwitch), 4, 2, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	around = single.Around(down(single, single.Parts().NIC("host2/nic0")))
	if cut := around.Severed(); !slices.Equal(cut, []string{"host2"}) {
		t.Errorf("%v are cut off, want host2", cut)
	}
	if route := around.Route(0, 9, 0, nil); !slices.Equal(route, single.Route(0, 9, 0, nil)) {
		t.Errorf("no way is left, yet %v is another than before", route)
	}
}

// Around a ring that is cut messages go the other way; one cut twice falls apart.
func TestAroundARing(t *testing.T) {
	topo, err := Ring(6, 1e9, 0)
	if err != nil {
		t.Fatal(err)
	}
	cut := topo.Parts().Cable("acc1>acc2")
	route := topo.Around(down(topo, cut)).Route(1, 2, 0, nil)
	checkRoute(t, topo, 1, 2, route)
	if len(route) != 5 {
		t.Errorf("1 to 2 goes by %d links, want 5", len(route))
	}
	twice := topo.Around(down(topo, cut, topo.Parts().Cable("acc4>acc3")))
	if severed := twice.Severed(); !slices.Equal(severed, []string{"acc2", "acc3"}) {
		t.Errorf("%v are cut off, want acc2 and acc3", severed)
	}
}

// shortest is the obviously right twin: the least number of links from one accelerator
// to another that are up, passing only switches of the fabric, or bare accelerators,
// beside what is in the hosts of the two; -1 if there is none. The hosts of switches
// are those that their names begin with.
func shortest(topo *Topology, dead []bool, src, dst NodeID) int {
	may := func(n NodeID) bool {
		if topo.Bare() {
			return true
		}
		h := topo.hosts()[n]
		return h == outside || h == topo.hostOf[src] || h == topo.hostOf[dst]
	}
	distance := map[NodeID]int{src: 0}
	for queue := []NodeID{src}; len(queue) > 0; queue = queue[1:] {
		for i, l := range topo.Links {
			if _, seen := distance[l.To]; l.From == queue[0] && !dead[i] && !seen && may(l.To) {
				distance[l.To] = distance[l.From] + 1
				queue = append(queue, l.To)
			}
		}
	}
	if n, found := distance[dst]; found {
		return n
	}
	return -1
}

// Whatever is down: a route is a path of links that are up if there is one, and no
// longer than it must be if it is not the one of before.
func TestAround(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, _, topo := drawFabric(t)
		dead := make([]bool, len(topo.Links))
		for range rapid.IntRange(1, 12).Draw(t, "cables") {
			l := topo.Links[rapid.IntRange(0, len(dead)-1).Draw(t, "cable")]
			for i, k := range topo.Links {
				if k.From == l.From && k.To == l.To || k.From == l.To && k.To == l.From {
					dead[i] = true
				}
			}
		}
		around := topo.Around(dead)
		for range 8 {
			src := NodeID(rapid.IntRange(0, topo.Accelerators()-1).Draw(t, "src"))
			dst := NodeID(rapid.IntRange(0, topo.Accelerators()-1).Draw(t, "dst"))
			if src == dst {
				continue
			}
			before, route := topo.Route(src, dst, 3, nil), around.Route(src, dst, 3, nil)
			switch least := shortest(topo, dead, src, dst); {
			case least < 0 || !crosses(topo, before, dead):
				if !slices.Equal(route, before) {
					t.Fatalf("%d to %d went by %v and goes by %v", src, dst, before, route)
				}
			default:
				checkRoute(t, topo, src, dst, route)
				sameHost := topo.hostOf[src] == topo.hostOf[dst] // which prefer to stay inside
				if crosses(topo, route, dead) || len(route) > least && !sameHost {
					t.Fatalf("%d to %d goes by %d links, at least %d", src, dst, len(route), least)
				}
			}
		}
	})
}

// Of four spines one is down: a sprayed message is dealt out over the other three, a
// third each, and one of eight queue pairs moves each pair that crossed it.
func TestManyPathsAroundASpine(t *testing.T) {
	topo, err := LeafSpine(fabric(host(1, 1, ScaleUpSwitch), 8, 4, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	dead := down(topo, topo.Parts().Switch("spine1"))
	sum := func(w *Way, part func(LinkID) bool) (total float64) {
		for i, l := range w.Links {
			if part(l) {
				total += w.Share(i)
			}
		}
		return total
	}
	for _, routing := range []Routing{{Policy: Spray}, {QueuePairs: 8}} {
		topo.Routing = routing
		around := topo.Around(dead)
		var w Way
		for dst := NodeID(4); dst < 8; dst++ {
			around.Way(0, dst, 0, nil, &w)
			if crosses(topo, w.Links, dead) {
				t.Errorf("%v: %d to %d crosses spine1: %v", routing.Policy, 0, dst, w.Links)
			}
			fromLeaf := sum(&w, func(l LinkID) bool { return topo.NodeName(topo.Links[l].From) == "leaf0" })
			if fromLeaf < 1-1e-12 || fromLeaf > 1+1e-12 {
				t.Errorf("%v: %v of a message leave its leaf", routing.Policy, fromLeaf)
			}
			for i, l := range w.Links {
				up := topo.NodeName(topo.Links[l].From) == "leaf0"
				if share := w.Share(i); routing.Policy == Spray && up && (share < 0.333 || share > 0.334) {
					t.Errorf("spray: %v of a message go by %s", share, topo.LinkName(l))
				}
			}
		}
	}
}
