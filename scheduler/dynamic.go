package scheduler

// First is the sequence that is to be admitted next, nil if none waits. Who has clocks may
// let it wait for others to fill its batch.
func (b *Batcher) First() *Sequence {
	if b.Waiting() == 0 {
		return nil
	}
	return b.first()
}
