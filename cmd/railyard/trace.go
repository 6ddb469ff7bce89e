package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/workload/jobs"
	"github.com/railyard/railyard/workload/trace"
)

func newTrace() *cobra.Command {
	return group(&cobra.Command{
		Use:   "trace",
		Short: "Look into traces, and convert those of jobs",
		Example: `  railyard trace info scenarios/replay-gpt13b.txt
  railyard trace convert slurm.txt --out jobs.csv`,
	}, newTraceInfo(), newTraceConvert())
}

func newTraceInfo() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info FILE",
		Short: "Say what is in a trace",
		Long: `Info reads a Chakra trace (.et or JSON, plain or gzip) or a workload text of AICB
and prints its nodes by type, what it communicates, how long it computes, and
what had to be mended. Of a trace of jobs (see trace convert) it prints how many
there are, over what span, how large and how long.`,
		Example: `  railyard trace info chakra.0.et
  railyard trace info chakra.0.et --json | jq .mended.dangling_dependencies`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return &failure{exitInput, err}
			}
			defer f.Close()
			info, err := inspect(args[0], f)
			if err != nil {
				return &failure{exitInput, err}
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(info)
			} else {
				err = info.Write(cmd.OutOrStdout())
			}
			if err != nil {
				return &failure{exitInternal, err}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of text")
	return cmd
}

// info is what a trace of either kind says of itself.
type info interface{ Write(io.Writer) error }

func inspect(name string, f io.Reader) (info, error) {
	in := bufio.NewReaderSize(f, jobs.GuessBytes)
	head, _ := in.Peek(jobs.GuessBytes)
	if format, ok := jobs.Guess(name, head); ok {
		all, report, err := jobs.Read(name, in, format)
		if err != nil {
			return nil, err
		}
		return jobs.Inspect(format, all, report), nil
	}
	i, err := trace.Inspect(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return i, nil
}

func newTraceConvert() *cobra.Command {
	var format, out string
	var strict, cpuJobs bool
	cmd := &cobra.Command{
		Use:   "convert FILE",
		Short: "Turn a trace of jobs into a table that a scenario reads",
		Long: `Convert reads a trace of jobs and writes the CSV that [[workload.jobs]] takes, in
the order of submission, with the first at 0 s.

Formats: csv (a table of ours), philly (cluster_job_log), helios
(cluster_log.csv), acme (trace_seren.csv, trace_kalos.csv), pai
(pai_task_table.csv of Alibaba 2020), openb (pods of Alibaba 2023), slurm (sacct
--parsable2), swf (Standard Workload Format; its processors are taken as
accelerators). Without --format the file says which by how it begins.

Rows that cannot be understood are left out, counted and named; with --strict
they end the conversion. Jobs that never ran are left out, and so are those that
want no accelerator unless --cpu-jobs is given.`,
		Example: `  railyard trace convert cluster_job_log --out jobs.csv
  sacct -a -X --parsable2 --format JobID,User,Account,Submit,Start,End,State,Timelimit,AllocTRES > slurm.txt
  railyard trace convert slurm.txt --format slurm --strict > jobs.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return &failure{exitInput, err}
			}
			defer f.Close()
			in := bufio.NewReaderSize(f, jobs.GuessBytes)
			var from jobs.Format
			if format != "" {
				if from, err = jobs.ParseFormat(format); err != nil {
					return &failure{exitUsage, err}
				}
			} else {
				head, _ := in.Peek(jobs.GuessBytes)
				var ok bool
				if from, ok = jobs.Guess(args[0], head); !ok {
					return &failure{exitInput, fmt.Errorf("%s: cannot tell its format by how it begins; say --format %s", args[0], strings.Join(jobs.Formats(), ", "))}
				}
			}
			all, report, err := jobs.Read(args[0], in, from)
			if err != nil {
				return &failure{exitInput, err}
			}
			if strict && report.Bad > 0 {
				return &failure{exitInput, errors.New(report.String())}
			}
			if !cpuJobs {
				all = report.WithoutCPUJobs(all)
			}
			if len(all) == 0 {
				return &failure{exitInput, fmt.Errorf("%s: there are no jobs of format %s in it\n%s", args[0], from, report)}
			}
			jobs.Rebase(all)
			slices.SortStableFunc(all, func(a, b jobs.Job) int { return cmp.Compare(a.Submit, b.Submit) })
			if err := jobs.Span(all); err != nil {
				return &failure{exitInput, fmt.Errorf("%s: %w", args[0], err)}
			}
			to := cmd.OutOrStdout()
			var file *os.File
			if out != "" {
				if file, err = os.Create(out); err != nil {
					return &failure{exitInput, err}
				}
				to = file
			}
			err = jobs.Write(to, all)
			if file != nil {
				err = errors.Join(err, file.Close())
			}
			if err != nil {
				return &failure{exitInternal, err}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d jobs of format %s\n", len(all), from)
			if text := report.String(); text != "" {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+text)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "", "format of the file (default: as it begins)")
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default: standard output)")
	cmd.Flags().BoolVar(&strict, "strict", false, "refuse a file with bad rows")
	cmd.Flags().BoolVar(&cpuJobs, "cpu-jobs", false, "keep jobs that want no accelerator")
	return cmd
}
