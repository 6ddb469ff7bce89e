package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/scenario"
)

func newCalibrate() *cobra.Command {
	var kernels, base, name string
	var logs, where []string
	var given calibrate.Given
	cmd := &cobra.Command{
		Use:   "calibrate --base NAME {--kernels FILE | --nccl LOG...}",
		Short: "Fit an accelerator or a host's network to what you measured",
		Long: `Calibrate fits constants of the catalogue to measurements and prints an override
in TOML that a scenario may hold, with the residuals as comments.

--kernels takes a CSV, a row a kernel, with the columns op, dtype, m (or tokens_m),
n, k and measured_ms (or time_s, time_us) for matrix products; for attention op is
attn_prefill or attn_decode and batch, m, kv_len, q_heads, kv_heads, head_dim say
what it was. It fits matrix_efficiency, read_efficiency, launch_overhead,
fp8_efficiency, fp4_efficiency and flash_efficiency of the accelerator --base.

--nccl takes logs of nccl-tests. They fit collective_overhead, step_overhead,
scale_up_efficiency and nic_efficiency of the host --base. The two overheads are
told apart only by logs over different numbers of ranks.`,
		Example: `  railyard calibrate --base h100-sxm-80gb --kernels gemm.csv --where gpu=H100
  railyard calibrate --base dgx-h100 --nccl all_reduce_8.log --nccl all_reduce_64.log`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if name == "" {
				name = base + "-calibrated"
			}
			var o calibrate.Override
			var err error
			if kernels != "" {
				o, err = fromKernels(cmd.ErrOrStderr(), base, kernels, where)
			} else {
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
	f.StringVar(&base, "base", "", "accelerator (for --kernels) or host (for --nccl) of the catalogue to start from")
	f.StringVar(&kernels, "kernels", "", "table of measured kernels, CSV")
	f.StringArrayVar(&logs, "nccl", nil, "log of nccl-tests; may be repeated")
	f.StringArrayVar(&where, "where", nil, "use the rows of the table whose COLUMN=VALUE; may be repeated")
	f.StringVar(&given.Op, "op", "", "operation of the logs, as in all_reduce, if they do not say")
	f.IntVar(&given.Ranks, "ranks", 0, "ranks of the logs, if they do not say")
	f.IntVar(&given.Hosts, "hosts", 0, "hosts of the logs, if they do not say and do not fill them")
	f.StringVar(&name, "name", "", "name of the override; the base's with -calibrated where left out")
	_ = cmd.MarkFlagRequired("base")
	cmd.MarkFlagsOneRequired("kernels", "nccl")
	cmd.MarkFlagsMutuallyExclusive("kernels", "nccl")
	return cmd
}

func fromKernels(talk io.Writer, base, file string, where []string) (o calibrate.Override, err error) {
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
		Before: calibrate.Residuals(accelerator, kernels), After: calibrate.Residuals(fitted, kernels),
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

// calibrateFailure gives an error its exit status: what is wrong with the input.
func calibrateFailure(err error) error {
	if known := (*failure)(nil); errors.As(err, &known) {
		return known
	}
	return &failure{exitInput, err}
}
