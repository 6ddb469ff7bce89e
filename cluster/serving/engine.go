package serving

import (
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/serving"
)

// Engine is an inference server: how it decides its steps, and what it adds to what
// the accelerators compute.
type Engine struct {
	Name string

	// What continuous batching is; see scheduler.Batching.
	Order                  scheduler.Order
	Budget, MaxBatch       int
	Whole, Padded, Reserve bool
	Watermark              float64 // share of the blocks
	BlockSize              int
	// NarrowCache has keys and values in FP8 where the weights have 8 bits or fewer.
	NarrowCache bool
	// MemoryShare is the part of the accelerator's memory that the engine takes.
	MemoryShare float64

	// What a step costs beside its kernels, in seconds: StepOverhead for scheduling and
	// making inputs ready, SequenceOverhead for each sequence that comes to a token
	// (sampling, detokenising, block tables). LaunchShare is what a kernel costs beside
	// its work as a multiple of the accelerator's launch overhead: less than one where
	// captured graphs launch them, or kernels are fused. It grows with the layers.
	StepOverhead, SequenceOverhead, LaunchShare float64
	// ReduceOverhead is what an all-reduce costs beside moving its bytes, for each
	// barrier of the kernels that engines have for small ones.
	ReduceOverhead float64
	// SwitchedReduce is up to how many bytes the engine may have the switch of a host sum,
	// where it can (multimem instructions on symmetric memory); 0: it does not.
	SwitchedReduce float64
}

// Engines are those that a scenario may name. Orders, block sizes and batches are the
// defaults of their documentation. Overheads, and TensorRT-LLM's budget, are fitted to
// measured runs of each server, all models, accelerators and degrees together; see
// TestMeasuredServing of datacenter.
var Engines = []Engine{
	{
		Name: "vllm", Order: scheduler.Mixed, Budget: 2048, MaxBatch: 1024, BlockSize: 16, MemoryShare: 0.9,
		StepOverhead: 0.55e-3, SequenceOverhead: 34e-6, LaunchShare: 1, ReduceOverhead: 6e-6,
		SwitchedReduce: 64 << 20, // its SYMM_MEM_ALL_REDUCE_MAX_SIZES; the others' are not on by default
	},
	{
		Name: "trtllm", Order: scheduler.Mixed, Budget: 2048, MaxBatch: 2048, Reserve: true, BlockSize: 32, NarrowCache: true, MemoryShare: 0.9,
		StepOverhead: 0.98e-3, SequenceOverhead: 23e-6, LaunchShare: 0.65, ReduceOverhead: 4.2e-6,
	},
	{
		Name: "sglang", Order: scheduler.PrefillFirst, Budget: 16384, MaxBatch: 2048, BlockSize: 1, MemoryShare: 0.88,
		StepOverhead: 0.6e-3, SequenceOverhead: 10e-6, LaunchShare: 1, ReduceOverhead: 3.5e-6,
	},
	{ // its overheads are taken to be those of the version that was measured
		Name: "vllm-v0", Order: scheduler.PrefillFirst, Budget: 4096, MaxBatch: 256, Whole: true, Padded: true, Watermark: 0.01, BlockSize: 16, MemoryShare: 0.9,
		StepOverhead: 0.55e-3, SequenceOverhead: 34e-6, LaunchShare: 1, ReduceOverhead: 6e-6,
	},
}

// ParseEngine finds an engine by its name.
func ParseEngine(name string) (*Engine, bool) {
	for i := range Engines {
		if Engines[i].Name == name {
			return &Engines[i], true
		}
	}
	return nil, false
}

// FrontEnd is the intake of an engine's server: 4 characters of a token at 1 MB/s, where
// tiktoken does some 6 MB/s with one thread and other tokenisers a third to a sixth of it
// (openai/tiktoken, README; its rate recalled); and what HTTP, checks and the way to the
// engine's process cost. Both are fitted to the measured runs.
var FrontEnd = Intake{Request: 3 * sim.Millisecond, Token: 4 * sim.Microsecond}

// runtime is what a process takes on an accelerator beside weights, cache and
// activations: context, communication buffers, captured graphs. vLLM 0.19 leaves 1.2 GB
// of an RTX 4090 to it and to the activations of 2,048 tokens of Llama-3.1-8B.
const runtime = 1e9

// CacheBytes is what an engine has for keys and values on an accelerator with so much
// memory, which has stages of the model's weights; it is negative if these do not fit.
func (e *Engine) CacheBytes(f *serving.Forward, memory float64, stages int) float64 {
	return memory*e.MemoryShare - f.WeightBytes()/float64(stages) - f.ActivationBytes(e.Budget) - runtime
}

// chunk is the tokens of a step of chunked prefill that Sarathi-Serve recommends.
const chunk = 512

// Batching is that of an engine whose batching is static, continuous or chunked. The
// blocks of the cache are left open.
func (e *Engine) Batching(kind string) scheduler.Batching {
	b := scheduler.Batching{Order: e.Order, MaxBatch: e.MaxBatch, Budget: e.Budget, Whole: e.Whole, Padded: e.Padded, Reserve: e.Reserve, BlockSize: e.BlockSize}
	switch kind {
	case "static":
		return scheduler.Batching{Order: scheduler.Static, MaxBatch: e.MaxBatch, Reserve: true, BlockSize: e.BlockSize}
	case "chunked":
		return scheduler.Batching{Order: scheduler.DecodeFirst, MaxBatch: e.MaxBatch, Budget: chunk, BlockSize: e.BlockSize}
	}
	return b
}
