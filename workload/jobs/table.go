package jobs

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// layout is a table whose first row names the columns.
type layout struct {
	required []string
	aliases  map[string]string // other names of columns
	job      func(r *row) (Job, error)
}

// table opens a file with rows of one layout.
func table(l layout) func(string, io.Reader, *lines) (next, error) {
	return func(_ string, _ io.Reader, source *lines) (next, error) {
		header, err := source.next()
		if err == io.EOF {
			return nil, fmt.Errorf("%s: the file is empty; its first row must name the columns %s", source.file, strings.Join(l.required, ", "))
		}
		if err != nil {
			return nil, err
		}
		return rows(source, header, ',', l)
	}
}

// rows is the jobs below a header.
func rows(source *lines, header string, comma rune, l layout) (next, error) {
	names, err := split(header, comma)
	if err != nil {
		return nil, &RowError{source.file, source.line, err.Error()}
	}
	r := &row{columns: map[string]int{}}
	for i, name := range names {
		name = strings.TrimSpace(name)
		if other, ok := l.aliases[name]; ok && !slices.Contains(names, other) {
			name = other
		}
		if _, dup := r.columns[name]; dup && name != "" {
			return nil, &RowError{source.file, source.line, fmt.Sprintf("the column %q is there twice", name)}
		}
		r.columns[name] = i
	}
	for _, name := range l.required {
		if _, ok := r.columns[name]; !ok {
			return nil, &RowError{source.file, source.line, fmt.Sprintf("there is no column %s; this format has %s", name, strings.Join(l.required, ", "))}
		}
	}
	return func() (Job, int, error) {
		text, err := source.next()
		if err != nil {
			return Job{}, 0, err
		}
		j, err := r.read(text, comma, len(names), l.job)
		return j, source.line, err
	}, nil
}

func (r *row) read(text string, comma rune, columns int, job func(*row) (Job, error)) (Job, error) {
	fields, err := split(text, comma)
	if err != nil {
		return Job{}, err
	}
	if len(fields) != columns {
		return Job{}, badf("%d fields where the header has %d", len(fields), columns)
	}
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	r.fields, r.err = fields, nil
	j, err := job(r)
	if r.err != nil {
		err = r.err
	}
	return j, err
}

// ours is the table that [Write] writes. It also takes the names of the columns
// in the compact traces that several simulators share.
var ours = layout{
	required: []string{"job", "submit_s", "accelerators", "duration_s"},
	aliases: map[string]string{
		"job_id": "job", "gpus": "accelerators", "vc": "group", "gpu_type": "accelerator", "qos": "type", "gpu_milli": "milli",
	},
	job: func(r *row) (Job, error) {
		j := Job{
			ID: r.text("job"), Submit: r.number("submit_s"), Accelerators: int(r.count("accelerators", maxGang)),
			User: r.text("user"), Group: r.text("group"), Type: r.text("type"), Model: r.text("model"), Status: r.text("status"),
			Accelerator: r.text("accelerator"),
		}
		if j.Speeds = r.text("speeds"); j.Speeds != "" {
			if _, err := ParseSpeeds(j.Speeds); err != nil {
				return j, badf("speeds: %v", err)
			}
		}
		if r.has("estimate_s") {
			j.Estimate = r.number("estimate_s")
		}
		if r.has("min_accelerators") {
			j.Least = int(r.count("min_accelerators", maxGang))
		}
		if r.has("max_accelerators") {
			j.Most = int(r.count("max_accelerators", maxGang))
		}
		if r.has("priority") {
			j.Priority = r.integer("priority")
		}
		if r.has("milli") && j.Accelerators > 0 {
			j.Milli = int32(r.count("milli", 1000))
		}
		if r.has("cpu_milli") {
			j.CPU = r.count("cpu_milli", 1<<40)
		}
		switch {
		case r.has("memory_bytes"):
			j.Memory = r.count("memory_bytes", 1<<60)
		case r.has("memory_mib"):
			j.Memory = r.count("memory_mib", 1<<40) << 20
		}
		if !r.has("duration_s") {
			return j, neverRan
		}
		j.Duration = r.number("duration_s")
		return j, nil
	},
}

var helios = layout{
	required: []string{"job_id", "user", "vc", "gpu_num", "submit_time", "start_time", "end_time"},
	job: func(r *row) (Job, error) {
		j, err := clusterLog(r)
		j.Group = r.text("vc")
		return j, err
	},
}

// acme is Helios' table without virtual clusters and with a type of work. In
// Kalos' file the column duration holds the time in the queue, too; the
// difference between end and start does not.
var acme = layout{
	required: []string{"job_id", "user", "gpu_num", "type", "submit_time", "start_time", "end_time"},
	job: func(r *row) (Job, error) {
		j, err := clusterLog(r)
		j.Type = r.text("type")
		return j, err
	},
}

// clusterLog is what Helios and Acme have in common.
func clusterLog(r *row) (Job, error) {
	j := Job{
		ID: r.text("job_id"), User: r.text("user"), Status: r.text("state"),
		Submit: r.instant("submit_time"), Accelerators: int(r.count("gpu_num", maxGang)),
	}
	if r.has("cpu_num") {
		j.CPU = r.count("cpu_num", 1<<30) * 1000
	}
	var err error
	j.Duration, err = r.elapsed("start_time", "end_time")
	return j, err
}

// openb is the pods of Alibaba's trace of 2023. A pod runs from when it was
// scheduled, or else created, to when it was deleted.
var openb = layout{
	required: []string{"name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "creation_time", "deletion_time", "scheduled_time"},
	job: func(r *row) (Job, error) {
		j := Job{
			ID: r.text("name"), Submit: r.number("creation_time"), Accelerators: int(r.count("num_gpu", 1024)),
			CPU: r.count("cpu_milli", 1<<40), Memory: r.count("memory_mib", 1<<40) << 20,
			Accelerator: r.text("gpu_spec"), Type: r.text("qos"), Status: r.text("pod_phase"),
		}
		if j.Accelerators > 0 {
			j.Milli = int32(r.count("gpu_milli", 1000))
		}
		start := "scheduled_time"
		if !r.has(start) {
			start = "creation_time"
		}
		var err error
		j.Duration, err = r.elapsed(start, "deletion_time")
		return j, err
	},
}

// paiColumns is the columns of pai_task_table.csv, whose header is in a file
// beside it.
var paiColumns = []string{"job_name", "task_name", "inst_num", "status", "start_time", "end_time", "plan_cpu", "plan_mem", "plan_gpu", "gpu_type"}

// openPAI reads pai_task_table.csv, with its header or without, or one of the
// simulator's tables of jobs.
//
// A job is all of its tasks, which have instances with a share of a GPU each, in
// percent. It runs from the first start of a task, which stands for its
// submission, too, to the last end. If its instances all want the same part of a
// GPU, it is as many accelerators of that part; otherwise whole ones, rounded up.
func openPAI(_ string, _ io.Reader, source *lines) (next, error) {
	first, err := source.next()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: the file is empty", source.file)
	}
	if err != nil {
		return nil, err
	}
	names := strings.Split(first, ",")
	if slices.Contains(names, "num_inst") {
		return rows(source, first, ',', paiJobs)
	}
	tasks := &tasks{source: source, index: map[string]int{}}
	tasks.row.columns = map[string]int{}
	for i, name := range paiColumns {
		tasks.row.columns[name] = i
	}
	if !slices.Equal(names, paiColumns) {
		if len(names) != len(paiColumns) {
			return nil, &RowError{source.file, source.line, fmt.Sprintf("%d columns, where pai_task_table has %s", len(names), strings.Join(paiColumns, ", "))}
		}
		tasks.first = first
	}
	return tasks.next, nil
}

var paiJobs = layout{
	required: []string{"job_id", "num_gpu", "num_inst", "submit_time", "duration"},
	job: func(r *row) (Job, error) {
		j := Job{ID: r.text("job_id"), User: r.text("user"), Group: r.text("group"), Status: r.text("status"), Submit: r.instant("submit_time")}
		instances := int64(1)
		if r.has("num_inst") {
			instances = r.count("num_inst", maxGang)
		}
		if r.has("num_gpu") {
			j.share(instances, int64(math.Round(r.number("num_gpu")*1000)))
		}
		if r.has("num_cpu") {
			j.CPU = int64(math.Round(r.number("num_cpu")*1000)) * instances
		}
		if kind := r.text("gpu_type"); kind != "CPU" {
			j.Accelerator = kind
		}
		if !r.has("duration") {
			return j, neverRan
		}
		j.Duration = r.number("duration")
		return j, nil
	},
}

// share gives a job accelerators for instances that want thousandths each.
func (j *Job) share(instances, milli int64) {
	switch {
	case milli <= 0 || instances <= 0:
	case milli < 1000:
		j.Accelerators, j.Milli = int(instances), int32(milli)
	default:
		j.Accelerators = int(min(instances, maxGang+1) * min((milli+999)/1000, maxGang+1))
	}
}

// tasks gathers the tasks of each job.
type tasks struct {
	source *lines
	first  string // a row that was read to look for a header
	row    row
	index  map[string]int
	jobs   []gathered
	read   bool
	bad    []RowError
	at     int
}

type gathered struct {
	job        Job
	milli      int64 // of an instance that wants a GPU; -1 if they differ
	instances  int64 // that want one
	thousandth int64 // of GPUs in all
	start, end float64
	ran        bool
}

func (t *tasks) next() (Job, int, error) {
	if !t.read {
		if err := t.gather(); err != nil {
			return Job{}, 0, err
		}
		t.read = true
	}
	if len(t.bad) > 0 {
		bad := t.bad[0]
		t.bad = t.bad[1:]
		return Job{}, bad.Line, badRow(bad.Reason)
	}
	if t.at == len(t.jobs) {
		return Job{}, 0, io.EOF
	}
	g := &t.jobs[t.at]
	t.at++
	j := g.job
	if !g.ran {
		return j, j.Line, neverRan
	}
	if g.milli >= 0 {
		j.share(g.instances, g.milli)
	} else {
		j.share(1, g.thousandth)
	}
	j.Submit, j.Duration = g.start, g.end-g.start
	return j, j.Line, nil
}

func (t *tasks) gather() error {
	for {
		text := t.first
		t.first = ""
		if text == "" {
			var err error
			if text, err = t.source.next(); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
		g := gathered{milli: -1}
		_, err := t.row.read(text, ',', len(paiColumns), func(r *row) (Job, error) {
			g.job = Job{ID: r.text("job_name"), Status: r.text("status"), Line: t.source.line}
			instances, milli := int64(1), int64(0)
			if r.has("inst_num") {
				instances = r.count("inst_num", maxGang)
			}
			if r.has("plan_gpu") {
				milli = int64(math.Round(r.number("plan_gpu") * 10))
			}
			if milli < 0 || milli > 1000*maxGang {
				r.fail("plan_gpu", "%.40s is out of range", r.text("plan_gpu"))
			}
			if r.has("plan_cpu") {
				g.job.CPU = int64(math.Round(r.number("plan_cpu")*10)) * instances
			}
			if r.has("plan_mem") {
				g.job.Memory = int64(math.Round(r.number("plan_mem") * (1 << 30) * float64(instances)))
			}
			if milli > 0 {
				g.milli, g.instances, g.thousandth = milli, instances, milli*instances
				if kind := r.text("gpu_type"); kind != "CPU" {
					g.job.Accelerator = kind
				}
			}
			duration, err := r.elapsed("start_time", "end_time")
			if err == nil {
				g.start = r.instant("start_time")
				g.end, g.ran = g.start+duration, true
			}
			return Job{}, nil
		})
		if err != nil {
			t.bad = append(t.bad, RowError{t.source.file, t.source.line, err.Error()})
			if len(t.bad) > MaxJobs {
				return &RowError{t.source.file, t.source.line, "too many bad rows"}
			}
			continue
		}
		i, known := t.index[g.job.ID]
		if !known {
			if len(t.jobs) == MaxJobs {
				return &RowError{t.source.file, t.source.line, fmt.Sprintf("more than %d jobs", MaxJobs)}
			}
			g.job.ID = strings.Clone(g.job.ID)
			t.index[g.job.ID] = len(t.jobs)
			t.jobs = append(t.jobs, g)
			continue
		}
		t.jobs[i].add(&g)
	}
}

// add joins another task to a job.
func (g *gathered) add(task *gathered) {
	switch {
	case task.instances == 0:
	case g.instances == 0:
		g.milli, g.job.Accelerator = task.milli, task.job.Accelerator
	case g.milli != task.milli:
		g.milli = -1
	}
	g.instances += task.instances
	g.thousandth += task.thousandth
	g.job.CPU += task.job.CPU
	g.job.Memory += task.job.Memory
	switch {
	case !task.ran:
	case !g.ran:
		g.start, g.end, g.ran = task.start, task.end, true
	default:
		g.start, g.end = min(g.start, task.start), max(g.end, task.end)
	}
}
