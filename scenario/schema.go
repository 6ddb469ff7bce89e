package scenario

import "github.com/railyard/railyard/units"

// Bounds of what a scenario may ask for: far above the largest clusters built,
// far below what would exhaust memory before a message could be printed.
const (
	MaxAccelerators = 1 << 20
	MaxHosts        = 1 << 18
)

// Scenario is a whole scenario file.
type Scenario struct {
	File string // as it was named to Parse
	root *node  // the text with what the command line set

	Extensions Extensions // that it was loaded with

	Name      Key[string] `key:"name" doc:"name of the run in its results; the file's base name where left out"`
	Sim       Sim         `key:"sim" doc:"clock, randomness and fidelity"`
	Topology  *Topology   `key:"topology" doc:"what the data centre is made of"`
	Workload  Workload    `key:"workload" doc:"what runs on it"`
	Scheduler Scheduler   `key:"scheduler" doc:"who runs where and when"`
	Alert     []Alert     `key:"alert" doc:"what a monitoring would raise an alarm about, over the simulated time"`
	Expect    []Expect    `key:"expect" doc:"thresholds for the results; a run that misses one exits 5"`
	Catalogue
	Sweep Sweep `key:"sweep" doc:"what railyard sweep varies from run to run"`
}

// Sim is [sim].
type Sim struct {
	Header
	Seed     Key[int64]          `key:"seed" default:"1" doc:"every random stream derives from the seed and the name of its owner"`
	Horizon  Key[units.Duration] `key:"horizon" positive:"true" doc:"simulated time at which the run stops if work remains"`
	Fidelity Key[string]         `key:"fidelity" default:"\"fluid\"" enum:"fluid analytic packet" doc:"fluid: transfers share links max-min; analytic: closed forms without contention; packet: every packet"`
}

// Topology is [topology]: one network, or several sites.
type Topology struct {
	Network

	Site []Site `key:"site" doc:"data centres of their own, each with keys of [topology] and a name, in place of a kind; made of hosts"`
	WAN  []WAN  `key:"wan" doc:"cables between sites"`

	Dataset  []Dataset           `key:"dataset" doc:"what lies at sites, and is copied between them"`
	Takeover Key[units.Duration] `key:"takeover" default:"\"30s\"" doc:"from the loss of a site until others take its requests and data: what health checks every 10 s take that must fail three times, as those of Amazon Route 53 (recalled)"`

	Storage Storage `key:"storage" doc:"the file system that checkpoints are written to, and whatever else reads and writes"`

	Monitoring *Monitoring `key:"monitoring" doc:"what watching the hosts takes of their links and cores"`
	Encryption *Encryption `key:"encryption" doc:"what keeping data secret takes on the way and on drives"`

	Blocking        Key[bool]    `key:"blocking" default:"false" doc:"fluid: queues are first in, first out, and what waits for a busy link blocks what shares a link with it, as on single paths of RoCE; messages are then simulated one by one"`
	SprayEfficiency Key[float64] `key:"spray_efficiency" kinds:"links graph leaf-spine fat-tree rail dragonfly" default:"1.0" min:"0.1" max:"1" doc:"fluid, analytic: part of the payload rate of links between hosts that messages have whose packets are sprayed over equal paths, never quite evenly; 0.82 to 0.90 against NDP packet by packet"`
	Packet          Packet       `key:"packet" doc:"switches and hosts as fidelity = \"packet\" sees them"`

	Prices NetworkPrices   `key:"prices" doc:"what the parts of the fabric cost, for railyard topo"`
	Fault  []TopologyFault `key:"fault" doc:"what breaks, and when"`
	Spares Key[int64]      `key:"spares" default:"0" min:"0" max:"262144" doc:"hosts beside these that stand in for those in repair: for each training job, and for all jobs of a queue together; accelerators where there are no hosts"`

	Power   *Power   `key:"power" doc:"what the parts draw; the run's energy is then in its results"`
	Carbon  *Carbon  `key:"carbon" doc:"what the grid's power emits; needs no [topology.power], whose defaults then hold"`
	Battery *Battery `key:"battery" doc:"storage that charges while the grid's carbon intensity is low"`
	Cost    *Cost    `key:"cost" doc:"what it costs to own or to rent all this; the run's cost is then in its results"`
}

// Network is the keys of one network. Which it takes depends on its kind; see
// the tags. Parse fills in what depends on other keys: the Value of Hosts,
// HostsPerRack, LinkLatency and SwitchLatency holds whether or not they are
// Set.
type Network struct {
	Header
	Kind Key[string] `key:"kind" enum:"links ring switch full-mesh torus multi graph single-host leaf-spine fat-tree rail dragonfly pool" doc:"what is built"`

	File  Key[string] `key:"file" kinds:"links pool" required:"links" doc:"links: CSV of bare directed links: link,capacity_Bps,latency_s. pool: in place of accelerators, CSV of its hosts: node,accelerators, optional type, speed (a multiple of that for which durations are given), cpu_milli, memory_bytes, rack, rails, pod"`
	Nodes Key[string] `key:"nodes" kinds:"graph" required:"graph" doc:"CSV of nodes: node,kind, where kind is host, switch or accelerator; accelerators send and receive, and hosts that have none"`
	Links Key[string] `key:"links" kinds:"graph" required:"graph" doc:"CSV of cables: from,to,bandwidth_Bps,latency_s, each row both directions"`

	Accelerators Key[int64]          `key:"accelerators" kinds:"pool ring switch full-mesh" required:"ring switch full-mesh" min:"1" max:"1048576" doc:"number of bare accelerators"`
	Dims         Key[[]int64]        `key:"dims" kinds:"torus" required:"torus" min:"1" max:"1048576" doc:"accelerators along each dimension, those of the first following each other"`
	Wrap         Key[[]bool]         `key:"wrap" kinds:"torus" doc:"whether the ends of each dimension are joined, or of all; they are where left out"`
	Dimension    []Dimension         `key:"dimension" kinds:"multi" doc:"dimensions of a network, the innermost first; messages walk them in this order"`
	Bandwidth    Key[units.Rate]     `key:"bandwidth" kinds:"ring switch full-mesh torus" required:"ring switch full-mesh torus" positive:"true" doc:"rate of each link, per direction"`
	Latency      Key[units.Duration] `key:"latency" most:"1m" kinds:"ring switch full-mesh torus" required:"ring switch full-mesh torus" doc:"time from one accelerator to the next, beside the bytes"`

	Host             Key[string]         `key:"host" kinds:"single-host leaf-spine fat-tree rail dragonfly" doc:"host of the catalogue, or a [hosts.NAME] of this file"`
	Hosts            Key[int64]          `key:"hosts" kinds:"single-host leaf-spine fat-tree rail dragonfly" min:"1" max:"262144" doc:"number of hosts; a fat-tree or dragonfly holds as many as fit where left out"`
	Pool             []HostPool          `key:"pool" kinds:"leaf-spine fat-tree rail dragonfly" doc:"racks of different hosts, in place of host and hosts: those of one pool after those of another"`
	HostsPerRack     Key[int64]          `key:"hosts_per_rack" kinds:"single-host leaf-spine fat-tree rail dragonfly" min:"1" max:"262144" doc:"hosts that join one leaf (leaf-spine, default 4), one group of leaves (rail, default 32) or one router (dragonfly, default those with 8 NICs together)"`
	Oversubscription Key[float64]        `key:"oversubscription" kinds:"single-host leaf-spine fat-tree rail dragonfly" default:"1.0" min:"0.01" max:"1000" doc:"down-links of a leaf for each of its up-links"`
	LinkLatency      Key[units.Duration] `key:"link_latency" most:"1m" kinds:"single-host leaf-spine fat-tree rail dragonfly" doc:"time through one cable; the host's where left out"`
	SwitchLatency    Key[units.Duration] `key:"switch_latency" most:"1m" kinds:"single-host leaf-spine fat-tree rail dragonfly" doc:"time through one switch; the host's where left out"`
	Routing          Key[string]         `key:"routing" kinds:"graph single-host leaf-spine fat-tree rail dragonfly" default:"\"ecmp\"" enum:"ecmp adaptive spray static minimal valiant ugal" doc:"how messages choose among equal paths: ecmp, by a hash of the connection at every switch; adaptive, the least loaded when a message starts; spray, all at once; static, by destination (D-mod-k in a fat-tree). A dragonfly takes minimal (its ecmp), valiant and ugal too"`
	QueuePairs       Key[int64]          `key:"queue_pairs" kinds:"graph leaf-spine fat-tree rail dragonfly" default:"1" min:"1" max:"1024" doc:"connections that a message is spread over under ecmp, each hashed by itself"`
	Planes           Key[int64]          `key:"planes" kinds:"leaf-spine rail" default:"1" min:"1" max:"16" doc:"networks that do not meet; a NIC has a port in each, of an equal part of its rate"`
	ToRs             Key[int64]          `key:"tors" kinds:"leaf-spine rail" default:"1" min:"1" max:"16" doc:"leaves that a NIC joins where it else joins one, with a port at each of an equal part of its rate; they share the spines"`
	K                Key[int64]          `key:"k" kinds:"fat-tree" required:"fat-tree" min:"2" max:"256" doc:"ports of each switch of a fat-tree; an even number"`
	Groups           Key[int64]          `key:"groups" kinds:"dragonfly" min:"1" max:"262144" doc:"groups of a dragonfly; as many as the hosts need where left out"`
	Routers          Key[int64]          `key:"routers" kinds:"dragonfly" min:"1" max:"4096" doc:"routers of a group, joined each to each; twice the NICs of one where left out"`
	GlobalLinks      Key[int64]          `key:"global_links" kinds:"dragonfly" min:"1" max:"4096" doc:"cables of a router to other groups; as many as its NICs where left out"`

	accelerators int64 // of its hosts, once checked
}

// Site is one [[topology.site]].
type Site struct {
	Name Key[string] `key:"name" required:"true" doc:"name of the site, which those of its hosts begin with"`
	SiteConditions
	Network
}

// WAN is one [[topology.wan]].
type WAN struct {
	Header
	From      Key[string]         `key:"from" required:"true" doc:"name of a site"`
	To        Key[string]         `key:"to" required:"true" doc:"name of another"`
	Bandwidth Key[units.Rate]     `key:"bandwidth" required:"true" positive:"true" doc:"rate of the cable, per direction"`
	Latency   Key[units.Duration] `key:"latency" most:"1m" required:"true" doc:"time from gateway to gateway, beside the bytes"`
	Price     Key[units.Money]    `key:"price" doc:"price of a GB (10^9 bytes) that crosses it, in either direction; none where left out"`
}

// Dimension is one [[topology.dimension]].
type Dimension struct {
	Header
	Kind      Key[string]         `key:"kind" required:"true" enum:"ring switch full-mesh" doc:"how the accelerators along the dimension are joined"`
	Size      Key[int64]          `key:"size" required:"true" min:"1" max:"1048576" doc:"accelerators along the dimension"`
	Bandwidth Key[units.Rate]     `key:"bandwidth" required:"true" positive:"true" doc:"rate of each link, per direction"`
	Latency   Key[units.Duration] `key:"latency" most:"1m" required:"true" doc:"time from one accelerator to the next, beside the bytes"`
}

// HostPool is one [[topology.pool]].
type HostPool struct {
	Header
	Name  Key[string] `key:"name" doc:"what faults call the pool"`
	Host  Key[string] `key:"host" required:"true" doc:"host of the catalogue, or a [hosts.NAME] of this file"`
	Hosts Key[int64]  `key:"hosts" required:"true" min:"1" max:"262144" doc:"number of hosts; they begin a rack of their own"`
}

// Workload is all that runs: the tables [[workload.training]] and so on.
type Workload struct {
	Header
	Training   []Training   `key:"training" doc:"training of a model"`
	Collective []Collective `key:"collective" doc:"collective operations one after another"`
	Flows      []Flows      `key:"flows" doc:"transfers from a file"`
	Jobs       []Jobs       `key:"jobs" doc:"jobs that are durations, from a file"`
	Serving    []Serving    `key:"serving" doc:"inference of a model"`
	Replay     []Replay     `key:"replay" doc:"execution traces"`

	Storage  []StorageLoad `key:"storage" doc:"files read and written on the hosts of [topology.storage]"`
	Pipeline []Pipeline    `key:"pipeline" doc:"data sets made in stages on the cores of hosts"`
	Rollout  []Rollout     `key:"rollout" doc:"software that is brought to hosts, batch after batch"`
	Backup   []Backup      `key:"backup" doc:"copies of what is on the hosts of [topology.storage] to others, in a window"`
}

// Several says whether there are several workloads that compete for accelerators.
func (w *Workload) Several() bool {
	return len(w.Training)+len(w.Collective)+len(w.Replay)+len(w.Serving)+len(w.Jobs) > 1
}

// Training is one [[workload.training]].
type Training struct {
	Header
	Name Key[string] `key:"name" doc:"name in results; the model's where left out"`
	Placing

	Model Key[string] `key:"model" required:"true" doc:"model of the catalogue, or a [models.NAME] of this file"`

	Tensor           Key[int64] `key:"tensor" default:"1" min:"1" max:"1048576" doc:"tensor-parallel degree"`
	Pipeline         Key[int64] `key:"pipeline" default:"1" min:"1" max:"1048576" doc:"pipeline stages"`
	Data             Key[int64] `key:"data" min:"1" max:"1048576" doc:"data-parallel replicas; what fills the accelerators where left out"`
	Context          Key[int64] `key:"context" default:"1" min:"1" max:"1048576" doc:"context-parallel degree: parts of each sequence"`
	Islands          Key[int64] `key:"islands" min:"1" max:"1048576" doc:"with local_steps, groups of replicas that train by themselves; the sites of the topology where left out. The data dimension is then the outermost, unless order says otherwise"`
	LocalSteps       Key[int64] `key:"local_steps" min:"1" max:"1000000000" doc:"iterations after each of which the islands average what they have learnt, in FP32, with gradients summed within an island only (DiLoCo: Douillard et al. 2023); every iteration sums over all replicas where left out"`
	Expert           Key[int64] `key:"expert" default:"1" min:"1" max:"1048576" doc:"expert-parallel degree"`
	SequenceParallel Key[bool]  `key:"sequence_parallel" default:"false" doc:"norms and dropouts split along the sequence within a tensor-parallel group"`
	Zero             Key[int64] `key:"zero" default:"0" min:"0" max:"3" doc:"ZeRO stage: 1 shards optimizer state, 2 gradients too, 3 parameters too (FSDP)"`

	VirtualStages Key[int64]  `key:"virtual_stages" default:"1" min:"1" max:"1024" doc:"model chunks on each stage of an interleaved pipeline"`
	Schedule      Key[string] `key:"schedule" enum:"gpipe 1f1b interleaved zero-bubble" doc:"pipeline schedule; 1f1b where left out, interleaved with virtual_stages > 1"`

	MicroBatch  Key[CountOrAuto] `key:"micro_batch" default:"1" min:"1" max:"1048576" doc:"samples of one forward pass of a replica; auto takes the fastest that fits"`
	GlobalBatch Key[int64]       `key:"global_batch" required:"true" min:"1" max:"1000000000" doc:"samples of one iteration over all replicas"`
	Sequence    Key[int64]       `key:"sequence" min:"1" max:"100000000" doc:"tokens of a sample; the model's where left out"`
	Precision   Key[string]      `key:"precision" default:"\"bf16\"" enum:"fp32 tf32 fp16 bf16 fp8" doc:"number format of matrix products"`
	Recompute   Key[string]      `key:"recompute" default:"\"none\"" enum:"none selective full auto" doc:"activations computed again in the backward pass; auto is the least that fits in memory"`
	Attention   Key[string]      `key:"attention" default:"\"flash\"" enum:"flash flash-2 unfused" doc:"kernel of the attention: flash is the accelerator's best fused one, but FlashAttention-2 under pytorch; unfused sends scores through memory"`
	Framework   Key[string]      `key:"framework" enum:"megatron pytorch deepspeed" doc:"whose kernels and habits: megatron fuses elementwise passes; pytorch, the default with zero = 3, runs them one by one and stops a checkpoint early; deepspeed, the default with zero = 1 or 2 without sequence_parallel, sends whole activations between stages"`

	Tuning   Key[string] `key:"tuning" default:"\"full\"" enum:"full lora" doc:"what is trained: full, all weights; lora, low-rank adapters on all matrices of the transformer blocks, all else being frozen (Hu et al. 2021)"`
	LoRARank Key[int64]  `key:"lora_rank" min:"1" max:"65536" doc:"rank of the adapters with tuning = \"lora\"; 16 where left out"`

	Iterations          Key[int64]   `key:"iterations" default:"3" min:"1" max:"1000000000" doc:"iterations to simulate"`
	Epochs              Key[float64] `key:"epochs" positive:"true" min:"0" max:"1e9" doc:"how much to train: passes over the dataset"`
	Dataset             Key[int64]   `key:"dataset" min:"1" doc:"samples of the data set that epochs counts passes over"`
	Samples             Key[int64]   `key:"samples" min:"1" doc:"how much to train: samples"`
	Tokens              Key[int64]   `key:"tokens" min:"1" doc:"how much to train: tokens"`
	EvaluateEvery       Key[int64]   `key:"evaluate_every" min:"1" max:"1000000000" doc:"iterations after each of which the model is evaluated: all replicas run forward passes; never where left out"`
	EvaluationSamples   Key[int64]   `key:"evaluation_samples" min:"1" max:"1000000000" doc:"samples of an evaluation over all replicas; needed with evaluate_every"`
	AllowOversubscribed Key[bool]    `key:"allow_oversubscribed" default:"false" doc:"run even if the model does not fit in memory"`

	BucketSize Key[units.Bytes] `key:"bucket_size" positive:"true" doc:"gradients are reduced in buckets of at least this size while the backward pass runs; where left out 25 MiB, the default of PyTorch, but one bucket for all in the bert family, as its published recipe has it, and without overlap, as Megatron-LM does"`
	Overlap    Key[bool]        `key:"overlap" doc:"reduce gradients while the backward pass runs, not after it; where left out true, but false with pipeline stages, as Megatron-LM does"`

	GradientCompression Key[string]  `key:"gradient_compression" default:"\"none\"" enum:"none top-k 8-bit" doc:"how gradients travel between replicas: top-k, the greatest with their indices, gathered from all (Lin et al. 2018); 8-bit, a byte each and a scale a block (Dettmers 2016); with zero = 0 or 1"`
	GradientDensity     Key[float64] `key:"gradient_density" positive:"true" min:"0" max:"1" doc:"part of the gradients that top-k sends; 0.01 where left out"`

	TensorOverlap    Key[bool]     `key:"tensor_overlap" doc:"run the tensor-parallel exchanges of the backward pass beside products that do not need them; where left out as sequence_parallel, as in Megatron-LM"`
	TensorPipelining Key[bool]     `key:"tensor_pipelining" default:"false" doc:"with sequence_parallel, exchange the activations of tensor-parallel ranks piece by piece beside the products that need or make them, as Transformer Engine's tp_comm_overlap"`
	ExpertDispatch   Key[string]   `key:"expert_dispatch" default:"\"per-expert\"" enum:"per-expert per-host" doc:"how often a token is sent: to each of its experts, as a plain all-to-all does, or once to each host that has any, in 8 bits with precision fp8, as DeepSeek's DeepEP does"`
	ExpertOverlap    Key[bool]     `key:"expert_overlap" doc:"weave the forward pass of one micro-batch and the backward pass of another, so that tokens of the one travel between experts while the other computes; one micro-batch more is then under way, with 1f1b twice as many"`
	CUDAGraphs       Key[string]   `key:"cuda_graphs" default:"\"none\"" enum:"none partial full" doc:"what is captured once and then launched as a whole: partial, all but what is done to tokens once they are routed (Megatron-Core's scopes attn, mlp, moe_router and moe_preprocess); full, the whole iteration"`
	PipelineOverlap  Key[bool]     `key:"pipeline_overlap" doc:"a stage goes on while what it sends to another is on its way; where left out true with the interleaved schedule, else false, as in Megatron-LM"`
	Prefetch         Key[bool]     `key:"prefetch" default:"true" doc:"with zero = 3, gather the parameters of a layer while the one before computes"`
	Order            Key[[]string] `key:"order" doc:"dimensions of parallelism from the innermost, whose ranks are next to each other, to the outermost; tensor, context, data, pipeline where left out"`
	Expand           Key[bool]     `key:"expand" doc:"simulate every rank on its own rather than use their symmetry; where left out where ranks differ: in jobs with stragglers, and in small ones whose groups meet each other unequally on links"`

	Checkpointing
	TrainingCopies
	Input *Input `key:"input" doc:"its samples are read and prepared while it runs; else they are there"`

	Jitter    Key[float64] `key:"jitter" default:"0" min:"0" max:"10" doc:"coefficient of variation of a rank's computation: each draws a factor an iteration, log-normal with mean 1, from a random stream of its own; every rank is then simulated on its own"`
	SlowHosts Key[[]int64] `key:"slow_hosts" min:"0" max:"262143" doc:"hosts, counted from 0, whose accelerators compute slower by slowdown; every rank is then simulated on its own"`
	Slowdown  Key[float64] `key:"slowdown" min:"1" max:"1000" doc:"factor by which computation takes longer on slow_hosts"`
}

// Placing is what every workload says about when and where it runs.
type Placing struct {
	Start        Key[units.Duration] `key:"start" default:"\"0s\"" doc:"when it begins"`
	Accelerators Key[Selection]      `key:"accelerators" min:"1" max:"1048576" doc:"how many accelerators, or a list of them; all for the only workload"`
	Shared       Key[bool]           `key:"shared" default:"false" doc:"may share its accelerators with other workloads"`
	Estimate     Key[units.Duration] `key:"estimate" positive:"true" doc:"time that it is expected to run, for policies that go by it; where left out that of a training job, under a policy that stops jobs, is what its iterations compute; of all others nothing is known, and they come after those of which something is"`
	Priority     Key[int64]          `key:"priority" default:"0" doc:"the higher goes first, with policy = \"priority\""`
	Group        Key[string]         `key:"group" doc:"group whose share it counts towards"`
}

// Collective is one [[workload.collective]].
type Collective struct {
	Header
	Name Key[string] `key:"name" doc:"name in results; the operation's where left out"`
	Placing

	Op         Key[string]         `key:"op" required:"true" enum:"all_reduce all_gather reduce_scatter all_to_all broadcast reduce send_recv" doc:"operation"`
	Algorithm  Key[string]         `key:"algorithm" default:"\"auto\"" enum:"auto ring tree halving-doubling direct hierarchical nvls sharp pat" extend:"collectives" doc:"how it is carried out; hierarchical goes along one dimension of a torus or multi-dimensional network after the other, or inside hosts and along rails; auto takes what NCCL has for it and predicts to be the fastest on an idle network"`
	Sizes      Key[[]units.Bytes]  `key:"sizes" required:"true" doc:"buffers of one rank, as nccl-tests counts them; one after another, a row each"`
	Ranks      Key[Selection]      `key:"ranks" min:"1" max:"1048576" doc:"how many ranks in topology order, or a list of them; all where left out"`
	Iterations Key[int64]          `key:"iterations" default:"1" min:"1" max:"1000000000" doc:"repetitions of each size, averaged"`
	Overhead   Key[units.Duration] `key:"overhead" most:"1m" doc:"software time before the first byte of each operation; the host's where left out, none between bare accelerators"`
	Expand     Key[bool]           `key:"expand" default:"false" doc:"simulate every transfer of every step rather than use the operation's symmetry"`
}

// Flows is one [[workload.flows]].
type Flows struct {
	Header
	Name  Key[string]         `key:"name" doc:"name in results; the file's base name where left out"`
	File  Key[string]         `key:"file" required:"true" doc:"CSV of transfers: flow,start_s,bytes,route or flow,start_s,bytes,src,dst, optional weight and after"`
	Start Key[units.Duration] `key:"start" default:"\"0s\"" doc:"added to every start_s"`
}

// Replay is one [[workload.replay]].
type Replay struct {
	Header
	Name Key[string] `key:"name" doc:"name in results; the base name of the file or prefix where left out"`
	Placing

	Format    Key[string] `key:"format" required:"true" enum:"chakra aicb" doc:"chakra: MLCommons Chakra, as .et or JSON, plain or gzip; aicb: workload text of AICB and SimAI"`
	File      Key[string] `key:"file" doc:"one trace for all ranks"`
	Prefix    Key[string] `key:"prefix" doc:"a trace for each rank: PREFIX.0.et, PREFIX.1.et, ..., or .et.gz, .json, .json.gz"`
	Ranks     Key[int64]  `key:"ranks" min:"1" max:"1048576" doc:"number of ranks; where left out, as many as there are files, or as an aicb header says"`
	Algorithm Key[string] `key:"algorithm" default:"\"auto\"" enum:"auto ring tree halving-doubling direct hierarchical nvls sharp pat" extend:"collectives" doc:"how collectives are carried out; an operation that it cannot perform takes the fastest that can"`
}

// Scheduler is [scheduler].
type Scheduler struct {
	Header
	Policy         Key[string]         `key:"policy" default:"\"fifo\"" enum:"fifo fifo-skip sjf sjf-skip easy-backfill conservative-backfill srtf srsf las gittins finish-time-fairness max-min gavel priority fair-share drf elastic" extend:"policies" doc:"which job runs next; see the description of the package scheduler. gavel chooses the type of accelerator, too. drf shares accelerators, and the CPUs and memory of hosts that have them"`
	Placement      Key[string]         `key:"placement" enum:"pack spread topology random best-fit dot-product fragmentation" doc:"which accelerators a job gets, by host; see the description of the package scheduler. Left out: the free ones with the lowest numbers"`
	Consolidate    Key[bool]           `key:"consolidate" default:"false" doc:"jobs wait rather than lie on more hosts than they must"`
	AntiAffinity   Key[string]         `key:"anti_affinity" enum:"user group type model" doc:"column of the jobs of which no two with the same value share a host; empty ones do"`
	LASLimits      Key[[]float64]      `key:"las_limits" min:"1e-9" max:"1e12" doc:"attained service at which a job falls to the next queue of las, in accelerator-seconds or seconds; [3250, 7200] where left out"`
	LASService     Key[string]         `key:"las_service" default:"\"accelerator-time\"" enum:"accelerator-time time" doc:"what las counts as service: time x accelerators, or time"`
	Lease          Key[units.Duration] `key:"lease" default:"\"20m\"" positive:"true" doc:"time for which finish-time-fairness and max-min leave a job its accelerators, and length of the rounds of gavel"`
	Scaling        Key[float64]        `key:"scaling" default:"1" min:"0" max:"1" doc:"how well elastic jobs scale: on n accelerators rather than the g of their row they are (n/g)^scaling times as fast"`
	Preemption     Key[string]         `key:"preemption" enum:"suspend requeue cancel none" doc:"what becomes of a job that is stopped: suspend, it goes on later; requeue, it begins anew, a training job at its latest checkpoint; cancel, it is given up; none, no job is stopped; suspend where left out. Of workloads that run event by event those training jobs are stopped that go back to the queue after a failure"`
	PreemptionCost Key[units.Duration] `key:"preemption_cost" default:"\"0s\"" doc:"time that a job which was suspended has to run in addition, to save and load its state; of a training job beside the checkpoint that it writes and reads"`
	Group          []Group             `key:"group" doc:"a group of jobs with a share of its own"`
	ShareBy        Key[string]         `key:"share_by" default:"\"group\"" enum:"group user" doc:"column of the jobs that says which group a job counts towards"`
	HalfLife       Key[units.Duration] `key:"half_life" positive:"true" doc:"time after which fair-share counts use half; 7 days where left out, as in Slurm"`
	Estimates      Key[string]         `key:"estimates" default:"\"exact\"" enum:"exact noisy trace" doc:"what the policy is told of the time that a job runs: exact, its duration; noisy, its duration times a random factor, see estimate_error; trace, the estimate_s of its row, or nothing where that is empty"`
	EstimateError  Key[float64]        `key:"estimate_error" positive:"true" min:"0" max:"100" doc:"coefficient of variation of the factor of noisy estimates, log-normal with mean 1; 0.5 where left out"`
	Decisions      Key[bool]           `key:"decisions" default:"false" doc:"keep an audit of every decision of the queue and its reason, in decisions.jsonl"`
	Site           Key[string]         `key:"site" enum:"load data price carbon" doc:"with several sites, which of them a job goes to; each lies within one. load: that with the least of its accelerators in use; data: that from which what the job reads is there soonest; price, carbon: that with the lowest price, or carbon intensity, of energy when it starts. Where that has no room, the next"`
	Security       *Security           `key:"security" doc:"tenants, and what they may not share"`
}

// Expect is one [[expect]].
type Expect struct {
	Header
	Metric Key[string]  `key:"metric" required:"true" doc:"dotted path into summary.json, as in training.0.iteration_s"`
	Op     Key[string]  `key:"op" required:"true" enum:"< <= > >= == !=" doc:"comparison that must hold between the metric and the value"`
	Value  Key[float64] `key:"value" required:"true" doc:"number in the metric's unit"`
}
