package replay

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/trace"
)

// Warnings are what was understood otherwise than written, once the job has
// run; what reading the traces mended not among it.
func (j *Job) Warnings() []string {
	var all []string
	for _, op := range slices.Sorted(maps.Keys(j.refused)) {
		all = append(all, fmt.Sprintf("%s; the fastest algorithm that can is taken", j.refused[op]))
	}
	if j.mismatched > 0 {
		all = append(all, fmt.Sprintf("%d collectives are another operation for some members of their group than for the first, whose is taken", j.mismatched))
	}
	for _, name := range j.irregular {
		all = append(all, fmt.Sprintf("process group %s cannot be moved along %d ranks and is taken as all", name, j.Ranks))
	}
	return all
}

// Waiting says what each rank that has not finished waits for.
func (j *Job) Waiting() []sim.Wait {
	name := j.c.Jobs[j.job].Name
	who := func(rank int, node *trace.Node) string {
		return fmt.Sprintf("%s rank %d node %d (%s)", name, rank, node.ID, what(node))
	}
	var waits []sim.Wait
	stuck := make([]bool, j.Ranks) // it has been said of the rank
	for _, g := range j.groups {
		for k, id := range g.coming {
			op := &j.open[id]
			var missing []string
			for place, issued := range g.issued {
				if issued-g.first <= int32(k) {
					missing = append(missing, fmt.Sprint(g.ranks[place]))
				}
			}
			for _, t := range op.waiting {
				stuck[t.rank] = true
				waits = append(waits, sim.Wait{Who: who(int(t.rank), &j.ranks[t.rank].trace.Nodes[t.node]), For: "rank " + some(missing)})
			}
		}
	}
	for _, box := range j.mail {
		for _, n := range box.posted {
			stuck[box.to] = true
			waits = append(waits, sim.Wait{Who: who(int(box.to), &j.ranks[box.to].trace.Nodes[n.node]), For: fmt.Sprintf("a send of rank %d with tag %d", box.from, box.tag)})
		}
		if len(box.arrived) > 0 {
			waits = append(waits, sim.Wait{
				Who: fmt.Sprintf("%s rank %d with %d messages to rank %d", name, box.from, len(box.arrived), box.to),
				For: fmt.Sprintf("a receive of them with tag %d", box.tag),
			})
		}
	}
	for i := range j.ranks {
		if r := &j.ranks[i]; r.left > 0 && !stuck[i] {
			n, on := r.blocked()
			waits = append(waits, sim.Wait{Who: who(i, n), For: fmt.Sprintf("node %d, which waits for it in turn", on.ID)})
		}
	}
	return waits
}

// what names a node in a message.
func what(n *trace.Node) string {
	if n.Type == trace.Collective {
		return n.Kind.String()
	}
	return n.Type.String()
}

// some names up to three of a list.
func some(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), len(names)-3)
	}
	return strings.Join(names, ", ")
}

// blocked is a node in a circle of dependencies, and one that it waits for.
func (r *rank) blocked() (waits, on *trace.Node) {
	t := r.trace
	before := make([]int32, len(t.Nodes)) // something unfinished that each waits for
	for i := range t.Nodes {
		if r.waits[i] >= 0 {
			for _, next := range t.Next[t.NextAt[i]:t.NextAt[i+1]] {
				before[next] = int32(i)
			}
		}
	}
	n := int32(slices.IndexFunc(r.waits, func(w int32) bool { return w > 0 }))
	for range t.Nodes { // so many steps back it is in a circle
		n = before[n]
	}
	return &t.Nodes[n], &t.Nodes[before[n]]
}
