package training_test

import (
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// compressed trains the small model on eight replicas with its gradients in FP32.
func compressed(compression string) workload.Training {
	return workload.Training{Model: small, GlobalBatch: 8, Data: 8, Precision: topology.BF16, GradientCompression: compression}
}

// Links carry, from each of n ranks, top-k's k values with their indices to n - 1
// others, and of the bytes and scales of 8 bits a share to and a sum from each other:
// of every bucket.
func TestCompressedTraffic(t *testing.T) {
	for compression, bytes := range map[string]func(n float64) float64{
		workload.CompressionTopK: func(n float64) float64 { return 7 * math.Ceil(0.01*n) * (4 + 4) },
		workload.Compression8Bit: func(n float64) float64 { return 2 * 7. / 8 * (n + 4*math.Ceil(n/2048)) },
	} {
		tr := compressed(compression)
		var want float64
		for _, b := range tr.Buckets(tr.Layers(), 25<<20) {
			want += bytes(float64(b.Parameters))
		}
		for rank, got := range sent(t, tr) {
			if math.Abs(got/want-1) > 1e-9 {
				t.Errorf("%s: rank %d sends %.0f bytes, want %.0f", compression, rank, got, want)
			}
		}
	}
}

// Where the network is slow, compression exposes less of the communication and
// computes more; where it is faster than HBM it does not pay.
func TestCompressionPays(t *testing.T) {
	took := func(compression string, gigabits float64) training.Iteration {
		h := host()
		h.Accelerators, h.NICs = 1, 1
		h.NICBandwidth, h.PCIeBandwidth = units.Rate(gigabits/8*1e9), units.Rate(gigabits/8*1e9)
		topo, err := topology.Rail(topology.Fabric{Host: h, Hosts: 8, HostsPerRack: 8, Oversubscription: 1, LinkLatency: us, SwitchLatency: us})
		if err != nil {
			t.Fatal(err)
		}
		j := parallel(t, compressed(compression))
		j.Roofline = quiet(a100())
		run(t, topo, &cluster.Job{Name: "it", Count: 8, Program: j})
		return j.Last
	}
	for _, compression := range []string{workload.CompressionTopK, workload.Compression8Bit} {
		for _, gigabits := range []float64{1, 10} {
			plain, with := took(workload.CompressionNone, gigabits), took(compression, gigabits)
			if with.AllExposed() >= plain.AllExposed()/3 {
				t.Errorf("%s at %v Gbit/s: %v exposed, %v without", compression, gigabits, with.AllExposed(), plain.AllExposed())
			}
			if with.Compute <= plain.Compute || with.Optimizer <= plain.Optimizer {
				t.Errorf("%s at %v Gbit/s: computes %v and %v, without %v and %v", compression, gigabits, with.Compute, with.Optimizer, plain.Compute, plain.Optimizer)
			}
		}
		if plain, with := took(workload.CompressionNone, 16_000), took(compression, 16_000); with.Time <= plain.Time {
			t.Errorf("%s at 16 Tbit/s: an iteration takes %v, %v without", compression, with.Time, plain.Time)
		}
	}
}
