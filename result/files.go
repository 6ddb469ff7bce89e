package result

// File declares a file that a command writes.
type File struct {
	Name string
	By   string // command that writes it
	When string // "" for always
	Row  string // what a row is, or a line; "" where the file has none
	Is   string // what it holds, where rows do not say it
}

// Files are all that commands write into a folder, or where an option says. The columns
// of a table are those of [Reference] at its name, in that order; of some a table has only
// what applies.
var Files = []File{
	{Name: "summary.json", By: "run", Is: "the figures of the run, as --json prints them"},
	{Name: "manifest.json", By: "run", Is: "where the results come from, and all that may differ between two runs of one scenario: the id of the run (UUIDv5 over the resolved scenario, the checksums of its inputs, the seed and the version), its name, status, version and seed, the scenario as resolved, inputs and outputs with bytes and SHA-256, warnings, and under host the machine, the command, the time and the memory that it took"},

	{Name: "links.csv", By: "run", When: "there is a network", Row: "a directed link"},
	{Name: "accelerators.csv", By: "run", When: "accelerators compute or communicate", Row: "an accelerator"},
	{Name: "collectives.csv", By: "run", When: "there are [[workload.collective]]", Row: "a size of a workload"},
	{Name: "flows.csv", By: "run", When: "there are [[workload.flows]]", Row: "a transfer"},
	{Name: "kernels.csv", By: "run", When: "there are [[workload.training]]", Row: "an operator of a training job in one pass, mean over the stages of its pipeline"},
	{Name: "contention.csv", By: "run", When: "any job lost time to another", Row: "what one job lost to another at one link"},
	{Name: "accelerator_series.csv", By: "run", When: "time passed", Row: "an interval of time, all accelerators together"},
	{Name: "link_series.csv", By: "run", When: "any link was used", Row: "a link in an interval of time; of many links those used most"},
	{Name: "power_series.csv", By: "run", When: "there is a [topology.power]", Row: "an interval of time"},

	{Name: "jobs.csv", By: "run", When: "there are [[workload.jobs]]", Row: "a job"},
	{Name: "stretches.csv", By: "run", When: "there are [[workload.jobs]]", Row: "a stretch of time in which a job ran"},
	{Name: "job_series.csv", By: "run", When: "there are [[workload.jobs]]", Row: "an interval of time"},
	{Name: "decisions.jsonl", By: "run", When: "scheduler.decisions is true", Row: "a decision of the queue; what is missing in a line does not apply"},
	{Name: "loads.csv", By: "run", When: "jobs are placed host by host", Row: "a time at which jobs came or went"},
	{Name: "outages.csv", By: "run", When: "accelerators of a queue may fail", Row: "what was out, and when"},

	{Name: "requests.csv", By: "run", When: "there are [[workload.serving]]", Row: "a request"},
	{Name: "serving_series.csv", By: "run", When: "there are [[workload.serving]]", Row: "an interval of time of a workload"},
	{Name: "scaling.csv", By: "run", When: "replicas scale by themselves", Row: "a decision on the number of replicas"},

	{Name: "replay.csv", By: "run", When: "there are [[workload.replay]]", Row: "a rank of a trace"},
	{Name: "storage.csv", By: "run", When: "there are [[workload.storage]]", Row: "an iteration of a workload"},
	{Name: "pipelines.csv", By: "run", When: "there are [[workload.pipeline]]", Row: "a stage of a workload"},
	{Name: "rollouts.csv", By: "run", When: "there are [[workload.rollout]]", Row: "a batch of hosts"},
	{Name: "backups.csv", By: "run", When: "there are [[workload.backup]]", Row: "a copy"},
	{Name: "resources.csv", By: "run", When: "there are workloads on hosts, or a pool", Row: "what a workload demands, gets and uses of a resource of a site"},
	{Name: "alerts.csv", By: "run", When: "there are rules of alerts", Row: "a time at which an alert fired"},
	{Name: "racks.csv", By: "run", When: "power is limited", Row: "a rack"},
	{Name: "wan.csv", By: "run", When: "there are several sites", Row: "a cable between sites, in one direction"},
	{Name: "failovers.csv", By: "run", When: "a site is lost", Row: "what came back from the loss of a site"},
	{Name: "faults.csv", By: "run", When: "there are [[topology.fault]] of links and switches", Row: "a fault"},
	{Name: "interruptions.csv", By: "run", When: "training jobs may be interrupted", Row: "an interruption"},
	{Name: "failure_runs.csv", By: "run", When: "a training job has failure_runs", Row: "a seed"},

	{Name: "points.csv", By: "sweep", Row: "a point of the sweep: its number, a column for each key that is varied, status, run, then every metric of summary.json by its path, and the reason why a point has none"},
	{Name: "distributions.csv", By: "sweep", Row: "a quantile of the completion times and waits of the jobs of a point"},
	{Name: "plan.csv", By: "plan", Row: "a point of the Pareto front"},
	{Name: "alternatives.csv", By: "plan", Row: "a neighbour of a point of the front, and why it lost"},
}

// Columns are the metrics of a file, in order.
func (f File) Columns() []Declared {
	var all []Declared
	for _, d := range Reference() {
		if d.Where == f.Name {
			all = append(all, d)
		}
	}
	return all
}
