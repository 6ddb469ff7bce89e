package topology

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/units"
)

// Drives are the drives of a host, all as one: whatever reads them crosses the one link
// and whatever writes them the other, so that they are shared like the network is.
type Drives struct {
	Server      int
	Read, Write LinkID
}

// WithDrives is a copy of a topology of hosts in which some of these have drives, of so
// much a second together. Their links, "host3/drives/read" and "host3/drives/write",
// come last and have no ends: no message crosses them but one that is told to.
func (t *Topology) WithDrives(servers []int, read, write units.Rate) (*Topology, []Drives, error) {
	if !(read > 0) || !(write > 0) || math.IsInf(float64(read), 0) || math.IsInf(float64(write), 0) {
		return nil, nil, fmt.Errorf("topology: drives that read %v and write %v", read, write)
	}
	if err := checkLinks(len(t.Links) + 2*len(servers)); err != nil {
		return nil, nil, err
	}
	with := *t
	with.driveLinks = LinkID(len(t.Links))
	with.driven = servers
	with.Links = make([]Link, 0, len(t.Links)+2*len(servers))
	with.Links = append(with.Links, t.Links...)
	drives := make([]Drives, len(servers))
	for i, s := range servers {
		if uint(s) >= uint(len(t.Servers)) {
			return nil, nil, fmt.Errorf("topology: drives in host %d of %d", s, len(t.Servers))
		}
		l := LinkID(len(with.Links))
		drives[i] = Drives{Server: s, Read: l, Write: l + 1}
		for _, rate := range []units.Rate{read, write} {
			with.Links = append(with.Links, Link{From: None, To: None, Capacity: float64(rate), Payload: float64(rate)})
		}
	}
	return &with, drives, nil
}

// driveName is the name of a link of drives, "" of any other.
func (t *Topology) driveName(l LinkID) string {
	if t.driven == nil || l < t.driveLinks {
		return ""
	}
	n := int(l - t.driveLinks)
	return t.ServerName(t.driven[n/2]) + [2]string{"/drives/read", "/drives/write"}[n%2]
}
