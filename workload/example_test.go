package workload_test

import (
	"fmt"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

var bertLarge = workload.Model{Name: "bert-large", Family: workload.FamilyBERT, Layers: 24, Hidden: 1024, Heads: 16, Vocab: 30522}

func ExampleModel_Parameters() {
	fmt.Println(bertLarge.Parameters())
	// Output: 336226108
}

func ExampleModel_Validate() {
	fmt.Println(workload.Model{Name: "mine", Layers: 24, Hidden: 1000, Heads: 16}.Validate())
	// Output:
	// model mine: hidden 1000 is not a multiple of heads 16: state head_dim
	// model mine: vocab must be 1 or more, got 0
}

func ExampleModel_Unfold() {
	m := workload.Model{Layers: 2, Hidden: 4096, Heads: 32, KVHeads: 8, FFN: 14336, Vocab: 128256, Activation: workload.ActivationSwiGLU}
	layers := m.Unfold(workload.Batch{Samples: 1, Sequence: 8192, Precision: topology.BF16})
	for _, l := range layers {
		fmt.Println(l.Name, l.Parameters)
	}
	for _, op := range layers[1].Forward {
		if op.Class.Product() {
			fmt.Printf("%-12s %-15s %d x (%d x %d x %d) %.2g FLOPs\n", op.Name, op.Class, op.Batch, op.M, op.N, op.K, op.FLOPs)
		}
	}
	// Output:
	// embedding 525336576
	// layer 218112000
	// layer 218112000
	// head 525340672
	// qkv          matrix          1 x (8192 x 6144 x 4096) 4.1e+11 FLOPs
	// attention    flash-attention 32 x (8192 x 8192 x 128) 5.5e+11 FLOPs
	// projection   matrix          1 x (8192 x 4096 x 4096) 2.7e+11 FLOPs
	// gate and up  matrix          1 x (8192 x 28672 x 4096) 1.9e+12 FLOPs
	// down         matrix          1 x (8192 x 4096 x 14336) 9.6e+11 FLOPs
}

func ExampleTraining() {
	job := workload.Training{
		Model: bertLarge, MicroBatch: 256, GlobalBatch: 65536, Sequence: 128, Data: 64,
		Precision: topology.FP16, Attention: workload.AttentionUnfused,
	}
	if err := job.Validate(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("micro-batches:", job.Accumulation())
	fmt.Printf("model FLOPs an iteration: %.3g\n", job.FLOPs())
	fmt.Println("optimizer:", job.Model.Optimizer())
	fmt.Printf("gradients to sum: %d bytes\n", job.Buckets(job.Layers(), 0)[0].Bytes)
	fmt.Printf("memory: %.1f GB\n", float64(job.Memory().Total())/1e9)
	// Output:
	// micro-batches: 4
	// model FLOPs an iteration: 1.58e+16
	// optimizer: LAMB
	// gradients to sum: 672452216 bytes
	// memory: 47.2 GB
}

func ExampleTraining_Buckets() {
	job := workload.Training{Model: bertLarge, GlobalBatch: 1, Sequence: 128, Precision: topology.TF32}
	for _, b := range job.Buckets(job.Layers(), 400<<20) {
		fmt.Printf("after layer %d: %d bytes\n", b.Layer, b.Bytes)
	}
	// Output:
	// after layer 16: 461999344 bytes
	// after layer 7: 453464064 bytes
	// after layer 0: 429441024 bytes
}
