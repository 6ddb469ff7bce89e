package scenario

import (
	"cmp"
	"slices"

	"github.com/railyard/railyard/units"
)

// Kind is a kind of accelerator as a planner may choose it.
type Kind struct {
	Accelerator string
	Host        string          // that it comes in; "" if that has to be made of it
	Priced      bool            // it has a price of its own, or that host has
	Rental      units.MoneyRate // 0 if nobody says
}

// Kinds are the accelerators of the scenario and of the catalogue that come in a host,
// in order of their names.
func (s *Scenario) Kinds() []Kind {
	var all []Kind
	names := slices.Sorted(slices.Values(slices.Concat(sortedNames(s.Accelerators), sortedNames(Stock().Accelerators))))
	for _, name := range slices.Compact(names) {
		if k, faults := s.Kind(name); faults == nil {
			all = append(all, k)
		}
	}
	return all
}

// Kind is an accelerator of the scenario or of the catalogue as a planner may choose it.
func (s *Scenario) Kind(accelerator string) (Kind, Faults) {
	r := newResolver(s)
	k := Kind{Accelerator: accelerator}
	at := Position{File: s.File}
	e := r.acceleratorEntry(nil, accelerator, at, "")
	if e == nil {
		return k, r.all()
	}
	for _, entries := range []map[string]*Accelerator{r.stock.Accelerators, r.own.Accelerators} {
		if own := entries[accelerator]; own != nil { // not those of its base
			k.Priced, k.Rental = k.Priced || own.Price.Set, cmp.Or(own.Rental.Value, k.Rental)
		}
	}
	if r.referenceHost(nil, e, Key[int64]{}) == nil {
		r.add(at.Faultf("", "accelerator %q comes in no host of the catalogue: give a scenario with a [hosts.NAME] of it", shown(accelerator)))
		return k, r.all()
	}
	name := e.ReferenceHosts.Value[0]
	if h := r.stock.Hosts[name]; h != nil && r.own.Hosts[name] == nil && h.Accelerator.Value == accelerator {
		k.Host, k.Priced = name, k.Priced || h.Price.Set
	}
	return k, r.all()
}

// Batch is how many sequences or samples an iteration of a model's published training
// has, 0 if nobody says.
func (s *Scenario) Batch(model string) int64 {
	if e := newResolver(s).modelEntry(nil, model, Position{}, ""); e != nil {
		return e.Batch.Value
	}
	return 0
}
