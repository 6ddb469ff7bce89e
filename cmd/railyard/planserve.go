package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/railyard/railyard/plan"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/units"
)

// serveFlags are those of plan --serve.
type serveFlags struct {
	plan.Service
	serve             bool
	first, each, last string
}

// Flags that only one of plan and plan --serve has a use for.
var (
	trainOnly = []string{"tokens", "samples", "batch", "sequence", "precision", "deadline", "budget", "purchase", "power", "racks"}
	serveOnly = []string{"rate", "input", "output", "count", "requests", "format", "ttft", "tpot", "e2e", "at", "quantization", "quality", "floor", "student"}
)

func (s *serveFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.serve, "serve", false, "find the cheapest deployment that serves the model within objectives, rather than train it")
	f.Float64Var(&s.Demand.Rate, "rate", 0, "with --serve, requests a second")
	f.StringVar(&s.Input, "input", "", "with --serve, tokens of a prompt: an integer or a distribution, as in a scenario")
	f.StringVar(&s.Output, "output", "", "with --serve, tokens of an answer, in the same way")
	f.IntVar(&s.Count, "count", 0, "with --serve, requests to simulate (default: those of a minute, from 1000 to 3000, or of 20 times the wait that is allowed)")
	f.StringVar(&s.File, "requests", "", "with --serve, a file of requests in place of a rate")
	f.StringVar(&s.Format, "format", "", "with --serve, its format: csv, azure, mooncake, burstgpt, qwen")
	f.StringVar(&s.first, "ttft", "", "with --serve, most time to first token, as in 500ms")
	f.StringVar(&s.each, "tpot", "", "with --serve, most time for each token")
	f.StringVar(&s.last, "e2e", "", "with --serve, most time to the last token: the latency of models that answer in one pass")
	f.StringVar(&s.At, "at", "p99", "with --serve, percentile of these: p50, p90, p99")
	f.StringSliceVar(&s.Quantizations, "quantization", nil, "with --serve, formats of weights to choose from (default none,fp8)")
	f.StringVar(&s.Quality, "quality", "", "with --serve, a table of scores: model,quantization,score, and sparsity,pruning; its variants are those to choose from")
	f.Float64Var(&s.Floor, "floor", 0, "with --quality, the least score")
	f.StringSliceVar(&s.Students, "student", nil, "with --quality, models that may take the place of the model")
}

// run answers plan --serve, with what it shares with plan.
func (s *serveFlags) run(cmd *cobra.Command, r *plan.Request, o plan.Options, asJSON, quiet bool, out string) error {
	for _, name := range trainOnly {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s contradicts --serve", name)
		}
	}
	for _, q := range []struct {
		name, text string
		to         *units.Duration
	}{{"ttft", s.first, &s.First}, {"tpot", s.each, &s.Each}, {"e2e", s.last, &s.Whole}} {
		if q.text == "" {
			continue
		}
		v, err := units.ParseDuration(q.text)
		if err == nil && v <= 0 {
			err = errors.New("must be more than 0")
		}
		if err != nil {
			return fmt.Errorf("--%s: %w", q.name, err)
		}
		*q.to = v
	}
	s.Model, s.Accelerators, s.Sites, s.Set, s.Rent, s.Rental, s.Most, s.Folder = r.Model, r.Accelerators, r.Sites, r.Set, r.Rent, r.Rate, r.Limits.Accelerators, r.Folder
	talk := newTalk(cmd.ErrOrStderr(), quiet)
	o.Progress = talk.deployments
	found, err := plan.Deploy(cmd.Context(), s.Service, o)
	talk.clear()
	if err != nil {
		return planFailure(err)
	}
	return finishPlan(cmd, talk, found, report.Deployments, asJSON, quiet, out)
}
