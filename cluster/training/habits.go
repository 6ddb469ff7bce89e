package training

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/workload"
)

// New is a training job with the habits of its framework. Megatron-LM reduces gradients
// after the pipeline has run dry unless it is told otherwise, and only its interleaved
// schedule sends beside computation; DistributedDataParallel and FSDP reduce while they
// compute.
func New(t workload.Training, layers []workload.Layer, r cluster.Roofline) *Job {
	j := &Job{
		Training: t, Layers: layers, Roofline: r,
		Overlap: t.Pipeline == 1, Prefetch: true, SendOverlap: t.PipelineSchedule == workload.Interleaved,
	}
	j.BucketBytes = j.Buckets()
	return j
}

// Buckets is the size of gradient buckets in bytes that a job has by itself: one for all
// where nothing computes beside their sum.
func (j *Job) Buckets() int64 {
	if !j.Overlap && j.Training.Zero < 3 {
		return 0
	}
	return j.Training.BucketBytes()
}
