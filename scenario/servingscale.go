package scenario

import (
	"strings"

	"github.com/railyard/railyard/units"
)

// Autoscale is [workload.serving.autoscale]: replicas that come and go with the load, as
// the Horizontal Pod Autoscaler of Kubernetes decides it. Defaults are those of its
// documentation; poll and cooldown are KEDA's, grace is that of a pod. In
// [workload.serving.disaggregate] each kind of replicas may have a table of its own.
type Autoscale struct {
	Header
	Min       Key[int64]          `key:"min" default:"1" min:"0" max:"65536" doc:"least replicas; with 0 the first comes when a request does, and the last goes after cooldown"`
	Max       Key[int64]          `key:"max" min:"1" max:"65536" doc:"most replicas; what fills the accelerators where left out, but of one kind in disaggregate. replicas (prefill, decode) is how many there are at the start, min where left out"`
	Metric    Key[string]         `key:"metric" default:"\"requests\"" enum:"requests queue prompt-tokens kv utilization" doc:"what is compared with the target, mean over the replicas that are ready: requests, that wait and run; queue, that wait; prompt-tokens, that are yet to be computed of prompts that wait and run; kv, share of the blocks of the cache that hold something; utilization, share of the time since the last decision in which it computed"`
	Target    Key[float64]        `key:"target" required:"true" positive:"true" min:"0" max:"1e9" doc:"what the metric is to be: desired = ceil(current x metric / target)"`
	Tolerance Key[float64]        `key:"tolerance" default:"0.1" min:"0" max:"10" doc:"by how much metric / target may be off one before anything changes"`
	Sync      Key[units.Duration] `key:"sync" default:"\"15s\"" doc:"time between decisions"`

	UpWindow   Key[units.Duration] `key:"up_window" default:"\"0s\"" doc:"stabilization window: the lowest recommendation of this time scales up"`
	DownWindow Key[units.Duration] `key:"down_window" default:"\"300s\"" doc:"the same down, the highest"`
	Up         []ScalingPolicy     `key:"up" doc:"a policy of scaling up: what may come within a period; 100 percent and 4 pods in 15 s where there is none"`
	Down       []ScalingPolicy     `key:"down" doc:"a policy of scaling down: what may go within a period; 100 percent in 15 s where there is none"`
	UpSelect   Key[string]         `key:"up_select" default:"\"max\"" enum:"max min disabled" doc:"which of several policies holds: max, what allows most; min, what allows least; disabled, nothing changes in this direction"`
	DownSelect Key[string]         `key:"down_select" default:"\"max\"" enum:"max min disabled" doc:"the same down"`

	Poll     Key[units.Duration] `key:"poll" default:"\"30s\"" doc:"with min = 0, time between looks whether there are requests"`
	Cooldown Key[units.Duration] `key:"cooldown" default:"\"300s\"" doc:"with min = 0, how long there must have been none before the last replica goes"`
	Grace    Key[units.Duration] `key:"grace" default:"\"30s\"" doc:"how long a replica that is to go works on what it has; what is left is then sent to others, and computed again"`
}

// ScalingPolicy is one of [[workload.serving.autoscale.up]] or down.
type ScalingPolicy struct {
	Header
	Pods    Key[int64]          `key:"pods" min:"1" max:"65536" doc:"so many replicas in a period"`
	Percent Key[int64]          `key:"percent" min:"1" max:"1000000" doc:"so many percent, rounded up, of those that there were at its start"`
	Period  Key[units.Duration] `key:"period" default:"\"15s\"" doc:"the period"`
}

// ColdStart is [workload.serving.cold_start]: what a replica does before it answers, after
// the start of the run, where replicas scale or fail.
type ColdStart struct {
	Provision   Key[units.Duration] `key:"provision" default:"\"0s\"" doc:"time until a host is there that has been given back; none where left out"`
	Keep        Key[units.Duration] `key:"keep" default:"\"10m\"" doc:"how long a host stays, with its image, after its last replica; the scale-down-unneeded-time of Kubernetes' Cluster Autoscaler where left out"`
	Image       Key[units.Bytes]    `key:"image" default:"\"10GB\"" doc:"size of the image, which the first replica on a host pulls; those of vLLM, SGLang and TensorRT-LLM exceed 10 GB (tensorfuse.io 2025)"`
	ImageRate   Key[units.Rate]     `key:"image_rate" default:"\"20MB/s\"" positive:"true" doc:"rate of pulling and unpacking; where left out 10 GB in 7 to 10 min (tensorfuse.io 2025), 13 GB in 571 s (vertexcover.io): decompression and the disk set it, not the network"`
	WeightsRate Key[units.Rate]     `key:"weights_rate" default:"\"5GB/s\"" positive:"true" doc:"rate at which a host reads the weights of its part of a replica; a fast storage network's as in Fu et al., ServerlessLLM, OSDI 2024 (recalled) where left out"`
	Storage     Key[bool]           `key:"from_storage" default:"false" doc:"image and weights are read from the file system of [topology.storage], over the network and beside whatever else is on it; image_rate, and weights_rate if it is given, are then the most that a host unpacks and loads"`
	Engine      Key[units.Duration] `key:"engine" default:"\"34s\"" doc:"until the engine is warm: profiling, compiled graphs from their cache, capturing; what vLLM took of Llama-3.2-3B (vllm-project/vllm issue 20264) where left out"`
}

// leastSync is the shortest time between decisions: their number is to stay bounded.
const leastSync = second / 10

// checkScaling judges the keys of scaling together.
func (w *Serving) checkScaling(b *binder) {
	if w.MaxQueue.Set && w.Concurrency.Set {
		b.faultf(w.MaxQueue.Pos, w.Path+".max_queue", "belongs to requests or rate: of clients no more wait than there are")
	}
	if w.Autoscale != nil && w.Disaggregate == nil {
		w.Autoscale.check(b, w.Replicas, w.Path, "replicas")
	}
}

// check judges the keys of an autoscaler together, of replicas whose number at the start a
// key of the same table says.
func (a *Autoscale) check(b *binder, start Key[int64], table, key string) {
	name := strings.TrimPrefix(a.Path, table+".")
	if a.Max.Set && a.Min.Value > a.Max.Value {
		b.faultf(a.Min.Pos, a.Path+".min", "%d is more than max, %d", a.Min.Value, a.Max.Value)
	}
	if start.Set && a.Max.Set && start.Value > a.Max.Value {
		b.faultf(start.Pos, table+"."+key, "there are %d at the start, more than %s.max, %d", start.Value, name, a.Max.Value)
	}
	if start.Set && start.Value < a.Min.Value {
		b.faultf(start.Pos, table+"."+key, "there are %d at the start, fewer than %s.min, %d", start.Value, name, a.Min.Value)
	}
	for _, k := range []struct {
		name string
		key  Key[units.Duration]
	}{{"sync", a.Sync}, {"poll", a.Poll}} {
		if k.key.Value < leastSync {
			b.faultf(k.key.Pos, a.Path+"."+k.name, "must be 100ms or more")
		}
	}
	for _, k := range []struct {
		name string
		key  Key[units.Duration]
	}{{"poll", a.Poll}, {"cooldown", a.Cooldown}} {
		if k.key.Set && a.Min.Value > 0 {
			b.faultf(k.key.Pos, a.Path+"."+k.name, "belongs to min = 0")
		}
	}
	for _, policies := range [][]ScalingPolicy{a.Up, a.Down} {
		for _, p := range policies {
			if p.Pods.Set == p.Percent.Set && !b.inside(p.Path) {
				b.faultf(p.At, p.Path, "needs one of pods and percent")
			}
			if p.Period.Value < second {
				b.faultf(p.Period.Pos, p.Path+".period", "must be 1s or more")
			}
		}
	}
}
