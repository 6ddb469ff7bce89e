// Package scheduler decides: which job goes next, and on which accelerators.
// Its policies are pure functions of a state; they have no clock and change
// nothing.
//
// # Model
//
// A job is a gang: it runs on all of its accelerators at once, or waits. What
// is free and who waits, in the order of arrival, is all that a policy sees.
//
// Where a job goes is decided apart from its turn, by a [Placer]: host by host,
// with parts of accelerators, CPUs and memory.
package scheduler

// Job is a job that waits.
type Job struct {
	ID int
	// Count is how many accelerators it wants, any of them.
	Count int
	// List is the accelerators it must have; Count is then ignored.
	List []int32
	// Shared lets it use accelerators that other jobs use.
	Shared bool
}

// Start is a job that is to start, and where.
type Start struct {
	ID           int
	Accelerators []int32
}

// FIFO starts jobs strictly in the order of the queue: the first that does not
// fit blocks those behind it. Placement packs: the free accelerators with the
// lowest numbers. free says of each accelerator whether no job has it.
func FIFO(queue []Job, free []bool) []Start {
	taken := make([]bool, len(free))
	var starts []Start
	for _, j := range queue {
		accelerators := place(j, free, taken)
		if accelerators == nil {
			break
		}
		for _, a := range accelerators {
			taken[a] = !j.Shared || taken[a]
		}
		starts = append(starts, Start{j.ID, accelerators})
	}
	return starts
}

func place(j Job, free, taken []bool) []int32 {
	usable := func(a int32) bool { return j.Shared || free[a] && !taken[a] }
	if j.List != nil {
		for _, a := range j.List {
			if !usable(a) {
				return nil
			}
		}
		return j.List
	}
	accelerators := make([]int32, 0, j.Count)
	for a := int32(0); int(a) < len(free) && len(accelerators) < j.Count; a++ {
		if usable(a) {
			accelerators = append(accelerators, a)
		}
	}
	if len(accelerators) < j.Count {
		return nil
	}
	return accelerators
}
