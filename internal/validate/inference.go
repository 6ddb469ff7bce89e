package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
)

// answered is one published throughput of a model that answers in one forward pass.
type answered struct {
	cells     map[string]string // by column of inference.csv
	published float64           // samples a second of one accelerator
	simulated float64
}

func (a *answered) error() float64 { return a.simulated/a.published - 1 }

var inferenceColumns = []string{
	"benchmark", "scenario", "model", "accelerator", "host", "accelerators", "quantization", "padding", "input", "max_batch",
	"latency_limit_s", "samples_per_s", "apart",
}

// readInference reads inference.csv of a folder.
func readInference(dir string) (all []*answered, err error) {
	err = readCSV(filepath.Join(dir, "inference.csv"), inferenceColumns, func(cell map[string]string) error {
		rate, err := strconv.ParseFloat(cell["samples_per_s"], 64)
		if err != nil || rate <= 0 {
			return fmt.Errorf("samples_per_s is %q, want a number above 0", cell["samples_per_s"])
		}
		n, err := strconv.Atoi(cell["accelerators"])
		if err != nil || n < 1 {
			return fmt.Errorf("accelerators is %q, want a count", cell["accelerators"])
		}
		all = append(all, &answered{cells: cell, published: rate / float64(n)})
		return nil
	})
	return all, err
}

// run simulates one accelerator under a demand, in TOML.
func (a *answered) run(demand string, count int) (*result.Record, error) {
	var b strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	write("[topology]\nkind = \"single-host\"\nhost = \"case\"\n[hosts.case]\nbase = %q\naccelerator = %q\naccelerators = 1", a.cells["host"], a.cells["accelerator"])
	write("[[workload.serving]]\nmodel = %q\nquantization = %q\nmax_batch = %s\ninput = %s\ncount = %d\n%s",
		a.cells["model"], a.cells["quantization"], a.cells["max_batch"], a.cells["input"], count, demand)
	if p := a.cells["padding"]; p != "" {
		write("padding = %s", p)
	}
	s, faults := scenario.Parse(a.cells["benchmark"], []byte(b.String()), nil)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{SummaryOnly: true})
	if err != nil {
		return nil, err
	}
	return r.Summary.List(result.Serving.Name)[0], nil
}

// Runs of MLPerf's scenarios: so many full passes, and so often is the rate halved in on.
const (
	offlinePasses = 20
	serverCount   = 10_000
	bisections    = 7
)

// simulate finds the throughput: Offline with passes that are always full, Server the
// rate of Poisson arrivals of which 99 % are answered within the limit.
func (a *answered) simulate() error {
	batch, err := strconv.Atoi(a.cells["max_batch"])
	if err != nil {
		return err
	}
	r, err := a.run(fmt.Sprintf("concurrency = %d", 2*batch), offlinePasses*batch)
	if err != nil {
		return err
	}
	a.simulated = r.Float(result.RequestRate.Name)
	if a.cells["latency_limit_s"] == "" {
		return nil
	}
	limit, err := strconv.ParseFloat(a.cells["latency_limit_s"], 64)
	if err != nil {
		return err
	}
	low, high := 0.0, a.simulated
	for range bisections {
		middle := (low + high) / 2
		r, err := a.run(fmt.Sprintf("rate = %g", middle), serverCount)
		if err != nil {
			return err
		}
		if r.Record(result.EndToEnd.Name).Float(result.P99.Name) <= limit {
			low = middle
		} else {
			high = middle
		}
	}
	a.simulated = low
	return nil
}

// line is a row of docs/validation.md.
func (a *answered) line() string {
	name := a.cells["benchmark"]
	if a.cells["apart"] != "" {
		name += " (apart)"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %.5g | %.5g | %s |\n", name, a.cells["scenario"], a.cells["accelerator"], a.cells["quantization"],
		a.cells["max_batch"], a.published, a.simulated, signed(a.error()))
}

// inferenceErrors are those of the rows that count.
func inferenceErrors(all []*answered) (errors []float64) {
	for _, a := range all {
		if a.cells["apart"] == "" {
			errors = append(errors, a.error())
		}
	}
	return errors
}

const inferenceText = `
# Inference in one pass

MLPerf Inference 3.0, closed division, NVIDIA's results on DGX A100 and DGX H100 of 8
accelerators, as mlperf_log_summary.txt of each run prints them
([mlcommons/inference_results_v3.0](https://github.com/mlcommons/inference_results_v3.0),
closed/NVIDIA/results), a second and accelerator. Errors are those of the throughput,
simulated / published - 1: negative is slow. No constant of the model was fitted to them.

What the logs do not say: texts of SQuAD 1.1 have 175 tokens in the mean (384 by the
packing factor 2.2 of Krell et al. 2021, recalled) without padding; a sample of DLRM is 270
pairs in the mean (MLPerf's rules, recalled); utterances of LibriSpeech dev-clean below 15 s
have 6.3 s, 210 frames, in the mean; a volume of KiTS19 is taken to be 50 patches. Batches
of the Server runs are those of NVIDIA's configurations; in Offline ones they are large.

Where it is off most: the roofline runs the interaction of DLRM as products in tiles that
are mostly empty, which is a third of its time, and NVIDIA has a kernel of its own for it;
what RNN-T and 3D U-Net reach of an H100 is a smaller part of its peak than of an A100's,
and the roofline does not know why.
`

// inferenceSection simulates the rows and writes what comes of it.
func inferenceSection(dir string) (string, error) {
	all, err := readInference(dir)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(inferenceText)
	b.WriteString("\n| benchmark | scenario | accelerator | format | batch | published | simulated | error |\n|---|---|---|---|--:|--:|--:|--:|\n")
	for _, a := range all {
		if err := a.simulate(); err != nil {
			return "", fmt.Errorf("%s: %w", a.cells["benchmark"], err)
		}
		b.WriteString(a.line())
	}
	s := summarize(inferenceErrors(all))
	fmt.Fprintf(&b, "\n%d throughputs that count: median error %s, worst %s.\n", s.configurations, percent(s.median), percent(s.worst))
	return b.String(), nil
}
