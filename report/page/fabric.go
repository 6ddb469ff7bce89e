package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

// Bounds of the picture of a network.
const (
	maxColumns = 24 // nodes of a tier; of more, neighbours are one
	maxTiers   = 8  // what is farther away is in the last
	maxNodes   = 1 << 20
	maxWho     = 4 // pairs of a link that are named
)

// fabric is the network: who carries how much, and who is in whose way.
func fabric(f *folder) (section, error) {
	sec := section{ID: "network", Title: "The network"}
	if !f.traffic() {
		return sec, nil
	}
	who, err := f.contenders()
	if err != nil {
		return sec, err
	}
	g, err := f.graph()
	if err != nil {
		return sec, err
	}
	if g != nil {
		sec.Text = g.text()
		if picture := g.network(who); picture.Edges != nil {
			sec.Parts = append(sec.Parts, picture)
		}
	}
	if t, err := f.table("contention.csv", "Who contends where", []result.Metric{result.LossOnLink, result.LossShared}); err != nil {
		return sec, err
	} else if t.Total > 0 {
		sec.Parts = append(sec.Parts, t)
	}
	h, err := f.histories()
	if err != nil || h == nil {
		return sec, err
	}
	if g != nil && g.lost > 0 {
		if p, ok := h.contended(g.loser, who[g.loser]); ok {
			sec.Parts = append(sec.Parts, p)
		}
	}
	sec.Parts = append(sec.Parts, h.heat())
	return sec, nil
}

// contenders says of each link who lost on it, and to whom, the most first.
func (f *folder) contenders() (map[string][]any, error) {
	const file = "contention.csv"
	type loss struct {
		owner, other string
		lost         float64
	}
	of := map[string][]loss{}
	_, err := f.scan(file, []result.Metric{result.Link, result.LossOwner, result.LossOther, result.LossOnLink}, nil, func(r *row) {
		l := loss{strings.Clone(r.text(1)), strings.Clone(r.text(2)), r.number(3)}
		all := append(of[r.text(0)], l)
		slices.SortStableFunc(all, func(a, b loss) int { return cmp.Compare(b.lost, a.lost) })
		of[strings.Clone(r.text(0))] = all[:min(len(all), maxWho)]
	})
	who := map[string][]any{}
	for link, all := range of {
		var text []any
		for i, l := range all {
			if i > 0 {
				text = append(text, "; ")
			}
			text = append(text, l.owner+" lost ", amount(l.lost, "s"), " to "+l.other)
		}
		who[link] = text
	}
	return who, err
}

// graph is the nodes of a network, each host with all that is in it being one, and
// what the links between two of them carried.
type graph struct {
	names  []string
	place  map[string]int
	joins  map[[2]int]*join
	order  []*join // as they came
	tier   []int
	tiers  int
	inside bool // one host, whose inside is shown

	links    int
	busiest  string
	peak     float64
	loser    string // link on which most was lost
	lost     float64
	contends int
}

// join is all links between two nodes, of both directions.
type join struct {
	ends        [2]int
	rate        float64
	links       int
	busiest     string
	utilization float64
	contended   float64
	lost        float64
	loser       string // link on which most of it was lost
}

// graph reads links.csv; nil if there is none, or its links have no ends.
func (f *folder) graph() (*graph, error) {
	const file = "links.csv"
	need := []result.Metric{result.Link, result.From, result.To, result.Capacity, result.Utilization}
	g := &graph{place: map[string]int{}, joins: map[[2]int]*join{}, inside: f.summary.number("cluster.hosts") == 1}
	header, err := f.scan(file, need, []result.Metric{result.Contended, result.LossOnLink}, func(r *row) {
		g.add(r)
		if len(g.names) > maxNodes {
			r.fail("more than %d nodes", maxNodes)
		}
	})
	if err != nil || header == nil || g.links == 0 {
		return nil, err
	}
	g.rise()
	return g, nil
}

func (g *graph) add(r *row) {
	rate, used, contended, lost := r.number(3), r.number(4), r.number(5), r.number(6)
	if !(rate >= 0 && used >= 0) {
		r.fail("%s is %q and %s %q: negative, or none", result.Capacity.Name, r.text(3), result.Utilization.Name, r.text(4))
		return
	}
	g.links++
	link := ""
	if used > g.peak || g.links == 1 {
		link = strings.Clone(r.text(0))
		g.busiest, g.peak = link, used
	}
	if contended > 0 {
		g.contends++
	}
	if lost > g.lost {
		g.loser, g.lost = strings.Clone(r.text(0)), lost
	}
	if r.text(1) == "" || r.text(2) == "" {
		return
	}
	a, b := g.node(r.text(1)), g.node(r.text(2))
	if a == b {
		return
	}
	if a > b {
		a, b = b, a
	}
	j := g.joins[[2]int{a, b}]
	if j == nil {
		j = &join{ends: [2]int{a, b}}
		g.joins[j.ends] = j
		g.order = append(g.order, j)
	}
	j.rate += rate
	j.links++
	if used > j.utilization || j.links == 1 {
		j.busiest, j.utilization = strings.Clone(r.text(0)), used
	}
	if contended > j.contended {
		j.contended = contended
	}
	if lost > j.lost {
		j.loser, j.lost = strings.Clone(r.text(0)), lost
	}
}

// node is the number of the node that a name is drawn as.
func (g *graph) node(name string) int {
	if host := input.Host(name); host != "" {
		if g.inside {
			name = name[len(host)+1:]
		} else {
			name = host
		}
	}
	i, known := g.place[name]
	if !known {
		i = len(g.names)
		name = strings.Clone(name)
		g.place[name] = i
		g.names = append(g.names, name)
	}
	return i
}

// rise gives every node its tier.
func (g *graph) rise() {
	neighbours := make([][]int, len(g.names))
	for _, j := range g.order {
		a, b := j.ends[0], j.ends[1]
		neighbours[a], neighbours[b] = append(neighbours[a], b), append(neighbours[b], a)
	}
	g.tier, g.tiers = input.Tiers(g.names, neighbours, maxTiers)
}

// text says what is worth knowing first.
func (g *graph) text() []any {
	text := []any{"The busiest of ", count(float64(g.links)), " directed links, " + g.busiest + ", is used to ", amount(g.peak, "ratio"), " of its rate over the run. "}
	switch {
	case g.contends == 0:
		return append(text, "Nothing was contended: no two owners together ever wanted more of a link than it can carry.")
	case g.loser == "":
		return append(text, count(float64(g.contends)), " "+things(float64(g.contends), "link was", "links were")+" contended, and nobody lost time there.")
	}
	return append(text, count(float64(g.contends)), " "+things(float64(g.contends), "link was", "links were")+" contended; on "+g.loser+" one owner alone lost ", amount(g.lost, "s"), ".")
}

// network lays nodes out in tiers and joins what falls together.
func (g *graph) network(who map[string][]any) network {
	n := network{caption: caption{Kind: "network", Title: "Topology by utilization", Text: []any{
		"Each line is all cables between two nodes, coloured by the busiest direction. Point at one to see which, and who contends there.",
	}}}
	counts := make([]int, g.tiers)
	column := make([]int, len(g.names))
	order := input.Abreast(g.names)
	for _, i := range order {
		t := g.tier[i]
		column[i] = counts[t]
		counts[t]++
	}
	members := make([][][]string, g.tiers)
	for t, count := range counts {
		members[t] = make([][]string, min(count, maxColumns))
	}
	for _, i := range order {
		t, name := g.tier[i], g.names[i]
		column[i] = column[i] * len(members[t]) / counts[t]
		members[t][column[i]] = append(members[t][column[i]], name)
	}
	for t, columns := range members {
		shown := tier{Name: fmt.Sprintf("%d × %s", counts[t], stem(columns))}
		for _, names := range columns {
			name := names[0]
			if len(names) > 1 {
				name += " … " + names[len(names)-1]
			}
			shown.Nodes = append(shown.Nodes, name)
		}
		n.Tiers = append(n.Tiers, shown)
	}
	at := map[[4]int]int{}
	var losers []string
	most := 0.0
	for _, j := range g.order {
		a := [2]int{g.tier[j.ends[0]], column[j.ends[0]]}
		b := [2]int{g.tier[j.ends[1]], column[j.ends[1]]}
		if a == b {
			continue
		}
		if a[0] > b[0] || a[0] == b[0] && a[1] > b[1] {
			a, b = b, a
		}
		key := [4]int{a[0], a[1], b[0], b[1]}
		i, known := at[key]
		if !known {
			i = len(n.Edges)
			at[key] = i
			n.Edges, losers = append(n.Edges, edge{From: a, To: b, Utilization: -1}), append(losers, "")
		}
		e := &n.Edges[i]
		e.Width += j.rate
		e.Links += j.links
		most = max(most, e.Width)
		if j.utilization > e.Utilization {
			e.Utilization, e.Busiest = j.utilization, j.busiest
		}
		e.Contended = max(e.Contended, j.contended)
		if j.lost > e.Lost {
			e.Lost, losers[i] = j.lost, j.loser
		}
	}
	for i := range n.Edges {
		if most > 0 {
			n.Edges[i].Width = math.Sqrt(n.Edges[i].Width / most)
		}
		n.Edges[i].Who = who[losers[i]]
	}
	return n
}

// stem is what the names of a tier have in common but for their numbers.
func stem(columns [][]string) string {
	common := ""
	for _, names := range columns {
		for _, name := range names {
			s := strings.TrimRight(name[strings.LastIndexByte(name, '/')+1:], "0123456789")
			if common == "" {
				common = s
			}
			if s != common {
				return "node"
			}
		}
	}
	if common == "" {
		return "node"
	}
	return common
}
