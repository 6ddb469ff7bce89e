package collective_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// circle is the ring all-reduce, step by step.
func circle(_ collective.Op, host []int) ([]collective.Round, error) {
	n := len(host)
	step := collective.Round{Share: 1 / float64(n)}
	for r := range host {
		step.Sends = append(step.Sends, collective.Send{From: r, To: (r + 1) % n})
	}
	return slices.Repeat([]collective.Round{step}, 2*(n-1)), nil
}

// An algorithm of one's own takes what the package's takes whose messages it sends:
// 2(n-1) (l + S/n/b).
func TestOwnIsTheRing(t *testing.T) {
	const size, bandwidth, latency = 64e6, 1e9, 2 * sim.Microsecond
	for _, n := range []int{2, 3, 8, 17} {
		topo := bare("ring", n, bandwidth, latency)
		planner := collective.NewPlanner(topo)
		planner.Own = map[collective.Algorithm]collective.Own{"circle": circle}
		plan := must(planner.Plan(collective.AllReduce, "circle", accelerators(n)))
		if plan.Algorithm.String() != "circle" || plan.Steps != 2*(n-1) {
			t.Errorf("%d ranks: %v in %d steps", n, plan.Algorithm, plan.Steps)
		}
		want := 2 * float64(n-1) * (latency.Seconds() + size/float64(n)/bandwidth)
		for _, explode := range []bool{false, true} {
			if got := timeOf(topo, plan, size, explode).Seconds(); math.Abs(got/want-1) > 1e-6 {
				t.Errorf("%d ranks, exploded %v: %v s, want %v", n, explode, got, want)
			}
		}
		messages, waits, err := collective.Own(circle).Messages(collective.AllReduce, "circle", make([]int, n))
		ring, _, _ := collective.Messages(collective.AllReduce, collective.Ring, n)
		if err != nil || messages != ring || waits == 0 {
			t.Errorf("%d ranks: %d messages that wait for %d, %v; the ring has %d", n, messages, waits, err, ring)
		}
	}
}

// An algorithm sees the hosts of its ranks, in the order in which they come.
func TestOwnSeesHosts(t *testing.T) {
	for _, c := range []struct {
		name  string
		topo  *topology.Topology
		ranks []topology.NodeID
		want  []int
	}{
		{"bare", bare("switch", 3, 1e9, sim.Microsecond), accelerators(3), []int{0, 1, 2}},
		{"hosts of 4", rail(3, 4, 2), []topology.NodeID{8, 0, 9, 1}, []int{0, 1, 0, 1}},
	} {
		var saw []int
		planner := collective.NewPlanner(c.topo)
		planner.Own = map[collective.Algorithm]collective.Own{"look": func(_ collective.Op, host []int) ([]collective.Round, error) {
			saw = host
			return nil, nil
		}}
		must(planner.Plan(collective.Broadcast, "look", c.ranks))
		if !slices.Equal(saw, c.want) {
			t.Errorf("%s: hosts %v, want %v", c.name, saw, c.want)
		}
	}
}

// What cannot be laid is an error that names the algorithm, the operation and the round.
func TestOwnIsChecked(t *testing.T) {
	send := func(share float64, from, to int) collective.Own {
		return func(collective.Op, []int) ([]collective.Round, error) {
			return []collective.Round{{Share: share, Sends: []collective.Send{{From: from, To: to}}}}, nil
		}
	}
	for _, c := range []struct {
		own  collective.Own
		want string
	}{
		{send(1, 0, 4), "round 0 has a message from rank 0 to rank 4 of 4"},
		{send(1, -1, 0), "from rank -1"},
		{send(1, 2, 2), "from rank 2 to rank 2"},
		{send(0, 0, 1), "1 messages of a share of 0"},
		{send(math.NaN(), 0, 1), "a share of NaN"},
		{send(math.Inf(1), 0, 1), "a share of +Inf"},
		{func(collective.Op, []int) ([]collective.Round, error) { return make([]collective.Round, 1), nil }, "0 messages"},
		{func(collective.Op, []int) ([]collective.Round, error) { return nil, errors.New("only on Tuesdays") }, "only on Tuesdays"},
	} {
		planner := collective.NewPlanner(bare("switch", 4, 1e9, sim.Microsecond))
		planner.Own = map[collective.Algorithm]collective.Own{"mine": c.own}
		_, err := planner.Plan(collective.AllReduce, "mine", accelerators(4))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "mine of all_reduce") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// Groups that perform it side by side must do so in as many rounds.
func TestOwnSideBySide(t *testing.T) {
	topo := rail(3, 4, 2)
	planner := collective.NewPlanner(topo)
	planner.Own = map[collective.Algorithm]collective.Own{"mine": func(_ collective.Op, host []int) ([]collective.Round, error) {
		one := collective.Round{Share: 1, Sends: []collective.Send{{From: 0, To: 1}}}
		return slices.Repeat([]collective.Round{one}, 1+host[1]), nil
	}}
	alike, err := planner.Plan(collective.Broadcast, "mine", []topology.NodeID{0, 1}, []topology.NodeID{4, 5})
	if err != nil || len(alike.Phases) != 1 {
		t.Errorf("%v, %v", alike, err)
	}
	if _, err := planner.Plan(collective.Broadcast, "mine", []topology.NodeID{0, 1}, []topology.NodeID{4, 8}); err == nil || !strings.Contains(err.Error(), "takes 1 rounds for some ranks and 2 for others") {
		t.Errorf("unlike groups: %v", err)
	}
}
