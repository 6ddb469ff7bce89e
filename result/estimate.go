package result

// What `railyard estimate` sets beside a run.
var (
	EstimateResources = Metric{Name: "resources", Definition: "first-order model of resources, as written and each term on its own", Formula: "(C_cpu + C_gpu + C_tpu) x N_worker + M_ram + S_disk"}
	Workers           = Metric{Name: "workers", Definition: "number of hosts"}
	EstimateCPUs      = Metric{Name: "cpus", Definition: "CPU cores of all hosts"}
	EstimateGPUs      = Metric{Name: "gpus", Definition: "accelerators of all hosts that are not TPUs"}
	EstimateTPUs      = Metric{Name: "tpus", Definition: "TPUs of all hosts"}
	EstimateRAM       = Metric{Name: "memory_bytes", Unit: "bytes", Definition: "memory of the CPUs of all hosts"}
	EstimateDisk      = Metric{Name: "storage_bytes", Unit: "bytes", Definition: "storage of all hosts"}
	ResourceSum       = Metric{Name: "as_written", Definition: "the sum as written, memory and storage in gigabytes: cores, accelerators and gigabytes are added as if they were one unit"}
	ResourceUnits     = Metric{Name: "gigabytes_ratio", Unit: "ratio", Definition: "part of that sum which is gigabytes"}
	AcceleratorMemory = Metric{Name: "accelerator_memory_bytes", Unit: "bytes", Definition: "memory of all accelerators, which the model leaves out"}
	MemoryNeeded      = Metric{Name: "accelerator_memory_needed_bytes", Unit: "bytes", Definition: "what the training jobs take of it, by simulation"}

	EstimateTransfer       = Metric{Name: "transfer", Definition: "first-order model of transfer, one record for each training job", Formula: "L_batch / B_net x N_worker"}
	BatchBytes             = Metric{Name: "batch_bytes", Unit: "bytes", Definition: "global batch where it is stored: 4 bytes a token; of images and volumes what MLPerf Storage has; 0 if not known"}
	WorkerRate             = Metric{Name: "worker_Bps", Unit: "B/s", Definition: "rate of all NICs of a host, of the first where hosts differ"}
	SimulatedCommunication = Metric{Name: "simulated_s", Unit: "s", Definition: "communication of an iteration, exposed or behind compute: gradients, parameters and activations, none of which the model knows"}
	ExposedPartOfIt        = Metric{Name: "simulated_exposed_s", Unit: "s", Definition: "exposed part of it, which is all that it costs"}
	ReadRate               = Metric{Name: "storage_read_Bps", Unit: "B/s", Definition: "rate at which storage must deliver samples", Formula: "batch_bytes / iteration_s"}
	CheckpointBytes        = Metric{Name: "checkpoint_bytes", Unit: "bytes", Definition: "size of a checkpoint: 14 bytes a parameter trained, weights in 16 bits and the state of Adam in 32"}
	WriteRate              = Metric{Name: "storage_write_Bps", Unit: "B/s", Definition: "rate at which storage must take a checkpoint every hour for 1 % of the time", Formula: "checkpoint_bytes / 36 s"}

	EstimateTraining  = Metric{Name: "training", Definition: "first-order model of the time to train, one record for each training job", Formula: "parameters / compute x batch x epochs"}
	ModelParameters   = Metric{Name: "parameters", Definition: "parameters of the model"}
	ComputePeak       = Metric{Name: "compute_tflops", Unit: "TFLOP/s", Definition: "dense peak of all accelerators of the job"}
	EstimateEpochs    = Metric{Name: "epochs", Definition: "passes over the dataset; 1 where the scenario counts otherwise"}
	EstimateTokens    = Metric{Name: "tokens", Definition: "tokens trained; of a model without sequences, samples"}
	AsWritten         = Metric{Name: "as_written_s", Unit: "s", Definition: "the model as written"}
	SixPerToken       = Metric{Name: "six_flops_s", Unit: "s", Definition: "the model with what it leaves out, 6 FLOPs for each parameter that a token visits", Formula: "6 x active parameters x tokens / compute"}
	SimulatedTraining = Metric{Name: "simulated_s", Unit: "s", Definition: "time to train, by simulation"}
	EstimateOff       = Metric{Name: "simulated_over_written", Definition: "how many times as long the simulation says"}
	SixOff            = Metric{Name: "simulated_over_six_flops", Definition: "the same of the model with 6 FLOPs"}
	EstimateFactors   = Metric{Name: "factors", Definition: "what the model leaves out; the product of all is simulated_over_written"}
	FactorTokens      = Metric{Name: "tokens", Definition: "tokens trained over batch x epochs: iterations of an epoch and tokens of a sample"}
	FactorSix         = Metric{Name: "flops", Definition: "FLOPs for each parameter and token, 2 forward and 4 backward"}
	FactorActive      = Metric{Name: "active", Definition: "part of the parameters that a token visits: less than 1 with experts"}
	FactorModel       = Metric{Name: "model", Definition: "FLOPs of the model over 6 for each parameter: attention adds, tables and adapters take away, weights that are used often multiply"}
	FactorPeak        = Metric{Name: "peak", Definition: "peak over what is reached, all that takes time included: the inverse of MFU over the whole run"}
)

var (
	resources = []Metric{Workers, EstimateCPUs, EstimateGPUs, EstimateTPUs, EstimateRAM, EstimateDisk, ResourceSum, ResourceUnits, AcceleratorMemory, MemoryNeeded}
	transfer  = []Metric{
		Name, BatchBytes, WorkerRate, Workers, AsWritten, SimulatedCommunication, ExposedPartOfIt, EstimateOff, ReadRate, CheckpointBytes, WriteRate,
	}
	timeToTrain = []Metric{
		Name, ModelParameters, ComputePeak, GlobalBatch, EstimateEpochs, EstimateTokens, AsWritten, SixPerToken, SimulatedTraining, EstimateOff, SixOff, EstimateFactors,
	}
	factors = []Metric{FactorTokens, FactorSix, FactorActive, FactorModel, FactorPeak}
)
