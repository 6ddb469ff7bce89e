package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Bounds of a collective that is simulated message by message, and so of the
// memory that it takes.
const (
	maxMessages = 1 << 22
	maxWaits    = 1 << 24
)

// benchmark is a [[workload.collective]] as it runs.
type benchmark struct {
	*cluster.CollectiveBenchmark
	name string
}

// addCollective adds one operation at several sizes.
func (b *builder) addCollective(w *scenario.Collective) {
	path := w.Path
	j := &cluster.Job{Name: b.name(w.Name, w.Op.Value)}
	op, _ := collective.ParseOp(w.Op.Value)
	algorithm, _ := collective.ParseAlgorithm(w.Algorithm.Value)
	place := w.Placing
	var ranks []int
	switch r := w.Ranks.Value; {
	case !w.Ranks.Set:
	case !w.Accelerators.Set: // the ranks are its accelerators
		place.Accelerators = w.Ranks
	case r.List != nil:
		for _, i := range r.List {
			ranks = append(ranks, int(i))
		}
	default:
		for i := range int(r.Count) {
			ranks = append(ranks, i)
		}
	}
	if !b.place(&place, path, w.At, j) {
		return
	}
	if ranks != nil && slices.Max(ranks) >= j.Count {
		b.fault(w.Ranks.Pos, path+".ranks", "there is no rank %d: the workload has %d accelerators", slices.Max(ranks), j.Count)
		return
	}
	p := &cluster.CollectiveBenchmark{
		Op: op, Algorithm: algorithm, Iterations: w.Iterations.Value, Ranks: ranks, Explode: w.Expand.Value,
	}
	for _, size := range w.Sizes.Value {
		p.Sizes = append(p.Sizes, float64(size))
	}
	if w.Overhead.Set {
		overhead := sim.Time(w.Overhead.Value)
		p.Overhead = &overhead
	}
	if !b.checkPlan(w, p, j) {
		return
	}
	j.Program = p
	b.collectives = append(b.collectives, benchmark{p, j.Name})
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Collective: []scenario.Collective{only}})
}

// checkPlan sees to it that the algorithm can perform the operation on so many
// ranks, and in the exploded form if that is asked for.
func (b *builder) checkPlan(w *scenario.Collective, p *cluster.CollectiveBenchmark, j *cluster.Job) bool {
	n := j.Count
	if p.Ranks != nil {
		n = len(p.Ranks)
	}
	messages, waits, err := b.messages(p, j, n)
	if err == nil {
		err = collective.Supports(b.topology, p.Algorithm)
	}
	if err != nil {
		at := w.Algorithm.Pos.Or(w.Op.Pos)
		b.fault(at, w.Path+".algorithm", "%v", err)
		return false
	}
	inOrder := slices.IsSorted(p.Ranks) && slices.IsSorted(j.List)
	if p.Algorithm == collective.Hierarchical && n > 1 && b.topology.Bare() && (b.topology.Dimensions() == nil || n != b.topology.Accelerators() || !inOrder) {
		b.fault(w.Algorithm.Pos, w.Path+".algorithm", "hierarchical takes all accelerators of a torus or a multi-dimensional network, in their order")
		return false
	}
	if p.Algorithm == collective.Hierarchical && b.topology.Bare() && p.Op == collective.AllToAll && n > 1 {
		b.fault(w.Algorithm.Pos, w.Path+".algorithm", "hierarchical takes all_reduce, all_gather and reduce_scatter along dimensions, not all_to_all")
		return false
	}
	if placed := j.List != nil || j.Count == b.topology.Accelerators(); placed && n > 1 && !b.topology.Bare() && byHost(p.Algorithm) {
		if _, err := b.cluster.Planner.Plan(p.Op, p.Algorithm, ranksOf(p, j, n)); err != nil {
			b.fault(w.Algorithm.Pos, w.Path+".algorithm", "%v", err)
			return false
		}
	}
	if b.cluster.Network.Ships() {
		return b.checkShipped(w, p, n, messages, waits)
	}
	// Of these auto may take the pipeline, which has no messages of its own.
	auto := p.Algorithm == collective.Auto && (p.Op == collective.Broadcast || p.Op == collective.Reduce)
	if p.Explode && (messages == 0 || auto) && n > 1 {
		b.fault(w.Expand.Pos, w.Path+".expand", "%s by %s is a pipeline of small pieces or sums in switches and cannot be expanded; algorithm = \"direct\" can", p.Op, p.Algorithm)
		return false
	}
	if p.Explode && (messages > maxMessages || waits > maxWaits) {
		b.fault(w.Expand.Pos, w.Path+".expand", "%d messages that wait for %d others are more than can be simulated one by one, %d and %d",
			messages, waits, maxMessages, maxWaits)
		return false
	}
	return true
}

// messages is what collective.Messages gives for a benchmark. Which hosts the scheduler will
// give to it an algorithm of one's own cannot be asked yet: those that it lists, or the
// first.
func (b *builder) messages(p *cluster.CollectiveBenchmark, j *cluster.Job, n int) (messages, waits int, err error) {
	own := b.cluster.Planner.Own[p.Algorithm]
	if own == nil || n == 1 {
		return collective.Messages(p.Op, p.Algorithm, n)
	}
	return own.Messages(p.Op, p.Algorithm, b.cluster.Planner.Hosts(ranksOf(p, j, n)))
}

// byHost says whether an algorithm asks for as many ranks in every host.
func byHost(a collective.Algorithm) bool {
	return a == collective.Hierarchical || a == collective.NVLS || a == collective.SHARP
}

// ranksOf are the n ranks of a benchmark on the accelerators that it lists, or the first.
func ranksOf(p *cluster.CollectiveBenchmark, j *cluster.Job, n int) []topology.NodeID {
	ranks := make([]topology.NodeID, n)
	for i := range ranks {
		r := i
		if p.Ranks != nil {
			r = p.Ranks[i]
		}
		if ranks[i] = topology.NodeID(r); j.List != nil {
			ranks[i] = topology.NodeID(j.List[r])
		}
	}
	return ranks
}

// collectCollectives tells what each size of each collective took.
func (p *plant) collectCollectives(r *Result) {
	if len(p.collectives) == 0 {
		return
	}
	table := p.collectiveTable()
	p.addAloneColumns(table)
	r.Tables = append(r.Tables, table)
	r.Summary.Add(result.Collectives, records(table))
}

func (p *plant) collectiveTable() *result.Table {
	var op, algorithm, protocol, of []string
	var ranks []int64
	var size, seconds, algbw, busbw, limit []float64
	for _, b := range p.collectives {
		n := b.RankCount()
		for _, row := range b.Rows {
			a, bus := collective.Bandwidth(b.Op, n, row.Size, row.Time)
			op, algorithm, of = append(op, b.Op.String()), append(algorithm, row.Algorithm.String()), append(of, b.name)
			protocol = append(protocol, row.Protocol.String())
			ranks = append(ranks, int64(n))
			size, seconds = append(size, row.Size), append(seconds, row.Time)
			algbw, busbw = append(algbw, a), append(busbw, bus)
			_, bound := collective.Bandwidth(b.Op, n, row.Size, row.Bound)
			limit = append(limit, bound)
		}
	}
	return &result.Table{Name: "collectives", Columns: []result.Column{
		{Metric: result.CollectiveOp, Text: op},
		{Metric: result.CollectiveAlgorithm, Text: algorithm},
		{Metric: result.CollectiveRanks, Integers: ranks},
		{Metric: result.CollectiveSize, Numbers: size},
		{Metric: result.CollectiveTime, Numbers: seconds},
		{Metric: result.AlgorithmBandwidth, Numbers: algbw},
		{Metric: result.BusBandwidth, Numbers: busbw},
		{Metric: result.Workload, Text: of},
		{Metric: result.CollectiveProtocol, Text: protocol},
		{Metric: result.BusLimit, Numbers: limit},
	}}
}
