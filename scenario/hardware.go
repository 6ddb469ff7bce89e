package scenario

import "github.com/railyard/railyard/units"

// Catalogue is the named entries: hosts, accelerators and models. A scenario
// has some of its own; the embedded catalogue is read by the same code.
type Catalogue struct {
	Hosts        map[string]*Host        `key:"hosts" doc:"kinds of host"`
	Accelerators map[string]*Accelerator `key:"accelerators" doc:"kinds of accelerator"`
	Models       map[string]*Model       `key:"models" doc:"neural networks"`
}

// Host is one [hosts.NAME]. What it leaves out comes from its base, or from
// the reference host of its accelerator, scaled to its accelerators.
type Host struct {
	Header
	Base         Key[string] `key:"base" doc:"host that this one builds on"`
	Accelerator  Key[string] `key:"accelerator" doc:"accelerator of the catalogue, or an [accelerators.NAME] of this file"`
	Accelerators Key[int64]  `key:"accelerators" min:"0" max:"1024" doc:"number of accelerators; 0 for a host that only stores or serves others, which needs nics and nic_bandwidth and no more"`

	ScaleUp           Key[string]         `key:"scale_up" enum:"switch mesh ring pcie torus" doc:"network between the accelerators of the host; a torus is the nearest to a cube that they fill"`
	ScaleUpBandwidth  Key[units.Rate]     `key:"scale_up_bandwidth" positive:"true" doc:"rate of an accelerator's port into it, per direction"`
	ScaleUpEfficiency Key[float64]        `key:"scale_up_efficiency" positive:"true" default:"0.8" min:"0" max:"1" doc:"share of that rate left for payload"`
	ScaleUpLatency    Key[units.Duration] `key:"scale_up_latency" default:"\"0.1us\"" most:"1m" doc:"one message through it"`
	ScaleUpDimensions Key[int64]          `key:"scale_up_dimensions" min:"2" max:"3" default:"3" doc:"dimensions of a torus, which share the rate of a port"`

	NICs          Key[int64]      `key:"nics" min:"1" max:"1024" doc:"number of NICs"`
	NICBandwidth  Key[units.Rate] `key:"nic_bandwidth" positive:"true" doc:"rate of a NIC, per direction"`
	NICEfficiency Key[float64]    `key:"nic_efficiency" positive:"true" default:"0.92" min:"0" max:"1" doc:"share of that rate left for payload"`
	PCIeBandwidth Key[units.Rate] `key:"pcie_bandwidth" positive:"true" doc:"rate between an accelerator and its NIC, per direction; the NIC's where left out or lower"`

	LinkLatency        Key[units.Duration] `key:"link_latency" default:"\"0.32us\"" most:"1m" doc:"one cable of a fabric of these hosts"`
	SwitchLatency      Key[units.Duration] `key:"switch_latency" default:"\"0.13us\"" most:"1m" doc:"one switch of a fabric of these hosts"`
	CollectiveOverhead Key[units.Duration] `key:"collective_overhead" default:"\"4.9us\"" most:"1m" doc:"software time before the first byte of a collective, by the protocol of the lowest latency"`
	StepOverhead       Key[units.Duration] `key:"step_overhead" default:"\"0.74us\"" most:"1m" doc:"software time of each step of a collective inside a host, by the same"`
	NetworkOverhead    Key[units.Duration] `key:"network_overhead" default:"\"7.4us\"" most:"1m" doc:"software time of each step between hosts, by the same"`
	SimpleOverhead     Key[units.Duration] `key:"simple_overhead" default:"\"6.5us\"" most:"1m" doc:"software time that the protocol of the highest rate adds to the start"`
	RampOverhead       Key[units.Duration] `key:"ramp_overhead" default:"\"49us\"" most:"1m" doc:"the most that a large collective loses until its pipelines are full"`
	NetworkRamp        Key[units.Duration] `key:"network_ramp_overhead" default:"\"200us\"" most:"1m" doc:"what it loses beside that between hosts"`
	CopyBandwidth      Key[units.Rate]     `key:"copy_bandwidth" doc:"rate at which a rank copies its own part of an all-gather, a reduce-scatter or an all-to-all; in no time where left out"`
	NVLSEfficiency     Key[float64]        `key:"nvls_efficiency" positive:"true" min:"0" max:"1" doc:"share of scale_up_bandwidth that sums in the scale-up switch reach; it has none where left out"`
	NVLSOverhead       Key[units.Duration] `key:"nvls_overhead" default:"\"56us\"" most:"1m" doc:"software time before the first byte of a collective that is summed in switches"`

	LaunchTime Key[units.Duration] `key:"launch_time" default:"\"13.5us\"" most:"1m" doc:"what a core takes to launch a kernel of a training from PyTorch, from Transformer Engine 2.7 times that, while the accelerator works; with 0s it is always far enough ahead"`

	CPUs    Key[int64]       `key:"cpus" min:"1" max:"65536" doc:"number of CPU cores"`
	Memory  Key[units.Bytes] `key:"memory" doc:"memory of the CPUs"`
	Storage Key[units.Bytes] `key:"storage" doc:"local storage"`
	Power   Key[units.Power] `key:"power" doc:"most that the whole host draws, accelerators included"`
	Price   Key[units.Money] `key:"price" doc:"purchase price, accelerators included"`
	Source  Key[string]      `key:"source" doc:"where the figures come from"`
}

// Accelerator is one [accelerators.NAME].
type Accelerator struct {
	Header
	Base Key[string] `key:"base" doc:"accelerator that this one builds on"`

	PeakFP32 Key[units.Compute] `key:"peak_fp32" doc:"dense matrix rate in fp32"`
	PeakTF32 Key[units.Compute] `key:"peak_tf32" doc:"dense matrix rate in tf32"`
	PeakFP16 Key[units.Compute] `key:"peak_fp16" doc:"dense matrix rate in fp16"`
	PeakBF16 Key[units.Compute] `key:"peak_bf16" doc:"dense matrix rate in bf16"`
	PeakFP8  Key[units.Compute] `key:"peak_fp8" doc:"dense matrix rate in fp8"`
	PeakFP4  Key[units.Compute] `key:"peak_fp4" doc:"dense matrix rate in fp4"`
	PeakINT8 Key[units.Compute] `key:"peak_int8" doc:"dense matrix rate in int8"`
	Vector   Key[units.Compute] `key:"vector" doc:"fp32 rate outside the matrix units; peak_fp32 where left out"`

	Memory          Key[units.Bytes] `key:"memory" positive:"true" doc:"capacity of its memory"`
	MemoryBandwidth Key[units.Rate]  `key:"memory_bandwidth" positive:"true" doc:"data-sheet rate of its memory"`
	Multiprocessors Key[int64]       `key:"multiprocessors" min:"1" max:"100000" doc:"number of SMs, CUs or cores"`

	MatrixEfficiency      Key[float64]        `key:"matrix_efficiency" positive:"true" default:"0.75" min:"0" max:"1" doc:"share of the peak that large matrix products hold"`
	FP8Efficiency         Key[float64]        `key:"fp8_efficiency" positive:"true" min:"0" max:"1" doc:"the same in fp8; matrix_efficiency where left out"`
	FP8TrainingEfficiency Key[float64]        `key:"fp8_training_efficiency" positive:"true" min:"0" max:"1" doc:"the same in fp8 of the libraries of trainings; fp8_efficiency where left out"`
	FP4Efficiency         Key[float64]        `key:"fp4_efficiency" positive:"true" min:"0" max:"1" doc:"the same in fp4; matrix_efficiency where left out"`
	FlashEfficiency       Key[float64]        `key:"flash_efficiency" positive:"true" default:"0.5" min:"0" max:"1" doc:"share of the peak that fused attention reaches over long sequences"`
	Flash2Efficiency      Key[float64]        `key:"flash_2_efficiency" positive:"true" min:"0" max:"1" doc:"the same of FlashAttention-2; flash_efficiency where left out"`
	MemoryEfficiency      Key[float64]        `key:"memory_efficiency" positive:"true" default:"0.8" min:"0" max:"1" doc:"share of the memory's rate that kernels reach which read and write"`
	ReadEfficiency        Key[float64]        `key:"read_efficiency" positive:"true" min:"0" max:"1" doc:"share of it that products and fused attention reach, which mostly read; memory_efficiency where left out"`
	CacheEfficiency       Key[float64]        `key:"cache_efficiency" positive:"true" min:"0" max:"1" doc:"the same of fused attention where it differs from products, as it reads keys and values in longer runs; read_efficiency where left out"`
	LaunchOverhead        Key[units.Duration] `key:"launch_overhead" default:"\"4us\"" most:"1m" doc:"what one kernel costs beside its work"`
	CombineOverhead       Key[units.Duration] `key:"combine_overhead" most:"1m" doc:"what it costs to put the parts of attention together, where few heads meet many keys and these are split over multiprocessors; 0s where left out: since Hopper the kernel that does so is launched beside the one before it"`

	Power          Key[units.Power]     `key:"power" doc:"thermal design power"`
	Price          Key[units.Money]     `key:"price" doc:"purchase price"`
	Rental         Key[units.MoneyRate] `key:"rental" positive:"true" doc:"rent with its host, network, energy and cooling, for railyard plan --rent"`
	ReferenceHosts Key[[]string]        `key:"reference_hosts" doc:"hosts that a [hosts.NAME] with this accelerator is scaled from, in ascending size"`
	Source         Key[string]          `key:"source" doc:"where the figures come from"`
}

// Model is one [models.NAME].
type Model struct {
	Header
	Base   Key[string] `key:"base" doc:"model that this one builds on"`
	Family Key[string] `key:"family" default:"\"transformer\"" enum:"transformer bert convnet dlrm speech unet3d rnnt" doc:"transformer: a decoder; bert: an encoder; convnet: a residual network; dlrm: a recommender; speech: an encoder of sound and a decoder of text; unet3d: a U-Net over volumes; rnnt: a recurrent transducer of speech, which is served and not trained"`

	Layers          Key[int64]  `key:"layers" min:"1" max:"100000" doc:"number of layers; of a convnet 50, 101 or 152"`
	Hidden          Key[int64]  `key:"hidden" min:"1" max:"10000000" doc:"width of the residual stream"`
	Heads           Key[int64]  `key:"heads" min:"1" max:"1000000" doc:"number of query heads"`
	HeadDim         Key[int64]  `key:"head_dim" min:"1" max:"1000000" doc:"width of a head; hidden / heads where left out"`
	KVHeads         Key[int64]  `key:"kv_heads" min:"1" max:"1000000" doc:"number of key and value heads; heads where left out"`
	FFN             Key[int64]  `key:"ffn" min:"1" max:"100000000" doc:"inner width of the feed-forward part; 4 hidden where left out"`
	Vocab           Key[int64]  `key:"vocab" min:"1" max:"100000000" doc:"tokens of the vocabulary, padded as trained"`
	Sequence        Key[int64]  `key:"sequence" min:"1" max:"100000000" doc:"longest sequence, and the one that training takes unless it states another"`
	Activation      Key[string] `key:"activation" default:"\"gelu\"" enum:"gelu swiglu" doc:"activation of the feed-forward part"`
	TiedEmbeddings  Key[bool]   `key:"tied_embeddings" default:"false" doc:"the output projection is the transposed embedding table"`
	Experts         Key[int64]  `key:"experts" min:"1" max:"1000000" doc:"routed experts of a layer"`
	ExpertsPerToken Key[int64]  `key:"experts_per_token" min:"1" max:"1000000" doc:"experts that each token visits"`
	SharedExperts   Key[int64]  `key:"shared_experts" min:"0" max:"1000000" doc:"experts that every token visits"`
	ExpertFFN       Key[int64]  `key:"expert_ffn" min:"1" max:"100000000" doc:"inner width of one expert; ffn where left out"`

	ExpertGroups   Key[int64]   `key:"expert_groups" min:"1" max:"1000000" doc:"runs of as many routed experts each; 1 where left out"`
	GroupsPerToken Key[int64]   `key:"groups_per_token" min:"1" max:"1000000" doc:"groups that the experts of a token are in, which limits the hosts that it is sent to; all where left out"`
	DenseLayers    Key[int64]   `key:"dense_layers" min:"0" max:"100000" doc:"layers, from the first on, that have a feed-forward part of width ffn in place of experts"`
	CapacityFactor Key[float64] `key:"capacity_factor" min:"1" max:"1000" doc:"rows that an expert computes for each row that it gets; 1 where left out"`

	KVRank    Key[int64] `key:"kv_rank" min:"1" max:"1000000" doc:"width of the latent vector of keys and values: multi-head latent attention, head_dim being what is not rotated of a head"`
	QueryRank Key[int64] `key:"query_rank" min:"1" max:"1000000" doc:"width of the latent vector of queries; none where left out"`
	RotaryDim Key[int64] `key:"rotary_dim" min:"0" max:"1000000" doc:"rotated part of a query or key of latent attention"`
	ValueDim  Key[int64] `key:"value_dim" min:"1" max:"1000000" doc:"width of a value of latent attention; head_dim where left out"`

	Batch Key[int64] `key:"global_batch" min:"1" max:"1000000000" doc:"sequences of an iteration when it was trained, where that was published; what railyard plan takes"`

	Source Key[string] `key:"source" doc:"where the figures come from"`

	Positions Key[string] `key:"positions" enum:"learned rotary alibi" doc:"how a decoder knows positions; where left out learned with gelu, rotary with swiglu"`
	Bias      Key[bool]   `key:"bias" doc:"products and norms of a decoder have biases; where left out true with gelu, false with swiglu"`

	Tables        Key[int64]   `key:"tables" min:"1" max:"10000" doc:"dlrm: embedding tables; as many as rows has entries where left out"`
	Rows          Key[[]int64] `key:"rows" min:"1" max:"10000000000" doc:"dlrm: rows of each table, or one entry for all"`
	Lookups       Key[[]int64] `key:"lookups" min:"1" max:"1000000" doc:"dlrm: rows that a sample reads of each table, or one entry for all; 1 where left out"`
	EmbeddingDim  Key[int64]   `key:"embedding_dim" min:"1" max:"16384" doc:"dlrm: values of a row"`
	DenseFeatures Key[int64]   `key:"dense_features" min:"1" max:"1000000" doc:"dlrm: numbers of a sample that the bottom MLP takes"`
	BottomMLP     Key[[]int64] `key:"bottom_mlp" min:"1" max:"1000000" doc:"dlrm: outputs of each layer of the bottom MLP; the last is embedding_dim"`
	TopMLP        Key[[]int64] `key:"top_mlp" min:"1" max:"1000000" doc:"dlrm: outputs of each layer of the top MLP; the last is 1"`
	CrossLayers   Key[int64]   `key:"cross_layers" min:"1" max:"1000" doc:"dlrm: layers of a cross network (DCN-V2); dot products where left out"`
	CrossRank     Key[int64]   `key:"cross_rank" min:"1" max:"1000000" doc:"dlrm: inner width of the cross network"`

	EncoderLayers Key[int64] `key:"encoder_layers" min:"1" max:"100000" doc:"speech, rnnt: layers of the encoder; layers where left out"`
	Mels          Key[int64] `key:"mels" min:"1" max:"100000" doc:"speech: bands of the spectrogram; rnnt: inputs of a frame"`
	Frames        Key[int64] `key:"frames" min:"1" max:"100000" doc:"speech: rows of the encoder, half the points of time of the spectrogram; 1500, 30 s, where left out"`

	StackAfter       Key[int64] `key:"stack_after" min:"1" max:"1000" doc:"rnnt: layers of the encoder before each two frames become one; none do where left out"`
	PredictionHidden Key[int64] `key:"prediction_hidden" min:"1" max:"100000" doc:"rnnt: width of the layers of its prediction network"`
	JointHidden      Key[int64] `key:"joint_hidden" min:"1" max:"100000" doc:"rnnt: inner width of its joint network"`

	Filters  Key[[]int64] `key:"filters" min:"1" max:"4096" doc:"unet3d: channels of each level"`
	Patch    Key[int64]   `key:"patch" min:"1" max:"512" doc:"unet3d: voxels of the input each way"`
	Channels Key[int64]   `key:"channels" min:"1" max:"4096" doc:"unet3d: channels of the input; 1 where left out"`
	Classes  Key[int64]   `key:"classes" min:"1" max:"4096" doc:"unet3d: classes of a voxel"`
}
