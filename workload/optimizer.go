package workload

import "github.com/railyard/railyard/topology"

// OptimizerKind is the rule that turns gradients into new parameters.
type OptimizerKind uint8

// The optimizers.
const (
	Adam    OptimizerKind = iota // Kingma and Ba 2015, with decoupled decay
	LAMB                         // You et al. 2020: Adam with a trust ratio per tensor
	SGD                          // with momentum
	Adagrad                      // Duchi et al. 2011: a sum of squares a parameter
)

// String is the optimizer's usual name.
func (k OptimizerKind) String() string { return [...]string{"Adam", "LAMB", "SGD", "Adagrad"}[k] }

// Optimizer is the rule a model of this family trains with: LAMB for bert, SGD
// with momentum for convnets and unet3d, Adagrad for the dense part of dlrm (its
// tables' is in their backward pass), Adam for all others.
func (m Model) Optimizer() OptimizerKind {
	switch m.Family {
	case FamilyBERT:
		return LAMB
	case FamilyConvnet, FamilyUNet3D:
		return SGD
	case FamilyDLRM:
		return Adagrad
	}
	return Adam
}

// StateBytes is what the optimizer keeps for each parameter in precision p
// beside the parameter that the model computes with: two FP32 moments (SGD
// and Adagrad: one) and, where that parameter has 16 bits, its FP32 master copy
// (Micikevicius et al. 2018; Rajbhandari et al. 2020 for the 12 bytes of Adam).
func (k OptimizerKind) StateBytes(p topology.Precision) int64 {
	state := int64(8)
	if k == SGD || k == Adagrad {
		state = 4
	}
	if ElementBytes(p) == 2 {
		state += 4
	}
	return state
}

// tensorsPerLaunch is how many parameter tensors a multi-tensor kernel takes:
// apex fits the addresses of 36 to 110 in a launch's 4 kB of arguments.
const tensorsPerLaunch = 36

// Step is the operator that updates so many parameters held in so many tensors,
// whose gradients have the width of [GradientBytes], with the multi-tensor
// kernels of apex: each pass below reads and writes whole arrays.
//
// Let g be the gradient's width, w that of a model's weight, 4 of the FP32
// master weight and each moment.
//
//	unscale and clip   g + g + g   overflow check and global norm, then scaling in place
//	Adam               g + 12 read, 12 written, w more where a master copy exists
//	LAMB               Adam's reads, moments written (8), update written over the
//	                   gradient (g); norms of weight and update (4 + g); weight and
//	                   update read, weight written (4 + g + 4), w more with a master
//	SGD, Adagrad       g + 8 read, 8 written, w more with a master
//
// Arithmetic is a few tens of instruction slots a parameter: HBM decides.
func (k OptimizerKind) Step(parameters, tensors int64, p topology.Precision) Operator {
	g, w := float64(GradientBytes(p)), 0.0
	if ElementBytes(p) == 2 {
		w = 2
	}
	var bytes, slots float64
	var passes int64
	switch k {
	case Adam:
		bytes, slots, passes = 3*g+(g+12)+12+w, 30, 3
	case LAMB:
		bytes, slots, passes = 3*g+(g+12)+8+g+(4+g)+(4+g+4)+w, 45, 6
	case SGD, Adagrad:
		bytes, slots, passes = 3*g+(g+8)+8+w, 15, 3
	}
	n := float64(parameters)
	return Operator{
		Name: k.String() + " step", Class: Optimizer, Precision: topology.FP32,
		FLOPs: 2 * slots * n, Bytes: bytes * n,
		Launches: int(passes * ((tensors + tensorsPerLaunch - 1) / tensorsPerLaunch)),
	}
}
