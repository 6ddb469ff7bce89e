package scenario

import (
	"slices"
	"strconv"
	"strings"
)

// check judges what no key shows by itself: what must be there, what refers to
// what, and keys that contradict each other. Entries of the scenario's own catalogue that
// nothing uses are faults, unless they are to be dropped.
func (s *Scenario) check(root *node, b *binder, drop bool) {
	if root.table["topology"] == nil {
		b.faultf(Position{File: s.File}, "", "there is no [topology]: say what the data centre is made of")
	}
	if !hasWorkload(root) {
		b.faultf(Position{File: s.File}, "", "there is no workload: add a [[workload.training]], [[workload.collective]] or [[workload.flows]]")
	}
	r := newResolver(s)
	if s.Topology != nil {
		s.Topology.check(r, b)
		s.Topology.Packet.check(b)
		s.Topology.checkEnergy(b)
		if t := s.Topology; t.Blocking.Value && s.Sim.Fidelity.Value == "analytic" {
			b.faultf(t.Blocking.Pos, "topology.blocking", `contradicts fidelity = "analytic", which leaves out all contention`)
		}
	}
	for i := range s.Workload.Training {
		s.Workload.Training[i].check(r, b)
		s.Workload.Training[i].checkCheckpoints(s, b)
	}
	for i := range s.Workload.Replay {
		s.Workload.Replay[i].check(b)
	}
	for i := range s.Workload.Serving {
		s.Workload.Serving[i].check(r, b)
		s.Workload.Serving[i].checkClients(s, b)
	}
	s.Sweep.check(b)
	s.checkLinks(b)
	s.checkStorage(b)
	s.checkBackups(b)
	s.checkRollouts(b)
	s.checkJobs(b)
	s.checkAlerts(b)
	s.checkSites(b)
	if drop {
		s.dropUnused(r)
	} else {
		s.checkUnused(r, b)
	}
	for _, fault := range r.faults {
		if !b.inside(fault.Key) {
			b.add(fault)
		}
	}
}

// hasWorkload reports whether the scenario states a workload, be it a wrong one.
func hasWorkload(root *node) bool {
	if t := root.table["topology"]; t != nil && t.table["dataset"] != nil {
		return true // it may be copied
	}
	if w := root.table["workload"]; w != nil {
		if w.table == nil {
			return true
		}
		for _, list := range w.table {
			if !list.isList || len(list.list) > 0 {
				return true
			}
		}
	}
	return false
}

// inside reports whether a table has faults of its own already: those come
// first, and much that they cause would only hide them.
func (b *binder) inside(path string) bool {
	return slices.ContainsFunc(b.faults, func(f Fault) bool { return strings.HasPrefix(f.Key, path+".") })
}

func (t *Training) check(r *resolver, b *binder) {
	if t.Model.Set {
		r.model(t.Model.Value, t.Model.Pos, t.Path+".model")
	}
	type length struct {
		name string
		set  bool
		at   Position
	}
	given := slices.DeleteFunc([]length{
		{"iterations", t.Iterations.Set, t.Iterations.Pos},
		{"epochs", t.Epochs.Set, t.Epochs.Pos},
		{"samples", t.Samples.Set, t.Samples.Pos},
		{"tokens", t.Tokens.Set, t.Tokens.Pos},
	}, func(l length) bool { return !l.set })
	for i := 1; i < len(given); i++ {
		b.faultf(given[i].at, t.Path+"."+given[i].name, "contradicts %s: give one of iterations, epochs, samples and tokens", given[0].name)
	}
	switch {
	case t.Epochs.Set && !t.Dataset.Set:
		b.faultf(t.Epochs.Pos, t.Path+".epochs", "of what? dataset is missing: the number of its samples")
	case t.Dataset.Set && !t.Epochs.Set && t.Input == nil:
		b.faultf(t.Dataset.Pos, t.Path+".dataset", "belongs to epochs, which is missing")
	}
	switch {
	case t.EvaluateEvery.Set && !t.EvaluationSamples.Set:
		b.faultf(t.EvaluateEvery.Pos, t.Path+".evaluate_every", "on how many samples? evaluation_samples is missing")
	case t.EvaluationSamples.Set && !t.EvaluateEvery.Set:
		b.faultf(t.EvaluationSamples.Pos, t.Path+".evaluation_samples", "how often? evaluate_every is missing")
	}
	switch {
	case t.Islands.Set && !t.LocalSteps.Set:
		b.faultf(t.Islands.Pos, t.Path+".islands", "belong to local_steps, which is missing")
	case t.LocalSteps.Set && t.EvaluateEvery.Set:
		b.faultf(t.EvaluateEvery.Pos, t.Path+".evaluate_every", "is not simulated with local_steps")
	}
	if t.GradientDensity.Set && t.GradientCompression.Value != "top-k" {
		b.faultf(t.GradientDensity.Pos, t.Path+".gradient_density", `belongs to gradient_compression = "top-k"; gradient_compression is %q`, t.GradientCompression.Value)
	}
	if t.LoRARank.Set && t.Tuning.Value != "lora" {
		b.faultf(t.LoRARank.Pos, t.Path+".lora_rank", `belongs to tuning = "lora"; tuning is %q`, t.Tuning.Value)
	}
}

// checkLinks sees to it that bare links carry only flows.
func (s *Scenario) checkLinks(b *binder) {
	if s.Topology == nil || s.Topology.Kind.Value != "links" {
		return
	}
	refuse := func(h Header) {
		b.faultf(h.At, h.Path, `has nowhere to run: a topology of kind "links" has no accelerators, only links for [[workload.flows]]`)
	}
	for _, w := range s.Workload.Training {
		refuse(w.Header)
	}
	for _, w := range s.Workload.Collective {
		refuse(w.Header)
	}
	for _, w := range s.Workload.Replay {
		refuse(w.Header)
	}
	for _, w := range s.Workload.Serving {
		refuse(w.Header)
	}
	for _, w := range s.Workload.Jobs {
		refuse(w.Header)
	}
}

// checkUnused reports the scenario's own entries that nothing refers to. With
// a [sweep], another point may.
func (s *Scenario) checkUnused(r *resolver, b *binder) {
	if s.root.table["sweep"] != nil {
		return
	}
	for _, name := range sortedNames(s.Hosts) {
		if h := s.Hosts[name]; !r.used[h] {
			b.faultf(h.At, h.Path, "is not used: no topology names the host %s", strconv.Quote(shown(name)))
		}
	}
	for _, name := range sortedNames(s.Accelerators) {
		if a := s.Accelerators[name]; !r.used[a] {
			b.faultf(a.At, a.Path, "is not used: no host in use names the accelerator %s", strconv.Quote(shown(name)))
		}
	}
	for _, name := range sortedNames(s.Models) {
		if m := s.Models[name]; !r.used[m] {
			b.faultf(m.At, m.Path, "is not used: no workload names the model %s", strconv.Quote(shown(name)))
		}
	}
}

// dropUnused takes out what checkUnused would complain of.
func (s *Scenario) dropUnused(r *resolver) {
	dropFrom(s.root, "hosts", s.Hosts, r)
	dropFrom(s.root, "accelerators", s.Accelerators, r)
	dropFrom(s.root, "models", s.Models, r)
}

func dropFrom[T any](root *node, table string, entries map[string]*T, r *resolver) {
	for _, name := range sortedNames(entries) {
		if !r.used[entries[name]] {
			delete(entries, name)
			root.table[table].drop(name)
		}
	}
	if n := root.table[table]; n != nil && len(n.keys) == 0 {
		root.drop(table)
	}
}
