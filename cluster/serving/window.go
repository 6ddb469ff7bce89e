package serving

// holds says whether a batch that is not full waits for more requests, and has it decide
// when that is over: until the first of its queue has waited for Delay (Triton's
// max_queue_delay_microseconds; Crankshaw et al., Clipper, NSDI 2017, section 4.3.2).
func (f *Fleet) holds(n int) bool {
	l := &f.lanes[n]
	f.c.Engine.Disarm(l.window)
	s := l.First()
	if s == nil || l.Running() > 0 || l.Waiting() >= l.MaxBatch {
		return false
	}
	until := f.Outcomes[s.Request].Arrival.After(f.Delay)
	if until <= f.now {
		return false
	}
	f.c.Engine.Arm(l.window, until)
	return true
}
