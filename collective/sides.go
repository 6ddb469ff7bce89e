package collective

import (
	"fmt"

	"github.com/railyard/railyard/topology"
)

// MaxMessages bounds the messages of a plan whose planner has them sent one by one,
// and so the memory that they take.
const MaxMessages = 1 << 22

// side is one of the groups that perform an operation side by side.
type side struct {
	ranks  []topology.NodeID
	rounds []round
}

// Everywhere calls yield for every message of all groups of a plan, with the
// accelerators that it goes between: what Explode gives of the first. Messages are
// numbered from 0 in the order of the calls; no group waits for another.
func (p *Plan) Everywhere(yield func(from, to topology.NodeID, m Message)) error {
	number := 0
	var after, behind []int
	for _, s := range p.sides {
		one := Plan{Op: p.Op, Algorithm: p.Algorithm, Ranks: s.ranks, rounds: s.rounds}
		first := number
		err := one.Explode(func(m Message) {
			after = renumber(after[:0], m.After, first)
			behind = renumber(behind[:0], m.Behind, first)
			m.After, m.Behind = after, behind
			yield(s.ranks[m.From], s.ranks[m.To], m)
			number++
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// renumber appends numbers counted from first.
func renumber(to, numbers []int, first int) []int {
	for _, n := range numbers {
		to = append(to, first+n)
	}
	return to
}

// messages is how many Everywhere gives, or why it cannot.
func (p *Plan) messages() (int, error) {
	number := 0
	for _, s := range p.sides {
		for _, r := range s.rounds {
			switch {
			case r.chain:
				return 0, fmt.Errorf("%s by %s is a pipeline of small pieces and cannot be sent message by message; algorithm = \"direct\" can", p.Op, p.Algorithm)
			case r.switched:
				return 0, fmt.Errorf("%s by %s has sums in switches and cannot be sent message by message; algorithm = \"direct\" can", p.Op, p.Algorithm)
			}
			for range r.sends {
				number += r.repeat
			}
		}
	}
	return number, nil
}

// checkMessages says why a plan cannot be carried out message by message.
func (p *Plan) checkMessages() error {
	switch n, err := p.messages(); {
	case err != nil:
		return err
	case n > MaxMessages:
		return fmt.Errorf("%s of %s over %d ranks is %d messages, more than can be sent one by one, %d: use fewer ranks, another algorithm, or fidelity = \"fluid\"",
			p.Algorithm, p.Op, len(p.sides)*len(p.Ranks), n, MaxMessages)
	}
	return nil
}
