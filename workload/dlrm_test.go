package workload

import (
	"math"
	"testing"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

// Criteo 1TB with at most 40 million rows a table: MLPerf's two recommenders.
var (
	dlrm = Model{
		Name: "dlrm", Family: FamilyDLRM, DenseFeatures: 13, EmbeddingDim: 128,
		BottomMLP: []int64{512, 256, 128}, TopMLP: []int64{1024, 1024, 512, 256, 1},
		Rows: []int64{
			39884406, 39043, 17289, 7420, 20263, 3, 7120, 1543, 63, 38532951, 2953546, 403346, 10, 2208, 11938, 155, 4, 976, 14,
			39979771, 25641295, 39664984, 585935, 12972, 108, 36,
		},
	}
	dcnv2 = Model{
		Name: "dlrm-dcnv2", Family: FamilyDLRM, DenseFeatures: 13, EmbeddingDim: 128,
		BottomMLP: []int64{512, 256, 128}, TopMLP: []int64{1024, 1024, 512, 256, 1}, CrossLayers: 3, CrossRank: 512,
		Rows: []int64{
			40000000, 39060, 17295, 7424, 20265, 3, 7122, 1543, 63, 40000000, 3067956, 405282, 10, 2209, 11938, 155, 4, 976, 14,
			40000000, 40000000, 40000000, 590152, 12973, 108, 36,
		},
		Lookups: []int64{3, 2, 1, 2, 6, 1, 1, 1, 1, 7, 3, 8, 1, 6, 9, 5, 1, 1, 1, 12, 100, 27, 10, 3, 1, 1},
	}
)

// The reference code's layers, beside the rows that HugeCTR's samples give for
// this data: 187,767,399.
func TestRecommenderParameters(t *testing.T) {
	bottom := int64(13*512 + 512 + 512*256 + 256 + 256*128 + 128)
	rest := int64(1024*1024 + 1024 + 1024*512 + 512 + 512*256 + 256 + 256 + 1)
	for _, c := range []struct {
		m    Model
		want int64
	}{
		{dlrm, 187_767_399*128 + bottom + 479*1024 + 1024 + rest},
		{dcnv2, 204_184_588*128 + bottom + 3*(2*3456*512+3456) + 3456*1024 + 1024 + rest},
	} {
		if err := c.m.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := c.m.Parameters(); got != c.want {
			t.Errorf("%s has %d parameters, want %d", c.m.Name, got, c.want)
		}
		var shared int64
		for _, l := range c.m.Unfold(Batch{Samples: 4, Data: 7}) {
			shared += l.ShardedParameters
		}
		all := c.want - 187_767_399*128
		if c.m.CrossLayers > 0 {
			all = c.want - 204_184_588*128
		}
		if tables := c.want - all; 7*shared < tables || 7*shared >= tables+7 {
			t.Errorf("%s: seven replicas hold %d each of %d values of tables", c.m.Name, shared, tables)
		}
	}
}

func TestRecommenderFLOPs(t *testing.T) {
	const b = 2048.
	bottom := 13.*512 + 512*256 + 256*128
	rest := 1024.*1024 + 1024*512 + 512*256 + 256
	for _, c := range []struct {
		m              Model
		want, gradient float64
	}{
		// The dots' gradient is one product of their size, all others' two.
		{dlrm, 2 * b * (bottom + 27*27*128 + 479*1024 + rest), 2 * b * (2*bottom + 27*27*128 + 2*(479*1024+rest))},
		{dcnv2, 2 * b * (bottom + 3*2*3456*512 + 3456*1024 + rest), 4 * b * (bottom + 3*2*3456*512 + 3456*1024 + rest)},
	} {
		var forward, backward float64
		for _, l := range c.m.Unfold(Batch{Samples: b, Precision: topology.FP16}) {
			forward += products(l.Forward)
			backward += products(l.Backward)
		}
		if forward != c.want || backward != c.gradient {
			t.Errorf("%s: %g FLOPs forward, %g backward, want %g and %g", c.m.Name, forward, backward, c.want, c.gradient)
		}
	}
}

// The vectors of a replica's own samples cross the network once each way: what
// Naumov et al. 2019, section 4, call personalised all-to-all.
func TestRecommenderExchange(t *testing.T) {
	count := func(data int64, backward bool) (sum float64, n int) {
		for _, l := range dlrm.Unfold(Batch{Samples: 512, Precision: topology.BF16, Data: data}) {
			ops := l.Forward
			if backward {
				ops = l.Backward
			}
			for _, op := range ops {
				if op.Class == Communication {
					if op.Collective != collective.AllToAll || op.Group != DataGroup || !op.Beside || op.Backward != backward {
						t.Errorf("%+v", op)
					}
					sum += op.Bytes
					n++
				}
			}
		}
		return sum, n
	}
	for _, backward := range []bool{false, true} {
		if bytes, n := count(16, backward); n != 1 || bytes != 512*26*128*2 {
			t.Errorf("backward %t: %d exchanges of %g bytes", backward, n, bytes)
		}
		if _, n := count(1, backward); n != 0 {
			t.Errorf("backward %t: one replica exchanges", backward)
		}
	}
}

// A table much larger than the batch is read a row a look-up, however many
// replicas share it; one much smaller is read once, and shared. Row-wise Adagrad
// keeps one FP32 value a row.
func TestTables(t *testing.T) {
	const b, dim = 1000, 64
	m := Model{
		Family: FamilyDLRM, DenseFeatures: 1, EmbeddingDim: dim, BottomMLP: []int64{dim}, TopMLP: []int64{1},
		Rows: []int64{1_000_000_000}, Lookups: []int64{3},
	}
	look := func(m Model, data int64) (l Layer) {
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		return m.Unfold(Batch{Samples: b, Precision: topology.FP16, Data: data})[0]
	}
	for _, data := range []int64{1, 8} {
		l := look(m, data)
		if got, want := l.Forward[0].Bytes, float64(b*3*(dim*4+8)+b*dim*2); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%d replicas: look-ups move %g bytes, want %g", data, got, want)
		}
		if got, want := l.Backward[len(l.Backward)-1].Bytes, float64(b*3*(2*(dim*4+4)+2*8)+b*dim*2); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%d replicas: updates move %g bytes, want %g", data, got, want)
		}
		if want := 1_000_000_000 / data * (dim*4 + 4); l.ShardedBytes != want {
			t.Errorf("%d replicas: %d bytes of tables, want %d", data, l.ShardedBytes, want)
		}
	}
	m.Rows = []int64{80}
	if got, want := look(m, 8).Forward[0].Bytes, float64(10*dim*4+b*3*8+b*dim*2); got != want {
		t.Errorf("a small table: %g bytes, want %g", got, want)
	}
	m.Tables = 5 // of 80 rows each
	if got := m.Parameters(); got != 5*80*dim+2*dim+dim+6*5/2+1 {
		t.Errorf("five tables and MLPs: %d parameters", got)
	}
}

// Adagrad keeps one FP32 sum of squares a parameter, as SGD its momentum, beside
// the master copy of 16 bits.
func TestAdagrad(t *testing.T) {
	if got := dlrm.Optimizer(); got != Adagrad {
		t.Errorf("trains with %v", got)
	}
	for p, want := range map[topology.Precision]int64{topology.FP32: 4, topology.BF16: 8} {
		if got := Adagrad.StateBytes(p); got != want {
			t.Errorf("%v: %d bytes a parameter, want %d", p, got, want)
		}
		if got, want := Adagrad.Step(1000, 10, p).Bytes, SGD.Step(1000, 10, p).Bytes; got != want {
			t.Errorf("%v: a step moves %g bytes, want %g", p, got, want)
		}
	}
}
