package workload

// Memory is what the accelerator of one rank holds at its peak, in bytes.
type Memory struct {
	Parameters  int64 // the weights that the passes compute with
	Gradients   int64
	Optimizer   int64 // master weights and moments
	Activations int64 // kept for backward passes, and those of the layer that is computed again
	Gathered    int64 // parameters of other replicas' shards while layers use them
	Buffers     int64 // of messages, buckets, and gradients that are not yet where they are kept
	Framework   int64 // what a process takes before it trains anything
}

// Least is what the job cannot do without: all but Buffers and Framework, which
// are estimates, and of which an allocator that is pressed gets by with less.
func (m Memory) Least() int64 { return m.Total() - m.Buffers - m.Framework }

// Total is the sum.
func (m Memory) Total() int64 {
	return m.Parameters + m.Gradients + m.Optimizer + m.Activations + m.Gathered + m.Buffers + m.Framework
}

const (
	// frameworkBytes is the CUDA context with PyTorch's kernels and libraries,
	// 1.3 GB (Hugging Face, "Performance and scalability": a process on a V100
	// that holds one number), and as much again for NCCL's buffers: 4 MiB each way
	// a channel, protocol and peer (NCCL_BUFFSIZE) for half a dozen communicators.
	frameworkBytes = 2_600_000_000

	// bucketParameters is how many gradients, and parameters, ZeRO reduces and
	// gathers at once (DeepSpeed: reduce_bucket_size and allgather_bucket_size,
	// 5e8 by default).
	bucketParameters = 500_000_000
)

// Memory is the peak of the rank that needs most ([Memory.Least]). With Adam that is
// 16 bytes a parameter in fp16 (Rajbhandari et al. 2020, section 3.1) and 18 in
// bf16. In 16 bits with dropout a GELU layer with unfused attention keeps
// s b h (34 + 5 a s / h) bytes (Korthikanti et al. 2022, equation 1); tensor
// parallelism divides 24 of the 34 and the scores by its degree, sequence
// parallelism the other 10 too, selective recomputation drops the scores, and
// full recomputation keeps 2 s b h. A stage keeps them for every micro-batch that
// it has in flight. Flash attention keeps a statistic a row instead of the scores.
//
// ZeRO divides by the replicas what its stage shares out; with parameters shared
// out, two layers are gathered at a time. FSDP shares out the optimizer's FP32
// copy alone: parameters have 16 bits only while they are gathered. Frozen ones
// have no such copy and are kept as the passes need them.
//
// Buffers are what is on its way. A stage keeps what it has passed on until the
// backward pass (DeepSpeed's pipeline engine; Megatron-LM can free it). ZeRO copies
// gradients to buckets to reduce them and parameters to gather them; compressed
// gradients take as much as one bucket of them comes to from all replicas, and top-k
// keeps what it has not sent beside the gradients. Where
// gradients are kept in 32 bits, a layer's are computed in 16 first. The slack of the
// caching allocator is not in it.
//
// The 70 rows of BigScience's sweep before BLOOM that state memory and model are met
// within 11 % in the median: within 8 % where they are older than 27 February 2022,
// and 30 % low after, when DeepSpeed's BF16_Optimizer kept gradients in 16 bits too.
func (t Training) Memory() Memory {
	return t.MemoryOf(t.Layers())
}

// MemoryOf is Memory where the layers of t are at hand.
func (t Training) MemoryOf(layers []Layer) Memory {
	t = t.WithDefaults()
	var most Memory
	for stage := range t.Pipeline {
		if m := t.memory(layers, stage); m.Least() > most.Least() {
			most = m
		}
	}
	return most
}

// memory is the peak of a stage.
func (t Training) memory(layers []Layer, stage int) Memory {
	chunks := t.Chunks(layers)
	var kept, widest, gathered, working, largest int64
	var shared, experts, frozen, frozenExperts int64 // parameters
	var tables int64                                 // bytes
	for c := stage; c < len(chunks); c += t.Pipeline {
		var chunk, parameters int64
		for _, l := range layers[chunks[c][0]:chunks[c][1]] {
			chunk += l.Activations
			parameters += l.Parameters + l.ExpertParameters
			shared += l.Parameters
			experts += l.ExpertParameters
			frozen += l.Frozen
			frozenExperts += l.FrozenExperts
			tables += l.ShardedBytes
			widest = max(widest, l.Parameters+l.ExpertParameters)
			gathered = max(gathered, l.weights())
			working = max(working, l.Again)
		}
		kept = max(kept, chunk)
		largest = max(largest, parameters)
	}
	divided := func(bytes int64, from int) int64 { return t.Owned(shared, experts, from) * bytes }
	parameters := divided(ElementBytes(t.Precision), 3)
	if t.Framework == FrameworkPyTorch && t.Zero == 3 && ElementBytes(t.Precision) == 2 {
		parameters = 0
	}
	parameters += t.Owned(frozen, frozenExperts, 3) * ElementBytes(t.Precision)
	inFlight := int64(t.InFlight(stage))
	m := Memory{
		Parameters:  parameters + tables,
		Gradients:   divided(GradientBytes(t.Precision), 2),
		Optimizer:   divided(t.Model.Optimizer().StateBytes(t.Precision), 1),
		Activations: kept*inFlight + working,
		Framework:   frameworkBytes,
	}
	element, width := ElementBytes(t.Precision), GradientBytes(t.Precision)
	if t.Pipeline > 1 {
		m.Buffers += t.MessageBytes() * inFlight
	}
	if t.Zero > 0 && t.Replicas() > 1 {
		bucket := min(shared+experts, bucketParameters)
		summed := bucket
		if t.Zero == 2 && t.SummedTogether() > 1 {
			summed = 2 * largest // of a chunk that adds up, and of one that is being summed
		}
		m.Buffers += summed*width + bucket*element
	}
	if replicas := int64(t.Replicas()); t.Compresses() && replicas > 1 {
		_, bytes := t.Summed(min(shared+experts, bucketParameters), replicas)
		m.Buffers += int64(bytes)
		if t.GradientCompression == CompressionTopK {
			m.Gradients += (shared + experts) * width // what is not sent yet
		}
	}
	if element < width {
		m.Buffers += widest * element
	}
	if t.Zero == 3 {
		m.Gathered = 2 * gathered * ElementBytes(t.Precision)
	}
	return m
}
