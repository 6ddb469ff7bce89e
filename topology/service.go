package topology

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/units"
)

// Service is something that many use at once and that does so much a second for all of
// them, as the drives of a host do: whatever uses it crosses a link, so that it is shared
// like the network is.
type Service struct {
	Name string
	Rate units.Rate
}

// WithServices is a copy of a topology of hosts that has services. Their links have the
// numbers from the one given on, in the order of the services, and no ends: no message
// crosses them but one that is told to.
func (t *Topology) WithServices(services []Service) (*Topology, LinkID, error) {
	if err := checkLinks(len(t.Links) + len(services)); err != nil {
		return nil, 0, err
	}
	with := *t
	first := LinkID(len(t.Links))
	if t.services == nil {
		with.firstService = first
	}
	with.services = append(t.services[:len(t.services):len(t.services)], make([]string, len(services))...)
	with.Links = make([]Link, 0, len(t.Links)+len(services))
	with.Links = append(with.Links, t.Links...)
	for i, s := range services {
		rate := float64(s.Rate)
		if !(rate > 0) || math.IsInf(rate, 0) {
			return nil, 0, fmt.Errorf("topology: %s does %v a second", s.Name, s.Rate)
		}
		with.services[len(t.services)+i] = s.Name
		with.Links = append(with.Links, Link{From: None, To: None, Capacity: rate, Payload: rate})
	}
	return &with, first, nil
}

// serviceName is the name of the link of a service, "" of any other.
func (t *Topology) serviceName(l LinkID) string {
	if t.services == nil || l < t.firstService {
		return ""
	}
	return t.services[l-t.firstService]
}
