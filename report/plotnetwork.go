package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/railyard/railyard/report/figure"
	"github.com/railyard/railyard/result"
)

// maxLinks is how many links the picture of a network is drawn from; a topology has no
// more.
const maxLinks = 1 << 23

// plotNetwork draws hosts and switches, and how much the cables between them were used.
func plotNetwork(dir string, s *summary) (figure.Figure, string, error) {
	const name = "links.csv"
	columns := []result.Metric{result.From, result.To, result.Capacity, result.Utilization}
	var links []NetworkLink
	found, err := readTable(dir, name, columns, func(r *row) {
		if len(links) == maxLinks {
			r.fail(0, "more than %d links", maxLinks)
			return
		}
		l := NetworkLink{From: r.text(0), To: r.text(1), Rate: r.number(2), Utilization: r.number(3)}
		if l.Rate < 0 || l.Utilization < 0 {
			r.fail(2, "%s is %v and %s %v: negative", columns[2].Name, l.Rate, columns[3].Name, l.Utilization)
		}
		links = append(links, l)
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if !slices.ContainsFunc(links, func(l NetworkLink) bool { return l.Utilization > 0 }) {
		return nil, "nothing crossed the network", nil
	}
	f, lacks := network(s.title("utilization of the network"), s.subtitle("the higher direction of each cable"), links)
	if f == nil {
		return nil, name + ": " + lacks, nil
	}
	return f, "", drawable(dir, name, f)
}

// maxOwners is how many of those who lost are named.
const maxOwners = 4

// plotContention draws what the link on which most was lost carried, and what was wanted
// of it.
func plotContention(dir string, s *summary) (figure.Figure, string, error) {
	const losses, name = "contention.csv", "link_series.csv"
	lost := map[string]float64{} // of each link
	var links []string
	by := map[string][]string{} // who lost, on each link
	found, err := readTable(dir, losses, []result.Metric{result.Link, result.LossOwner, result.LossOnLink}, func(r *row) {
		v, link, owner := r.number(2), r.text(0), r.text(1)
		if v < 0 {
			r.fail(2, "%s is %v: negative", result.LossOnLink.Name, v)
		}
		if v > 0 && lost[link] == 0 {
			links = append(links, link)
		}
		lost[link] += v
		if v > 0 && !slices.Contains(by[link], owner) && len(by[link]) <= maxOwners {
			by[link] = append(by[link], owner)
		}
	})
	if err != nil || !found {
		return nil, "no " + losses, err
	}
	worst := ""
	var carried, offered, edges []float64
	for _, link := range links {
		if worst == "" || lost[link] > lost[worst] {
			worst = link
		}
	}
	if worst == "" {
		return nil, losses + " says that nothing was lost", nil
	}
	columns := []result.Metric{result.Link, result.SeriesTime, result.SeriesLinkUtilization, result.SeriesOffered}
	found, err = readTable(dir, name, columns, func(r *row) {
		if r.text(0) != worst {
			return
		}
		edges = r.interval(1, edges, s.Makespan)
		carried, offered = append(carried, r.number(2)), append(offered, r.number(3))
	})
	if err != nil || !found {
		return nil, "no " + name, err
	}
	if edges == nil {
		return nil, fmt.Sprintf("%s does not have %s", name, worst), nil
	}
	owners := by[worst]
	text := strings.Join(owners[:min(len(owners), maxOwners)], ", ")
	if len(owners) > maxOwners {
		text += " and others"
	}
	last := len(edges) - 1
	edges, carried, offered = append(edges, s.Makespan), append(carried, carried[last]), append(offered, offered[last])
	zero := 0.0
	f := figure.Lines{
		Title: s.title("contention on " + worst), Subtitle: s.subtitle(text + " lost " + Seconds(lost[worst]) + " there in all"),
		X:      figure.Axis{Label: "time", Unit: figure.Seconds},
		Y:      figure.Axis{Label: "of the wire's rate", Unit: figure.Ratio, Min: &zero},
		Series: []figure.Series{{Name: "wanted", X: edges, Y: offered, Step: true}, {Name: "carried", X: edges, Y: carried, Step: true}},
	}
	return f, "", drawable(dir, name, f)
}
