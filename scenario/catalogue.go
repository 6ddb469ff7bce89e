package scenario

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

//go:embed catalogue.toml
var catalogueText string

// Stock is the embedded catalogue. It is read once and shared: do not change it.
func Stock() *Catalogue { return stock() }

var stock = sync.OnceValue(func() *Catalogue {
	root, fault := parseText("catalogue.toml", catalogueText)
	if fault != nil {
		panic("scenario: " + fault.Error())
	}
	c := &Catalogue{}
	if faults := bind(root, c).all(); faults != nil {
		panic("scenario: " + faults.Error())
	}
	return c
})

// Host is the host that topology.host names: an entry of the scenario or of
// the catalogue, complete with its accelerator.
func (s *Scenario) Host(name string) (topology.Host, Faults) {
	r := newResolver(s)
	host, _ := r.host(name, Position{File: s.File}, "")
	return host, r.all()
}

// Accelerator is an accelerator of the scenario or of the catalogue.
func (s *Scenario) Accelerator(name string) (topology.Accelerator, Faults) {
	r := newResolver(s)
	accelerator, _ := r.accelerator(name, Position{File: s.File}, "")
	return accelerator, r.all()
}

// Model is a model of the scenario or of the catalogue.
func (s *Scenario) Model(name string) (workload.Model, Faults) {
	r := newResolver(s)
	model := r.model(name, Position{File: s.File}, "")
	return model, r.all()
}

// resolver completes entries of the catalogue for one scenario. It collects
// faults, and which of the scenario's own entries were used.
type resolver struct {
	limited
	own, stock *Catalogue
	used       map[any]bool
}

func newResolver(s *Scenario) *resolver {
	return &resolver{limited{most: maxFaults}, &s.Catalogue, Stock(), map[any]bool{}}
}

// pick finds an entry by name: the scenario's own before the catalogue's, so
// that a scenario may put an entry of its own in the place of another. Entries
// already seen are passed over, so that one may build on the one it replaces.
// Where there is none it says so at the place that names it.
func pick[T any](r *resolver, sort string, own, stock map[string]*T, seen []*T, name string, at Position, path string) *T {
	for _, entries := range []map[string]*T{own, stock} {
		if e := entries[name]; e != nil && !slices.Contains(seen, e) {
			r.used[e] = true
			return e
		}
	}
	if own[name] != nil || stock[name] != nil {
		r.add(at.Faultf(path, "%s: %s %q builds on itself", path, sort, shown(name)))
		return nil
	}
	names := slices.Concat(sortedNames(own), sortedNames(stock))
	r.add(at.Faultf(path, "%s", join(path, fmt.Sprintf("there is no %s %q%s; %s",
		sort, shown(name), meant(name, names), offer(sort, sortedNames(stock))), ": ")))
	return nil
}

// offer says what the catalogue has of a sort, or where many are to be seen.
func offer(sort string, names []string) string {
	const readable = 20
	if len(names) > readable {
		return fmt.Sprintf("railyard catalog %ss lists the %d of the catalogue", sort, len(names))
	}
	return "the catalogue has " + strings.Join(names, ", ")
}

// host completes the named host. The path is the key that names it.
func (r *resolver) host(name string, at Position, path string) (h topology.Host, ok bool) {
	e := r.hostEntry(nil, name, at, path)
	if e == nil {
		return h, false
	}
	needs := []need{{"nics", e.NICs.Set}, {"nic_bandwidth", e.NICBandwidth.Set}}
	without := e.Accelerators.Set && e.Accelerators.Value == 0
	if !without {
		needs = append([]need{
			{"accelerator", e.Accelerator.Set},
			{"accelerators", e.Accelerators.Set},
			{"scale_up", e.ScaleUp.Set},
			{"scale_up_bandwidth", e.ScaleUpBandwidth.Set},
		}, needs...)
	}
	if !r.needs(e.Header, needs) {
		return h, false
	}
	var accelerator topology.Accelerator
	var scaleUp topology.ScaleUp
	if ok = without; !without {
		accelerator, ok = r.accelerator(e.Accelerator.Value, e.Accelerator.Pos, e.Path+".accelerator")
		accelerator.HostLaunch = e.LaunchTime.Value
		var known bool
		if scaleUp, known = topology.ParseScaleUp(e.ScaleUp.Value); !known {
			panic("scenario: the schema accepts a scale-up network that the topology does not have: " + e.ScaleUp.Value)
		}
	}
	return topology.Host{
		Name:         name,
		Accelerator:  accelerator,
		Accelerators: int(e.Accelerators.Value),

		ScaleUp:           scaleUp,
		ScaleUpBandwidth:  e.ScaleUpBandwidth.Value,
		ScaleUpEfficiency: e.ScaleUpEfficiency.Value,
		ScaleUpLatency:    e.ScaleUpLatency.Value,
		ScaleUpDimensions: int(e.ScaleUpDimensions.Value),

		NICs:          int(e.NICs.Value),
		NICBandwidth:  e.NICBandwidth.Value,
		NICEfficiency: e.NICEfficiency.Value,
		PCIeBandwidth: e.PCIeBandwidth.Value,

		LinkLatency:        e.LinkLatency.Value,
		SwitchLatency:      e.SwitchLatency.Value,
		CollectiveOverhead: e.CollectiveOverhead.Value,
		StepOverhead:       e.StepOverhead.Value,
		RampOverhead:       e.RampOverhead.Value,
		NetworkOverhead:    e.NetworkOverhead.Value,
		SimpleOverhead:     e.SimpleOverhead.Value,
		NetworkRamp:        e.NetworkRamp.Value,
		CopyBandwidth:      e.CopyBandwidth.Value,
		NVLSEfficiency:     e.NVLSEfficiency.Value,
		NVLSOverhead:       e.NVLSOverhead.Value,

		CPUs:    int(e.CPUs.Value),
		Memory:  e.Memory.Value,
		Storage: e.Storage.Value,
		Power:   e.Power.Value,
		Price:   e.Price.Value,
	}, ok
}

// hostEntry is the named entry with what it leaves out: from its base, or from
// the reference host of its accelerator, scaled to its accelerators. It is nil
// where that fails.
func (r *resolver) hostEntry(seen []*Host, name string, at Position, path string) *Host {
	e := pick(r, "host", r.own.Hosts, r.stock.Hosts, seen, name, at, path)
	if e == nil {
		return nil
	}
	seen = append(seen, e)
	var reference *Host
	switch {
	case e.Base.Set:
		reference = r.hostEntry(seen, e.Base.Value, e.Base.Pos, e.Path+".base")
		if reference == nil {
			return nil
		}
	case e.Accelerator.Set:
		a := r.acceleratorEntry(nil, e.Accelerator.Value, e.Accelerator.Pos, e.Path+".accelerator")
		if a == nil {
			return nil
		}
		reference = r.referenceHost(seen, a, e.Accelerators)
	case e.Accelerators.Set && e.Accelerators.Value == 0:
		return e
	default:
		r.add(e.At.Faultf(e.Path, "%s: needs the key \"base\" or \"accelerator\"", e.Path))
		return nil
	}
	if reference == nil {
		return e
	}
	if e.Accelerators.Set {
		reference = reference.scaled(e.Accelerators.Value)
	}
	return overlay(e, reference)
}

// referenceHost is the smallest of an accelerator's reference hosts that holds
// so many accelerators, else the largest. A reference host itself has none.
func (r *resolver) referenceHost(seen []*Host, a *Accelerator, accelerators Key[int64]) *Host {
	var last *Host
	for _, name := range a.ReferenceHosts.Value {
		own, stock := r.own.Hosts[name], r.stock.Hosts[name]
		if slices.Contains(seen, stock) || stock == nil && slices.Contains(seen, own) {
			return nil // it is the one being completed
		}
		h := r.hostEntry(seen, name, a.ReferenceHosts.Pos, a.Path+".reference_hosts")
		if h == nil {
			return nil
		}
		last = h
		if !accelerators.Set || accelerators.Value <= h.Accelerators.Value {
			break
		}
	}
	return last
}

// scaled is the host with another number of accelerators: the scale-up network
// and the NICs of each stay as they are, but for at least one NIC, and so do
// the ratios of all that the host shares out.
func (h *Host) scaled(accelerators int64) *Host {
	from := h.Accelerators.Value
	if from == 0 || accelerators == 0 || from == accelerators {
		return h
	}
	ratio := float64(accelerators) / float64(from)
	s := *h
	s.NICs.Value = max(1, int64(math.Round(float64(h.NICs.Value)*ratio)))
	s.CPUs.Value = int64(math.Round(float64(h.CPUs.Value) * ratio))
	s.Memory.Value = units.Bytes(math.Round(float64(h.Memory.Value) * ratio))
	s.Storage.Value = units.Bytes(math.Round(float64(h.Storage.Value) * ratio))
	s.Power.Value = units.Power(float64(h.Power.Value) * ratio)
	s.Price.Value = units.Money(float64(h.Price.Value) * ratio)
	return &s
}

func (r *resolver) accelerator(name string, at Position, path string) (a topology.Accelerator, ok bool) {
	e := r.acceleratorEntry(nil, name, at, path)
	if e == nil {
		return a, false
	}
	a = topology.Accelerator{
		Name: name,
		Peak: [topology.NumPrecisions]units.Compute{
			topology.FP32: e.PeakFP32.Value,
			topology.TF32: e.PeakTF32.Value,
			topology.FP16: e.PeakFP16.Value,
			topology.BF16: e.PeakBF16.Value,
			topology.FP8:  e.PeakFP8.Value,
			topology.FP4:  e.PeakFP4.Value,
			topology.INT8: e.PeakINT8.Value,
		},
		Vector:                e.Vector.Value,
		Memory:                e.Memory.Value,
		MemoryBandwidth:       e.MemoryBandwidth.Value,
		Multiprocessors:       int(e.Multiprocessors.Value),
		MatrixEfficiency:      e.MatrixEfficiency.Value,
		FP8Efficiency:         e.FP8Efficiency.Value,
		FP8TrainingEfficiency: e.FP8TrainingEfficiency.Value,
		FP4Efficiency:         e.FP4Efficiency.Value,
		FlashEfficiency:       e.FlashEfficiency.Value,
		Flash2Efficiency:      e.Flash2Efficiency.Value,
		MemoryEfficiency:      e.MemoryEfficiency.Value,
		ReadEfficiency:        e.ReadEfficiency.Value,
		CacheEfficiency:       e.CacheEfficiency.Value,
		LaunchOverhead:        e.LaunchOverhead.Value,
		CombineOverhead:       e.CombineOverhead.Value,
		Power:                 e.Power.Value,
		Price:                 e.Price.Value,
	}
	if !e.Vector.Set {
		a.Vector = e.PeakFP32.Value
	}
	return a, r.needs(e.Header, []need{
		{"memory", e.Memory.Set},
		{"memory_bandwidth", e.MemoryBandwidth.Set},
		{"multiprocessors", e.Multiprocessors.Set},
		{"peak_fp32", a.Vector > 0},
	})
}

func (r *resolver) acceleratorEntry(seen []*Accelerator, name string, at Position, path string) *Accelerator {
	e := pick(r, "accelerator", r.own.Accelerators, r.stock.Accelerators, seen, name, at, path)
	if e == nil || !e.Base.Set {
		return e
	}
	base := r.acceleratorEntry(append(seen, e), e.Base.Value, e.Base.Pos, e.Path+".base")
	if base == nil {
		return nil
	}
	return overlay(e, base)
}

func (r *resolver) model(name string, at Position, path string) (m workload.Model) {
	e := r.modelEntry(nil, name, at, path)
	if e == nil {
		return m
	}
	m = workload.Model{
		Family:          e.Family.Value,
		Layers:          e.Layers.Value,
		Hidden:          e.Hidden.Value,
		Heads:           e.Heads.Value,
		HeadDim:         e.HeadDim.Value,
		KVHeads:         e.KVHeads.Value,
		FFN:             e.FFN.Value,
		Vocab:           e.Vocab.Value,
		Sequence:        e.Sequence.Value,
		Activation:      e.Activation.Value,
		TiedEmbeddings:  e.TiedEmbeddings.Value,
		Experts:         e.Experts.Value,
		ExpertsPerToken: e.ExpertsPerToken.Value,
		SharedExperts:   e.SharedExperts.Value,
		ExpertFFN:       e.ExpertFFN.Value,
		DenseLayers:     e.DenseLayers.Value,
		CapacityFactor:  e.CapacityFactor.Value,
		ExpertGroups:    e.ExpertGroups.Value,
		GroupsPerToken:  e.GroupsPerToken.Value,
		KVRank:          e.KVRank.Value,
		QueryRank:       e.QueryRank.Value,
		RotaryDim:       e.RotaryDim.Value,
		ValueDim:        e.ValueDim.Value,

		Positions: e.Positions.Value,

		Tables:        e.Tables.Value,
		Rows:          e.Rows.Value,
		Lookups:       e.Lookups.Value,
		EmbeddingDim:  e.EmbeddingDim.Value,
		DenseFeatures: e.DenseFeatures.Value,
		BottomMLP:     e.BottomMLP.Value,
		TopMLP:        e.TopMLP.Value,
		CrossLayers:   e.CrossLayers.Value,
		CrossRank:     e.CrossRank.Value,

		EncoderLayers: e.EncoderLayers.Value,
		Mels:          e.Mels.Value,
		Frames:        e.Frames.Value,

		StackAfter:       e.StackAfter.Value,
		PredictionHidden: e.PredictionHidden.Value,
		JointHidden:      e.JointHidden.Value,

		Filters:  e.Filters.Value,
		Patch:    e.Patch.Value,
		Channels: e.Channels.Value,
		Classes:  e.Classes.Value,
	}
	if e.Bias.Set {
		m.Bias = new(e.Bias.Value)
	}
	for _, err := range each(m.Validate()) {
		r.add(e.At.Faultf(e.Path, "%s: %v", e.Path, err))
	}
	m.Name = name
	return m
}

func (r *resolver) modelEntry(seen []*Model, name string, at Position, path string) *Model {
	e := pick(r, "model", r.own.Models, r.stock.Models, seen, name, at, path)
	if e == nil || !e.Base.Set {
		return e
	}
	base := r.modelEntry(append(seen, e), e.Base.Value, e.Base.Pos, e.Path+".base")
	if base == nil {
		return nil
	}
	return overlay(e, base)
}

// need is a key that an entry cannot do without, and whether it has it.
type need struct {
	key string
	has bool
}

// needs reports the keys that an entry lacks, whatever it builds on.
func (r *resolver) needs(h Header, all []need) bool {
	var missing []string
	for _, n := range all {
		if !n.has {
			missing = append(missing, n.key)
		}
	}
	if missing == nil {
		return true
	}
	r.add(h.At.Faultf(h.Path, "%s: lacks %s, and so does all that it builds on", h.Path, strings.Join(missing, ", ")))
	return false
}

// each is the parts of a joined error.
func each(err error) []error {
	if joined, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
