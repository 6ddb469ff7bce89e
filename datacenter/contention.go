package datacenter

import (
	"cmp"
	"context"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// contention is what jobs lost to each other on links.
//
// What a job lost in all is exact: the scenario is run again with that job alone, on
// the accelerators that it got, and the difference is what it lost. That is done for
// the jobs that others held back at a link, and for no other: rates are max-min fair,
// so a job that is never held back by another's transfers goes as if it were alone.
type contention struct {
	links []contended       // in their order
	alone map[int]*aloneRun // of the jobs that lost time, by number
}

// contended is what jobs lost on one link.
type contended struct {
	link   topology.LinkID
	losses []network.Loss
}

// lost is what each owner lost on the link, in seconds.
func (c *contended) lost() map[network.Owner]float64 {
	sum := map[network.Owner]float64{}
	for _, x := range c.losses {
		sum[x.Owner] += x.Lost
	}
	return sum
}

// aloneRun is what a job did with the network to itself.
type aloneRun struct {
	took sim.Time
	rows []cluster.CollectiveRow // of a collective workload
}

// submit adds a job. only is its workload without all others, from which it can be run
// again alone.
func (b *builder) submit(j *cluster.Job, only scenario.Workload) {
	b.workloads[len(b.cluster.Jobs)] = only
	b.admit(j)
	b.cluster.Submit(j)
}

// findLosses finds what jobs lost to each other. A job that has not ended, here or
// alone, is left out, and so is one that went back to the queue: alone it would have
// waited for nobody.
func (p *plant) findLosses(ctx context.Context, o Options) {
	p.contention = contention{alone: map[int]*aloneRun{}}
	held := map[network.Owner]bool{}
	for l := range topology.LinkID(len(p.topology.Links)) {
		losses := p.cluster.Network.Losses(l)
		if losses == nil {
			continue
		}
		p.contention.links = append(p.contention.links, contended{l, losses})
		for _, loss := range losses {
			held[loss.Owner] = held[loss.Owner] || loss.Lost > 0
		}
	}
	for n, j := range p.cluster.Jobs {
		if j.Finished && held[j.Owner] && j.Interruptions == 0 && j.Stops == 0 {
			p.contention.alone[n] = p.runAlone(ctx, o, n)
		}
	}
}

// runAlone runs a job again with the network to itself, nil if it does not end.
func (p *plant) runAlone(ctx context.Context, o Options, n int) *aloneRun {
	only, known := p.workloads[n]
	if !known {
		return nil
	}
	s := *p.scenario
	s.Workload = only
	b := p.again(&s, o)
	b.breaks, b.alone = true, true
	b.populate(0)
	if b.faults != nil {
		return nil
	}
	here, j := p.cluster.Jobs[n], b.cluster.Jobs[0]
	j.Start = here.StartedAt
	j.List = make([]int32, len(here.Accelerators))
	for i, a := range here.Accelerators {
		j.List[i] = int32(a)
	}
	b.engine.Horizon = p.engine.Horizon
	if b.run(ctx, o) != nil || !j.Finished || b.cluster.Err != nil {
		return nil
	}
	alone := &aloneRun{took: j.FinishedAt - j.StartedAt}
	if c, ok := j.Program.(*cluster.CollectiveBenchmark); ok {
		alone.rows = c.Rows
	}
	return alone
}

// lost is the time that a job lost to others and how many times as long as alone it
// took. It reports false if that is not known.
func (p *plant) lost(n int) (lost sim.Time, slowdown float64, known bool) {
	j := p.cluster.Jobs[n]
	alone, held := p.contention.alone[n]
	switch took := j.FinishedAt - j.StartedAt; {
	case !j.Finished || held && alone == nil || j.Interruptions > 0:
		return 0, 0, false
	case !held || alone.took == 0:
		return 0, 1, true
	default:
		return took - alone.took, took.Seconds() / alone.took.Seconds(), true
	}
}

// addLost adds to a job's record what it lost.
func (p *plant) addLost(r *result.Record, n int) {
	if lost, slowdown, known := p.lost(n); known {
		r.Add(result.LostToOthers, lost.Seconds())
		r.Add(result.Slowdown, slowdown)
	}
}

// jobOf is the number of the job that runs a program.
func (p *plant) jobOf(program cluster.Program) int {
	return slices.IndexFunc(p.cluster.Jobs, func(j *cluster.Job) bool { return j.Program == program })
}

// otherName is the name of whom a job lost to.
func (p *plant) otherName(o network.Owner) string {
	switch o {
	case network.NoOwner:
		return "flows"
	case network.Crowd:
		return "many"
	}
	return p.cluster.OwnerName(o)
}

// contentionTable is who lost how much to whom on each link, nil if nobody met.
func (p *plant) contentionTable() *result.Table {
	var link, owner, other []string
	var shared, lost []float64
	for _, c := range p.contention.links {
		for _, x := range c.losses {
			link = append(link, p.topology.LinkName(c.link))
			owner, other = append(owner, p.otherName(x.Owner)), append(other, p.otherName(x.Other))
			shared, lost = append(shared, x.Shared.Seconds()), append(lost, x.Lost)
		}
	}
	if link == nil {
		return nil
	}
	return &result.Table{Name: "contention", Columns: []result.Column{
		{Metric: result.Link, Text: link},
		{Metric: result.LossOwner, Text: owner},
		{Metric: result.LossOther, Text: other},
		{Metric: result.LossShared, Numbers: shared},
		{Metric: result.LossOnLink, Numbers: lost},
	}}
}

// mostLost is what the owner that lost most on a link lost there, in seconds, for the
// links on which anything was lost.
func (p *plant) mostLost() map[topology.LinkID]float64 {
	most := map[topology.LinkID]float64{}
	for _, c := range p.contention.links {
		for _, s := range c.lost() {
			most[c.link] = max(most[c.link], s)
		}
	}
	return most
}

// lostOn is what each owner lost on a link, in seconds.
func (p *plant) lostOn(l topology.LinkID) map[network.Owner]float64 {
	i, found := slices.BinarySearchFunc(p.contention.links, l, func(c contended, l topology.LinkID) int { return cmp.Compare(c.link, l) })
	if !found {
		return nil
	}
	return p.contention.links[i].lost()
}

// lossRecords is what each job lost that lost anything, and the link and the owner to
// which it lost the most.
func (p *plant) lossRecords() []*result.Record {
	type most struct {
		link  topology.LinkID
		lost  float64 // on it
		other network.Loss
	}
	at := map[network.Owner]*most{}
	for _, c := range p.contention.links {
		sum := c.lost()
		for _, x := range c.losses {
			m := at[x.Owner]
			switch lost := sum[x.Owner]; {
			case lost == 0:
			case m == nil || lost > m.lost*(1+1e-9):
				at[x.Owner] = &most{c.link, lost, x}
			case m.link == c.link && x.Lost > m.other.Lost:
				m.other = x
			}
		}
	}
	all := []*result.Record{}
	for n, j := range p.cluster.Jobs {
		m := at[j.Owner]
		if m == nil {
			continue
		}
		r := &result.Record{}
		r.Add(result.Name, j.Name)
		p.addLost(r, n)
		r.Add(result.Link, p.topology.LinkName(m.link))
		r.Add(result.LossOther, p.otherName(m.other.Other))
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b *result.Record) int {
		return cmp.Compare(b.Float(result.LostToOthers.Name), a.Float(result.LostToOthers.Name))
	})
	return all
}

// addLostColumns adds to the table of links what was wanted and lost on each.
func (p *plant) addLostColumns(t *result.Table, uses []network.LinkUse) {
	offered, lost := make([]float64, len(uses)), make([]float64, len(uses))
	for l, u := range uses {
		offered[l] = result.Ratio(u.Wanted, u.Contended.Seconds())
	}
	for l, s := range p.mostLost() {
		lost[l] = s
	}
	t.Columns = append(t.Columns,
		result.Column{Metric: result.Offered, Numbers: offered},
		result.Column{Metric: result.LossOnLink, Numbers: lost})
}

// addAloneColumns adds to the table of collectives what each would take alone.
func (p *plant) addAloneColumns(t *result.Table) {
	var alone, lost []float64
	for _, b := range p.collectives {
		run, held := p.contention.alone[p.jobOf(b.CollectiveBenchmark)]
		for i, row := range b.Rows {
			time := row.Time
			switch {
			case held && (run == nil || i >= len(run.rows)):
				time = result.Missing
			case held:
				time = run.rows[i].Time
			}
			alone, lost = append(alone, time), append(lost, row.Time-time)
		}
	}
	t.Columns = append(t.Columns,
		result.Column{Metric: result.AloneTime, Numbers: alone},
		result.Column{Metric: result.LostToOthers, Numbers: lost})
}
