package datacenter

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// mostContended is how many contended links the summary names, seriesLinks of
// how many links utilization over time is written.
const (
	mostContended = 5
	seriesLinks   = 64
)

func linkTable(t *topology.Topology, uses []network.LinkUse, end sim.Time) *result.Table {
	n := len(uses)
	name, from, to := t.LinkNames()
	capacity, bytes, busy := make([]float64, n), make([]float64, n), make([]float64, n)
	used, contended, payload := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, u := range uses {
		l := &t.Links[i]
		capacity[i], payload[i], bytes[i] = l.Capacity, l.Payload, u.Bytes
		busy[i] = result.Ratio(u.Busy.Seconds(), end.Seconds())
		used[i] = result.Ratio(u.Bytes, l.Capacity*end.Seconds())
		contended[i] = u.Contended.Seconds()
	}
	return &result.Table{Name: "links", Columns: []result.Column{
		{Metric: result.Link, Text: name},
		{Metric: result.From, Text: from},
		{Metric: result.To, Text: to},
		{Metric: result.Capacity, Numbers: capacity},
		{Metric: result.LinkBytes, Numbers: bytes},
		{Metric: result.Busy, Numbers: busy},
		{Metric: result.Utilization, Numbers: used},
		{Metric: result.Contended, Numbers: contended},
		{Metric: result.PayloadCapacity, Numbers: payload},
	}}
}

func (p *plant) networkRecord(uses []network.LinkUse, end sim.Time) *result.Record {
	t := p.cluster.Topology
	var bytes, peak, contended float64
	var links []topology.LinkID
	for l, u := range uses {
		bytes += u.Bytes
		peak = max(peak, result.Ratio(u.Bytes, t.Links[l].Capacity*end.Seconds()))
		contended += u.Contended.Seconds()
		if u.Contended > 0 {
			links = append(links, topology.LinkID(l))
		}
	}
	r := &result.Record{}
	r.Add(result.NetworkBytes, bytes)
	r.Add(result.PeakUtilization, peak)
	r.Add(result.ContendedLinks, int64(len(links)))
	r.Add(result.ContendedTime, contended)
	lost := p.mostLost()
	slices.SortStableFunc(links, func(a, b topology.LinkID) int {
		return cmp.Or(cmp.Compare(lost[b], lost[a]), cmp.Compare(uses[b].Contended, uses[a].Contended))
	})
	most := []*result.Record{}
	for _, l := range links[:min(len(links), mostContended)] {
		m := &result.Record{}
		m.Add(result.Link, t.LinkName(l))
		m.Add(result.Contended, uses[l].Contended.Seconds())
		m.Add(result.Utilization, result.Ratio(uses[l].Bytes, t.Links[l].Capacity*end.Seconds()))
		m.Add(result.LinkContenders, p.contenders(l))
		most = append(most, m)
	}
	r.Add(result.MostContended, most)
	r.Add(result.Losses, p.lossRecords())
	return r
}

func (p *plant) contenders(l topology.LinkID) []*result.Record {
	owners, crowd, named := p.cluster.Network.Contenders(l)
	all := []*result.Record{}
	lost := p.lostOn(l)
	for _, o := range owners {
		c := &result.Record{}
		c.Add(result.ContenderName, p.cluster.OwnerName(o.Owner))
		c.Add(result.Contended, o.Contended.Seconds())
		c.Add(result.LossOnLink, lost[o.Owner])
		all = append(all, c)
	}
	if crowd > 0 {
		text := "flows"
		for i, id := range named {
			if i > 0 {
				text += ","
			}
			text += " " + p.cluster.FlowName(id)
		}
		if crowd > len(named) {
			text += fmt.Sprintf(" and %d more at once", crowd-len(named))
		}
		c := &result.Record{}
		c.Add(result.ContenderName, text)
		all = append(all, c)
	}
	return all
}

// linkSeries gives the utilization over time of the links with the highest.
func (p *plant) linkSeries(uses []network.LinkUse, end sim.Time) *result.Table {
	t := p.cluster.Topology
	var links []topology.LinkID
	for l, u := range uses {
		if u.Bytes > 0 {
			links = append(links, topology.LinkID(l))
		}
	}
	share := func(l topology.LinkID) float64 { return uses[l].Bytes / t.Links[l].Capacity }
	slices.SortStableFunc(links, func(a, b topology.LinkID) int { return cmp.Compare(share(b), share(a)) })
	links = links[:min(len(links), seriesLinks)]
	s := p.cluster.Network.Series(links)
	if len(links) == 0 || len(s.Rate) == 0 {
		return nil
	}
	var name []string
	var at, used, offered []float64
	for i, l := range links {
		link := t.LinkName(l)
		for k, rate := range s.Rate[i] {
			begin := sim.Time(k) * s.Width
			part := float64(min(s.Width, end-begin)) / float64(s.Width)
			name, at = append(name, link), append(at, begin.Seconds())
			used = append(used, min(1, rate/part/t.Links[l].Capacity))
			offered = append(offered, s.Offered[i][k]/part/t.Links[l].Capacity)
		}
	}
	return &result.Table{Name: "link_series", Columns: []result.Column{
		{Metric: result.Link, Text: name},
		{Metric: result.SeriesTime, Numbers: at},
		{Metric: result.SeriesLinkUtilization, Numbers: used},
		{Metric: result.SeriesOffered, Numbers: offered},
	}}
}
