package scenario

import (
	"slices"
	"strings"

	"github.com/railyard/railyard/units"
)

// TopologyFault is one [[topology.fault]]: something that breaks, or slows down, at a
// time, or parts of a kind that do now and then.
type TopologyFault struct {
	Header
	Kind Key[string] `key:"kind" required:"true" enum:"link switch nic accelerator host rack power-domain site" doc:"what breaks: a cable; a switch with all its cables; a NIC; an accelerator, host, rack, power domain (see racks) or site, which stop the jobs on their hosts"`
	Name Key[string] `key:"name" doc:"which: a cable as one of its links, as in leaf0>spine1, both directions of which fail; a switch, as in spine1; a NIC, as in host3/nic0; host3/acc1, host3, rack0, power0. Where left out all of the kind, as mtbf and file take"`

	At   Key[units.Duration] `key:"at" doc:"when it breaks; one of at, mtbf and file is needed"`
	MTBF Key[MTBF]           `key:"mtbf" doc:"mean time between failures of each part, which then stops the jobs that depend on it: those on its hosts; of a switch or cable between switches, those on several hosts. published takes: accelerator 79230 h (Llama 3, table 5: 268 in 54 days of 16,384 H100), host 3692 h (all causes: 6.5 in 1000 days of a node of RSC-1, Kokolis et al. 2024), nic and link 1.28e6 h, switch 1.43e6 h (0.057 % and 0.051 % a month, HPN, SIGCOMM 2024)"`
	File Key[string]         `key:"file" doc:"CSV of failures: at_s, optional name and repair_s; without a column name they are of the part that the key says, or of all. Or a trace of OpenDC: failure_interval, failure_duration, failure_intensity, which is the share of parts, drawn at random"`

	Distribution Key[string]  `key:"distribution" default:"\"exponential\"" enum:"exponential weibull log-normal" doc:"of the time between failures of a part, with mtbf"`
	Shape        Key[float64] `key:"shape" min:"0.1" max:"100" doc:"k of a Weibull distribution, sigma of a log-normal one"`
	Cause        Key[string]  `key:"cause" doc:"what the report calls it; the kind where left out"`
	Racks        Key[int64]   `key:"racks" min:"1" max:"262144" doc:"racks of a power domain; 1 where left out"`

	Repair    Key[units.Duration] `key:"repair" positive:"true" doc:"how long until it works again. With at, never where left out; with mtbf or file, another is in its place at once. No job of a queue runs on it meanwhile. Spare hosts stand in meanwhile (topology.spares)"`
	Variation Key[float64]        `key:"repair_variation" min:"0" max:"100" doc:"with repair, coefficient of variation of repair times, which then have a log-normal distribution of that mean; where left out all take as long"`
	Every     Key[units.Duration] `key:"every" doc:"with at, time after which it breaks again and again, as maintenance windows do"`
	Drain     Key[units.Duration] `key:"drain" positive:"true" doc:"with at, from how long before no job of the queue starts on its hosts: those that run may end before it, the others are stopped"`
	Planned   Key[bool]           `key:"planned" default:"false" doc:"jobs know of it: they save their state before it, and need not find it out"`
	Capacity  Key[float64]        `key:"capacity" default:"0" min:"0" max:"1" doc:"part of its rate that is left. Of a link, switch or nic with at: 0 is a failure, around which routes go; more a slow-down, to which they keep. Of an accelerator, host or rack: 0 stops jobs; with more it computes slower, unnoticed until the repair, and all of its job wait for it"`
	Delay     Key[units.Duration] `key:"delay" default:"\"65ms\"" doc:"of those, from the failure until routes go around it, and from the repair until they no longer do; what PortLand's took to converge after one failure (Mysore et al., SIGCOMM 2009) where left out"`
}

// Rerouted says whether it is links that fail at a stated time, around which routes go,
// and not hosts whose jobs stop.
func (f *TopologyFault) Rerouted() bool {
	return f.At.Set && slices.Contains([]string{"link", "switch", "nic"}, f.Kind.Value)
}

// Slow says whether it is hosts that go on, but slower.
func (f *TopologyFault) Slow() bool { return !f.Rerouted() && f.Capacity.Value > 0 }

const second = units.Duration(1e11)

// MTBF is a mean time between failures in seconds, or the published one of the kind.
type MTBF struct {
	Mean      units.Span
	Published bool
}

// publishedMTBF are those of the literature, in seconds; see the key.
var publishedMTBF = map[string]units.Span{
	"accelerator": 16384 * 54 * 86400.0 / 268,
	"host":        1000 * 86400 / 6.5,
	"nic":         730.5 * 3600 / 0.00057,
	"link":        730.5 * 3600 / 0.00057,
	"switch":      730.5 * 3600 / 0.00051,
}

// UnmarshalText reads a time or "published".
func (m *MTBF) UnmarshalText(text []byte) error {
	if string(text) == "published" {
		*m = MTBF{Published: true}
		return nil
	}
	mean, err := units.ParseSpan(string(text))
	if err == nil {
		*m = MTBF{Mean: mean}
	}
	return err
}

// check judges what no key shows by itself, and fills in what is published.
func (f *TopologyFault) check(b *binder) {
	type way struct {
		name string
		set  bool
		at   Position
	}
	given := slices.DeleteFunc([]way{{"at", f.At.Set, f.At.Pos}, {"mtbf", f.MTBF.Set, f.MTBF.Pos}, {"file", f.File.Set, f.File.Pos}}, func(w way) bool { return !w.set })
	if len(given) == 0 && !b.inside(f.Path) {
		b.faultf(f.Header.At, f.Path, `needs the key "at" (when it breaks), or mtbf or file`)
		return
	}
	for i := 1; i < len(given); i++ {
		b.faultf(given[i].at, f.Path+"."+given[i].name, "contradicts %s: give one of at, mtbf and file", given[0].name)
	}
	if f.At.Set && !f.Name.Set {
		b.faultf(f.At.Pos, f.Path, `needs the key "name" (which breaks at that time)`)
	}
	belongs := func(key string, set bool, at Position, to string, does bool) {
		if set && !does {
			b.faultf(at, f.Path+"."+key, "belongs to %s", to)
		}
	}
	rerouted := f.Rerouted()
	computes := slices.Contains([]string{"accelerator", "host", "rack"}, f.Kind.Value)
	belongs("capacity", f.Capacity.Set, f.Capacity.Pos, "accelerators, hosts and racks, and to links, switches and NICs that break at a stated time", rerouted || computes)
	belongs("every", f.Every.Set, f.Every.Pos, "what stops jobs at a stated time", f.At.Set && !rerouted)
	belongs("repair_variation", f.Variation.Set, f.Variation.Pos, "repair, of what stops jobs by mtbf or at a time", f.Repair.Set && !rerouted && !f.File.Set)
	belongs("drain", f.Drain.Set, f.Drain.Pos, "what stops jobs at a stated time", f.At.Set && !rerouted && f.Capacity.Value == 0)
	belongs("planned", f.Planned.Set, f.Planned.Pos, "what stops jobs", !rerouted && f.Capacity.Value == 0)
	if f.Slow() && (f.MTBF.Set || f.Every.Set) && !f.Repair.Set {
		b.faultf(f.Capacity.Pos, f.Path+".capacity", "until when is it slow? repair is missing")
	}
	if f.Every.Set && f.Every.Value <= max(f.Repair.Value, 10*second) {
		b.faultf(f.Every.Pos, f.Path+".every", "must be more than repair and 10s")
	}
	belongs("delay", f.Delay.Set, f.Delay.Pos, "links, switches and NICs that break at a stated time", rerouted)
	belongs("distribution", f.Distribution.Set, f.Distribution.Pos, "mtbf, which is missing", f.MTBF.Set)
	belongs("shape", f.Shape.Set, f.Shape.Pos, `distribution = "weibull" or "log-normal"`, f.Distribution.Value != "exponential")
	belongs("racks", f.Racks.Set, f.Racks.Pos, `kind = "power-domain"`, f.Kind.Value == "power-domain")
	if f.Distribution.Value != "exponential" && !f.Shape.Set && f.Distribution.Set {
		b.faultf(f.Distribution.Pos, f.Path+".distribution", "of what shape? shape is missing")
	}
	if f.Repair.Set && !rerouted && (f.Kind.Value == "link" || f.Kind.Value == "switch") {
		b.faultf(f.Repair.Pos, f.Path+".repair", "belongs to at: jobs that a link or switch with mtbf or file stops begin again on what is left")
	}
	if m := &f.MTBF.Value; m.Published {
		mean, known := publishedMTBF[f.Kind.Value]
		if !known && f.Kind.Set {
			b.faultf(f.MTBF.Pos, f.Path+".mtbf", "none is published for kind %q; there is for %s", f.Kind.Value, strings.Join([]string{"accelerator", "host", "nic", "link", "switch"}, ", "))
		}
		m.Mean = mean
	} else if f.MTBF.Set && m.Mean < 1 {
		b.faultf(f.MTBF.Pos, f.Path+".mtbf", "must be 1s or more")
	}
}
