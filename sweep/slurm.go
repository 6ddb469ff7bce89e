package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Slurm runs a sweep as an array job: each task runs a shard, in a journal of its
// own in the folder of the sweep, which all nodes must see. There need be no
// accounting: what the journals lack has not run.
type Slurm struct {
	// Command runs the sweep: railyard sweep SCENARIO with its flags, but for
	// --out, --shard, --workers and --resume, which the script adds.
	Command []string
	Tasks   int      // of the array; 0 is one for each point, up to 100
	Options []string // further options of sbatch, as in --partition=long
	// Retries is how often tasks that failed are submitted again.
	Retries int
	Poll    time.Duration // between two looks at the queue; 0 is 2 s
	// Tell, if set, is called with what happens.
	Tell func(string)
}

// defaultTasks is how many tasks an array has at most, unless more are asked
// for: Slurm takes 1,001 where its MaxArraySize is not raised.
const defaultTasks = 100

func (e *Slurm) tasks(s *Sweep) int {
	if e.Tasks > 0 {
		return min(e.Tasks, s.Len())
	}
	return min(defaultTasks, s.Len())
}

// Script is the batch script of the array. It is complete: sbatch runs it as it
// stands.
func (e *Slurm) Script(s *Sweep, dir string, workers int) (string, error) {
	folder, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	tasks := e.tasks(s)
	var b strings.Builder
	fmt.Fprintf(&b, "#!/bin/sh\n")
	for _, option := range append([]string{
		"--job-name=railyard-sweep",
		fmt.Sprintf("--array=0-%d", tasks-1),
		fmt.Sprintf("--cpus-per-task=%d", max(workers, 1)),
		"--chdir=" + here,
		"--output=" + filepath.Join(folder, "slurm-%A_%a.log"),
	}, e.Options...) {
		fmt.Fprintf(&b, "#SBATCH %s\n", batchQuote(option))
	}
	fmt.Fprintf(&b, "exec")
	for _, argument := range append(e.Command[:len(e.Command):len(e.Command)], "--out", folder, "--workers", strconv.Itoa(max(workers, 1)), "--resume", "--shard") {
		fmt.Fprintf(&b, " %s", shellQuote(argument))
	}
	fmt.Fprintf(&b, " \"$SLURM_ARRAY_TASK_ID/%d\"\n", tasks)
	return b.String(), nil
}

// shellQuote is a word of a shell command.
func shellQuote(word string) string {
	plain := word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=:,@%+") == ""
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// batchQuote is an option on an #SBATCH line, which knows double quotes.
func batchQuote(option string) string {
	if !strings.ContainsAny(option, " \t\"'#") {
		return option
	}
	name, value, _ := strings.Cut(option, "=")
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// Run submits the sweep, follows it, submits again the tasks whose points are
// not there, and makes points.csv. If the context ends, the job is cancelled.
func (e *Slurm) Run(ctx context.Context, s *Sweep, dir string, o Options) (Tally, error) {
	var t Tally
	sbatch, err := exec.LookPath("sbatch")
	if err != nil {
		return t, fmt.Errorf("there is no sbatch on this machine's PATH: run this on a host that submits to Slurm, or look at the script with --dry-run")
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return t, err
	}
	tasks := e.tasks(s)
	// A journal of any task, or of another way to cut the sweep, is this sweep's.
	o.Shard = Shard{}
	if !o.Resume {
		if paths, err := journals(dir); err != nil {
			return t, err
		} else if len(paths) > 0 {
			return t, inputf("%s holds a sweep already: --resume goes on with it, if it is this one", dir)
		}
	}
	o.Resume = true
	if _, err := s.have(dir, o, &t); err != nil {
		return t, err
	}
	script, err := e.Script(s, dir, o.Workers)
	if err != nil {
		return t, err
	}
	file := filepath.Join(dir, "sweep.sbatch")
	if err := os.WriteFile(file, []byte(script), 0o777); err != nil {
		return t, err
	}
	for try := 0; ; try++ {
		t = Tally{}
		done, err := s.have(dir, o, &t)
		if err != nil {
			return t, err
		}
		shards := lacking(done, tasks)
		switch {
		case len(shards) == 0:
			return t, Merge(dir, dir)
		case try > e.Retries:
			return t, fmt.Errorf("%d of %d tasks did not finish after %d submissions: see %s", len(shards), tasks, try, filepath.Join(dir, "slurm-*.log"))
		}
		if err := e.submit(ctx, sbatch, file, shards, s.Len(), dir, o); err != nil {
			return t, err
		}
	}
}

// lacking are the shards that have not run all their points.
func lacking(done []bool, tasks int) []int {
	missing := make([]bool, tasks)
	for i, ran := range done {
		if !ran {
			missing[i%tasks] = true
		}
	}
	var shards []int
	for i, m := range missing {
		if m {
			shards = append(shards, i)
		}
	}
	return shards
}

// arrayOf is a list of tasks as sbatch takes it: 0-3,7.
func arrayOf(tasks []int) string {
	var parts []string
	for i := 0; i < len(tasks); {
		j := i
		for j+1 < len(tasks) && tasks[j+1] == tasks[j]+1 {
			j++
		}
		if part := strconv.Itoa(tasks[i]); i == j {
			parts = append(parts, part)
		} else {
			parts = append(parts, part+"-"+strconv.Itoa(tasks[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// submit runs some tasks and waits until none is left in the queue.
func (e *Slurm) submit(ctx context.Context, sbatch, file string, tasks []int, points int, dir string, o Options) error {
	array := arrayOf(tasks)
	// sbatch must not be killed between taking the job and telling its number.
	printed, err := output(context.WithoutCancel(ctx), sbatch, "--parsable", "--array="+array, file)
	if err != nil {
		return err
	}
	job, _, _ := strings.Cut(strings.TrimSpace(printed), ";") // of one cluster: "job;cluster"
	if e.Tell != nil {
		e.Tell(fmt.Sprintf("submitted job %s, tasks %s", job, array))
	}
	began, failures := time.Now(), 0
	first := written(dir)
	poll := e.Poll
	if poll == 0 {
		poll = 2 * time.Second
	}
	for {
		select {
		case <-ctx.Done():
			_, err := output(context.WithoutCancel(ctx), "scancel", job)
			return errors.Join(ErrInterrupted, err)
		case <-time.After(poll):
		}
		queue, err := output(ctx, "squeue", "--noheader", "--jobs="+job, "--format=%T")
		switch {
		case err != nil && strings.Contains(err.Error(), "Invalid job id"): // it has ended and is forgotten
			return nil
		case err != nil && ctx.Err() == nil:
			if failures++; failures == 30 {
				return fmt.Errorf("job %s cannot be followed: %w", job, err)
			}
			continue
		case err == nil && strings.TrimSpace(queue) == "":
			return nil
		}
		failures = 0
		if o.Progress != nil {
			o.Progress(Progress{written(dir), points, began, first})
		}
	}
}

// written counts the points in the journals of a folder.
func written(dir string) int {
	lines := 0
	paths, _ := journals(dir)
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		buf := make([]byte, 256<<10)
		own := -1 // the header
		for {
			n, err := f.Read(buf)
			own += bytes.Count(buf[:n], []byte{'\n'})
			if err != nil {
				break
			}
		}
		f.Close()
		lines += max(own, 0)
	}
	return lines
}

// output is what a command prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var out, talk bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &talk
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(talk.String()))
	}
	return out.String(), nil
}
