package report

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

// NetworkLink is one directed link of a network as a picture shows it.
type NetworkLink struct {
	From, To    string
	Rate        float64 // B/s
	Utilization float64 // in 0..1; NaN if nothing is known of it
}

// mostColumns is how many nodes of a tier are drawn; of more, neighbours are one.
const mostColumns = 16

// mostTiers is how many tiers are drawn; what is farther away is in the last.
const mostTiers = 12

// fewColumns is up to how many the nodes of a tier are named in full.
const fewColumns = 10

// PlotNetwork draws a network into a file, whose name ends in .svg or .png.
func PlotNetwork(file, title string, links []NetworkLink) error {
	if format := filepath.Ext(file); format != ".svg" && format != ".png" {
		return fmt.Errorf("%s: the name of a picture ends in .svg or .png", file)
	}
	f, lacks := network(title, "", links)
	if f == nil {
		return fmt.Errorf("nothing to draw: %s", lacks)
	}
	return figure.Save(file, f, figure.Options{})
}

// network lays nodes out in tiers: hosts, each with all that is in it, or bare
// accelerators at the bottom, and above them switches by their distance from these. It
// says what is missing if there is nothing to lay out.
func network(title, subtitle string, links []NetworkLink) (f figure.Figure, lacks string) {
	g := &graph{place: map[string]int{}}
	inside := onlyHost(links)
	for _, l := range links {
		if l.From == "" || l.To == "" {
			return nil, "links have no ends"
		}
		from, to := g.node(host(l.From, inside)), g.node(host(l.To, inside))
		if from != to {
			g.joins[from], g.joins[to] = append(g.joins[from], to), append(g.joins[to], from)
		}
	}
	if len(g.names) == 0 {
		return nil, "no links"
	}
	g.tier, g.tiers = input.Tiers(g.names, g.joins, mostTiers)
	n := figure.Network{Title: title, Subtitle: subtitle, Bar: "utilization"}
	column := make([]int, len(g.names)) // of each node in its tier
	counts := make([]int, g.tiers)
	order := input.Abreast(g.names)
	for _, i := range order {
		column[i] = counts[g.tier[i]]
		counts[g.tier[i]]++
	}
	members := make([][][]string, g.tiers) // names of the nodes of each column
	for i, count := range counts {
		members[i] = make([][]string, min(count, mostColumns))
	}
	for _, i := range order {
		t, name := g.tier[i], g.names[i]
		column[i] = column[i] * len(members[t]) / counts[t]
		members[t][column[i]] = append(members[t][column[i]], name)
	}
	for i, of := range members {
		t := figure.NetworkTier{Name: tierName(of, counts[i])}
		for _, names := range of {
			t.Nodes = append(t.Nodes, columnName(names, len(of) > fewColumns))
		}
		n.Tiers = append(n.Tiers, t)
	}
	n.Edges = g.edges(links, inside, column)
	return n, ""
}

// graph is the nodes of a picture.
type graph struct {
	names []string
	place map[string]int
	joins [][]int
	tier  []int
	tiers int
}

func (g *graph) node(name string) int {
	i, known := g.place[name]
	if !known {
		i = len(g.names)
		g.place[name] = i
		g.names, g.joins = append(g.names, name), append(g.joins, nil)
	}
	return i
}

// host is the node that a part of a network is drawn as: its host, unless that is the
// only one, whose inside is shown.
func host(name string, inside bool) string {
	h := input.Host(name)
	switch {
	case h == "":
		return name
	case inside:
		return strings.TrimPrefix(name, h+"/")
	}
	return h
}

// onlyHost says whether all links are inside one host.
func onlyHost(links []NetworkLink) bool {
	first := ""
	for _, l := range links {
		for _, end := range []string{l.From, l.To} {
			h := input.Host(end)
			if h == "" || first != "" && h != first {
				return false
			}
			first = h
		}
	}
	return true
}

// edges are the cables between columns: of those between the same two, the sum of their
// rates and the highest utilization.
func (g *graph) edges(links []NetworkLink, inside bool, column []int) []figure.NetworkEdge {
	var all []figure.NetworkEdge
	at := map[[4]int]int{}
	rates := []float64{}
	for _, l := range links {
		from, to := g.place[host(l.From, inside)], g.place[host(l.To, inside)]
		if from == to {
			continue
		}
		a, b := [2]int{g.tier[from], column[from]}, [2]int{g.tier[to], column[to]}
		if a == b {
			continue
		}
		if a[0] > b[0] || a[0] == b[0] && a[1] > b[1] {
			a, b = b, a
		}
		key := [4]int{a[0], a[1], b[0], b[1]}
		i, known := at[key]
		if !known {
			i = len(all)
			at[key] = i
			all, rates = append(all, figure.NetworkEdge{From: a, To: b, Share: result.Missing}), append(rates, 0)
		}
		rates[i] += l.Rate
		if u := min(l.Utilization, 1); !(u <= all[i].Share) && !math.IsNaN(u) {
			all[i].Share = u
		}
	}
	most := 0.0
	for _, r := range rates {
		most = max(most, r)
	}
	for i, r := range rates {
		if most > 0 {
			all[i].Width = math.Sqrt(r / most)
		}
	}
	return all
}

// tierName is what the nodes of a tier are called but for their numbers, and how many
// there are.
func tierName(columns [][]string, count int) string {
	common := ""
	for _, names := range columns {
		for _, name := range names {
			stem := strings.TrimRight(name[strings.LastIndexByte(name, '/')+1:], "0123456789")
			if common == "" {
				common = stem
			}
			if stem != common {
				return fmt.Sprintf("%d nodes", count)
			}
		}
	}
	return fmt.Sprintf("%d × %s", count, common)
}

// columnName is the name of a node, or where there are many its number, and of several
// nodes that of the first.
func columnName(names []string, many bool) string {
	name := names[0]
	if base := name[strings.LastIndexByte(name, '/')+1:]; many {
		if number := base[len(strings.TrimRight(base, "0123456789")):]; number != "" {
			name = name[:len(name)-len(base)] + number
		}
	}
	if len(names) > 1 {
		name += "…"
	}
	return name
}
