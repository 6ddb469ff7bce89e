package result

// What training jobs have of their input.
var (
	TrainingInput  = Metric{Name: "input", Definition: "the samples of a job that reads them"}
	SampleBytes    = Metric{Name: "sample_bytes", Unit: "bytes", Definition: "bytes of a sample in storage"}
	InputReaders   = Metric{Name: "readers", Definition: "ranks that read samples, one of each replica"}
	InputRead      = Metric{Name: "read_bytes", Unit: "bytes", Definition: "bytes read from storage, of all readers"}
	InputHits      = Metric{Name: "hit_ratio", Unit: "ratio", Definition: "part of the samples found in the memory of their hosts", Formula: "1 - bytes read / bytes of all samples"}
	InputReading   = Metric{Name: "read_s", Unit: "s", Definition: "time to read the samples of an iteration on an idle network, none of them being in memory"}
	InputPreparing = Metric{Name: "prepare_s", Unit: "s", Definition: "time that the workers take to prepare the samples of an iteration", Formula: "samples of a reader x core time of each / cores"}
	InputCores     = Metric{Name: "core_s", Unit: "s", Definition: "core-seconds that all workers have computed"}
	InputWaited    = Metric{Name: "waited_s", Unit: "s", Definition: "time that the job has waited for samples, of all iterations; of the steady state's it is storage in breakdown_s"}
)
