package jobs

import (
	"io"
	"strings"

	"github.com/railyard/railyard/units"
)

// swfFields of a job: number, submit, wait, run, processors, CPU time, memory,
// and what was asked for of processors, time and memory; status, user, group,
// executable, queue, partition, the job before it, and the pause after that.
const swfFields = 18

var swfStatus = map[string]string{"0": "failed", "1": "completed", "5": "cancelled"}

// openSWF reads the Standard Workload Format 2.2. Its machines have processors;
// each is taken as an accelerator: those that were allocated, or else those asked
// for. Checkpointed jobs are there once whole and once in parts, with status 2 to
// 4: the parts are left out.
func openSWF(_ string, _ io.Reader, source *lines) (next, error) {
	return func() (Job, int, error) {
		for {
			text, err := source.next()
			if err != nil {
				return Job{}, 0, err
			}
			if strings.HasPrefix(strings.TrimSpace(text), ";") {
				continue
			}
			j, err := swfJob(strings.Fields(text))
			return j, source.line, err
		}
	}, nil
}

func swfJob(fields []string) (Job, error) {
	if len(fields) != swfFields {
		return Job{}, badf("%d fields, where a job has %d", len(fields), swfFields)
	}
	var v [swfFields]float64
	for i, text := range fields {
		var err error
		if v[i], err = units.ParseNumber(text); err != nil {
			return Job{}, badf("field %d: %.40q is not a number", i+1, text)
		}
	}
	status := fields[10]
	if status == "2" || status == "3" || status == "4" {
		return Job{}, errLeft("a part of another job")
	}
	known := func(i int) string {
		if v[i] < 0 {
			return ""
		}
		return fields[i]
	}
	j := Job{
		ID: fields[0], Submit: v[1], Duration: v[3], Estimate: max(v[8], 0),
		User: known(11), Group: known(12), Model: known(13), Type: known(14), Status: swfStatus[status],
	}
	processors := v[4]
	if processors <= 0 {
		processors = v[7]
	}
	switch {
	case v[1] < 0:
		return j, badf("field 2: submitted at %s s", fields[1])
	case v[3] < -1: // which is for what is not known
		return j, badf("field 4: it ran for %s s", fields[3])
	case v[3] < 0 || status == "5" && v[3] == 0:
		return j, neverRan
	case processors < 0:
		return j, badf("fields 5 and 8: no number of processors")
	case processors > maxGang || processors != float64(int(processors)):
		return j, badf("field 5: %v processors", processors)
	}
	j.Accelerators = int(processors)
	return j, nil
}
