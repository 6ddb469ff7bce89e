package jobs

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/units"
)

// openSlurm reads what sacct prints with --parsable2 or --parsable. It wants the
// fields JobID, Submit, AllocTRES or ReqTRES, and Start and End, or ElapsedRaw, or
// Elapsed; it uses User, Account (the group), Partition (the type), State,
// Timelimit or TimelimitRaw (the estimate), Priority and JobName (the model).
//
// Accelerators are gres/gpu of what was allocated, or else of what was asked for.
// Steps of a job (123.batch, 123.0) are parts of it and are passed over; elements
// of an array and components of a heterogeneous job are jobs.
func openSlurm(_ string, _ io.Reader, source *lines) (next, error) {
	header, err := source.next()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: the file is empty; its first row must name the fields", source.file)
	}
	if err != nil {
		return nil, err
	}
	columns := strings.Split(header, "|")
	has := func(name string) bool { return slices.Contains(columns, name) }
	if !has("AllocTRES") && !has("ReqTRES") {
		return nil, &RowError{source.file, source.line, "there is no column AllocTRES or ReqTRES: sacct --parsable2 --format JobID,Submit,Start,End,AllocTRES,..."}
	}
	if !has("ElapsedRaw") && !has("Elapsed") && (!has("Start") || !has("End")) {
		return nil, &RowError{source.file, source.line, "there is no column ElapsedRaw, Elapsed, or Start and End"}
	}
	read, err := rows(source, header, '|', layout{required: []string{"JobID", "Submit"}, job: slurmJob})
	if err != nil {
		return nil, err
	}
	return func() (Job, int, error) {
		for {
			if j, line, err := read(); err != step {
				return j, line, err
			}
		}
	}, nil
}

const step = errLeft("a step of another job")

func slurmJob(r *row) (Job, error) {
	j := Job{
		ID: r.text("JobID"), User: r.text("User"), Group: r.text("Account"), Type: r.text("Partition"), Model: r.text("JobName"),
	}
	if strings.Contains(j.ID, ".") {
		return j, step
	}
	j.Status, _, _ = strings.Cut(r.text("State"), " ") // CANCELLED by 1000
	j.Submit = r.instant("Submit")
	if r.has("Priority") {
		j.Priority = r.integer("Priority")
	}
	resources := r.text("AllocTRES")
	if resources == "" {
		resources = r.text("ReqTRES")
	}
	if err := j.tres(resources); err != nil {
		r.fail("AllocTRES", "%v", err)
	}
	for _, column := range [...]string{"TimelimitRaw", "Timelimit"} {
		if limit := r.text(column); limit != "" && limit != "UNLIMITED" && limit != "Partition_Limit" {
			v, err := slurmSpan(limit, column == "TimelimitRaw")
			if err != nil {
				r.fail(column, "%v", err)
			}
			j.Estimate = v
			break
		}
	}
	err := j.slurmDuration(r)
	return j, err
}

// slurmDuration prefers seconds to a span to a difference, which has a change of
// the clocks in it.
func (j *Job) slurmDuration(r *row) (err error) {
	switch {
	case r.has("Start") && (r.text("Start") == "Unknown" || r.text("Start") == "None"):
		return neverRan
	case r.has("ElapsedRaw"):
		j.Duration = float64(r.count("ElapsedRaw", 1<<40))
	case r.has("Elapsed"):
		if j.Duration, err = slurmSpan(r.text("Elapsed"), false); err != nil {
			r.fail("Elapsed", "%v", err)
			return nil
		}
	default:
		if j.Duration, err = r.elapsed("Start", "End"); err != nil {
			return err
		}
	}
	if j.Duration == 0 && r.text("Start") == "" {
		return neverRan
	}
	return nil
}

// tres reads trackable resources: "billing=64,cpu=64,gres/gpu:a100=8,gres/gpu=8,mem=512G".
func (j *Job) tres(text string) error {
	typed, untyped, kinds := 0, -1, []string(nil)
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			if part == "" {
				continue
			}
			return fmt.Errorf("%.40q is not name=amount", part)
		}
		gpu, kind, isTyped := strings.Cut(name, ":")
		switch {
		case gpu == "gres/gpu":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > maxGang {
				return fmt.Errorf("%.40s is not a number of accelerators", part)
			}
			if isTyped {
				typed += n
				kinds = append(kinds, kind)
			} else {
				untyped = n
			}
		case name == "cpu":
			v, err := amount(value)
			if err != nil {
				return err
			}
			j.CPU = int64(v * 1000)
		case name == "mem":
			v, err := memory(value)
			if err != nil {
				return err
			}
			j.Memory = v
		}
	}
	j.Accelerators = max(untyped, typed)
	if typed > 0 && typed == j.Accelerators {
		j.Accelerator = strings.Join(kinds, "|")
	}
	return nil
}

// amount is a number that Slurm may have shortened: 64, 1.50K.
func amount(text string) (float64, error) {
	digits := strings.TrimRight(text, "KMGTP")
	v, err := units.ParseNumber(digits)
	if err != nil || !(v >= 0 && v < 1<<40) || len(text)-len(digits) > 1 {
		return 0, fmt.Errorf("%.40q is not an amount", text)
	}
	for range strings.IndexByte("KMGTP", (text + "-")[len(digits)]) + 1 {
		v *= 1000
	}
	return v, nil
}

// memory is in mebibytes or with a unit of 2^10, as in mem=512G; older versions
// put n or c after it, for each node or core.
func memory(text string) (int64, error) {
	text = strings.TrimRight(text, "nc")
	digits := strings.TrimRight(text, "KMGTP")
	v, err := units.ParseNumber(digits)
	if err != nil || !(v >= 0 && v < 1<<40) || len(text)-len(digits) > 1 {
		return 0, fmt.Errorf("mem=%.40s is not an amount", text)
	}
	power := strings.IndexByte("KMGTP", (text + "M")[len(digits)]) + 1
	for range power {
		v *= 1 << 10
	}
	if v >= 1<<62 {
		return 0, fmt.Errorf("mem=%.40s is too much", text)
	}
	return int64(v), nil
}

var errSpan = errors.New("is not [days-][hours:]minutes:seconds")

// slurmSpan is a span of time as sacct prints it, 1-02:03:04.5, 02:03:04 or
// 03:04; raw ones are minutes.
func slurmSpan(text string, minutes bool) (float64, error) {
	if minutes {
		v, err := units.ParseNumber(text)
		if err != nil || !(v >= 0 && v < 1<<40) {
			return 0, fmt.Errorf("%.40q is not a number of minutes", text)
		}
		return v * 60, nil
	}
	days, clock, dashed := strings.Cut(text, "-")
	if !dashed {
		days, clock = "0", text
	}
	parts := strings.Split(clock, ":")
	if len(parts) > 3 || len(parts) < 2 && !dashed {
		return 0, fmt.Errorf("%.40q %w", text, errSpan)
	}
	total, err := units.ParseNumber(days)
	if err != nil || !(total >= 0 && total < 1e6) {
		return 0, fmt.Errorf("%.40q %w", text, errSpan)
	}
	total *= 24
	if !dashed && len(parts) == 2 {
		parts = append([]string{"0"}, parts...)
	}
	for i := range 3 { // hours, minutes, seconds; 1-02 is a day and two hours
		v := 0.0
		if i < len(parts) {
			v, err = units.ParseNumber(parts[i])
			if err != nil || !(v >= 0 && v < 1e9) {
				return 0, fmt.Errorf("%.40q %w", text, errSpan)
			}
		}
		if i > 0 {
			total *= 60
		}
		total += v
	}
	return total, nil
}
