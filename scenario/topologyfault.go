package scenario

import "github.com/railyard/railyard/units"

// TopologyFault is one [[topology.fault]]: something that breaks, or slows down, at a
// time.
type TopologyFault struct {
	Header
	Kind     Key[string]         `key:"kind" required:"true" enum:"link switch nic" later:"accelerator host rack power-domain site" doc:"what breaks: a cable, a switch with all its cables, or a NIC with its cables"`
	Name     Key[string]         `key:"name" required:"true" doc:"which: a cable as one of its links, as in leaf0>spine1, both directions of which fail; a switch, as in spine1; a NIC, as in host3/nic0"`
	At       Key[units.Duration] `key:"at" required:"true" doc:"when it breaks"`
	Repair   Key[units.Duration] `key:"repair" positive:"true" doc:"how long until it works again; never where left out"`
	Capacity Key[float64]        `key:"capacity" default:"0" min:"0" max:"1" doc:"part of its rate that is left: 0 is a failure, around which routes go; more a slow-down, to which they keep"`
	Delay    Key[units.Duration] `key:"delay" default:"\"65ms\"" doc:"from the failure until routes go around it, and from the repair until they no longer do; what PortLand's took to converge after one failure (Mysore et al., SIGCOMM 2009) where left out"`
}
