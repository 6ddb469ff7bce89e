package jobs

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/railyard/railyard/units"
)

// Format is how a trace is written.
type Format uint8

// The formats.
const (
	CSV    Format = iota // a table of ours
	Philly               // msr-fiddle/philly-traces, cluster_job_log
	Helios               // S-Lab-System-Group/HeliosData, cluster_log.csv
	Acme                 // InternLM/AcmeTrace, trace_seren.csv and trace_kalos.csv
	PAI                  // alibaba/clusterdata, cluster-trace-gpu-v2020
	Openb                // alibaba/clusterdata, cluster-trace-gpu-v2023
	Slurm                // sacct --parsable2
	SWF                  // Standard Workload Format
)

// formats in the order of their numbers.
var formats = [...]struct {
	name string
	open func(file string, in io.Reader, source *lines) (next, error)
}{
	{"csv", table(ours)},
	{"philly", openPhilly},
	{"helios", table(helios)},
	{"acme", table(acme)},
	{"pai", openPAI},
	{"openb", table(openb)},
	{"slurm", openSlurm},
	{"swf", openSWF},
}

func (f Format) String() string { return formats[f].name }

// Formats is the names of all formats.
func Formats() []string {
	names := make([]string, len(formats))
	for i := range formats {
		names[i] = formats[i].name
	}
	return names
}

// ParseFormat is the format of a name.
func ParseFormat(name string) (Format, error) {
	if i := slices.Index(Formats(), name); i >= 0 {
		return Format(i), nil
	}
	return 0, fmt.Errorf("unknown format %q; there are %s", name, strings.Join(Formats(), ", "))
}

// GuessBytes is how much of a file [Guess] wants to see.
const GuessBytes = 1 << 16

// Guess tells a format by how a file begins; ok is false if it may be none, or
// more than one.
func Guess(file string, head []byte) (f Format, ok bool) {
	text := strings.TrimPrefix(string(head), "\ufeff")
	text = strings.TrimLeft(text, " \t\r\n")
	if strings.HasPrefix(text, "[") {
		return Philly, strings.Contains(text, `"attempts"`) || strings.Contains(text, `"jobid"`)
	}
	if strings.HasPrefix(text, ";") {
		return SWF, true
	}
	first, _, _ := strings.Cut(text, "\n")
	first = strings.TrimSpace(first)
	if columns := strings.Split(first, "|"); slices.Contains(columns, "JobID") {
		return Slurm, true
	}
	if fields := strings.Fields(first); len(fields) == swfFields && !slices.ContainsFunc(fields, notNumber) {
		return SWF, true
	}
	columns := strings.Split(first, ",")
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(columns, n) })
	}
	switch {
	case has("submit_s", "duration_s"):
		return CSV, true
	case has("job_id", "gpu_num", "vc"):
		return Helios, true
	case has("job_id", "gpu_num", "type"):
		return Acme, true
	case has("name", "num_gpu", "creation_time"):
		return Openb, true
	case has("job_name", "task_name", "plan_gpu"), has("job_id", "num_gpu", "num_inst", "submit_time"):
		return PAI, true
	}
	return PAI, len(columns) == len(paiColumns) && strings.HasPrefix(filepath.Base(file), "pai_task_table")
}

func notNumber(s string) bool {
	_, err := units.ParseNumber(s)
	return err != nil
}
