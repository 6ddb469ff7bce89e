package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/workload"
)

// collectTrainings tells what each training job did.
func (p *plant) collectTrainings(r *Result) {
	if len(p.training) == 0 {
		return
	}
	var all []*result.Record
	for i, j := range p.training {
		r := p.trainingRecord(j, p.cluster.Jobs[p.jobs[i]])
		p.addLost(r, p.jobs[i])
		p.addLostToFaults(r, p.jobs[i])
		p.addReliability(r, i)
		p.addInput(r, j)
		all = append(all, r)
	}
	r.Summary.Add(result.Training, all)
}

func (p *plant) trainingRecord(j *training.Job, job *cluster.Job) *result.Record {
	r := &result.Record{}
	t := &j.Training
	n := float64(len(job.Accelerators))
	iteration, storage := j.Last.Time.Seconds(), 0.0
	if how, fared := j.Outcome(); how != nil && fared.Checkpoints > 0 {
		storage = how.Storage(j.Last.Time)
		iteration += storage
	}
	outer := j.OuterShare()
	iteration += outer.Time.Seconds()
	perSecond := func(amount float64) float64 {
		if iteration == 0 {
			return 0
		}
		return amount / iteration
	}
	r.Add(result.Name, job.Name)
	r.Add(result.Model, t.Model.Name)
	r.Add(result.Precision, t.Precision.String())
	r.Add(result.AcceleratorCount, int64(len(job.Accelerators)))
	r.Add(result.GlobalBatch, int64(t.GlobalBatch))
	r.Add(result.Accumulation, int64(t.Accumulation()))
	r.Add(result.IterationCount, j.Done)
	r.Add(result.IterationTime, iteration)
	finished := job.FinishedAt
	if !job.Finished {
		finished = p.engine.Now()
	}
	r.Add(result.TimeToTrain, (finished - min(job.Start, finished)).Seconds())
	switch {
	case t.Islands > 1:
		r.Add(result.Islands, int64(t.Islands))
		r.Add(result.OuterTime, j.Interlude.Time.Seconds())
		r.Add(result.OuterCount, j.Interludes)
	case j.Every > 0:
		r.Add(result.EvaluationTime, j.Interlude.Time.Seconds())
		r.Add(result.EvaluationCount, j.Interludes)
	}
	samples := perSecond(float64(t.GlobalBatch))
	if t.Sequence > 1 { // not a sample that is one whole
		r.Add(result.TokensPerSecond, samples*float64(t.Sequence))
	}
	r.Add(result.SamplesPerSecond, samples)
	rate := 0.0
	if n > 0 {
		rate = perSecond(t.FLOPs()) / n
	}
	r.Add(result.ModelTFLOPS, rate/1e12)
	r.Add(result.HardwareTFLOPS, rate*t.Recomputed()/1e12)
	r.Add(result.MFU, rate/j.Roofline.Accelerator.Rated(t.Precision))
	m := t.Memory()
	r.Add(result.MemoryPerAccelerator, m.Total())
	memory := &result.Record{}
	memory.Add(result.MemoryParameters, m.Parameters)
	memory.Add(result.MemoryGradients, m.Gradients)
	memory.Add(result.MemoryOptimizer, m.Optimizer)
	memory.Add(result.MemoryActivations, m.Activations)
	memory.Add(result.MemoryGathered, m.Gathered)
	memory.Add(result.MemoryBuffers, m.Buffers)
	memory.Add(result.MemoryFramework, m.Framework)
	r.Add(result.Memory, memory)
	r.Add(result.MicroBatch, int64(t.MicroBatch))
	r.Add(result.Recompute, t.Recompute)
	if t.Tuning == workload.TuningLoRA {
		r.Add(result.TrainedParameters, t.Trained())
	}
	degrees := &result.Record{}
	for _, d := range []struct {
		group  workload.Group
		degree int
	}{
		{workload.TensorGroup, t.Tensor},
		{workload.PipelineGroup, t.Pipeline},
		{workload.DataGroup, t.Data},
		{workload.ContextGroup, t.Context},
		{workload.ExpertGroup, t.Expert},
	} {
		degrees.Add(result.Metric{Name: d.group.String(), Definition: d.group.String() + "-parallel degree"}, int64(d.degree))
	}
	r.Add(result.Degrees, degrees)
	if name := j.Algorithm(); name != "" {
		r.Add(result.GradientAlgorithm, name)
		r.Add(result.GradientBytes, j.GradientBytes())
		if t.Compresses() {
			r.Add(result.CompressedBytes, t.Compressed(j.GradientBytes()/workload.GradientBytes(t.Precision)))
		}
	}
	b := &result.Record{}
	b.Add(result.ComputePart, (j.Last.Compute + outer.Compute).Seconds())
	b.Add(result.ExposedPart, (j.Last.AllExposed() + outer.AllExposed()).Seconds())
	b.Add(result.BubblePart, (j.Last.Bubble + outer.Bubble).Seconds())
	b.Add(result.StoragePart, storage+j.Last.Input.Seconds())
	b.Add(result.OptimizerPart, (j.Last.Optimizer + outer.Optimizer).Seconds())
	if launch := j.Last.Launch + outer.Launch; launch > 0 {
		b.Add(result.LaunchPart, launch.Seconds())
	}
	r.Add(result.Breakdown, b)
	kinds := &result.Record{}
	for k, exposed := range j.Last.Exposed {
		kinds.Add(training.Kind(k).Metric(), (exposed + outer.Exposed[k]).Seconds())
	}
	r.Add(result.ExposedByKind, kinds)
	r.Add(result.OverlappedTime, j.Last.Overlapped.Seconds())
	r.Add(result.ComputeByClass, training.ByClass(j.ComputeByClass()))
	r.Add(result.SlowedCompute, j.Roofline.Interference()*j.Last.Overlapped.Seconds())
	return r
}
