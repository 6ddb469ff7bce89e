package page

import (
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/result"
)

// whereTimeGoes is what times, energy, cost and memory are made of.
func whereTimeGoes(f *folder) (section, error) {
	sec := section{ID: "time", Title: "Where the time goes"}
	add := func(b bars) {
		if len(b.Bars) > 0 {
			sec.Parts = append(sec.Parts, b)
		}
	}
	jobs := f.summary.each("training")
	for _, job := range jobs[:min(len(jobs), maxRecords)] {
		name := f.summary.string(job + ".name")
		b := f.bars("An iteration of "+name, job+".breakdown_s")
		for i := range b.Bars {
			switch b.Bars[i].Name {
			case result.ComputePart.Name:
				b.Bars[i].Parts = f.parts(job + ".compute_by_class_s")
				if v := f.summary.number(job + ".slowed_compute_s"); v > 0 {
					b.Bars[i].Parts = append(b.Bars[i].Parts, bar{Name: "slowed by communication", Value: v, Definition: result.SlowedCompute.Definition})
				}
			case result.ExposedPart.Name:
				b.Bars[i].Parts = f.parts(job + ".exposed_by_kind_s")
			}
		}
		if len(b.Bars) > 0 {
			most := slices.MaxFunc(b.Bars, func(x, y bar) int { return int(math.Copysign(1, x.Value-y.Value)) })
			b.Text = []any{
				"An iteration takes ",
				amount(f.summary.number(job+".iteration_s"), "s"),
				", of which ",
				amount(most.Value/total(b.Bars), "ratio"),
				" is " + plain(most.Name) + ".",
			}
			if behind := f.summary.number(job + ".overlapped_communication_s"); behind > 0 {
				b.Text = append(b.Text, " Another ", amount(behind, "s"), " of communication hides behind compute.")
			}
		}
		add(b)
		b = f.bars("The whole run of "+name, job+".reliability.time_s")
		if len(b.Bars) > 0 {
			stops, times := f.summary.number(job+".reliability.interruptions"), " failures"
			if stops == 1 {
				times = " failure"
			}
			b.Text = []any{
				count(stops), times + " stopped the job; ",
				amount(f.summary.number(job+".goodput_ratio"), "ratio"),
				" of its time is in iterations that counted.",
			}
		}
		add(b)
		add(f.causes(name, job+".reliability.causes"))
	}
	add(f.held())
	all, err := f.accelerators()
	if err != nil {
		return sec, err
	}
	add(all)
	for _, job := range jobs[:min(len(jobs), maxRecords)] {
		b := f.bars("Memory of an accelerator of "+f.summary.string(job+".name"), job+".memory_bytes")
		if len(b.Bars) > 0 {
			b.Text = []any{"The accelerator that holds most holds ", amount(f.summary.number(job+".memory_per_accelerator_bytes"), "bytes"), " at its peak."}
		}
		add(b)
	}
	for _, sum := range []struct {
		title, of string
		metrics   []result.Metric
	}{
		{"Energy", "energy", []result.Metric{result.EnergyAccelerators, result.EnergyHosts, result.EnergySwitches, result.EnergyFacility}},
		{"Cost of the run", "cost", []result.Metric{result.CostCapital, result.CostEnergy, result.CostRent}},
	} {
		b := bars{caption: caption{Kind: "bars", Title: sum.title}}
		for _, m := range sum.metrics {
			if v := f.summary.number(sum.of + "." + m.Name); v > 0 {
				b.Unit = m.Unit
				b.Bars = append(b.Bars, bar{Name: strings.TrimSuffix(m.Name, "_"+m.Unit), Value: v, Definition: m.Definition})
			}
		}
		add(b)
	}
	return sec, nil
}

// plain is a name as words.
func plain(name string) string { return strings.ReplaceAll(name, "_", " ") }

func total(all []bar) (sum float64) {
	for _, b := range all {
		sum += b.Value
	}
	return sum
}

// bars are the parts of a record of the summary that sum to something.
func (f *folder) bars(title, path string) bars {
	m, _ := declared(path)
	return bars{caption: caption{Kind: "bars", Title: title}, Unit: m.Unit, Bars: f.parts(path)}
}

func (f *folder) parts(path string) []bar {
	var all []bar
	for _, key := range f.summary.keys(path) {
		m, _ := declared(path + "." + key)
		if v := f.summary.number(path + "." + key); v > 0 {
			b := bar{Name: plain(key), Value: v}
			if m.Name == key { // else a declaration for any name
				b.Definition = m.Definition
			}
			all = append(all, b)
		}
	}
	return all
}

// causes is what failures cost, by what failed.
func (f *folder) causes(name, path string) bars {
	b := bars{caption: caption{Kind: "bars", Title: "What failures cost " + name}, Unit: result.LostToCause.Unit}
	for _, c := range f.summary.each(path) {
		v := f.summary.number(c + "." + result.LostToCause.Name)
		if !(v > 0) {
			continue
		}
		if len(b.Bars) == maxCauses {
			b.Bars[maxCauses-1].Name = "others"
			b.Bars[maxCauses-1].Value += v
			continue
		}
		b.Bars = append(b.Bars, bar{Name: f.summary.string(c + "." + result.FaultCause.Name), Value: v})
	}
	if len(b.Bars) > 0 {
		b.Text = []any{"Work undone and time until iterations went on, by what failed."}
	}
	return b
}

const maxCauses = 10

// held is what the accelerators' time was for where jobs are durations.
func (f *folder) held() bars {
	b := bars{caption: caption{Kind: "bars", Title: "The accelerators' time"}, Unit: "accelerator-hours"}
	held, lost := f.summary.number("jobs."+result.JobHeld.Name), f.summary.number("jobs."+result.JobLost.Name)
	all := f.makespan() * f.summary.number("cluster."+result.AcceleratorCount.Name)
	if !(held > 0 && all > 0) {
		return b
	}
	b.Text = []any{"Jobs held the accelerators for ", amount(held/all, "ratio"), " of the run."}
	for _, part := range []bar{
		{Name: "work that counts", Value: (held - max(lost, 0)) / 3600, Definition: result.JobUtilization.Definition},
		{Name: "lost to stops", Value: lost / 3600, Definition: result.JobLost.Definition},
		{Name: "idle", Value: (all - held) / 3600, Definition: "held by no job"},
	} {
		if part.Value > 0 {
			b.Bars = append(b.Bars, part)
		}
	}
	return b
}

// accelerators is what the mean accelerator did.
func (f *folder) accelerators() (bars, error) {
	const name = "accelerators.csv"
	b := bars{caption: caption{Kind: "bars", Title: "An accelerator, mean over all"}, Unit: "s"}
	columns := []result.Metric{result.ComputeTime, result.CommunicationTime, result.IdleTime}
	sums := make([]float64, len(columns))
	rows := 0.0
	_, err := f.scan(name, columns, nil, func(r *row) {
		for i := range columns {
			if v := r.number(i); v > 0 {
				sums[i] += v
			}
		}
		rows++
	})
	if err != nil || !(sums[0]+sums[1] > 0) {
		return b, err // jobs that are durations compute nothing
	}
	for i, m := range columns {
		if sums[i] > 1e-9*(sums[0]+sums[1]+sums[2]) { // less is what rounding leaves
			b.Bars = append(b.Bars, bar{Name: strings.TrimSuffix(m.Name, "_s"), Value: sums[i] / rows, Definition: m.Definition})
		}
	}
	b.Text = []any{"The run from its beginning to its end, ", amount(f.makespan(), "s"), ", for the mean of ", count(rows), " accelerators."}
	return b, nil
}
