package collective

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/topology"
)

// Own is an algorithm of one's own: the rounds in which it performs an operation. The
// ranks are as many as host has entries, and host[r] is the number of rank r's host; bare
// accelerators are hosts of their own. An error says that there is no form of the
// operation for them. It must be a function of its arguments: it is called more than once.
//
// That the messages add up to the operation is the author's affair: what is simulated is
// their bytes, on the links that they cross, in the order of the rounds.
type Own func(op Op, host []int) ([]Round, error)

// Round is messages of one size that are sent at once. In the coupled form a round
// begins when the one before has ended; in the exploded form a rank sends once it has
// received all that earlier rounds send it, and in order to each peer.
type Round struct {
	Share float64 // of the collective's size, a message
	Sends []Send
}

// Send is a message between two ranks, by number.
type Send struct{ From, To int }

// rounds asks for the rounds and sees to it that they can be laid.
func (o Own) rounds(op Op, a Algorithm, host []int) ([]round, error) {
	own, err := o(op, host)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", a, op, err)
	}
	all := make([]round, len(own))
	for i, r := range own {
		if !(r.Share > 0) || math.IsInf(r.Share, 0) || len(r.Sends) == 0 {
			return nil, fmt.Errorf("%s of %s: round %d has %d messages of a share of %v", a, op, i, len(r.Sends), r.Share)
		}
		for _, s := range r.Sends {
			if n := len(host); s.From < 0 || s.To < 0 || s.From >= n || s.To >= n || s.From == s.To {
				return nil, fmt.Errorf("%s of %s: round %d has a message from rank %d to rank %d of %d", a, op, i, s.From, s.To, n)
			}
		}
		all[i] = round{share: r.Share, repeat: 1, sends: func(yield func(from, to int) bool) {
			for _, s := range r.Sends {
				if !yield(s.From, s.To) {
					return
				}
			}
		}}
	}
	return all, nil
}

// Messages is what the function of this name gives, for ranks on such hosts.
func (o Own) Messages(op Op, a Algorithm, host []int) (messages, waits int, err error) {
	all, err := o.rounds(op, a, host)
	if err != nil {
		return 0, 0, err
	}
	messages, waits = count(all, len(host))
	return messages, waits, nil
}

// Hosts numbers the hosts of ranks, as an Own is told them.
func (p *Planner) Hosts(ranks []topology.NodeID) []int {
	host := make([]int, len(ranks))
	number := map[int]int{}
	for i, r := range ranks {
		if host[i] = i; p.topology.Bare() {
			continue
		}
		s := p.topology.Server(r)
		if _, known := number[s]; !known {
			number[s] = len(number)
		}
		host[i] = number[s]
	}
	return host
}
