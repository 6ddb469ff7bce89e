package topology

import "github.com/railyard/railyard/units"

// Precision is a number format of the matrix units.
type Precision uint8

// The number formats that a scenario may name.
const (
	FP32 Precision = iota
	TF32
	FP16
	BF16
	FP8
	FP4
	INT8
	NumPrecisions
)

var precisionNames = [NumPrecisions]string{"fp32", "tf32", "fp16", "bf16", "fp8", "fp4", "int8"}

// String is the name as a scenario writes it: "bf16".
func (p Precision) String() string { return precisionNames[p] }

// ParsePrecision finds a precision by its name.
func ParsePrecision(name string) (p Precision, ok bool) {
	for i, n := range precisionNames {
		if n == name {
			return Precision(i), true
		}
	}
	return 0, false
}

// Accelerator is one kind of processor as its data sheet describes it, with
// the fractions of those figures that real kernels reach.
type Accelerator struct {
	Name string

	// Peak is the dense matrix rate by precision; 0 where the precision is not
	// supported. Vector is the FP32 rate outside the matrix units.
	Peak   [NumPrecisions]units.Compute
	Vector units.Compute

	Memory          units.Bytes // HBM capacity
	MemoryBandwidth units.Rate  // HBM, data-sheet rate

	// Multiprocessors is the number of SMs (NVIDIA), CUs (AMD) or cores (TPU):
	// the unit of wave rounding, and what a communication kernel takes away.
	Multiprocessors int

	// MatrixEfficiency is the fraction of Peak that large matrix products
	// hold under the limit of power; FP8Efficiency and FP4Efficiency the same
	// in those precisions, 0 where it does not differ, and FP8TrainingEfficiency that of
	// the libraries of trainings, 0 where they hold no more. FlashEfficiency is that
	// of fused attention over long sequences by the newest kernels, 0 where
	// unknown, and Flash2Efficiency that of FlashAttention-2, 0 where it does not
	// differ.
	MatrixEfficiency      float64
	FP8Efficiency         float64
	FP8TrainingEfficiency float64
	FP4Efficiency         float64
	FlashEfficiency       float64
	Flash2Efficiency      float64

	// MemoryEfficiency is the fraction of MemoryBandwidth that kernels reach
	// which read and write; ReadEfficiency of those that mostly read, 0 where
	// it does not differ; CacheEfficiency of attention over keys and values, 0
	// where it does not differ from that.
	MemoryEfficiency float64
	ReadEfficiency   float64
	CacheEfficiency  float64

	LaunchOverhead units.Duration // what one kernel costs beside its work
	// HostLaunch is what a core of the host that it is in takes to launch a kernel from
	// PyTorch, while the accelerator works; 0 where it need not.
	HostLaunch units.Duration
	// CombineOverhead is what it costs to put the parts of attention together whose keys
	// were split over multiprocessors.
	CombineOverhead units.Duration

	// Clock is the part of the full clock at which Peak and Vector are given, 0 being
	// all of it: where a limit of power lowers it, they are less than on the data sheet.
	Clock float64

	Power units.Power // thermal design power
	Price units.Money // purchase price; 0 where unknown
}

// Training is the accelerator as the libraries of trainings use it.
func (a Accelerator) Training() Accelerator {
	if a.FP8TrainingEfficiency > 0 {
		a.FP8Efficiency = a.FP8TrainingEfficiency
	}
	return a
}

// ScaleUp is the kind of network that joins the accelerators of one host.
type ScaleUp uint8

// The scale-up networks that a host may have.
const (
	ScaleUpSwitch ScaleUp = iota // one switch, a link each way per accelerator
	ScaleUpMesh                  // a link each way between every pair
	ScaleUpRing                  // a link each way between neighbours
	ScaleUpPCIe                  // a PCIe switch or root complex, a link each way per accelerator
	ScaleUpTorus                 // a link each way to both neighbours in each dimension
)

var scaleUpNames = [...]string{"switch", "mesh", "ring", "pcie", "torus"}

// String is the name as a scenario writes it.
func (s ScaleUp) String() string { return scaleUpNames[s] }

// ParseScaleUp finds a scale-up network by its name.
func ParseScaleUp(name string) (s ScaleUp, ok bool) {
	for i, n := range scaleUpNames {
		if n == name {
			return ScaleUp(i), true
		}
	}
	return 0, false
}

// Host is one kind of server: accelerators, the scale-up network between them,
// and NICs. Accelerator i of a accelerators uses NIC floor(i*NICs/a).
type Host struct {
	Name         string
	Accelerator  Accelerator
	Accelerators int

	ScaleUp ScaleUp
	// ScaleUpBandwidth is per accelerator and direction, as the data sheet
	// counts it; ScaleUpEfficiency is the fraction left for payload by packet
	// headers and copy kernels; ScaleUpLatency is one message through it.
	ScaleUpBandwidth  units.Rate
	ScaleUpEfficiency float64
	ScaleUpLatency    units.Duration

	// ScaleUpDimensions are those of a torus, 2 or 3; 0 is 3. The accelerators
	// fill the one that is nearest to a cube.
	ScaleUpDimensions int

	NICs          int
	NICBandwidth  units.Rate
	NICEfficiency float64 // payload fraction of the wire rate

	// PCIeBandwidth joins an accelerator to its NIC, each way. A link slower
	// than the NIC is taken at the NIC's rate: the contract gives every
	// accelerator its NIC at full rate.
	PCIeBandwidth units.Rate

	// LinkLatency and SwitchLatency are the defaults of a fabric built from
	// this host: one cable, and one switch passed.
	LinkLatency   units.Duration
	SwitchLatency units.Duration

	// What the collective library adds; see package collective. Bare accelerators
	// have none of it. CollectiveOverhead is what starting a collective costs before
	// its first byte moves, StepOverhead what each of its steps adds inside a host and
	// NetworkOverhead beside the links' latency between hosts, by its protocol of the
	// lowest latency; SimpleOverhead is what the protocol of the highest rate adds to
	// the start. RampOverhead is the most that a large one loses until its pipelines
	// are full, NetworkRamp what it loses beside that between hosts.
	CollectiveOverhead units.Duration
	StepOverhead       units.Duration
	NetworkOverhead    units.Duration
	SimpleOverhead     units.Duration
	RampOverhead       units.Duration
	NetworkRamp        units.Duration
	// CopyBandwidth is the rate at which a rank copies its own part of an all-gather,
	// a reduce-scatter or an all-to-all; in no time if 0.
	CopyBandwidth units.Rate
	// NVLSEfficiency is the share of ScaleUpBandwidth that sums in the scale-up switch
	// reach; 0 where it cannot add. NVLSOverhead is what starting one costs.
	NVLSEfficiency float64
	NVLSOverhead   units.Duration

	CPUs    int
	Memory  units.Bytes
	Storage units.Bytes
	Power   units.Power // whole host, accelerators included
	Price   units.Money
}
