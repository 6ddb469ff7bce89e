package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/plan"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/units"
)

func newPlan() *cobra.Command {
	var r plan.Request
	var o plan.Options
	var tokens, samples, deadline, budget, purchase, power, rent string
	var asJSON, quiet bool
	var out string
	var s serveFlags
	cmd := &cobra.Command{
		Use:   "plan [SCENARIO]... --model MODEL",
		Short: "Find on what to train a model: hardware, scale and parallelism",
		Long: `Plan searches kinds of accelerator, their number, and the ways to share the model
among them, and prints the Pareto front of time, cost and energy: the choices that no
other beats in one without losing in another. For the ends of the front it says why
what is next to them was not chosen; --json and alternatives.csv have that of all.

Without a scenario the data centre is hosts of the catalogue on rails, of each kind
that has a price there (with --rent, a rent). A scenario is a data centre to choose: its
topology, power and cost hold, its workload is left out, and its topology.hosts is the
most that there are. Several are sites of which one is chosen. --set sets any key of
them: prices, tariff, PUE.

How much to train is --tokens, or --samples of a model without tokens; of neither it is
20 tokens a parameter, on which compute is best spent (Hoffmann et al. 2022).

With --serve it finds the cheapest deployment that serves the model within objectives, on
each kind of accelerator: tensor-parallel degree, format of the weights, limits of batches
and replicas, for a rate and lengths or a file of requests; --quality holds what is served
to a score.

With --out it writes summary.json, plan.csv, alternatives.csv, the picture, and the
scenario of each point, ready for railyard run.`,
		Example: `  railyard plan --model llama-2-70b --tokens 2T --deadline 30d --max-accelerators 2048 --out plan
  railyard plan --model llama-2-7b --accelerator a100-sxm-80gb,h100-sxm-80gb --rent --budget 100kUSD
  railyard plan north.toml south.toml --model gpt3-175b --tokens 300B --power 4MW --set topology.power.pue=1.3
  railyard run plan/point-01.toml
  railyard plan --serve --model llama-3.1-70b --rent --rate 10 --input 1000 --output 300 --ttft 1s --tpot 50ms --out deployment
  railyard plan --serve --model bert-large --rent --rate 20000 --input 120 --e2e 50ms`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Sites, r.Folder = args, out
			if len(args) == 0 {
				r.Sites = nil
			}
			if err := limits(&r, map[string]string{
				"tokens": tokens, "samples": samples, "deadline": deadline, "budget": budget, "purchase": purchase, "power": power,
			}); err != nil {
				return err
			}
			if r.Rent = cmd.Flags().Changed("rent"); r.Rent && rent != "catalogue" {
				rate, err := units.ParseMoneyRate(rent)
				if err != nil {
					return fmt.Errorf("--rent: %w", err)
				}
				r.Rate = rate
			}
			if s.serve {
				return s.run(cmd, &r, o, asJSON, quiet, out)
			}
			for _, name := range serveOnly {
				if cmd.Flags().Changed(name) {
					return fmt.Errorf("--%s belongs to --serve", name)
				}
			}
			talk := newTalk(cmd.ErrOrStderr(), quiet)
			o.Progress = talk.search
			found, err := plan.Find(cmd.Context(), r, o)
			talk.clear()
			if err != nil {
				return planFailure(err)
			}
			return finishPlan(cmd, talk, found, report.Plan, asJSON, quiet, out)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&r.Model, "model", "m", "", "model of the catalogue, or of the scenarios")
	f.StringVar(&tokens, "tokens", "", "tokens to train on, as in 2T, 300B or 1e12")
	f.StringVar(&samples, "samples", "", "samples to train on, in place of tokens")
	f.Int64Var(&r.GlobalBatch, "batch", 0, "sequences or samples of an iteration (default: as the model was trained, else 4 Mi tokens)")
	f.Int64Var(&r.Sequence, "sequence", 0, "tokens of a sequence (default: the model's)")
	f.StringVar(&r.Precision, "precision", "bf16", "number format: fp32, tf32, fp16, bf16, fp8")
	f.StringSliceVarP(&r.Accelerators, "accelerator", "a", nil, "kinds of accelerator to choose from (default: those with a price; the scenarios')")
	f.IntVar(&r.Limits.Accelerators, "max-accelerators", 0, "most accelerators (default 1024)")
	f.StringVar(&deadline, "deadline", "", "most time of the training, as in 30d")
	f.StringVar(&budget, "budget", "", "most that the training costs, as in 2000000USD")
	f.StringVar(&purchase, "purchase", "", "most that the data centre costs to buy")
	f.StringVar(&power, "power", "", "most power that the site draws, as in 2MW")
	f.IntVar(&r.Racks, "racks", 0, "most racks")
	f.StringVar(&rent, "rent", "", "rent accelerators, at this rate or the catalogue's, as in --rent or --rent=2.5USD/h")
	f.Lookup("rent").NoOptDefVal = "catalogue"
	f.StringArrayVar(&r.Set, "set", nil, "set a key of the scenarios: KEY=VALUE, as in topology.cost.tariff=0.05USD/kWh; may be repeated")
	f.StringVarP(&out, "out", "o", "", "write tables, the picture and a scenario for each point into this folder")
	f.IntVarP(&o.Workers, "workers", "w", 0, "simulations at one time (default: one for each core)")
	f.BoolVar(&asJSON, "json", false, "print JSON instead of text")
	f.BoolVarP(&quiet, "quiet", "q", false, "print nothing but errors (and JSON, if asked for)")
	s.add(cmd)
	_ = cmd.MarkFlagRequired("model")
	return cmd
}

// limits reads the flags that are quantities.
func limits(r *plan.Request, given map[string]string) (err error) {
	read := func(name string, parse func(string) error) {
		if text := given[name]; text != "" && err == nil {
			if err = parse(text); err != nil {
				err = fmt.Errorf("--%s: %w", name, err)
			}
		}
	}
	read("tokens", func(text string) (e error) { r.Tokens, e = amount(text); return e })
	read("samples", func(text string) (e error) { r.Samples, e = amount(text); return e })
	read("deadline", func(text string) (e error) { r.Deadline, e = aboveZero(units.ParseDuration(text)); return e })
	read("budget", func(text string) (e error) { r.Budget, e = aboveZero(units.ParseMoney(text)); return e })
	read("purchase", func(text string) (e error) { r.Purchase, e = aboveZero(units.ParseMoney(text)); return e })
	read("power", func(text string) (e error) { r.Power, e = aboveZero(units.ParsePower(text)); return e })
	return err
}

// aboveZero refuses a limit under which there is nothing.
func aboveZero[T units.Duration | units.Money | units.Power](limit T, err error) (T, error) {
	if err == nil && limit == 0 {
		err = errors.New("must be more than 0")
	}
	return limit, err
}

// amount reads a number of tokens: digits, or with k, M, B and T of 1000 each.
func amount(text string) (int64, error) {
	number, factor := text, 1.0
	for i, suffix := range []string{"k", "M", "B", "T"} {
		if cut, ok := strings.CutSuffix(text, suffix); ok {
			number, factor = cut, []float64{1e3, 1e6, 1e9, 1e12}[i]
		}
	}
	n, err := units.ParseNumber(strings.TrimSpace(number))
	if n *= factor; err != nil || !(n >= 1 && n <= 1<<53) {
		return 0, fmt.Errorf("%q is not an amount: a number, with k, M, B or T of 1000 each, as in 2T or 300B", text)
	}
	return int64(n), nil
}

// planFailure gives an error of a plan its exit status.
func planFailure(err error) error {
	var infeasible *plan.InfeasibleError
	var input *plan.InputError
	switch {
	case errors.Is(err, context.Canceled):
		return &failure{exitInterrupted, errors.New("interrupted")}
	case errors.As(err, &infeasible):
		return &failure{exitInput, err}
	case errors.As(err, &input): // of the flags
		return &failure{exitUsage, err}
	}
	return unfinished(err)
}

// finishPlan writes what was found into a folder, if there is one, and prints it.
func finishPlan(cmd *cobra.Command, talk *talk, found *plan.Plan, write func(io.Writer, *result.Record) error, asJSON, quiet bool, out string) error {
	for _, w := range found.Warnings {
		talk.warn(w)
	}
	if out != "" {
		if err := writePlan(out, found); err != nil {
			return &failure{exitUnfinished, err}
		}
	}
	switch {
	case asJSON:
		write = report.WriteJSON
	case quiet:
		return nil
	}
	if err := write(cmd.OutOrStdout(), found.Summary); err != nil {
		return &failure{exitInternal, err}
	}
	return nil
}

// writePlan writes tables, scenarios and the picture.
func writePlan(dir string, p *plan.Plan) error {
	if _, err := report.Write(dir, &p.Results); err != nil {
		return err
	}
	for _, s := range p.Scenarios {
		if err := report.WriteFile(filepath.Join(dir, s.Name), func(w io.Writer) error {
			_, err := io.WriteString(w, s.Text)
			return err
		}); err != nil {
			return err
		}
	}
	if p.Tables[0].Name != "plan" { // deployments are no front
		return nil
	}
	_, err := report.Plot(dir, report.PlotOptions{Only: []string{"plan"}})
	return err
}

// search shows how far a search for the Pareto front has come.
func (t *talk) search(p plan.Progress) {
	t.line("%s tried, %s simulated, %s may yet be on the front",
		report.Count(float64(p.Tried)), report.Count(float64(p.Simulated)), report.Count(float64(p.Left)))
}

// deployments shows how far one for deployments has.
func (t *talk) deployments(p plan.Progress) {
	t.line("%s deployments simulated", report.Count(float64(p.Simulated)))
}
