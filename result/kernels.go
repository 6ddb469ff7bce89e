package result

// What the kernels of a training job compute and move.
var (
	KernelName   = Metric{Name: "operator", Definition: "operator of the model; the optimizer's step and adding up gradients of micro-batches left out"}
	KernelPass   = Metric{Name: "pass", Definition: "forward, or backward with what is computed again for it"}
	KernelClass  = Metric{Name: "class", Definition: "what kind of work it is, as in compute_by_class_s"}
	KernelRuns   = Metric{Name: "runs", Definition: "how often an accelerator runs it in an iteration, in the mean of the pipeline's stages"}
	KernelFLOPs  = Metric{Name: "flops", Unit: "FLOP", Definition: "arithmetic of all its runs: two for each multiply-add; on the vector units two for each instruction, which could be one"}
	KernelBytes  = Metric{Name: "bytes", Unit: "bytes", Definition: "what all its runs read from and write to the accelerator's memory"}
	KernelTime   = Metric{Name: "time_s", Unit: "s", Definition: "time of all its runs, with nothing beside them"}
	KernelPeak   = Metric{Name: "peak_tflops", Unit: "TFLOP/s", Definition: "data sheet's rate of the units that it runs on, in its precision"}
	KernelMemory = Metric{Name: "memory_Bps", Unit: "B/s", Definition: "data sheet's rate of the accelerator's memory"}
)
