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
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

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
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
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
	completions(root)
	sayArguments(root)
	return root
}

// sayArguments has commands that are given too few or too many arguments say what they
// take, and those that only have others under them refuse what is none of these.
func sayArguments(of *cobra.Command) {
	for _, cmd := range of.Commands() {
		sayArguments(cmd)
		if cmd.HasSubCommands() {
			cmd.Args, cmd.RunE = cobra.NoArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() } // only what can run minds its arguments
			continue
		}
		takes := cmd.Args
		if takes == nil {
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
