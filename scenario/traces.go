package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/railyard/railyard/workload/jobs"
)

// ReadTrace reads the file that a [[workload.jobs]] names, where its format is not
// csv: in the order of submission, the first at 0. warning says what was left out.
// Names are told apart in seen, over all files of a scenario.
func (s *Scenario) ReadTrace(w *Jobs, seen map[string]int32) (all []jobs.Job, warning string, faults Faults) {
	path := w.Path + ".file"
	faults = s.withTable(w.File, path, func(file string, in io.Reader) Faults {
		format, err := jobs.ParseFormat(w.Format.Value)
		if err != nil {
			return Faults{w.Format.Pos.Faultf(w.Path+".format", "%v", err)}
		}
		var report jobs.Report
		all, report, err = jobs.Read(file, in, format)
		if row := new(jobs.RowError); errors.As(err, &row) {
			return Faults{Position{row.File, row.Line, 1}.Faultf("", "%s", row.Reason)}
		}
		switch {
		case err != nil:
			return Faults{w.File.Pos.Faultf(path, "%s: %v", path, err)}
		case w.Strict.Value && report.Bad > 0:
			var faults Faults
			for _, row := range report.Rows {
				faults = append(faults, Position{row.File, row.Line, 1}.Faultf("", "%s", row.Reason))
			}
			if more := report.Bad - len(report.Rows); more > 0 {
				faults = append(faults, Fault{File: file, Message: fmt.Sprintf("and %d more bad rows", more)})
			}
			return faults
		case len(all) == 0:
			return Faults{w.File.Pos.Faultf(path, "%s: there are no jobs of format %s in %s; %s", path, format, file, report)}
		}
		jobs.Rebase(all)
		if err := jobs.Span(all); err != nil {
			return Faults{w.File.Pos.Faultf(path, "%s: %s: %v", path, file, err)}
		}
		slices.SortStableFunc(all, func(a, b jobs.Job) int { return cmp.Compare(a.Submit, b.Submit) })
		if text := report.String(); text != "" {
			warning = file + ": " + strings.ReplaceAll(text, "\n", "\n  ")
		}
		var faults Faults
		for i := range all {
			j := &all[i]
			if _, dup := seen[j.ID]; dup {
				faults = append(faults, Position{file, j.Line, 1}.Faultf("job", "job: %q is there twice", shown(j.ID)))
				if len(faults) == maxTableFaults {
					break
				}
			}
			seen[j.ID] = int32(len(seen))
		}
		return faults
	})
	if faults != nil { // what was read may be in the trace's own time
		return nil, "", faults
	}
	return all, warning, nil
}

// needs are the columns of what a job needs of a host beside accelerators.
type needs struct {
	status, milli, cpu, memory, accelerator, speeds int
	known                                           map[string]string // speeds that have been read, which are few
}

func newNeeds(r *rows) needs {
	return needs{r.column("status"), r.column("milli"), r.column("cpu_milli"), r.column("memory_bytes"), r.column("accelerator"), r.column("speeds"), map[string]string{}}
}

// least is how few accelerators a job may want: none, if it can want CPUs instead.
func (n needs) least() int64 {
	if n.cpu >= 0 {
		return 0
	}
	return 1
}

func (n needs) read(r *rows, j *jobs.Job) {
	j.Milli = int32(r.amount(n.milli, 1000, 1) % 1000)
	j.CPU = r.amount(n.cpu, 1<<40, 1)
	j.Memory = r.amount(n.memory, 1<<60, 1)
	j.Status = strings.Clone(r.text(n.status))
	j.Accelerator = strings.Clone(r.text(n.accelerator))
	text := r.text(n.speeds)
	speeds, known := n.known[text]
	if !known {
		if _, err := jobs.ParseSpeeds(text); err != nil {
			r.faultf(n.speeds, "%v", err)
			return
		}
		speeds = strings.Clone(text)
		n.known[speeds] = speeds
	}
	j.Speeds = speeds
}
