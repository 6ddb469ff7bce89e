package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

func newCalibrate() *cobra.Command {
	var kernels, iteration, base, name string
	var logs, where []string
	var calls bool
	var given calibrate.Given
	cmd := &cobra.Command{
		Use:   "calibrate --base NAME {--kernels FILE | --nccl LOG... | --iteration TIME SCENARIO}",
		Short: "Fit an accelerator or a host's network to what you measured",
		Long: `Calibrate fits constants of the catalogue to measurements and prints an override
in TOML that a scenario may hold, with the residuals as comments.

--kernels takes a CSV, a row a kernel, with the columns op, dtype, m (or tokens_m),
n, k and measured_ms (or time_s, time_us) for matrix products; for attention op is
attn_prefill or attn_decode and batch, m, kv_len, q_heads, kv_heads, head_dim say
what it was; launches is how many kernels were timed as one. It fits
matrix_efficiency, read_efficiency, launch_overhead, fp8_efficiency, fp4_efficiency
and flash_efficiency of the accelerator --base. With --calls the rows are calls of one
engine, timed as it makes them: what a call takes beside its kernel, to turn activations
into FP8 or FP4 or to prepare attention, and how long the host needs for one, is then
fitted, too, and told apart from what the kernels reach. It is printed, and is no
constant of the accelerator.

--nccl takes logs of nccl-tests. They fit collective_overhead, step_overhead,
scale_up_efficiency, nvls_efficiency and nic_efficiency of the host --base. The two overheads are
told apart only by logs over different numbers of ranks.

--iteration takes how long an iteration of the first training job of a scenario
took. It moves matrix_efficiency, fp8_efficiency, fp8_training_efficiency,
fp4_efficiency and flash_efficiency of the accelerator --base by one factor.`,
		Example: `  railyard calibrate --base h100-sxm-80gb --kernels gemm.csv --where gpu=H100
  railyard calibrate --base dgx-h100 --nccl all_reduce_8.log --nccl all_reduce_64.log
  railyard calibrate --base a100-sxm-80gb --iteration 1.832s scenarios/quickstart.toml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if calls && kernels == "" {
				return errors.New("--calls goes with --kernels, and with nothing else")
			}
			if (iteration != "") != (len(args) == 1) {
				return errors.New("a scenario goes with --iteration, and with nothing else")
			}
			if name == "" {
				name = base + "-calibrated"
			}
			var o calibrate.Override
			var err error
			switch {
			case kernels != "":
				o, err = fromKernels(cmd.ErrOrStderr(), base, kernels, where, calls)
			case iteration != "":
				o, err = fromIteration(cmd.Context(), base, iteration, args[0])
			default:
				o, err = fromLogs(base, logs, given)
			}
			if err != nil {
				return calibrateFailure(err)
			}
			o.Name, o.Base = name, base
			if err := o.WriteTOML(cmd.OutOrStdout()); err != nil {
				return &failure{exitInternal, err}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&base, "base", "", "accelerator (host for --nccl) of the catalogue to start from")
	f.StringVar(&kernels, "kernels", "", "table of measured kernels, CSV")
	f.StringArrayVar(&logs, "nccl", nil, "log of nccl-tests; may be repeated")
	f.StringArrayVar(&where, "where", nil, "use the rows of the table whose COLUMN=VALUE; may be repeated")
	f.BoolVar(&calls, "calls", false, "the kernels are timed as an engine calls them: fit what a call takes beside")
	f.StringVar(&given.Op, "op", "", "operation of the logs, as in all_reduce, if they do not say")
	f.IntVar(&given.Ranks, "ranks", 0, "ranks of the logs, if they do not say")
	f.IntVar(&given.Hosts, "hosts", 0, "hosts of the logs, if they do not say and do not fill them")
	f.StringVar(&iteration, "iteration", "", "how long an iteration took, as in 1.832s")
	f.StringVar(&name, "name", "", "name of the override; the base's with -calibrated where left out")
	_ = cmd.MarkFlagRequired("base")
	cmd.MarkFlagsOneRequired("kernels", "nccl", "iteration")
	cmd.MarkFlagsMutuallyExclusive("kernels", "nccl", "iteration")
	return cmd
}

func fromKernels(talk io.Writer, base, file string, where []string, calls bool) (o calibrate.Override, err error) {
	var matches []calibrate.Match
	for _, w := range where {
		column, value, ok := strings.Cut(w, "=")
		if !ok {
			return o, &failure{exitUsage, fmt.Errorf("--where %q is not COLUMN=VALUE", w)}
		}
		matches = append(matches, calibrate.Match{Column: column, Value: value})
	}
	accelerator, faults := (&scenario.Scenario{File: "--base"}).Accelerator(base)
	if faults != nil {
		return o, faults
	}
	in, err := os.Open(file)
	if err != nil {
		return o, err
	}
	defer in.Close()
	kernels, skipped, err := calibrate.ReadKernels(file, in, matches)
	if err != nil {
		return o, err
	}
	for _, what := range slices.Sorted(maps.Keys(skipped)) {
		fmt.Fprintf(talk, "%s: passed over %d rows: %s\n", file, skipped[what], what)
	}
	before := calibrate.Residuals(accelerator, kernels)
	if calls {
		if err := calibrate.Calls(accelerator, kernels); err != nil {
			return o, fmt.Errorf("%s: %w", file, err)
		}
	}
	fitted, constants, err := calibrate.Accelerator(accelerator, kernels)
	if err != nil {
		return o, fmt.Errorf("%s: %w", file, err)
	}
	data := filepath.Base(file)
	if where != nil {
		data += " where " + strings.Join(where, ", ")
	}
	return calibrate.Override{
		Table: "accelerators", Data: data, Constants: constants,
		Before: before, After: calibrate.Residuals(fitted, kernels),
	}, nil
}

func fromLogs(base string, files []string, given calibrate.Given) (o calibrate.Override, err error) {
	host, faults := (&scenario.Scenario{File: "--base"}).Host(base)
	if faults != nil {
		return o, faults
	}
	var logs []calibrate.Log
	var names []string
	for _, file := range files {
		in, err := os.Open(file)
		if err != nil {
			return o, err
		}
		log, err := calibrate.ReadLog(file, in, given)
		in.Close()
		if err != nil {
			return o, err
		}
		logs, names = append(logs, log), append(names, filepath.Base(file))
	}
	fitted, constants, err := calibrate.Network(host, logs)
	if err != nil {
		return o, err
	}
	o = calibrate.Override{Table: "hosts", Data: strings.Join(names, ", "), Constants: constants}
	if o.Before, err = calibrate.NetworkResiduals(host, logs); err != nil {
		return o, err
	}
	o.After, err = calibrate.NetworkResiduals(fitted, logs)
	return o, err
}

func fromIteration(ctx context.Context, base, iteration, file string) (o calibrate.Override, err error) {
	took, err := units.ParseDuration(iteration)
	if err != nil || took <= 0 {
		return o, &failure{exitUsage, fmt.Errorf("--iteration %q is not a time above 0, as in 1.832s", iteration)}
	}
	measured := took.Seconds()
	accelerator, faults := (&scenario.Scenario{File: "--base"}).Accelerator(base)
	if faults != nil {
		return o, faults
	}
	simulate := func(a topology.Accelerator) (float64, error) {
		entry := fmt.Sprintf("accelerators.%q.", base)
		set := []string{entry + "base=" + base}
		for _, share := range []struct {
			key   string
			value float64
		}{
			{"matrix_efficiency", a.MatrixEfficiency},
			{"fp8_efficiency", a.FP8Efficiency},
			{"fp8_training_efficiency", a.FP8TrainingEfficiency},
			{"fp4_efficiency", a.FP4Efficiency},
			{"flash_efficiency", a.FlashEfficiency},
		} {
			if share.value > 0 {
				set = append(set, fmt.Sprintf("%s%s=%g", entry, share.key, min(share.value, 1)))
			}
		}
		s, err := railyard.Load(file, set...)
		if err != nil {
			return 0, err
		}
		r, err := railyard.Run(ctx, s, railyard.Options{})
		if err != nil {
			return 0, unfinished(err)
		}
		seconds, err := r.Summary.Lookup("training.0.iteration_s")
		if err != nil {
			return 0, fmt.Errorf("%s: has no training job that ran: %w", file, err)
		}
		return seconds, nil
	}
	was, err := simulate(accelerator)
	if err != nil {
		return o, err
	}
	fitted, constants, err := calibrate.Iteration(accelerator, measured, simulate)
	if err != nil {
		return o, err
	}
	is, err := simulate(fitted)
	return calibrate.Override{
		Table: "accelerators", Data: fmt.Sprintf("an iteration of %s of %s", iteration, filepath.Base(file)), Constants: constants,
		Before: []calibrate.Residual{calibrate.IterationResidual(was, measured)},
		After:  []calibrate.Residual{calibrate.IterationResidual(is, measured)},
	}, err
}

// calibrateFailure gives an error its exit status: what is wrong with the input.
func calibrateFailure(err error) error {
	if known := (*failure)(nil); errors.As(err, &known) {
		return known
	}
	return &failure{exitInput, err}
}
