package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/report"
)

func newCollective() *cobra.Command {
	var test railyard.CollectiveTest
	var begin, end, step, measured, out string
	var factor int64
	var set []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "collective [SCENARIO|-]",
		Short: "Measure a collective as nccl-tests would, on a cluster that need not exist",
		Long: `Collective runs one operation at a range of sizes and prints what nccl-tests would
print, column by column, with the algorithm and the protocol that each size takes.

The cluster is the topology of a scenario, whose workloads are left out, or --hosts
hosts of the catalogue on rails; without a number as many as the ranks fill. Sizes
are in bytes, or with K, M, G, T of 1024.

With --measured it takes the log of a run of nccl-tests: the operation, ranks and
sizes that it has, and prints what was measured beside what is predicted. With --out
it writes the tables of railyard run, and busbw.png and busbw.svg: bus bandwidth by
size, the limits of the links, and the measured points.`,
		Example: `  railyard collective -b 8 -e 8G -f 2 --op all_reduce --gpus 64
  railyard collective --op all_to_all --host dgx-b200 --hosts 4 -d half -b 1M -e 1G
  railyard collective scenarios/allreduce-1k.toml --gpus 512 --algorithm ring -b 1M -e 1G
  railyard collective --host dgx-a100 --measured all_reduce.log --out results`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := ""
			if len(args) == 1 {
				if path = args[0]; cmd.Flags().Changed("host") || cmd.Flags().Changed("hosts") {
					return errors.New("a scenario says which hosts there are: --host and --hosts go without one")
				}
			}
			if measured != "" {
				log, err := readLog(measured, calibrate.Given{})
				if err != nil { // it does not say all
					log, err = readLog(measured, calibrate.Given{Ranks: test.Ranks, Hosts: test.Hosts, Op: test.Op})
				}
				if err != nil {
					return &failure{exitInput, err}
				}
				test.Measured = &log
			}
			var stride int64
			if measured == "" || cmd.Flags().Changed("minbytes") || cmd.Flags().Changed("maxbytes") {
				var err error
				if test.Sizes, stride, err = sizes(begin, end, step, factor); err != nil {
					return err
				}
			}
			if test.Op == "" && measured == "" {
				test.Op = "all_reduce"
			}
			began := time.Now()
			s, err := railyard.LoadCollectiveTest(path, &test, set...)
			if err != nil {
				return testFailure(err)
			}
			talk := newTalk(cmd.ErrOrStderr(), false)
			r, err := railyard.Run(cmd.Context(), s, railyard.Options{Progress: talk.progress, Warn: talk.warn})
			talk.clear()
			if r == nil {
				return unfinished(err)
			}
			if test.Measured != nil {
				r.AddMeasured(test.Measured)
			}
			if out != "" {
				if err := railyard.Write(out, s, r, host(began, r.Summary.Float("events"))); err != nil {
					return &failure{exitUnfinished, err}
				}
				if len(test.Sizes) > 1 {
					if _, err := report.Plot(out, report.PlotOptions{Only: []string{"busbw"}}); err != nil {
						return &failure{exitUnfinished, err}
					}
				}
			}
			write := func() error { return report.WriteJSON(cmd.OutOrStdout(), r.Summary) }
			if !asJSON {
				shape := report.Test{Type: test.Type, ElementBytes: test.ElementBytes(), Factor: factor, Step: stride}
				write = func() error { return report.NCCLTests(cmd.OutOrStdout(), r.Summary, shape) }
			}
			if err := write(); err != nil {
				return &failure{exitInternal, err}
			}
			if errors.Is(err, context.Canceled) {
				return &failure{exitInterrupted, errors.New("interrupted")}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&test.Op, "op", "", "operation: all_reduce (the default), all_gather, reduce_scatter, all_to_all, broadcast, reduce, send_recv")
	f.IntVar(&test.Ranks, "gpus", 0, "number of ranks, the first in topology order (default: all)")
	f.StringVarP(&begin, "minbytes", "b", "8", "first size")
	f.StringVarP(&end, "maxbytes", "e", "8G", "last size")
	f.Int64VarP(&factor, "stepfactor", "f", 2, "each size so many times the one before; 0 for steps of --stepbytes")
	f.StringVarP(&step, "stepbytes", "i", "1M", "each size so many bytes more, if -f is 0")
	f.StringVarP(&test.Type, "datatype", "d", "float", "type of an element: float, half, bfloat16, double, int8, ...")
	f.StringVar(&test.Algorithm, "algorithm", "", "algorithm, as in ring, tree, nvls (default: what NCCL would take)")
	f.StringVar(&test.Host, "host", "dgx-h100", "kind of host, of the catalogue")
	f.IntVar(&test.Hosts, "hosts", 0, "number of hosts (default: as many as --gpus fill, or one)")
	f.StringArrayVar(&set, "set", nil, "set a key of the scenario: KEY=VALUE, as in topology.oversubscription=2; may be repeated")
	f.StringVar(&measured, "measured", "", "log of nccl-tests to compare with")
	f.StringVarP(&out, "out", "o", "", "write results and the picture into this folder")
	f.BoolVar(&asJSON, "json", false, "print summary.json instead of text")
	return cmd
}

// sizes are those from begin to end, and the bytes between them if no factor is.
func sizes(begin, end, step string, factor int64) (all []int64, stride int64, err error) {
	var parsed [3]int64
	for i, text := range []string{begin, end, step} {
		if parsed[i], err = railyard.ParseTestSize(text); err != nil {
			return nil, 0, err
		}
	}
	if factor == 0 {
		stride = parsed[2]
	}
	all, err = railyard.TestSizes(parsed[0], parsed[1], factor, stride)
	return all, stride, err
}

func readLog(file string, given calibrate.Given) (calibrate.Log, error) {
	in, err := os.Open(file)
	if err != nil {
		return calibrate.Log{}, err
	}
	defer in.Close()
	return calibrate.ReadLog(file, in, given)
}

// testFailure gives an error its exit status: a fault of the input or of the flags.
func testFailure(err error) error {
	var faults railyard.Faults
	if errors.As(err, &faults) {
		return &failure{exitInput, err}
	}
	return err
}
