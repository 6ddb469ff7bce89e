package plan

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// What stands around hosts of the catalogue. A rack takes 40.8 kW, as four DGX H100 draw,
// which is how NVIDIA's DGX SuperPOD fills one (reference architecture, 2023). Building,
// power and cooling cost 11.7 million USD for each MW of machines, the mean of 19 markets
// of the United States (Cushman & Wakefield, Data Center Development Cost Guide 2025), and
// are written off over 20 years, within the 7 to 25 of Alphabet's accounts of 2024 (recalled).
const (
	rackPower    = 40.8e3
	facilityWatt = 11.7
	rackYears    = 20
)

const scenarioMost = scenario.MaxAccelerators

// site is a data centre to choose, with hosts of one kind.
type site struct {
	name        string // of its scenario; "" of the catalogue's hosts on rails
	accelerator string
	file        string
	text        []byte
	set         []string
	most        int // hosts; 0: no limit of its own
	host        topology.Host
}

// label is the kind of accelerator, and the site if there are several.
func (s *site) label() string {
	if s.name == "" {
		return s.accelerator
	}
	return s.accelerator + " at " + s.name
}

// sites are all data centres to choose from, and what the reader should know of them.
func (r *Request) sites() (all []*site, warnings []string, err error) {
	if r.Sites == nil {
		return r.stock()
	}
	for _, path := range r.Sites {
		text, err := railyard.ReadText(path)
		if err != nil {
			return nil, nil, err
		}
		found, warned, err := r.given(path, text)
		if err != nil {
			return nil, nil, err
		}
		all, warnings = append(all, found...), append(warnings, warned...)
	}
	return all, warnings, nil
}

// stock are the kinds of the catalogue, on rails.
func (r *Request) stock() (all []*site, warnings []string, err error) {
	empty := &scenario.Scenario{File: "the catalogue"}
	kinds, err := r.kinds(empty)
	if err != nil {
		return nil, nil, err
	}
	for _, k := range kinds {
		s := &site{accelerator: k.Accelerator, file: "-"}
		name, own := k.Host, ""
		if name == "" {
			name, own = k.Accelerator, fmt.Sprintf("[hosts.%q]\naccelerator = %q\n", k.Accelerator, k.Accelerator)
		}
		text := fmt.Sprintf("[topology]\nkind = \"rail\"\nhost = %q\nhosts = 1\n[topology.power]\n[topology.cost]\n%s", name, own)
		probe, err := r.parse(s, []byte(text), nil)
		if err != nil {
			return nil, nil, err
		}
		host, _ := probe.Host(name)
		s.text = []byte(text)
		if !r.Rent {
			s.text = []byte(strings.Replace(text, "[topology.cost]\n", facility(float64(host.Power)), 1))
		}
		warned, err := r.complete(s, k)
		if err != nil {
			return nil, nil, err
		}
		all, warnings = append(all, s), append(warnings, warned...)
	}
	return all, warnings, nil
}

// facility is a [topology.cost] with what stands around hosts of so much power.
func facility(power float64) string {
	racked := max(1, int(rackPower/max(power, 1)))
	return fmt.Sprintf("[topology.cost]\nrack = \"%.0fUSD\"\nrack_hosts = %d\nrack_years = %d\n", facilityWatt*power*float64(racked), racked, rackYears)
}

// given is the data centre of a scenario, once for each kind of accelerator.
func (r *Request) given(path string, text []byte) (all []*site, warnings []string, err error) {
	base := &site{name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), file: path, text: text}
	if r.Accelerators == nil {
		probe, err := r.parse(base, text, nil)
		if err != nil {
			return nil, nil, err
		}
		if !probe.Topology.Host.Set {
			return nil, nil, probe.Topology.At.Faultf("topology", "topology: has no host of one kind; which accelerators are there?")
		}
		host, faults := probe.Host(probe.Topology.Host.Value)
		if faults != nil {
			return nil, nil, faults
		}
		base.accelerator = host.Accelerator.Name
		k, _ := probe.Kind(base.accelerator)
		k.Priced = k.Priced || host.Price > 0
		warnings, err = r.complete(base, k)
		return []*site{base}, warnings, err
	}
	for _, name := range r.Accelerators {
		s := *base
		s.accelerator = name
		probe, err := r.parse(&s, text, []string{"topology.host=dgx-h100"}) // to know the scenario's own
		if err != nil {
			return nil, nil, err
		}
		k, faults := probe.Kind(name)
		if faults != nil {
			return nil, nil, faults
		}
		host := k.Host
		if host == "" {
			host = name
			s.set = append(s.set, fmt.Sprintf("hosts.%q.accelerator=%s", name, name))
		}
		s.set = append(s.set, "topology.host="+host)
		warned, err := r.complete(&s, k)
		if err != nil {
			return nil, nil, err
		}
		all, warnings = append(all, &s), append(warnings, warned...)
	}
	return all, warnings, nil
}

// kinds are those to choose from where no scenario says what there is.
func (r *Request) kinds(s *scenario.Scenario) (kinds []scenario.Kind, err error) {
	for _, name := range r.Accelerators {
		k, faults := s.Kind(name)
		if faults != nil {
			return nil, faults
		}
		kinds = append(kinds, k)
	}
	if r.Accelerators != nil {
		return kinds, nil
	}
	precision, _ := topology.ParsePrecision(r.Precision)
	for _, k := range s.Kinds() {
		a, _ := s.Accelerator(k.Accelerator)
		known := k.Priced
		if r.Rent {
			known = k.Rental > 0 || r.Rate > 0 && k.Priced
		}
		if known && a.Peak[precision] > 0 {
			kinds = append(kinds, k)
		}
	}
	if kinds == nil {
		return nil, &InputError{fmt.Errorf("no accelerator of the catalogue with a price trains in %s: name some", r.Precision)}
	}
	return kinds, nil
}

// complete fills in what a site's scenario leaves out, and finds its hosts.
func (r *Request) complete(s *site, k scenario.Kind) (warnings []string, err error) {
	probe, err := r.parse(s, s.text, s.set)
	if err != nil {
		return nil, err
	}
	t := probe.Topology
	if t.Power == nil {
		s.set = append(s.set, "topology.power={}")
	}
	if t.Cost == nil {
		s.set = append(s.set, "topology.cost={}")
	}
	switch {
	case r.Rent && (t.Cost == nil || !t.Cost.Rental.Set):
		rate := r.Rate
		if rate == 0 {
			rate = k.Rental
		}
		if rate == 0 {
			return nil, &InputError{fmt.Errorf("nobody says what %s is rented for: give a rent", s.label())}
		}
		s.set = append(s.set, "topology.cost.rental="+rate.String())
	case !r.Rent && (t.Cost == nil || !t.Cost.Rental.Set) && !k.Priced && (t.Cost == nil || !t.Cost.Accelerator.Set):
		warnings = append(warnings, fmt.Sprintf("%s has no price of its own: it is given that of its host's base, or of a DGX H100; --set topology.cost.accelerator=... states another", s.accelerator))
	}
	if t.Hosts.Set && s.name != "" {
		s.most = int(t.Hosts.Value)
	}
	r.carry(s, probe)
	host, faults := probe.Host(t.Host.Value)
	if faults != nil {
		return nil, faults
	}
	s.host = host
	return warnings, nil
}

// carry has files that a scenario names found from where the plan's scenarios stand.
func (r *Request) carry(s *site, probe *scenario.Scenario) {
	move := func(key string, file scenario.Key[string]) {
		if !file.Set || filepath.IsAbs(file.Value) {
			return
		}
		to, err := filepath.Abs(probe.Path(file.Value))
		if err != nil {
			return
		}
		if from, err := filepath.Abs(r.Folder); err == nil {
			if short, err := filepath.Rel(from, to); err == nil {
				to = filepath.ToSlash(short)
			}
		}
		s.set = append(s.set, key+"="+fmt.Sprintf("%q", to))
	}
	t := probe.Topology
	if t.Power != nil {
		move("topology.power.curve", t.Power.Curve)
	}
	if t.Carbon != nil {
		move("topology.carbon.file", t.Carbon.File)
	}
	for i := range t.Fault {
		move(fmt.Sprintf("topology.fault.%d.file", i), t.Fault[i].File)
	}
}

// parse is the scenario of a site with a training of the model that stands for the ones
// to be planned.
func (r *Request) parse(s *site, text []byte, set []string) (*railyard.Scenario, error) {
	parsed, faults := scenario.ParseWith(s.file, text, "the plan", fmt.Sprintf("[[workload.training]]\nmodel = %q\nglobal_batch = 1\n", r.Model), slices.Concat(set, r.Set))
	return parsed, faults.Err()
}

// ground is the scenario of so many hosts of a site, with a workload, and with more keys
// set.
func (r *Request) ground(s *site, hosts int, workload string, more ...string) (*railyard.Scenario, error) {
	set := slices.Concat(s.set, r.Set, []string{fmt.Sprintf("topology.hosts=%d", hosts)}, more)
	name := "-"
	if s.name != "" {
		name = filepath.Join(r.Folder, "plan.toml") // files are named from there
	}
	parsed, faults := scenario.ParseWith(name, s.text, "the plan", workload, set)
	return parsed, faults.Err()
}

// money is a sum as a message prints it.
func money(v float64) string { return report.Prefixed(v, "USD") }
