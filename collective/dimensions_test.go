package collective_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Along the dimensions of a grid the closed form is a sum over these: 2 (k-1) (l +
// S/K/b) of a ring or switch of k, K being the product of the sizes so far, and 2 (l +
// S/K/b) of a full mesh. Of D dimensions that are alike, all carry a D-th at once, and
// rings in both directions.
func TestDimensions(t *testing.T) {
	const s = 3.0 * (1 << 24)
	us := units.Duration(sim.Microsecond)
	dim := func(shape topology.Shape, size int, bandwidth units.Rate, latency units.Duration) topology.Dimension {
		return topology.Dimension{Shape: shape, Size: size, Bandwidth: bandwidth, Latency: latency}
	}
	for _, c := range []struct {
		name string
		dims []topology.Dimension
		want float64 // of a reduce-scatter
	}{
		{
			"torus of 4 x 2 x 3",
			[]topology.Dimension{dim(topology.ShapeRing, 4, 50e9, us), dim(topology.ShapeRing, 2, 50e9, us), dim(topology.ShapeRing, 3, 50e9, us)},
			6*1e-6 + (3*s/4+s/8+2*s/24)/50e9,
		},
		{ // 63/64 of the data by six links at once
			"cube of 4 x 4 x 4",
			[]topology.Dimension{dim(topology.ShapeRing, 4, 50e9, us), dim(topology.ShapeRing, 4, 50e9, us), dim(topology.ShapeRing, 4, 50e9, us)},
			9*1e-6 + s*63/64/6/50e9,
		},
		{ // both directions
			"ring of 8",
			[]topology.Dimension{dim(topology.ShapeRing, 8, 50e9, us)},
			7*1e-6 + s*7/8/2/50e9,
		},
		{ // 3 peers in each of two dimensions
			"mesh of 4 x 4",
			[]topology.Dimension{dim(topology.ShapeMesh, 4, 50e9, us), dim(topology.ShapeMesh, 4, 50e9, us)},
			2*1e-6 + (s/8+s/32)/50e9,
		},
		{
			"rings of two",
			[]topology.Dimension{dim(topology.ShapeRing, 2, 50e9, us), dim(topology.ShapeRing, 1, 1e9, us), dim(topology.ShapeRing, 8, 25e9, us)},
			1e-6 + s/2/50e9 + 7*(1e-6+s/16/25e9),
		},
		{
			"a mesh in switches",
			[]topology.Dimension{dim(topology.ShapeMesh, 8, 50e9, us), dim(topology.ShapeSwitch, 6, 25e9, 2*us)},
			1e-6 + s/8/50e9 + 5*(2e-6+s/48/25e9),
		},
	} {
		topo := must(topology.Multi(c.dims))
		for op, want := range map[collective.Op]float64{
			collective.AllReduce: 2 * c.want, collective.ReduceScatter: c.want, collective.AllGather: c.want,
		} {
			plan := must(collective.NewPlanner(topo).Plan(op, collective.Hierarchical, accelerators(topo.Accelerators())))
			coupled, exploded := both(topo, plan, s)
			if math.Abs(coupled.Seconds()-want) > 1e-6*want {
				t.Errorf("%s, %v: %v s, want %v", c.name, op, coupled.Seconds(), want)
			}
			if d := coupled - exploded; max(d, -d) > halfATickAStep(plan) {
				t.Errorf("%s, %v: %v coupled, %v message by message", c.name, op, coupled, exploded)
			}
		}
	}
}

// What auto takes on a torus for large messages is the dimensions. What has none, and
// ranks that do not fill them, are refused.
func TestDimensionsAreChosen(t *testing.T) {
	torus := must(topology.Torus([]int{4, 4}, nil, 50e9, units.Duration(sim.Microsecond)))
	plans := must(collective.NewPlanner(torus).Plans(collective.AllReduce, accelerators(16)))
	if a := plans.Fastest(1 << 20).Algorithm; a != collective.Hierarchical {
		t.Errorf("auto takes %v", a)
	}
	for want, c := range map[string]struct {
		topo  *topology.Topology
		ranks []topology.NodeID
		op    collective.Op
	}{
		"here there are none":            {bare("switch", 16, 1e9, 1), accelerators(16), collective.AllReduce},
		"all 16 accelerators":            {torus, accelerators(8), collective.AllReduce},
		"in their order":                 {torus, append(accelerators(16)[1:], 0), collective.AllReduce},
		"all_to_all has no hierarchical": {torus, accelerators(16), collective.AllToAll},
	} {
		if _, err := collective.NewPlanner(c.topo).Plan(c.op, collective.Hierarchical, c.ranks); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// ASTRA-sim's all-reduces over several dimensions take what ours do, and beside that
// an endpoint delay a message and three passes through memory for each reduction,
// which bare accelerators do not have here. Its rings over a switch meet the latency
// twice a hop. Where all dimensions are alike ours are faster: it takes one direction of
// one dimension at a time.
func TestAstraSimDimensions(t *testing.T) {
	text, err := os.ReadFile("../../shared/reference/collectives/astra_sim_cases.json")
	if err != nil {
		t.Skip(err)
	}
	var file struct {
		Cases []struct {
			ID         int
			Backend    string
			Topology   []string
			Sizes      []int     `json:"npus_per_dim"`
			Bandwidth  []float64 `json:"bandwidth_Bps"`
			Latency    []float64 `json:"latency_ns"`
			Collective string
			Bytes      float64 `json:"comm_size_bytes"`
			Splits     int     `json:"preferred_dataset_splits"`
			Chunks     int     `json:"active_chunks_per_dimension"`
			Method     string  `json:"collective_optimization"`
			Delay      float64 `json:"endpoint_delay_ns"`
			Memory     float64 `json:"local_mem_bw_GBps_1e9"`
			Time       float64 `json:"sim_time_ns"`
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, c := range file.Cases {
		if len(c.Topology) < 2 || c.Collective != "all_reduce" || c.Splits != 1 || c.Backend != "congestion_unaware" || c.Method != "localBWAware" {
			continue
		}
		var dims []topology.Dimension
		extra, shard := 0.0, c.Bytes
		for i, kind := range c.Topology {
			d := topology.Dimension{
				Shape: map[string]topology.Shape{"Ring": topology.ShapeRing, "Switch": topology.ShapeSwitch, "FullyConnected": topology.ShapeMesh}[kind],
				Size:  c.Sizes[i], Bandwidth: units.Rate(c.Bandwidth[i]), Latency: units.Duration(sim.FromSeconds(c.Latency[i] * 1e-9)),
			}
			if kind == "Switch" {
				d.Latency *= 2
			}
			if kind == "FullyConnected" { // which it sends around, too
				d.Shape = topology.ShapeRing
			}
			dims = append(dims, d)
			shard /= float64(d.Size)
			steps := float64(d.Size - 1)
			extra += 2*steps*c.Delay + steps*3*shard/c.Memory
		}
		topo := must(topology.Multi(dims))
		plan := must(collective.NewPlanner(topo).Plan(collective.AllReduce, collective.Hierarchical, accelerators(topo.Accelerators())))
		alike := !slices.ContainsFunc(dims, func(d topology.Dimension) bool { return d != dims[0] })
		if got := plan.Predict(c.Bytes)*1e9 + extra; math.Abs(got-c.Time) > 2e-3*c.Time && (!alike || got > c.Time) {
			t.Errorf("case %d, %v: %v ns, of which %v are ASTRA-sim's own; it says %v", c.ID, c.Topology, got, extra, c.Time)
		}
		compared++
	}
	t.Logf("%d cases compared", compared)
}
