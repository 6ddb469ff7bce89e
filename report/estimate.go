package report

import (
	"io"
	"strconv"

	"github.com/railyard/railyard/result"
)

// Estimate writes the first-order models of the data-centre standard beside what a run
// found, and where each is off.
func Estimate(w io.Writer, r *result.Record) error {
	p := &printer{w: w}
	p.line("%s  %s", r.Text(result.Name.Name), describeCluster(r.Record(result.Cluster.Name)))
	p.resources(r.Record(result.EstimateResources.Name))
	for _, t := range r.List(result.EstimateTransfer.Name) {
		p.transfer(t)
	}
	for _, t := range r.List(result.EstimateTraining.Name) {
		p.timeToTrain(t)
	}
	return p.err
}

func (p *printer) resources(r *result.Record) {
	number := func(m result.Metric) string { return Count(r.Float(m.Name)) }
	bytes := func(m result.Metric) string { return Prefixed(r.Float(m.Name), "B") }
	p.line("")
	p.line("resources  R = (C_cpu + C_gpu + C_tpu) x N_worker + M_ram + S_disk")
	p.item("workers", "%s", number(result.Workers))
	p.item("CPU cores", "%s", number(result.EstimateCPUs))
	p.item("GPUs, TPUs", "%s, %s", number(result.EstimateGPUs), number(result.EstimateTPUs))
	p.item("memory, storage", "%s, %s", bytes(result.EstimateRAM), bytes(result.EstimateDisk))
	p.item("as written", "%s, of which %s are gigabytes", number(result.ResourceSum), Percent(r.Float(result.ResourceUnits.Name)))
	p.item("off", "it adds cores to gigabytes, and leaves out the accelerators' memory, %s, of which training takes %s",
		bytes(result.AcceleratorMemory), bytes(result.MemoryNeeded))
}

func (p *printer) transfer(r *result.Record) {
	seconds := func(m result.Metric) string { return Seconds(r.Float(m.Name)) }
	rate := func(m result.Metric) string { return Prefixed(r.Float(m.Name), "B/s") }
	p.line("")
	p.line("transfer of %s  T = L_batch / B_net x N_worker", r.Text(result.Name.Name))
	batch := Prefixed(r.Float(result.BatchBytes.Name), "B")
	if r.Float(result.BatchBytes.Name) == 0 {
		batch = "not known"
	}
	p.item("batch, NICs, workers", "%s, %s a worker, %s", batch, rate(result.WorkerRate), Count(r.Float(result.Workers.Name)))
	p.item("as written", "%s", seconds(result.AsWritten))
	p.item("simulated", "%s of communication an iteration, %s of it exposed", seconds(result.SimulatedCommunication), seconds(result.ExposedPartOfIt))
	off := "it sends each worker the whole batch in turn; a worker gets its part, and what travels is gradients, parameters and activations"
	if v := r.Float(result.EstimateOff.Name); v > 0 {
		off = times(v) + " as it says: " + off
	}
	p.item("off", "%s", off)
	p.item("storage", "reads %s for the batch, writes %s for a checkpoint of %s an hour in 1 %% of the time", rate(result.ReadRate), rate(result.WriteRate),
		Prefixed(r.Float(result.CheckpointBytes.Name), "B"))
}

func (p *printer) timeToTrain(r *result.Record) {
	seconds := func(m result.Metric) string { return Seconds(r.Float(m.Name)) }
	p.line("")
	p.line("training of %s  T = parameters / compute x batch x epochs", r.Text(result.Name.Name))
	p.item("parameters, compute", "%s, %s", Prefixed(r.Float(result.ModelParameters.Name), ""), Prefixed(r.Float(result.ComputePeak.Name)*1e12, "FLOP/s"))
	p.item("batch, epochs", "%s, %s; %s tokens in all", Count(r.Float(result.GlobalBatch.Name)), Count(r.Float(result.EstimateEpochs.Name)),
		Prefixed(r.Float(result.EstimateTokens.Name), ""))
	p.item("as written", "%s", seconds(result.AsWritten))
	p.item("6 FLOPs a token", "%s", seconds(result.SixPerToken))
	p.item("simulated", "%s", seconds(result.SimulatedTraining))
	p.item("off", "%s as written, %s times with 6 FLOPs; from the one to the other lead",
		times(r.Float(result.EstimateOff.Name)), factor(r.Float(result.SixOff.Name)))
	f := r.Record(result.EstimateFactors.Name)
	for _, x := range []struct {
		result.Metric
		why string
	}{
		{result.FactorTokens, "iterations of an epoch and tokens of a sample"},
		{result.FactorSix, "FLOPs for each parameter and token"},
		{result.FactorActive, "part of the parameters that a token visits"},
		{result.FactorModel, "FLOPs of the model beside 6 for each parameter: attention above all"},
		{result.FactorPeak, "peak over what is reached"},
	} {
		p.line("    x %-12s %s", factor(f.Float(x.Name)), x.why)
	}
}

// factor prints a number of any size with four digits.
func factor(v float64) string {
	if v < 1e-3 && v > 0 {
		return strconv.FormatFloat(v, 'e', 3, 64)
	}
	return Count(v)
}

// times says how a simulated time is to an estimated one.
func times(v float64) string { return "the simulation takes " + factor(v) + " times as long" }
