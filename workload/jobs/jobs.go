// Package jobs holds what a trace of jobs says: who asked for how many
// accelerators, when, and for how long. Times are seconds as the trace counts
// them; a trace whose clock does not begin near zero is rebased to its first
// submission ([Rebase]), since the simulator's clock reaches 2.9 years.
package jobs

// Job is one job of a trace. What a trace does not say is zero.
type Job struct {
	ID           string
	Submit       float64 // s
	Duration     float64 // s of service on the whole gang
	Estimate     float64 // s that its user asked for or expected; 0: none is known
	Accelerators int     // all of them at once, a gang
	Least, Most  int     // accelerators on which it can run, if it is elastic

	User, Group, Type, Model string

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
