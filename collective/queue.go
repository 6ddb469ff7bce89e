package collective

// queues are those in which the messages of the exploded form leave. A channel of NCCL
// has a queue pair to each of its peers, which sends what is posted to it in order: a
// message leaves once the one before has (Hu et al., "Demystifying NCCL",
// arXiv:2507.04786, section IV). If a rank sends another several messages in a round,
// each goes by a channel of its own: the k-th of every round by the k-th.
//
// It matters on a link that is slow or shared. What a rank has received faster than
// it can pass on waits in its queue, rather than take a share of that link beside what
// it was to follow, so that a hop has the share of one message, as in the coupled form.
type queues struct {
	byEnds map[ends]int
	last   []int // number of the latest message of each, -1: none yet
	round  []int // of each message of the present round, its queue
	behind [1]int
}

// ends are two ranks and a channel between them.
type ends struct{ from, to, channel int }

// enter begins a round.
func (q *queues) enter(r round) {
	if q.byEnds == nil {
		q.byEnds = map[ends]int{}
	}
	q.round = q.round[:0]
	taken := map[ends]int{} // channels between two ranks, by the first of them
	for from, to := range r.sends {
		first := ends{from: from, to: to}
		e := ends{from, to, taken[first]}
		taken[first]++
		n, known := q.byEnds[e]
		if !known {
			n = len(q.last)
			q.byEnds[e] = n
			q.last = append(q.last, -1)
		}
		q.round = append(q.round, n)
	}
}

// join puts the i-th message of the round, of a number, into its queue, and gives what is
// before it there. The result is valid until the next call.
func (q *queues) join(i, number int) (behind []int) {
	last := &q.last[q.round[i]]
	if *last >= 0 {
		q.behind[0] = *last
		behind = q.behind[:]
	}
	*last = number
	return behind
}
