// Package jobs reads traces of jobs: who asked for how many accelerators, when,
// and for how long.
//
// # Formats
//
// [Read] takes the formats that [Formats] lists: tables of ours, and the
// published traces of Philly (Jeon et al., ATC 2019), Helios (Hu et al., SC 2021),
// Acme (Hu et al., NSDI 2024), Alibaba's PAI (Weng et al., NSDI 2022) and openb
// (Weng et al., ATC 2023), what Slurm's sacct prints, and the Standard Workload
// Format of the Parallel Workloads Archive. Each file says in its first lines
// which it is ([Guess]).
//
// A row that cannot be understood is left out and counted ([Report]), and so is
// a job that never ran, of which no trace can say how long it would have.
//
// # Time
//
// Times are seconds; those without a zone are taken as UTC, so a trace in local
// time has an hour twice, or not at all, where clocks were changed. A trace's
// clock begins anywhere: [Rebase] puts the first submission at 0, since the
// simulator's clock reaches 2.9 years.
package jobs

// Job is one job of a trace. What a trace does not say is zero.
type Job struct {
	ID           string
	Submit       float64 // s
	Duration     float64 // s of service on the whole gang
	Estimate     float64 // s that its user asked for or expected; 0: none is known
	Accelerators int     // all of them at once, a gang
	Least, Most  int     // accelerators on which it can run, if it is elastic

	// Of each accelerator the job has Milli thousandths; 0 is all of it. Beside
	// them it has CPU thousandths of a core, and Memory in bytes, for all of it.
	Milli  int32
	CPU    int64
	Memory int64
	// Accelerator names the types that it may run on, separated by bars; any
	// where it is empty.
	Accelerator string
	// Speeds are how fast it runs on types of them, as ParseSpeeds reads them.
	Speeds string

	User, Group, Type, Model string

	// Site is the number of the data centre that it must be at and Dataset that of what it
	// reads, both from 1; 0 is any, and nothing.
	Site, Dataset int32

	Priority int64  // the higher goes first, where the policy looks at it
	Status   string // how it ended, in the words of the trace

	Line int // of the file, for what is found wrong later
}

// Rebase moves all submissions so that the first is at 0, and returns by how much.
func Rebase(all []Job) (shift float64) {
	if len(all) == 0 {
		return 0
	}
	shift = all[0].Submit
	for i := range all {
		shift = min(shift, all[i].Submit)
	}
	for i := range all {
		all[i].Submit -= shift
	}
	return shift
}
