package study

import (
	"context"
	"strings"

	"github.com/railyard/railyard/cluster/training"
	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/workload"
)

// What the estimate takes where the scenario says nothing of it: bytes of a token, an
// integer of 32 bits; of a sample as MLPerf Storage has them (v2.0, Submission
// guidelines, Table 1); and a checkpoint every hour that may take 1 % of the time.
const (
	tokenBytes      = 4
	imageBytes      = 150e3 // ResNet-50
	volumeBytes     = 140e6 // 3D U-Net
	checkpointTakes = 36.0  // s
)

// Estimate sets the three first-order models of the data-centre standard beside what a
// run finds, and says where each is off, and by how much:
//
//	resources  R = (C_cpu + C_gpu + C_tpu) N_worker + M_ram + S_disk
//	transfer   T = L_batch / B_net N_worker
//	training   T = parameters / compute batch epochs
//
// A worker is a host. Errors are those of Run.
func Estimate(ctx context.Context, s *scenario.Scenario, o datacenter.Options) (*result.Record, error) {
	if len(s.Workload.Training) == 0 {
		return nil, scenario.Faults{scenario.Position{File: s.File}.Faultf("workload.training", "there is no [[workload.training]] to estimate")}
	}
	o.SummaryOnly = true
	run, err := datacenter.Run(ctx, s, o)
	if err != nil {
		return nil, err
	}
	built, err := datacenter.Build(s, o)
	if err != nil {
		return nil, err
	}
	t := built.Cluster.Topology
	r := &result.Record{}
	r.Add(result.Name, s.Name.Value)
	r.Add(result.Cluster, datacenter.ClusterRecord(t))
	simulated := run.Summary.List(result.Training.Name)
	r.Add(result.EstimateResources, estimateResources(t, simulated))
	var transfers, trainings []*result.Record
	for i, j := range built.Trainings {
		transfers = append(transfers, estimateTransfer(t, j, simulated[i]))
		trainings = append(trainings, estimateTraining(j, s.Workload.Training[i].Epochs, simulated[i]))
	}
	r.Add(result.EstimateTransfer, transfers)
	r.Add(result.EstimateTraining, trainings)
	return r, nil
}

// estimateResources adds up what the hosts have. The sum as written counts cores,
// accelerators and gigabytes as one.
func estimateResources(t *topology.Topology, simulated []*result.Record) *result.Record {
	var cpus, gpus, tpus, memory, storage, hbm float64
	for i := range t.Servers {
		h := t.Servers[i].Spec
		cpus += float64(h.CPUs)
		if strings.HasPrefix(h.Accelerator.Name, "tpu") {
			tpus += float64(h.Accelerators)
		} else {
			gpus += float64(h.Accelerators)
		}
		memory += float64(h.Memory)
		storage += float64(h.Storage)
		hbm += float64(h.Accelerators) * float64(h.Accelerator.Memory)
	}
	needed := 0.0
	for _, x := range simulated {
		needed += x.Float(result.MemoryPerAccelerator.Name) * x.Float(result.AcceleratorCount.Name)
	}
	sum := cpus + gpus + tpus + memory/1e9 + storage/1e9
	r := &result.Record{}
	r.Add(result.Workers, int64(len(t.Servers)))
	r.Add(result.EstimateCPUs, cpus)
	r.Add(result.EstimateGPUs, gpus)
	r.Add(result.EstimateTPUs, tpus)
	r.Add(result.EstimateRAM, memory)
	r.Add(result.EstimateDisk, storage)
	r.Add(result.ResourceSum, sum)
	r.Add(result.ResourceUnits, result.Ratio(memory/1e9+storage/1e9, sum))
	r.Add(result.AcceleratorMemory, hbm)
	r.Add(result.MemoryNeeded, needed)
	return r
}

// sampleBytes is how large a sample is where it is stored, 0 if nobody knows.
func sampleBytes(t *workload.Training) float64 {
	switch t.Model.Family {
	case workload.FamilyConvnet:
		return imageBytes
	case workload.FamilyUNet3D:
		return volumeBytes
	case workload.FamilyDLRM, workload.FamilySpeech:
		return 0
	}
	return float64(t.Sequence) * tokenBytes
}

// estimateTransfer sets the time in which one host after the other gets the batch beside
// the communication of an iteration.
func estimateTransfer(over *topology.Topology, j *training.Job, simulated *result.Record) *result.Record {
	t := &j.Training
	iteration := simulated.Float(result.IterationTime.Name)
	batch := float64(t.GlobalBatch) * sampleBytes(t)
	spec := over.Servers[0].Spec
	workers := float64(len(over.Servers))
	rate := float64(spec.NICs) * float64(spec.NICBandwidth)
	written := result.Ratio(batch, rate) * workers
	exposed, overlapped := simulated.Record(result.Breakdown.Name).Float(result.ExposedPart.Name), simulated.Float(result.OverlappedTime.Name)
	checkpoint := float64(t.CheckpointBytes())
	r := &result.Record{}
	r.Add(result.Name, simulated.Text(result.Name.Name))
	r.Add(result.BatchBytes, batch)
	r.Add(result.WorkerRate, rate)
	r.Add(result.Workers, int64(workers))
	r.Add(result.AsWritten, written)
	r.Add(result.SimulatedCommunication, exposed+overlapped)
	r.Add(result.ExposedPartOfIt, exposed)
	if written > 0 {
		r.Add(result.EstimateOff, (exposed+overlapped)/written)
	}
	r.Add(result.ReadRate, result.Ratio(batch, iteration))
	r.Add(result.CheckpointBytes, checkpoint)
	r.Add(result.WriteRate, checkpoint/checkpointTakes)
	return r
}

// estimateTraining sets parameters over compute beside the simulated time, and what the
// one leaves out as factors that lead from it to the other.
func estimateTraining(j *training.Job, epochs scenario.Key[float64], simulated *result.Record) *result.Record {
	t := &j.Training
	n := simulated.Float(result.AcceleratorCount.Name)
	took, iterations := simulated.Float(result.TimeToTrain.Name), simulated.Float(result.IterationCount.Name)
	compute := n * float64(j.Roofline.Accelerator.Peak[t.Precision])
	parameters, active := float64(t.Model.Parameters()), float64(t.Model.ActiveParameters())
	passes := 1.0
	if epochs.Set {
		passes = epochs.Value
	}
	batch := float64(t.GlobalBatch)
	tokens := iterations * batch * float64(max(t.Sequence, 1))
	flops := t.FLOPs() * iterations
	written := parameters / compute * batch * passes
	six := 6 * active * tokens / compute

	r := &result.Record{}
	r.Add(result.Name, simulated.Text(result.Name.Name))
	r.Add(result.ModelParameters, parameters)
	r.Add(result.ComputePeak, compute/1e12)
	r.Add(result.GlobalBatch, int64(t.GlobalBatch))
	r.Add(result.EstimateEpochs, passes)
	r.Add(result.EstimateTokens, tokens)
	r.Add(result.AsWritten, written)
	r.Add(result.SixPerToken, six)
	r.Add(result.SimulatedTraining, took)
	r.Add(result.EstimateOff, result.Ratio(took, written))
	r.Add(result.SixOff, result.Ratio(took, six))
	factors := &result.Record{}
	factors.Add(result.FactorTokens, result.Ratio(tokens, batch*passes))
	factors.Add(result.FactorSix, 6.0)
	factors.Add(result.FactorActive, result.Ratio(active, parameters))
	factors.Add(result.FactorModel, result.Ratio(flops, 6*active*tokens))
	factors.Add(result.FactorPeak, result.Ratio(took*compute, flops))
	r.Add(result.EstimateFactors, factors)
	return r
}
