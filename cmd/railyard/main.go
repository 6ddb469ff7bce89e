// Command railyard simulates AI data centres: a scenario in; training time,
// utilization and link contention out, with the reasons.
//
// Data goes to standard output, talk to standard error. Exit status:
//
//	0    done
//	1    internal error
//	2    wrong usage
//	3    scenario or input invalid
//	4    the simulation could not finish: deadlock, event limit, results not written
//	5    an [[expect]] missed
//	130  interrupted; what was done is written and marked
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/sweep"
)

// Exit statuses; see the package comment.
const (
	exitInternal    = 1
	exitUsage       = 2
	exitInput       = 3
	exitUnfinished  = 4
	exitExpectation = 5
	exitInterrupted = 130
)

// failure is an error that knows its exit status.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // a run builds much and frees little: collect half as often
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // the second one kills
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// execute runs one command line and gives its exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	out := &output{Writer: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if out.err != nil {
		fmt.Fprintln(stderr, "cannot write what was found:", out.err)
		return exitUnfinished
	}
	if err == nil {
		return 0
	}
	status := exitUsage // what cobra finds wrong is usage
	var faults railyard.Faults
	var known *failure
	switch {
	case errors.As(err, &known):
		status = known.status
	case errors.As(err, &faults), errors.As(err, new(*sweep.InputError)):
		status = exitInput
	}
	fmt.Fprintln(stderr, err)
	if status == exitUsage {
		fmt.Fprintf(stderr, "try %s --help\n", command.CommandPath())
	}
	return status
}

// output remembers why it could not write, so that nothing is lost without a word.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// group makes a command one that has others below it and does nothing itself.
func group(cmd *cobra.Command, below ...*cobra.Command) *cobra.Command {
	var names []string
	for _, c := range below {
		names = append(names, c.Name())
	}
	cmd.AddCommand(below...)
	cmd.Args = oneOf("command", names)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// oneOf takes one of some words, or none.
func oneOf(what string, words []string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 && !slices.Contains(words, args[0]) {
			return fmt.Errorf("%q is no %s of %q; there are %s", args[0], what, cmd.CommandPath(), strings.Join(words, ", "))
		}
		return cobra.MaximumNArgs(1)(cmd, args)
	}
}

// plainly says what is wrong with a flag's number in words of ours.
func plainly(_ *cobra.Command, err error) error {
	if number, ok := errors.AsType[*strconv.NumError](err); ok {
		where, _, _ := strings.Cut(err.Error(), ": strconv.")
		return fmt.Errorf("%s: %s was expected", where, map[string]string{
			"ParseInt": "a whole number", "ParseUint": "a whole number that is not negative", "ParseFloat": "a number", "ParseBool": "true or false",
		}[number.Func])
	}
	return err
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "railyard",
		Short: "Simulate AI data centres",
		Long: `Railyard replays a scenario, a TOML file that says what a data centre is made of
and what runs on it, and reports training time, utilization and link contention.

Exit status: 0 done, 1 internal error, 2 usage, 3 scenario or input invalid,
4 could not finish, 5 an [[expect]] missed, 130 interrupted.`,
		Example: `  railyard run scenarios/quickstart.toml
  railyard init my-cluster > my.toml
  railyard run my.toml --set topology.hosts=16 --out results
  railyard plot results
  railyard report results
  railyard sweep my.toml --vary topology.hosts=2..16*2 --out sweep`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(newRun(), newCheck(), newInit(), newPlan(), newSweep(), newMerge(), newDiff(), newWhy(), newExplain(), newPlot(), newReport(), newTopo(), newEstimate(), newTrace(), newCalibrate(), newCollective(), newCatalog(), newSchema(), newSession(), newDashboard(), newAlerts(), newAudit(), newVersion())
	root.SetFlagErrorFunc(plainly)
	completions(root)
	sayArguments(root)
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return countsFromOne(cmd) }
	return root
}

// countsFromOne sees to it that a number of things that a flag gives is one or more: 0, the
// default, stands for a number that is found.
func countsFromOne(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if kind := f.Value.Type(); (kind == "int" || kind == "int64") && f.DefValue == "0" {
			if n, _ := strconv.ParseInt(f.Value.String(), 10, 64); n < 1 && err == nil {
				err = fmt.Errorf("--%s %d: it is 1 or more, or left out", f.Name, n)
			}
		}
	})
	return err
}

// sayArguments has commands that are given too few or too many arguments say what they
// take.
func sayArguments(of *cobra.Command) {
	for _, cmd := range of.Commands() {
		sayArguments(cmd)
		takes := cmd.Args
		if takes == nil || cmd.HasSubCommands() { // which say what they have
			continue
		}
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if takes(cmd, args) == nil {
				return nil
			}
			given := fmt.Sprintf("%d arguments", len(args))
			if len(args) == 1 {
				given = "1 argument"
			}
			return fmt.Errorf("%s: the command is %s", given, strings.TrimSuffix(cmd.UseLine(), " [flags]"))
		}
	}
}
