package workload

// Memory is what the accelerator of one rank holds at its peak, in bytes.
type Memory struct {
	Parameters  int64 // the weights that the passes compute with
	Gradients   int64
	Optimizer   int64 // master weights and moments
	Activations int64 // kept for backward passes, and those of the layer that is computed again
	Gathered    int64 // parameters of other replicas' shards while layers use them
}

// Total is the sum.
func (m Memory) Total() int64 {
	return m.Parameters + m.Gradients + m.Optimizer + m.Activations + m.Gathered
}

// Memory is the peak of the rank that holds most. Adam in 16 bits takes 16 bytes
// a parameter. In 16 bits with dropout a GELU layer with unfused attention keeps
// s b h (34 + 5 a s / h) bytes (Korthikanti et al. 2022, equation 1); tensor
// parallelism divides 24 of the 34 and the scores by its degree, sequence
// parallelism the other 10 too, selective recomputation drops the scores, and
// full recomputation keeps 2 s b h. A stage keeps them for every micro-batch that
// it has in flight. Flash attention keeps a statistic a row instead of the scores.
//
// ZeRO divides by the replicas what its stage shares out; with parameters shared
// out, two layers are gathered at a time. Temporary buffers, the allocator's slack
// and the framework's own gigabyte are not in it.
func (t Training) Memory() Memory {
	t = t.WithDefaults()
	var most Memory
	layers := t.Layers()
	for stage := range t.Pipeline {
		if m := t.memory(layers, stage); m.Total() > most.Total() {
			most = m
		}
	}
	return most
}

// memory is the peak of a stage.
func (t Training) memory(layers []Layer, stage int) Memory {
	chunks := t.Chunks(layers)
	var kept, widest, working int64
	var shared, experts int64 // parameters
	var tables int64          // bytes
	for c := stage; c < len(chunks); c += t.Pipeline {
		var chunk int64
		for _, l := range layers[chunks[c][0]:chunks[c][1]] {
			chunk += l.Activations
			shared += l.Parameters
			experts += l.ExpertParameters
			tables += l.ShardedBytes
			widest = max(widest, l.Parameters+l.ExpertParameters)
			working = max(working, l.Again)
		}
		kept = max(kept, chunk)
	}
	if t.Model.TiedEmbeddings && t.Pipeline > 1 && stage == t.Pipeline-1 {
		shared += layers[0].Parameters // a copy of the table
	}
	replicas := int64(t.Data * t.Context)
	divided := func(bytes int64, from int) int64 {
		n := shared * bytes
		if t.Zero >= from {
			n = quotient(n, replicas)
		}
		e := experts * bytes
		if t.Zero >= from {
			e = quotient(e, replicas/int64(t.Expert))
		}
		return n + e
	}
	m := Memory{
		Parameters:  divided(ElementBytes(t.Precision), 3) + tables,
		Gradients:   divided(GradientBytes(t.Precision), 2),
		Optimizer:   divided(t.Model.Optimizer().StateBytes(t.Precision), 1),
		Activations: kept*int64(t.InFlight(stage)) + working,
	}
	if t.Zero == 3 {
		m.Gathered = 2 * widest * ElementBytes(t.Precision)
	}
	return m
}
