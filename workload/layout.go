package workload

// Layout is where the ranks of a training stand: in each dimension of parallelism a
// rank has a place, and ranks that differ in the place of a dimension alone work
// together in it. Use Training.Layout.
type Layout struct {
	tensor, context, data, pipeline, expert int // degrees
	islands                                 int
	order                                   []Group
}

// Layout is that of t.
func (t Training) Layout() Layout {
	t = t.WithDefaults()
	return Layout{t.Tensor, t.Context, t.Data, t.Pipeline, t.Expert, t.Islands, t.Order}
}

// degree is the number of ranks along a dimension.
func (l *Layout) degree(g Group) int {
	switch g {
	case DataGroup:
		return l.data
	case TensorGroup:
		return l.tensor
	case ContextGroup:
		return l.context
	case PipelineGroup:
		return l.pipeline
	}
	panic("workload: no degree of " + g.String())
}

// Place is where a rank stands in each dimension.
func (l *Layout) Place(rank int) (place [NumGroups]int) {
	for _, g := range l.order {
		d := l.degree(g)
		place[g] = rank % d
		rank /= d
	}
	return place
}

// Rank is the one that stands at a place: the inverse of Place.
func (l *Layout) Rank(place [NumGroups]int) int {
	rank, step := 0, 1
	for _, g := range l.order {
		rank += step * place[g]
		step *= l.degree(g)
	}
	return rank
}

// Group is the group of the rank at a place, in a dimension: every rank with the
// same number works together. The data group takes in the context-parallel ranks,
// which hold the same parameters, and ends at its island. The expert group is a run of Expert ranks of it,
// and experts are summed over those that hold the same: the ranks that are at the
// same place in their expert groups ([Layout.ExpertReplicas]).
func (l *Layout) Group(g Group, p [NumGroups]int) int {
	switch g {
	case DataGroup:
		return p[TensorGroup] + l.tensor*(p[PipelineGroup]+l.pipeline*l.island(p))
	case TensorGroup:
		return p[ContextGroup] + l.context*(p[DataGroup]+l.data*p[PipelineGroup])
	case ContextGroup:
		return p[TensorGroup] + l.tensor*(p[DataGroup]+l.data*p[PipelineGroup])
	case ExpertGroup:
		among := p[ContextGroup] + l.context*p[DataGroup]
		return p[TensorGroup] + l.tensor*(among/l.expert+l.data*l.context/l.expert*p[PipelineGroup])
	}
	return p[TensorGroup] + l.tensor*(p[ContextGroup]+l.context*p[DataGroup])
}

// island is that of the rank at a place.
func (l *Layout) island(p [NumGroups]int) int { return p[DataGroup] * l.islands / l.data }

// Counterparts is the group of ranks that are at the same place in their islands as the
// one at a place.
func (l *Layout) Counterparts(p [NumGroups]int) int {
	p[DataGroup] %= l.data / l.islands
	return l.Rank(p)
}

// ExpertReplicas is the group of ranks that hold the same experts as the one at a
// place.
func (l *Layout) ExpertReplicas(p [NumGroups]int) int {
	among := p[ContextGroup] + l.context*p[DataGroup]
	return p[TensorGroup] + l.tensor*(among%l.expert+l.expert*(p[PipelineGroup]+l.pipeline*l.island(p)))
}

// ExpertHosts is the number of hosts over which an expert group is spread, the first of
// all, where ranks fill hosts of so many accelerators in their order.
func (l *Layout) ExpertHosts(accelerators int) int {
	hosts := map[int]bool{}
	for among := range l.expert {
		var p [NumGroups]int
		p[ContextGroup], p[DataGroup] = among%l.context, among/l.context
		hosts[l.Rank(p)/accelerators] = true
	}
	return len(hosts)
}
