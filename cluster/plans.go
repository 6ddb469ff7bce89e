package cluster

import (
	"encoding/binary"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

// plans are those that programs have asked for: jobs that follow each other on the
// same accelerators often have the same.
type plans struct {
	known map[string]*collective.Plan
	key   []byte
	links int // of all that are known
}

// mostLinks is of how many links plans are kept in all; then the oldest and the
// youngest are forgotten alike.
const mostLinks = 1 << 20

// Plan is the planner's, or the one that it has made before for the same: two
// programs that run at a time must not both ask for it.
func (c *Cluster) Plan(op collective.Op, a collective.Algorithm, groups ...[]topology.NodeID) (*collective.Plan, error) {
	p := &c.plans
	p.key = append(append(p.key[:0], byte(op)), a...)
	p.key = append(p.key, 0) // the end of the name
	p.key = binary.LittleEndian.AppendUint32(p.key, uint32(len(groups[0])))
	for _, ranks := range groups {
		p.name(ranks)
	}
	if plan := p.known[string(p.key)]; plan != nil {
		return plan, nil
	}
	plan, err := c.Planner.Plan(op, a, groups...)
	if err == nil {
		p.keep(plan)
	}
	return plan, err
}

// Sends is the same of Planner.Sends.
func (c *Cluster) Sends(from, to []topology.NodeID) *collective.Plan {
	p := &c.plans
	p.key = append(p.key[:0], byte(collective.SendRecv))
	p.name(from)
	p.name(to)
	if plan := p.known[string(p.key)]; plan != nil {
		return plan
	}
	plan := c.Planner.Sends(from, to)
	p.keep(plan)
	return plan
}

// name adds ranks to the key.
func (p *plans) name(ranks []topology.NodeID) {
	for _, r := range ranks {
		p.key = binary.LittleEndian.AppendUint32(p.key, uint32(r))
	}
}

// keep remembers a plan by the key.
func (p *plans) keep(plan *collective.Plan) {
	for i := range plan.Phases {
		p.links += len(plan.Phases[i].Links)
	}
	if p.known == nil || p.links > mostLinks {
		*p = plans{known: map[string]*collective.Plan{}, key: p.key}
	}
	p.known[string(p.key)] = plan
}
