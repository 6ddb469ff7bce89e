package datacenter

import (
	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/workload"
)

// kernelTable is what the operators of training jobs compute, move and take in an
// iteration of an accelerator, the mean over the stages of its pipeline: where each lies
// under the roofline. nil if there is no training.
func (p *plant) kernelTable() *result.Table {
	var of, name, pass, class []string
	var runs, flops, bytes, took, peak, memory []float64
	for i, j := range p.training {
		t, a := &j.Training, &j.Roofline.Accelerator
		type key struct {
			name     string
			class    workload.Class
			backward bool
		}
		row := map[key]int{}
		add := func(op workload.Operator, backward bool, times float64) {
			if op.Class == workload.Communication {
				return
			}
			k := key{op.Name, op.Class, backward}
			n, seen := row[k]
			if !seen {
				n = len(name)
				row[k] = n
				of, name, class = append(of, p.cluster.Jobs[p.jobs[i]].Name), append(name, op.Name), append(class, op.Class.String())
				pass = append(pass, map[bool]string{false: "forward", true: "backward"}[backward])
				runs, flops, bytes, took = append(runs, 0), append(flops, 0), append(bytes, 0), append(took, 0)
				peak, memory = append(peak, unitRate(&j.Roofline, &op)/1e12), append(memory, float64(a.MemoryBandwidth))
			}
			runs[n] += times
			flops[n] += times * op.FLOPs
			bytes[n] += times * op.Bytes
			took[n] += times * j.Roofline.Time(op)
		}
		times := float64(t.Accumulation()) / float64(t.Pipeline)
		for l := range j.Layers {
			for _, op := range j.Layers[l].Forward {
				add(op, false, times)
			}
			for _, op := range j.Layers[l].Backward {
				add(op, true, times)
			}
		}
	}
	if name == nil {
		return nil
	}
	return &result.Table{Name: "kernels", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.KernelName, Text: name},
		{Metric: result.KernelPass, Text: pass},
		{Metric: result.KernelClass, Text: class},
		{Metric: result.KernelRuns, Numbers: runs},
		{Metric: result.KernelFLOPs, Numbers: flops},
		{Metric: result.KernelBytes, Numbers: bytes},
		{Metric: result.KernelTime, Numbers: took},
		{Metric: result.KernelPeak, Numbers: peak},
		{Metric: result.KernelMemory, Numbers: memory},
	}}
}

// unitRate is the data sheet's FLOP/s of the units that an operator runs on.
func unitRate(r *cluster.Roofline, op *workload.Operator) float64 {
	if op.Class.Product() || op.Class == workload.FlashAttention || op.Class == workload.FlashAttention2 {
		return float64(r.Accelerator.Peak[op.Precision])
	}
	return float64(r.Accelerator.Vector)
}
