package training_test

import (
	"math"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// sent is the bytes that each rank sends in an iteration: what its link to the one
// switch carries.
func sent(t *testing.T, tr workload.Training) []float64 {
	t.Helper()
	j := parallel(t, tr)
	j.Iterations = 1
	n := j.Training.Ranks()
	topo, err := topology.Switch(n, 100e9, us)
	if err != nil {
		t.Fatal(err)
	}
	c := run(t, topo, &cluster.Job{Name: "it", Count: n, Program: j})
	bytes := make([]float64, n)
	for l, link := range topo.Links {
		if int(link.From) < n {
			bytes[link.From] += c.Network.Use(topology.LinkID(l)).Bytes
		}
	}
	return bytes
}

// What ranks send in an iteration, against the papers' closed forms. A ring over n
// ranks sends (n-1)/n of a vector for an all-gather or a reduce-scatter, and twice
// that for an all-reduce.
func TestTraffic(t *testing.T) {
	const (
		b, width = 4, 2. // sequences a micro-batch, bytes of an element
		m        = 3     // micro-batches of a replica
	)
	of := func(n float64) float64 { return (n - 1) / n }
	L, h, V := float64(small.Layers), float64(small.Hidden), float64(small.Vocab)
	tokens := b * float64(small.Sequence)
	sbh := tokens * h * width
	psi := float64(small.Parameters()) * width // bytes of all parameters, and of all gradients
	statistics := 3 * 4 * tokens * 2           // of the loss, in an all-reduce
	// Gradients over two replicas with tensor parallelism: norms and the biases of
	// the second product of a pair are on every rank.
	share := func(tp, layers float64) float64 {
		return width * (layers*(12*h*h/tp+7*h/tp+6*h) + V*h/tp)
	}
	ends := func(tp float64) (first, last float64) {
		return width * 512 * h, width * (V*h/tp + 2*h)
	}

	mixed := float64(mixture.Layers)
	mixedTokens := b * float64(mixture.Sequence)
	routed := mixedTokens * 2 * float64(mixture.Hidden) * width
	var experts, dense float64
	for _, l := range mixture.Unfold(workload.Batch{Samples: 1, Sequence: 1}) {
		experts += float64(l.ExpertParameters) * width
		dense += float64(l.Parameters) * width
	}

	// Adapters of rank 8 on query, key, value, projection, up and down; of the table
	// and the positions no pass back needs the rows.
	adapters := width * 8 * L * (4*2*h + 2*5*h)
	table := width * (V + 512) * h

	first1, last1 := ends(1)
	first2, last2 := ends(2)
	tied := small
	tied.TiedEmbeddings = true
	for _, c := range []struct {
		name string
		tr   workload.Training
		want map[int]float64 // of some ranks
	}{
		// Rajbhandari et al. 2020, section 7: 2 psi with gradients and state, 3 psi
		// with parameters too.
		{"data, one micro-batch", workload.Training{Data: 8, GlobalBatch: 8 * b}, map[int]float64{0: 2 * psi * of(8), 5: 2 * psi * of(8)}},
		{"zero 1, one micro-batch", workload.Training{Data: 8, GlobalBatch: 8 * b, Zero: 1}, map[int]float64{0: 2 * psi * of(8), 5: 2 * psi * of(8)}},
		{"zero 2, one micro-batch", workload.Training{Data: 8, GlobalBatch: 8 * b, Zero: 2}, map[int]float64{0: 2 * psi * of(8), 5: 2 * psi * of(8)}},
		{"zero 3, one micro-batch", workload.Training{Data: 8, GlobalBatch: 8 * b, Zero: 3}, map[int]float64{0: 3 * psi * of(8), 5: 3 * psi * of(8)}},
		// Accumulation: gradients that nobody keeps whole are reduced each time.
		{"data", workload.Training{Data: 4, GlobalBatch: 4 * b * m}, map[int]float64{0: 2 * psi * of(4)}},
		{"zero 1", workload.Training{Data: 4, GlobalBatch: 4 * b * m, Zero: 1}, map[int]float64{0: 2 * psi * of(4)}},
		{"zero 2", workload.Training{Data: 4, GlobalBatch: 4 * b * m, Zero: 2}, map[int]float64{0: (m + 1) * psi * of(4)}},
		{"zero 3", workload.Training{Data: 4, GlobalBatch: 4 * b * m, Zero: 3}, map[int]float64{0: 3 * m * psi * of(4)}},
		// Hu et al. 2021: gradients of the adapters alone; frozen parameters are gathered
		// and not reduced.
		{"lora", workload.Training{Data: 8, GlobalBatch: 8 * b, Tuning: workload.TuningLoRA, LoRARank: 8}, map[int]float64{0: 2 * adapters * of(8)}},
		{"lora, zero 1", workload.Training{Data: 8, GlobalBatch: 8 * b, Tuning: workload.TuningLoRA, LoRARank: 8, Zero: 1}, map[int]float64{0: 2 * adapters * of(8)}},
		{"lora, zero 3", workload.Training{Data: 8, GlobalBatch: 8 * b, Tuning: workload.TuningLoRA, LoRARank: 8, Zero: 3}, map[int]float64{0: (3*adapters + 2*psi - table) * of(8)}},
		{"lora, tensor", workload.Training{Tensor: 4, GlobalBatch: b * m, Tuning: workload.TuningLoRA}, map[int]float64{0: m * of(4) * ((4*L+1)*2*sbh + statistics)}},
		{"lora, sequence parallel", workload.Training{Tensor: 4, GlobalBatch: b * m, SequenceParallel: true, Tuning: workload.TuningLoRA}, map[int]float64{0: m * of(4) * ((10*L+2)*sbh + statistics)}},

		// Shoeybi et al. 2019: four all-reduces of s b h a layer, six with full
		// recomputation (Korthikanti et al. 2022), and one each for the embedding
		// and the input of the logits.
		{"tensor", workload.Training{Tensor: 4, GlobalBatch: b * m}, map[int]float64{0: m * of(4) * ((4*L+2)*2*sbh + statistics)}},
		{"tensor, selective", workload.Training{Tensor: 4, GlobalBatch: b * m, Recompute: workload.RecomputeSelective}, map[int]float64{0: m * of(4) * ((4*L+2)*2*sbh + statistics)}},
		{"tensor, full", workload.Training{Tensor: 4, GlobalBatch: b * m, Recompute: workload.RecomputeFull}, map[int]float64{0: m * of(4) * ((6*L+2)*2*sbh + statistics)}},
		// Korthikanti et al. 2022, section 4.2.2: an all-gather and a reduce-scatter in place of each
		// all-reduce, and the input of each pair gathered again backward.
		{"sequence parallel", workload.Training{Tensor: 4, GlobalBatch: b * m, SequenceParallel: true}, map[int]float64{0: m * of(4) * ((10*L+5)*sbh + statistics)}},
		{"sequence parallel, full", workload.Training{Tensor: 4, GlobalBatch: b * m, SequenceParallel: true, Recompute: workload.RecomputeFull}, map[int]float64{0: m * of(4) * ((14*L+5)*sbh + statistics)}},

		// A stage passes s b h on in each direction.
		{"pipeline", workload.Training{Pipeline: 3, GlobalBatch: b * m}, map[int]float64{0: m * sbh, 1: 2 * m * sbh, 2: m * sbh}},
		{"zero bubble", workload.Training{Pipeline: 3, GlobalBatch: b * m, PipelineSchedule: workload.ZeroBubble}, map[int]float64{0: m * sbh, 1: 2 * m * sbh, 2: m * sbh}},
		// Narayanan et al. 2021, section 2.2.2: v times as much, around the ring of
		// stages; only the first chunk receives nothing and the last passes nothing on.
		{"interleaved", workload.Training{Pipeline: 3, VirtualStages: 2, GlobalBatch: b * m}, map[int]float64{0: (2 + 1) * m * sbh, 1: 4 * m * sbh, 2: (1 + 2) * m * sbh}},
		// The Llama 3 Herd of Models, 2024: the first chunk is the embedding, the last the head.
		{"embedding and head alone", workload.Training{Pipeline: 4, VirtualStages: 2, GlobalBatch: b * 4}, map[int]float64{0: 3 * 4 * sbh, 1: 4 * 4 * sbh, 3: 3 * 4 * sbh}},
		// Chu et al. 2025: of six micro-batches the three that follow each other on a
		// chunk are summed at once, so twice in all.
		{
			"interleaved, zero 2",
			workload.Training{Pipeline: 3, VirtualStages: 2, Data: 2, GlobalBatch: 2 * b * 6, Zero: 2},
			map[int]float64{2: 4*6*sbh + (2+1)*of(2)*(share(1, 2)-width*V*h)},
		},
		// Section 4.1: a t-th of it, gathered on the other side; with sequence
		// parallelism that is where it belongs.
		{
			"pipeline and tensor",
			workload.Training{Tensor: 2, Pipeline: 3, GlobalBatch: b * m},
			map[int]float64{
				0: m * (sbh/2 + of(2)*((4*2+1)*2*sbh+sbh)),
				2: m * (2*sbh/2 + of(2)*(4*2*2*sbh+2*sbh)),
				4: m * (sbh/2 + of(2)*((4*2+1)*2*sbh+sbh+statistics)),
			},
		},
		{
			"pipeline and sequence parallel",
			workload.Training{Tensor: 2, Pipeline: 3, GlobalBatch: b * m, SequenceParallel: true},
			map[int]float64{2: m * (2*sbh/2 + of(2)*10*2*sbh)},
		},
		{
			"three ways",
			workload.Training{Tensor: 2, Pipeline: 2, Data: 2, GlobalBatch: 2 * b * m},
			map[int]float64{
				0: m*(sbh/2+of(2)*((4*3+1)*2*sbh+sbh)) + 2*of(2)*(share(2, 3)+first2),
				4: m*(sbh/2+of(2)*((4*3+1)*2*sbh+sbh+statistics)) + 2*of(2)*(share(2, 3)-width*V*h/2+last2),
			},
		},
		// Shoeybi et al. 2019: the first and the last stage each keep the table, reduce
		// its gradient over the replicas, and sum it between them.
		{
			"tied",
			workload.Training{Model: tied, Pipeline: 2, Data: 2, GlobalBatch: 2 * b * m},
			map[int]float64{
				0: m*sbh + 2*of(2)*(share(1, 3)+first1) + 2*of(2)*width*V*h,
				2: m*sbh + 2*of(2)*(share(1, 3)+last1-width*V*h) + 2*of(2)*width*V*h,
			},
		},

		// Liu et al. 2023: keys and values go around forward, and with their
		// gradients backward.
		{"context", workload.Training{Context: 4, GlobalBatch: b * m}, map[int]float64{0: m*of(4)*3*2*sbh*L + 2*psi*of(4)}},

		// Lepikhin et al. 2020: tokens go out and come back, forward and backward.
		// Experts are summed over the ranks that hold the same.
		{"expert", workload.Training{Model: mixture, Data: 8, Expert: 4, GlobalBatch: 8 * b * m}, map[int]float64{0: m*of(4)*4*routed*mixed + 2*of(8)*dense + 2*of(2)*experts/4}},
		{"expert, all replicas", workload.Training{Model: mixture, Data: 8, Expert: 8, GlobalBatch: 8 * b * m}, map[int]float64{0: m*of(8)*4*routed*mixed + 2*of(8)*dense}},
		{"expert, zero 3", workload.Training{Model: mixture, Data: 8, Expert: 4, GlobalBatch: 8 * b * m, Zero: 3}, map[int]float64{0: m * (of(4)*4*routed*mixed + 3*of(8)*dense + 3*of(2)*experts/4)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.tr.Model.Name == "" {
				c.tr.Model = small
			}
			c.tr.MicroBatch = b
			// Gradients have the width of parameters, as the closed forms take them.
			c.tr.Precision, c.tr.Framework = topology.FP16, workload.FrameworkMegatron
			got := sent(t, c.tr)
			for rank, want := range c.want {
				if math.Abs(got[rank]/want-1) > 1e-9 {
					t.Errorf("rank %d sends %.0f bytes, want %.0f: %.6f", rank, got[rank], want, got[rank]/want)
				}
			}
		})
	}
}

// Gradients are summed over rings, whatever else the replicas do over them.
func TestAlgorithm(t *testing.T) {
	for zero := range 4 {
		j, _ := iterate(t, leafSpine(host(), 1, 1), workload.Training{Model: small, Precision: topology.BF16, GlobalBatch: 16, Data: 8, Zero: zero}, 1, true, 0)
		if got := j.Algorithm(); got != "ring" {
			t.Errorf("zero %d: by %q", zero, got)
		}
	}
	if j, _ := iterate(t, leafSpine(host(), 1, 1), workload.Training{Model: small, Precision: topology.BF16, GlobalBatch: 16, Tensor: 8}, 1, true, 0); j.Algorithm() != "" {
		t.Errorf("one replica: by %q", j.Algorithm())
	}
}
