package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/workload"
)

// Columns of training.csv beside those that say where a row is from. They are
// keys of a scenario, and what is empty is left to the scenario's defaults.
var (
	aboutRow     = []string{"id", "source", "where", "published", "unit", "model"}
	modelKeys    = []string{"layers", "hidden", "heads", "kv_heads", "ffn", "vocab", "activation"}
	hostKeys     = []string{"accelerator", "accelerators", "hosts", "nic_bandwidth"}
	trainingKeys = []string{
		"precision", "tensor", "pipeline", "virtual_stages", "zero", "sequence_parallel",
		"micro_batch", "global_batch", "sequence", "recompute", "attention",
		"schedule", "expert", "expert_dispatch", "expert_overlap", "allow_oversubscribed",
		"context", "framework", "overlap", "tensor_pipelining", "cuda_graphs",
	}
)

// source is a publication that measured training.
type source struct {
	name, title, url, note string
	apart                  string // why it does not count; empty if it does
	rows                   []*row
}

// row is one published measurement.
type row struct {
	id, source, where string
	published         float64
	unit              string
	cells             map[string]string // by column
	seconds           float64           // published time of an iteration
}

// readTable reads sources.csv and training.csv of a folder. Sources and rows
// keep their order.
func readTable(dir string) ([]*source, error) {
	var sources []*source
	byName := map[string]*source{}
	columns := []string{"source", "title", "url", "note", "apart"}
	err := readCSV(filepath.Join(dir, "sources.csv"), columns, func(cell map[string]string) error {
		s := &source{name: cell["source"], title: cell["title"], url: cell["url"], note: cell["note"], apart: cell["apart"]}
		if byName[s.name] != nil {
			return errors.New("is there twice")
		}
		byName[s.name] = s
		sources = append(sources, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	columns = slices.Concat(aboutRow, modelKeys, hostKeys, trainingKeys)
	err = readCSV(filepath.Join(dir, "training.csv"), columns, func(cell map[string]string) error {
		r := &row{id: cell["id"], source: cell["source"], where: cell["where"], unit: cell["unit"], cells: cell}
		s := byName[r.source]
		if s == nil {
			return fmt.Errorf("%s: sources.csv has no source %q", r.id, r.source)
		}
		if ids[r.id] {
			return fmt.Errorf("%s is there twice", r.id)
		}
		ids[r.id] = true
		var err error
		if r.published, err = strconv.ParseFloat(cell["published"], 64); err != nil || r.published <= 0 {
			return fmt.Errorf("%s: published is %q, want a number above 0", r.id, cell["published"])
		}
		if r.seconds, err = r.iteration(); err != nil {
			return fmt.Errorf("%s: %w", r.id, err)
		}
		if hosts := int(r.number("hosts", 0)); hosts < 1 || int(r.number("accelerators", 0))%hosts != 0 {
			return fmt.Errorf("%s: %q accelerators on %q hosts", r.id, cell["accelerators"], cell["hosts"])
		}
		s.rows = append(s.rows, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, s := range sources {
		if len(s.rows) == 0 {
			return nil, fmt.Errorf("training.csv has no row of %q", s.name)
		}
	}
	return sources, nil
}

// readCSV calls f for every line of a file with the given header.
func readCSV(path string, columns []string, f func(cell map[string]string) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(lines) == 0 || !slices.Equal(lines[0], columns) {
		return fmt.Errorf("%s: want the columns %s", path, strings.Join(columns, ","))
	}
	for i, line := range lines[1:] {
		cell := map[string]string{}
		for c, name := range columns {
			cell[name] = line[c]
		}
		if err := f(cell); err != nil {
			return fmt.Errorf("%s:%d: %w", path, i+2, err)
		}
	}
	return nil
}

// number is a cell that holds one, or else what it stands for.
func (r *row) number(column string, otherwise float64) float64 {
	if v, err := strconv.ParseFloat(r.cells[column], 64); err == nil {
		return v
	}
	return otherwise
}

// iteration is the published time of an iteration in seconds.
//
// FLOPs of an iteration are those of equation 3 of Narayanan et al. (SC'21),
// whose TFLOP/s count the forward pass that recomputation repeats and attention
// in full: 96 B s l h^2 (1 + s / 6h + V / 16 l h); as "model" TFLOP/s those of
// workload.Training.FLOPs, which recomputation does not count in.
func (r *row) iteration() (float64, error) {
	batch, sequence := r.number("global_batch", 0), r.number("sequence", 1)
	accelerators := r.number("accelerators", 1)
	switch r.unit {
	case "s":
		return r.published, nil
	case "samples/s":
		return batch / r.published, nil
	case "tokens/s":
		return batch * sequence / r.published, nil
	case "tokens/s/accelerator":
		return batch * sequence / (r.published * accelerators), nil
	case "accelerator hours/Ttokens":
		return r.published * 3600 / accelerators * batch * sequence / 1e12, nil
	case "TFLOPS/accelerator":
		l, h, v := r.number("layers", 0), r.number("hidden", 0), r.number("vocab", 0)
		flops := 96 * batch * sequence * l * h * h * (1 + sequence/(6*h) + v/(16*l*h))
		return flops / (r.published * 1e12 * accelerators), nil
	case "model TFLOPS/accelerator":
		whole := func(column string) int64 { return int64(r.number(column, 0)) }
		t := workload.Training{
			Model: workload.Model{
				Layers: whole("layers"), Hidden: whole("hidden"), Heads: whole("heads"), KVHeads: whole("kv_heads"),
				FFN: whole("ffn"), Vocab: whole("vocab"), Activation: r.cells["activation"],
			},
			GlobalBatch: int(batch), Sequence: int(sequence),
		}
		return t.FLOPs() / (r.published * 1e12 * accelerators), nil
	}
	return 0, fmt.Errorf("unknown unit %q", r.unit)
}

// scenario is the row in TOML. Rows of one configuration have the same one. A
// row without layers names a model of the catalogue. One iteration is enough:
// each begins when the one before has ended everywhere, so all are alike.
func (r *row) scenario() string {
	var b strings.Builder
	write := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	keys := func(names []string) {
		for _, name := range names {
			switch v := r.cells[name]; {
			case v == "":
			case isBare(v):
				write("%s = %s", name, v)
			default:
				write("%s = %q", name, v)
			}
		}
	}
	hosts := int(r.number("hosts", 1))
	perHost := int(r.number("accelerators", 1)) / hosts
	write("[topology]")
	if hosts == 1 {
		write("kind = \"single-host\"")
	} else {
		write("kind = \"rail\"")
		write("hosts = %d", hosts)
	}
	write("host = \"case\"")
	write("[hosts.case]")
	write("accelerator = \"case\"")
	write("accelerators = %d", perHost)
	if r.cells["nic_bandwidth"] != "" {
		write("nics = %d", perHost)
	}
	keys([]string{"nic_bandwidth"})
	write("[accelerators.case]")
	write("base = %q", r.cells["accelerator"])
	model := r.cells["model"]
	if r.cells["layers"] != "" {
		model = "case"
		write("[models.case]")
		write("family = \"transformer\"")
		keys(modelKeys)
	}
	write("[[workload.training]]")
	write("model = %q", model)
	keys(trainingKeys)
	write("iterations = 1")
	return b.String()
}

// isBare reports whether a cell stands in TOML without quotes.
func isBare(cell string) bool {
	_, err := strconv.ParseInt(cell, 10, 64)
	return err == nil || cell == "true" || cell == "false"
}
