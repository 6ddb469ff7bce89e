package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/sweep"
)

func newSweep() *cobra.Command {
	var r sweep.Request
	var o sweep.Options
	var out, htmlFile, shard, engine string
	var quiet, dryRun bool
	slurm := sweep.Slurm{Retries: 2}
	var tasks int
	var kubernetes sweep.Kubernetes
	cmd := &cobra.Command{
		Use:   "sweep SCENARIO|-",
		Short: "Run a scenario many times with some of its keys varied",
		Long: `Sweep runs a scenario at every point of what --vary and the scenario's [sweep]
say, and writes points.csv: a row a point, with the values of the keys varied, how
the point ended, and every metric of its summary. A point that cannot be, because
it does not fit in memory or its degrees do not divide, is a row with the reason.

VALUES are separated by commas; each is a value as --set takes it, or a range:
1..8, 16..256*2 (times 2 each), 0..1+0.25, 100Gbps..800Gbps*2. --where leaves out
points: "tensor * pipeline <= 64". --objective shows the best points at the end.

With --out, every point that has run is kept at once: after Ctrl-C, a crash or
kill -9, --resume goes on. Without it, points.csv goes to standard output.

--shard 2/8 runs the third of eight parts; in a task of a Slurm array or of an
indexed Kubernetes job that is the default. All parts may share a folder or have
their own; railyard merge makes points.csv of them.

--engine slurm does all that: it submits one array job, follows it, submits again
the tasks that failed, and merges. --out must be a folder that all nodes see.
--engine kubernetes prints the manifest of an indexed job, and of one that merges, to
kubectl apply -f -; the image must have railyard as its entry point.`,
		Example: `  railyard sweep scenarios/quickstart.toml --vary topology.hosts=2..16*2 --out hosts
  railyard sweep scenarios/gpt3-175b.toml --vary workload.training.0.tensor=1,2,4,8 \
    --vary workload.training.0.pipeline=1..16*2 --where "tensor * pipeline <= 64" \
    --objective "max training.0.mfu_ratio" --out degrees
  railyard sweep scenarios/quickstart.toml --vary topology.hosts=2..16*2 --out hosts --resume
  railyard sweep scenarios/sweep-gpt3.toml --out sweep --engine slurm --tasks 20 --sbatch --partition=long
  railyard sweep scenarios/sweep-gpt3.toml --engine kubernetes --image example.org/railyard:1 | kubectl apply -f -`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Shard, err = sweep.ShardOf(os.Getenv); cmd.Flags().Changed("shard") {
				o.Shard, err = sweep.ParseShard(shard)
			}
			if err != nil {
				return &failure{exitUsage, err}
			}
			if htmlFile != "" && (o.Shard.Count > 1 || engine == "kubernetes") {
				return &failure{exitUsage, errors.New("--report is of a whole sweep: railyard report DIR makes it once the shards are merged")}
			}
			s, err := sweep.Load(args[0], r)
			if err != nil {
				return err
			}
			slurm.Tasks, kubernetes.Tasks = tasks, tasks
			if engine == "kubernetes" {
				if args[0] == "-" {
					return &failure{exitUsage, errors.New("--engine kubernetes needs a scenario in a file")}
				}
				kubernetes.Request, kubernetes.Path, kubernetes.Workers = r, args[0], o.Workers
				text, err := kubernetes.Manifest(s)
				if err != nil {
					return err
				}
				fmt.Fprint(cmd.OutOrStdout(), text)
				return nil
			}
			dir := out
			if dir == "" {
				if o.Shard.Count > 1 || o.Resume {
					return &failure{exitUsage, errors.New("a shard, or a sweep that is resumed, needs --out DIR")}
				}
				if dir, err = os.MkdirTemp("", "railyard-sweep-"); err != nil {
					return &failure{exitUnfinished, err}
				}
				defer os.RemoveAll(dir)
			}
			talk := newTalk(cmd.ErrOrStderr(), quiet)
			o.Progress = talk.points
			var tally sweep.Tally
			switch engine {
			case "local":
				tally, err = sweep.Run(cmd.Context(), s, dir, o)
			case "slurm":
				if err = onSlurm(&slurm, args[0], r, o, out); err != nil {
					return &failure{exitUsage, err}
				}
				if dryRun {
					script, err := slurm.Script(s, dir, o.Workers)
					if err != nil {
						return &failure{exitUnfinished, err}
					}
					fmt.Fprint(cmd.OutOrStdout(), script)
					return nil
				}
				slurm.Tell = talk.note
				tally, err = slurm.Run(cmd.Context(), s, dir, o)
			default:
				return &failure{exitUsage, fmt.Errorf("there is no engine %q: local, slurm or kubernetes", engine)}
			}
			talk.clear()
			if !quiet && out != "" && tally.Points != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), tallied(tally))
			}
			switch {
			case errors.Is(err, sweep.ErrInterrupted) && out == "":
				return &failure{exitInterrupted, errors.New("interrupted")}
			case errors.Is(err, sweep.ErrInterrupted):
				return &failure{exitInterrupted, fmt.Errorf("interrupted: the same command with --resume goes on")}
			case err != nil && !errors.As(err, new(*sweep.InputError)):
				if out != "" && tally.Points != nil {
					err = fmt.Errorf("%w: once that is mended, the same command with --resume goes on", err)
				}
				return &failure{exitUnfinished, err}
			case err != nil:
				return err
			}
			if htmlFile != "" {
				if err := writePage(htmlFile, dir, s.Objectives...); err != nil {
					return &failure{exitUnfinished, err}
				}
			}
			return show(cmd.OutOrStdout(), s, dir, o.Shard, out == "", quiet)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&r.Vary, "vary", nil, "vary a key: KEY=VALUES, as in topology.hosts=16..256*2; may be repeated")
	f.StringArrayVar(&r.Set, "set", nil, "set a key for all points: KEY=VALUE; may be repeated")
	f.StringVar(&r.Method, "method", "", "how to make points: "+strings.Join(sweep.Methods, ", ")+" (default grid)")
	f.IntVar(&r.Points, "points", 0, "number of points, with the methods that sample")
	f.IntVar(&r.Seeds, "seeds", 0, "run each point with so many seeds, from sim.seed on")
	f.StringArrayVar(&r.Where, "where", nil, "leave out points that break this constraint; may be repeated")
	f.StringArrayVar(&r.Objectives, "objective", nil, "metric to show the best points by, with min (the default) or max before it; may be repeated")
	f.StringVarP(&out, "out", "o", "", "keep points in this folder and write points.csv into it")
	f.StringVar(&htmlFile, "report", "", "write one HTML page of the sweep into this file")
	f.IntVarP(&o.Workers, "workers", "w", 0, "points to run at one time (default: one for each core)")
	f.StringVar(&shard, "shard", "", "run part I of N: I/N, I from 0 (default: all; in a Slurm array or indexed job, its part)")
	f.BoolVar(&o.Resume, "resume", false, "go on with what the folder holds")
	f.StringVar(&engine, "engine", "local", "where to run: local, slurm, kubernetes")
	f.IntVar(&tasks, "tasks", 0, "tasks of the array job, or pods of the indexed one (default: one for each point, up to 100)")
	f.StringArrayVar(&slurm.Options, "sbatch", nil, "further option of sbatch, as in --partition=long; may be repeated")
	f.StringVar(&kubernetes.Name, "name", "railyard-sweep", "of Kubernetes: name of the objects")
	f.StringVar(&kubernetes.Image, "image", "", "of Kubernetes: image that has railyard as its entry point")
	f.StringVar(&kubernetes.Claim, "claim", "", "of Kubernetes: volume claim to keep points on, which all pods mount (default: make one)")
	f.StringVar(&kubernetes.Storage, "storage", "1Gi", "of Kubernetes: size of the volume claim that is made")
	f.StringVar(&kubernetes.Memory, "memory", "", "of Kubernetes: memory of a pod, as in 4Gi")
	f.BoolVar(&dryRun, "dry-run", false, "print the batch script and submit nothing")
	f.BoolVarP(&quiet, "quiet", "q", false, "print nothing but errors and the points")
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions([]string{"local", "slurm", "kubernetes"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions(sweep.Methods, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// onSlurm completes what a sweep on Slurm needs to know.
func onSlurm(e *sweep.Slurm, path string, r sweep.Request, o sweep.Options, out string) error {
	switch {
	case out == "":
		return errors.New("--engine slurm needs --out DIR, a folder that all nodes see")
	case path == "-":
		return errors.New("--engine slurm needs a scenario in a file that all nodes see")
	case o.Shard.Count > 1:
		return errors.New("--engine slurm cuts the sweep into shards itself: leave out --shard")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	e.Command = append([]string{self, "sweep", path, "--quiet"}, r.Flags()...)
	return nil
}

// show prints the table, if there is no folder for it, else the best points and
// where all are.
func show(w io.Writer, s *sweep.Sweep, dir string, shard sweep.Shard, table, quiet bool) error {
	path := filepath.Join(dir, sweep.Table)
	switch {
	case table:
		f, err := os.Open(path)
		if err != nil {
			return &failure{exitUnfinished, err}
		}
		defer f.Close()
		if _, err := io.Copy(w, f); err != nil {
			return &failure{exitUnfinished, err}
		}
		return nil
	case shard.Count > 1:
		if !quiet {
			fmt.Fprintf(w, "shard %s is done; when all are, railyard merge %s --out %s makes the table\n", shard, dir, dir)
		}
		return nil
	case len(s.Objectives) > 0 && !quiet:
		head, front, err := sweep.Best(dir, s.Keys, s.Objectives)
		if err != nil {
			return err
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, strings.Join(head, "\t"))
		for _, row := range front {
			fmt.Fprintln(t, strings.Join(row, "\t"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if !quiet {
		fmt.Fprintln(w, path)
	}
	return nil
}

// tallied says how the points of a sweep ended.
func tallied(t sweep.Tally) string {
	total := 0
	var parts, reasons []string
	for _, status := range []sweep.Status{sweep.Done, sweep.Horizon, sweep.Invalid, sweep.Failed} {
		n := t.Points[status]
		if n == 0 {
			continue
		}
		total += n
		parts = append(parts, fmt.Sprintf("%d %s", n, status))
		if reason := t.Reason[status]; reason != "" {
			reasons = append(reasons, fmt.Sprintf("  the first %s: %s", status, reason))
		}
	}
	line := fmt.Sprintf("%d points", total)
	if len(parts) > 0 {
		line += ": " + strings.Join(parts, ", ")
	}
	return strings.Join(append([]string{line}, reasons...), "\n")
}

// points redraws the line of progress of a sweep.
func (t *talk) points(p sweep.Progress) {
	rate := float64(p.Done-p.Resumed) / time.Since(p.Began).Seconds()
	t.line("%d of %d points, %s points/s, %s to go", p.Done, p.Total,
		report.Prefixed(rate, ""), report.Seconds(float64(p.Total-p.Done)/rate))
}

func newMerge() *cobra.Command {
	var out string
	var wait bool
	cmd := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Make one table of the shards of a sweep",
		Long: `Merge makes points.csv of a sweep whose shards ran apart. The folders must hold
one sweep, and all of its points between them. The table is the same, to the byte,
as that of a sweep that ran in one piece. With --wait it waits for shards that still
run.`,
		Example: `  railyard merge shard0 shard1 --out merged`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := sweep.Merge(out, args...)
			for wait && err != nil && cmd.Context().Err() == nil && sweep.Pending(err) {
				select {
				case <-time.After(2 * time.Second):
				case <-cmd.Context().Done():
				}
				err = sweep.Merge(out, args...)
			}
			switch {
			case errors.As(err, new(*sweep.InputError)):
				return err
			case err != nil:
				return &failure{exitUnfinished, err}
			}
			fmt.Fprintln(cmd.OutOrStdout(), filepath.Join(out, sweep.Table))
			return nil
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "write points.csv into this folder")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until all points have run")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}
