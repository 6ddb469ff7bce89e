package workload

// CheckpointBytes is what a job has to keep of its state to go on from it: the
// parameters that are trained, as the passes compute with them, and what the optimizer
// holds. Gradients are not kept. With Adam in 16 bits that is 14 bytes a parameter,
// which meets the sizes that MLPerf Storage v2.0 prints within 3 % where their units are
// read as powers of two.
func (t Training) CheckpointBytes() int64 {
	t = t.WithDefaults()
	return t.Trained() * (ElementBytes(t.Precision) + t.Model.Optimizer().StateBytes(t.Precision))
}
