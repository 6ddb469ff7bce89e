package workload

import (
	"fmt"
	"math"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
)

// How gradients travel between replicas.
const (
	CompressionNone = "none"
	// CompressionTopK sends a part of the gradients, those of the greatest magnitude,
	// as values with 4-byte indices, and keeps the rest to add to the next iteration's
	// (Aji and Heafield 2017; Lin et al. 2018, Deep Gradient Compression). What
	// replicas send differs in place, so nothing can be summed on the way: each
	// gathers what all have sent.
	CompressionTopK = "top-k"
	// Compression8Bit sends one byte a gradient and an FP32 scale for every 2,048
	// (Dettmers 2016; blocks as in Dettmers et al. 2022). Each replica gets its share
	// from all others, sums it in FP32, and passes it on in 8 bits again.
	Compression8Bit = "8-bit"
)

const (
	gradientDensity = 0.01 // what of the gradients top-k sends unless a job says otherwise
	indexBytes      = 4    // of a place in a bucket
	scaleBytes      = 4
	scaleBlock      = 2048 // gradients
	sectorBytes     = 32   // least that HBM is read or written in, of one scattered value too

	// Normalise, look the nearest of 256 values up by halving, and back.
	quantizeSlots = 2*moveSlots + 8
)

// Compresses says whether gradients are compressed on their way.
func (t Training) Compresses() bool {
	return t.WithDefaults().GradientCompression != CompressionNone
}

// Compressed is the bytes in which one replica's gradients of so many parameters
// leave it.
func (t Training) Compressed(parameters int64) int64 {
	t = t.WithDefaults()
	switch t.GradientCompression {
	case CompressionTopK:
		return t.selected(parameters) * (GradientBytes(t.Precision) + indexBytes)
	case Compression8Bit:
		return parameters + scaleBytes*Quotient(parameters, scaleBlock)
	}
	return parameters * GradientBytes(t.Precision)
}

// selected is how many gradients of so many top-k sends.
func (t Training) selected(parameters int64) int64 {
	return int64(math.Ceil(t.GradientDensity * float64(parameters)))
}

// Summed is the collective that sums gradients of so many parameters among
// replicas, and its bytes as package collective counts them. Shares that are
// exchanged directly, as those of 8 bits are, come to as many bytes a rank as
// around a ring.
func (t Training) Summed(parameters, replicas int64) (collective.Op, float64) {
	t = t.WithDefaults()
	bytes := float64(t.Compressed(parameters))
	switch {
	case t.GradientCompression == CompressionTopK:
		return collective.AllGather, bytes * float64(replicas)
	case t.reducesShares():
		return collective.ReduceScatter, bytes
	}
	return collective.AllReduce, bytes
}

// Compress is the passes over gradients of so many parameters before they leave.
// With g the width of a gradient:
//
//	top-k   what was kept is added (2g read, g written); the sum is read (g) and what
//	        exceeds a threshold, estimated from a sample, written with its index and
//	        cleared, a sector each
//	8-bit   greatest magnitude of each block (g), then bytes (g read, 1 written)
func (t Training) Compress(parameters int64) Operator {
	t = t.WithDefaults()
	n, g := float64(parameters), float64(GradientBytes(t.Precision))
	op := Operator{Name: "gradient compression", Class: Elementwise, Precision: topology.FP32, Backward: true}
	switch t.GradientCompression {
	case CompressionTopK:
		k := float64(t.selected(parameters))
		op.Bytes, op.FLOPs, op.Launches = 4*g*n+k*(g+indexBytes+sectorBytes), 2*2*moveSlots*n, 3
	case Compression8Bit:
		op.Bytes, op.FLOPs, op.Launches = (2*g+1)*n, 2*quantizeSlots*n, 2
	}
	return op
}

// Decompress is the passes over what replicas have sent of the gradients of so many
// parameters:
//
//	top-k   gradients are cleared (g); each replica's values are read with their
//	        indices and added, a sector read and written each
//	8-bit   a share is read from each replica (1 in all), summed and written in bytes
//	        (1/n); all are read (1) and written (g). Under ZeRO, which only wants its
//	        share, it is written as it is (g/n)
func (t Training) Decompress(parameters, replicas int64) Operator {
	t = t.WithDefaults()
	n, g, among := float64(parameters), float64(GradientBytes(t.Precision)), float64(replicas)
	op := Operator{Name: "gradient decompression", Class: Elementwise, Precision: topology.FP32, Backward: true}
	switch t.GradientCompression {
	case CompressionTopK:
		k := float64(t.selected(parameters)) * among
		op.Bytes, op.FLOPs, op.Launches = g*n+k*(g+indexBytes+2*sectorBytes), 2*moveSlots*(n+k), 2
	case Compression8Bit:
		op.Bytes, op.FLOPs, op.Launches = (1+1/among+1+g)*n, 2*(2*moveSlots+quantizeSlots/among)*n, 2
		if t.reducesShares() {
			op.Bytes, op.FLOPs, op.Launches = (1+g/among)*n, 2*moveSlots*n, 1
		}
	}
	return op
}

// reducesShares says whether a replica gets the sums of its own share alone.
func (t Training) reducesShares() bool {
	return t.Zero >= 2 || t.Zero == 1 && t.Framework != FrameworkDeepSpeed
}

// checkCompression says what cannot be compressed as t asks.
func (t Training) checkCompression() error {
	switch c := t.GradientCompression; {
	case c != CompressionNone && c != CompressionTopK && c != Compression8Bit:
		return fmt.Errorf("gradient_compression %q is unknown: %q, %q or %q", c, CompressionNone, CompressionTopK, Compression8Bit)
	case c != CompressionNone && t.Zero >= 2:
		return fmt.Errorf("gradient_compression %q: with zero = %d gradients are reduced as they are, of every micro-batch; 0 or 1", c, t.Zero)
	case c != CompressionTopK && t.GradientDensity != 0:
		return fmt.Errorf("gradient_density %v belongs to gradient_compression = %q", t.GradientDensity, CompressionTopK)
	case c == CompressionTopK && !(t.GradientDensity > 0 && t.GradientDensity <= 1):
		return fmt.Errorf("gradient_density must be more than 0 and at most 1, got %v", t.GradientDensity)
	}
	return nil
}
