package network

import (
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// loads is how many hops of transfers that are on their way cross each link, for
// routing that looks at it.
type loads struct {
	on     []float64    // nil: nobody asks
	routes map[ID]route // of transfers that have not started
}

// route finds the way of a transfer from the load of all links.
type route func(load []float64) (links []topology.LinkID, counts []float64, latency sim.Time)

// init keeps loads if the topology's routing looks at them.
func (d *loads) init(t *topology.Topology) {
	if t.Routing.Policy.Adapts() {
		d.on = make([]float64, len(t.Links))
		d.routes = map[ID]route{}
	}
}

// depart finds the way of a transfer that starts, and loads it.
func (d *loads) depart(id ID, t *transfer) {
	if find := d.routes[id]; find != nil {
		delete(d.routes, id)
		t.links, t.counts, t.latency = find(d.on)
	}
	t.departed = true
	d.add(t, 1)
}

// arrive takes a transfer that has ended off its way.
func (d *loads) arrive(t *transfer) {
	if d.on != nil {
		d.add(t, -1)
	}
}

func (d *loads) add(t *transfer, sign float64) {
	links, counts := t.links, t.counts
	if t.footprint != nil { // links may hold bundles
		links, counts = t.footprint.Links, t.footprint.Counts
	}
	d.put(links, counts, sign)
}

func (d *loads) put(links []topology.LinkID, counts []float64, sign float64) {
	for i, l := range links {
		if counts == nil {
			d.on[l] += sign
		} else {
			d.on[l] += sign * counts[i]
		}
	}
}
