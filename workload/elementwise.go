package workload

// Instruction slots per element of the passes that do more than move data. On
// an accelerator whose vector units are weak beside its HBM (A100: 9.6 FLOP a
// byte) they, not the bytes, limit 16-bit passes: FP32 tensors of the same
// bytes have half the elements.
//
// They are counted from the textbook sequence of each function, conversions and
// addressing included, not profiled: good to a third or so. What kernels reach
// of the slots (package cluster, vectorEfficiency) is fitted over them.
const (
	// A pass that only loads, converts, adds or scales, and stores.
	moveSlots = 6

	// Philox4x32-10 (Salmon et al. 2011): ten rounds of four multiplications,
	// four exclusive ors and two key additions give four numbers, 25 slots
	// each; conversion, comparison and scaling on top of the move.
	dropoutSlots = 25 + 5 + moveSlots
	maskSlots    = 2 + moveSlots // applying a stored mask

	// erf as a polynomial of degree 8 with the exponential of its tail: both
	// branches run, since a warp holds both kinds of arguments.
	geluSlots         = 30 + 5 + moveSlots
	geluGradientSlots = 30 + 15 + moveSlots // erf again and the Gaussian density
	siluSlots         = 10 + moveSlots      // an exponential and a division
	siluGradientSlots = 18 + moveSlots

	softmaxSlots         = 15 + moveSlots // scale, mask, maximum, exponential, sum, division
	softmaxGradientSlots = 6 + moveSlots
	normSlots            = 8 + moveSlots // two moments, then the affine map
	normGradientSlots    = 16 + moveSlots
)
