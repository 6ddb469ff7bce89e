package serving

import (
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload/serving"
)

// reduces are eight ranks on a host whose scale-up network gives each 700 GB/s.
func reduces(t *testing.T, scaleUp topology.ScaleUp, e *Engine) *Computed {
	t.Helper()
	top, err := topology.SingleHost(topology.Host{
		Name: "host", Accelerators: 8, ScaleUp: scaleUp, ScaleUpBandwidth: units.Rate(700e9), ScaleUpEfficiency: 1,
		NICs: 1, NICBandwidth: units.Rate(1e9), NICEfficiency: 1, PCIeBandwidth: units.Rate(1e9),
		CollectiveOverhead: units.Duration(sim.FromSeconds(20e-6)), NVLSEfficiency: 1, NVLSOverhead: units.Duration(sim.FromSeconds(20e-6)),
	})
	if err != nil {
		t.Fatal(err)
	}
	x := &Computed{Forward: &serving.Forward{Tensor: 8}, Engine: e}
	var all []topology.NodeID
	for i := range 8 {
		all = append(all, topology.NodeID(i))
	}
	if err := x.Place(cluster.New(sim.New(), top, 0), all); err != nil {
		t.Fatal(err)
	}
	return x
}

// Kernels of an engine use all links of a rank at once, be these to a switch or one to each
// of seven others of 100 GB/s: in one shot 7 times the bytes at 700 GB/s after a barrier of
// 5 us, in two shots 2 x 7/8 of them after two; to and from a switch that sums go 9/8 of them.
func TestReduce(t *testing.T) {
	plain, multimem := &Engine{ReduceOverhead: 5e-6}, &Engine{ReduceOverhead: 5e-6, SwitchedReduce: 64 << 20}
	for _, c := range []struct {
		name    string
		scaleUp topology.ScaleUp
		engine  *Engine
		bytes   float64
		want    float64
	}{
		{"mesh, one shot", topology.ScaleUpMesh, plain, 100e3, 5e-6 + 1e-6},
		{"mesh, two shots", topology.ScaleUpMesh, plain, 8e6, 10e-6 + 20e-6},
		{"switch, one shot", topology.ScaleUpSwitch, plain, 100e3, 5e-6 + 1e-6},
		{"switch, two shots", topology.ScaleUpSwitch, plain, 8e6, 10e-6 + 20e-6},
		{"switch that sums", topology.ScaleUpSwitch, multimem, 7e6, 10e-6 + 9.0/8*10e-6},
		{"a mesh sums nothing", topology.ScaleUpMesh, multimem, 8e6, 10e-6 + 20e-6},
	} {
		if got := reduces(t, c.scaleUp, c.engine).reduceTime(c.bytes); math.Abs(got/c.want-1) > 1e-3 {
			t.Errorf("%s: %v us, want %v", c.name, 1e6*got, 1e6*c.want)
		}
	}
}

// Whatever sums, more bytes take no less time.
func TestReduceGrows(t *testing.T) {
	for _, scaleUp := range []topology.ScaleUp{topology.ScaleUpSwitch, topology.ScaleUpMesh} {
		for _, switched := range []float64{0, 4 << 20, 64 << 20} {
			x := reduces(t, scaleUp, &Engine{ReduceOverhead: 5e-6, SwitchedReduce: switched})
			last := 0.0
			for bytes := 1e3; bytes < 1e9; bytes *= 1.1 {
				now := x.reduceTime(bytes)
				if now < last {
					t.Errorf("%v, switch up to %v: %v bytes take %v s, fewer took %v", scaleUp, switched, bytes, now, last)
				}
				last = now
			}
		}
	}
}
