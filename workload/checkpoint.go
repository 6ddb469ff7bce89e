package workload

// CheckpointBytes is what a job has to keep of its state to go on from it: the
// parameters that are trained, as the passes compute with them, and what the optimizer
// holds. With Adam in 16 bits that is 14 bytes a parameter, as in the checkpoints of
// MLPerf Storage v2.0 (5.29 TiB of Llama 3.1 405B). Gradients are not kept.
func (t Training) CheckpointBytes() int64 {
	t = t.WithDefaults()
	return t.Trained() * (ElementBytes(t.Precision) + t.Model.Optimizer().StateBytes(t.Precision))
}
