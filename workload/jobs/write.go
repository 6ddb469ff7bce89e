package jobs

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
)

// Write writes jobs as a table of ours: job, submit_s, accelerators, duration_s,
// and those of min_accelerators, max_accelerators, user, group, type, priority,
// model, estimate_s, status, milli, cpu_milli, memory_bytes, accelerator and speeds
// that any job has something in.
func Write(w io.Writer, all []Job) error {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	optional := func(v int64) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatInt(v, 10)
	}
	columns := []struct {
		name  string
		field func(*Job) string
	}{
		{"job", func(j *Job) string { return j.ID }},
		{"submit_s", func(j *Job) string { return number(j.Submit) }},
		{"accelerators", func(j *Job) string { return strconv.Itoa(j.Accelerators) }},
		{"duration_s", func(j *Job) string { return number(j.Duration) }},
		{"min_accelerators", func(j *Job) string { return optional(int64(j.Least)) }},
		{"max_accelerators", func(j *Job) string { return optional(int64(j.Most)) }},
		{"user", func(j *Job) string { return j.User }},
		{"group", func(j *Job) string { return j.Group }},
		{"type", func(j *Job) string { return j.Type }},
		{"priority", func(j *Job) string { return optional(j.Priority) }},
		{"model", func(j *Job) string { return j.Model }},
		{"estimate_s", func(j *Job) string {
			if j.Estimate == 0 {
				return ""
			}
			return number(j.Estimate)
		}},
		{"status", func(j *Job) string { return j.Status }},
		{"milli", func(j *Job) string { return optional(int64(j.Milli)) }},
		{"cpu_milli", func(j *Job) string { return optional(j.CPU) }},
		{"memory_bytes", func(j *Job) string { return optional(j.Memory) }},
		{"accelerator", func(j *Job) string { return j.Accelerator }},
		{"speeds", func(j *Job) string { return j.Speeds }},
	}
	const always = 4
	used := slices.Clip(columns[:always])
	for _, c := range columns[always:] {
		for i := range all {
			if c.field(&all[i]) != "" {
				used = append(used, c)
				break
			}
		}
	}
	out := csv.NewWriter(w)
	record := make([]string, len(used))
	for i, c := range used {
		record[i] = c.name
	}
	out.Write(record) // an error stays with the writer
	for i := range all {
		for k, c := range used {
			record[k] = c.field(&all[i])
		}
		out.Write(record)
	}
	out.Flush()
	return out.Error()
}
