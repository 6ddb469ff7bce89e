// Package railyard simulates AI data centres: a scenario in, and out of it
// training time, utilization and link contention, with the reasons.
//
// Load reads a scenario, Run replays it on an event queue in virtual time, and
// the [Result] holds the summary and the tables that `railyard run` writes. [Why]
// tells what bounds a training job, [Explain] what a metric or a key means. Policies
// and collectives of one's own come in by [Extensions]. Results depend on the scenario,
// its files, the seed and the version alone.
//
// This is the face of the house, and nothing is computed here. The packages below are
// its rooms: datacenter builds and runs a scenario of parts from cluster, workload,
// collective, network and topology.
package railyard

import (
	"context"

	"github.com/railyard/railyard/alert"
	"github.com/railyard/railyard/bound"
	"github.com/railyard/railyard/datacenter"
	"github.com/railyard/railyard/nccltests"
	"github.com/railyard/railyard/record"
	"github.com/railyard/railyard/report/openmetrics"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/study"
)

// Scenario is a scenario that has been read and found to be well-formed.
type Scenario = scenario.Scenario

// Faults is everything wrong with a scenario or its files, as an error.
type Faults = scenario.Faults

// Extensions are policies and collectives of a program's own. A scenario that is loaded
// with them may call them by their names.
type Extensions = scenario.Extensions

// Load reads a scenario from a file, or from standard input if path is "-".
// Each override is a "key=value" as `railyard run --set` takes it. What is wrong
// with the scenario is returned as Faults.
func Load(path string, overrides ...string) (*Scenario, error) {
	return Extensions{}.Load(path, overrides...)
}

// ReadText reads the text of a scenario from a file, or from standard input if
// path is "-".
func ReadText(path string) ([]byte, error) { return scenario.ReadText(path) }

// Parse is [Load] with the text at hand. Paths in it are relative to the folder
// of path.
func Parse(path string, text []byte, overrides ...string) (*Scenario, error) {
	return Extensions{}.Parse(path, text, overrides...)
}

// Options are how to run, Progress is how far a run has come, and Result is what it
// found. StepCache is what a run may leave to the next that serves the same model.
type (
	Options  = datacenter.Options
	Progress = datacenter.Progress
	Result   = datacenter.Result

	StepCache = datacenter.StepCache
)

// TimelineOptions are what of a run is put into its timeline: at most MaxSlices slices,
// unless they say otherwise.
type TimelineOptions = record.Options

// MaxSlices is how many slices a timeline has, unless more or fewer are asked for: 130 MB
// of them in memory.
const MaxSlices = record.MaxSlices

// Check does all of Run but the running: it reads the files that a scenario
// names, builds its topology and its jobs, and returns what is wrong as Faults.
func Check(s *Scenario) error { return datacenter.Check(s) }

// Run replays a scenario. What is wrong with its input is returned as Faults; a
// run that cannot finish as *sim.DeadlockError or sim.ErrEventLimit. If ctx ends
// first, the result holds what was done until then, its status is "interrupted",
// and the error is ctx's. A run that reaches its horizon is no error.
func Run(ctx context.Context, s *Scenario, o Options) (*Result, error) {
	return datacenter.Run(ctx, s, o)
}

// Why explains the training jobs of a scenario: the critical path of an iteration, and
// what 10 % more of each resource would gain. Errors are those of Run; if ctx ends first
// there is no explanation.
func Why(ctx context.Context, s *Scenario, o Options) (*result.Record, error) {
	return study.Why(ctx, s, o)
}

// Estimate sets the three first-order models of the data-centre standard beside what a
// run finds, and says where each is off, and by how much. Errors are those of Run.
func Estimate(ctx context.Context, s *Scenario, o Options) (*result.Record, error) {
	return study.Estimate(ctx, s, o)
}

// CompareFidelity runs a scenario as a fluid and packet by packet, whatever its fidelity
// is, and says how far the times of its workloads are apart. Errors are those of Run; if
// ctx ends first there is no comparison.
func CompareFidelity(ctx context.Context, s *Scenario, o Options) (*result.Record, error) {
	return study.CompareFidelity(ctx, s, o)
}

// Topology says what the topology of a scenario is made of, what it can carry, how long
// its ways are and what it costs. What is wrong with the scenario is returned as Faults.
func Topology(s *Scenario) (*result.Record, error) { return study.Topology(s) }

// PlotTopology draws the topology of a scenario into a file, whose name ends in .svg or
// .png: hosts at the bottom, and the tiers of switches above.
func PlotTopology(s *Scenario, file string) error { return study.PlotTopology(s, file) }

// Ground is the data centre of a scenario, built once, on which many trainings are tried
// for what they would take at the least; Rates are what it draws and costs.
type (
	Ground = bound.Ground
	Rates  = bound.Rates
)

// NewGround builds the data centre of a scenario, which has to be of hosts of one kind.
// What is wrong with it is returned as Faults.
func NewGround(s *Scenario) (*Ground, error) { return bound.NewGround(s) }

// Deployment is the first [[workload.serving]] of a scenario, built to ask what it takes
// at the least before it runs; a Floor is the answer.
type (
	Deployment = bound.Deployment
	Floor      = bound.Floor
)

// NewDeployment builds a scenario. What is wrong with it is returned as Faults, among it
// that the model does not fit. What is known of its steps may be given.
func NewDeployment(s *Scenario, known *StepCache) (*Deployment, error) {
	return bound.NewDeployment(s, known)
}

// CollectiveTest is what nccl-tests are asked for: one operation over some ranks of a
// cluster at several sizes.
type CollectiveTest = nccltests.Test

// LoadCollectiveTest reads a scenario with a test in place of its workload. Without a
// path the cluster is Hosts of Host.
func LoadCollectiveTest(path string, t *CollectiveTest, overrides ...string) (*Scenario, error) {
	return nccltests.Load(path, t, overrides...)
}

// ParseTestSize reads a size as nccl-tests take it: bytes, or K, M, G and T of 1024.
func ParseTestSize(text string) (int64, error) { return nccltests.ParseSize(text) }

// TestSizes are the sizes from begin to end, in bytes, each factor times the one before
// or, if the factor is 0, step bytes more.
func TestSizes(begin, end, factor, step int64) ([]int64, error) {
	return nccltests.Sizes(begin, end, factor, step)
}

// AlertRules are the alerts of a scenario, for a Prometheus that has what the run wrote.
func AlertRules(s *Scenario) []openmetrics.Rule { return alert.Rules(s) }
