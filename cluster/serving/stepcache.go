package serving

import (
	"reflect"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/workload/serving"
)

// StepCache keeps what steps cost that depends on the number of their tokens or sequences
// alone: for [Computed] costs of one fleet after another, if they are of the same model on
// the same accelerators. Of any others it forgets what it has. The zero value is empty.
type StepCache struct {
	of    priced
	dense []float64 // by tokens; 0 is not known yet
	head  []float64 // by sequences
	known map[tokens]*parts
}

// priced is all that these costs depend on.
type priced struct {
	forward  serving.Forward
	roofline cluster.Roofline
	engine   Engine
	exchange [8]float64 // of the tensor-parallel ranks, at some sizes
}

// keep forgets all that is of other costs.
func (m *StepCache) keep(x *Computed) {
	of := priced{forward: *x.Forward, roofline: x.Roofline, engine: *x.Engine}
	if x.reduce != nil {
		for i, bytes := range []float64{1, 1 << 16, ownReduce, 2 * ownReduce} {
			of.exchange[2*i], of.exchange[2*i+1] = x.reduceTime(bytes), x.gather.Predict(bytes)
		}
	}
	if !reflect.DeepEqual(m.of, of) {
		*m = StepCache{of: of}
	}
}
