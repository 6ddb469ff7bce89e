package scenario

import (
	"io"
	"reflect"

	"github.com/railyard/railyard/energy"
	"github.com/railyard/railyard/units"
)

// maxPowerRows bounds the points of a measured curve.
const maxPowerRows = 1 << 10

// Power is [topology.power]: what the parts of the data centre draw, and so what a run
// takes of energy. Defaults that are not the catalogue's are from: the H200 that
// api.serialalice.pt measured in 2025, 80.3 W idle of 700 W (a weak source, but
// the share is that of other reports); Patel et al., POLCA, ASPLOS 2024 (recalled), where the
// power of GPT-NeoX falls to half of the limit while gradients are exchanged; Barroso
// and Hölzle, "The Case for Energy-Proportional Computing", 2007: a server without work
// draws half of its most; the data sheet of NVIDIA's QM9700 (recalled): 1,720 W at the most with
// transceivers in 64 ports of 400 Gbit/s. Hyperscale operators report a PUE of 1.10 to 1.15 (2023),
// the mean of Uptime Institute's survey is 1.58 (2023).
type Power struct {
	Header
	Model       Key[string]      `key:"model" default:"\"linear\"" enum:"linear constant sqrt square cubic measured logistic" doc:"power of an accelerator by its utilization: on a line from idle to full, or by its root, square or cube; constant, full at any; measured, along the points of curve; logistic, by the requests of a batch"`
	Accelerator Key[units.Power] `key:"accelerator" positive:"true" doc:"what an accelerator draws at full utilization; the power of its catalogue entry where left out"`
	Idle        Key[units.Power] `key:"accelerator_idle" doc:"what it draws without work; 11.5 % of that where left out, as an H200 (80.3 of 700 W, api.serialalice.pt 2025)"`
	Curve       Key[string]      `key:"curve" doc:"with model = \"measured\": CSV of utilization_ratio,power_W of an accelerator, ascending; straight lines between"`

	Compute       Key[float64] `key:"compute_utilization" default:"1" min:"0" max:"1" doc:"utilization of an accelerator while it computes"`
	Communication Key[float64] `key:"communication_utilization" default:"0.43" min:"0" max:"1" doc:"the same while it communicates and computes nothing, its kernels turning in a loop; the default brings it to half of its most, as Patel et al. (ASPLOS 2024) saw GPT-NeoX"`

	Batch     Key[float64] `key:"batch" default:"128" min:"1" max:"1000000" doc:"with model = \"logistic\": requests in work at full utilization"`
	Steepness Key[float64] `key:"steepness" default:"1" positive:"true" min:"0" max:"100" doc:"k of the logistic, for each doubling of the batch; an H100's of vLLM's semantic router (2025, recalled) where left out"`
	Midpoint  Key[float64] `key:"midpoint" default:"4.2" min:"0" max:"20" doc:"x0 of the logistic: log2 of the batch at which half of the way is made; as steepness"`

	Host     Key[units.Power] `key:"host" doc:"what a host draws beside its accelerators while all of them work; the power of its catalogue entry less theirs where left out"`
	HostIdle Key[units.Power] `key:"host_idle" doc:"the same while none does, on a line between; half of it where left out (Barroso and Hölzle 2007)"`
	Switch   Key[units.Power] `key:"switch" default:"\"0.067W\"" doc:"what a switch between hosts draws, for each Gbit/s of a port in use, with its transceivers, at any load; the most of a Quantum-2 QM9700 where left out, 1,720 W for 25.6 Tbit/s (data sheet, recalled)"`
	PUE      Key[float64]     `key:"pue" default:"1.1" min:"1" max:"10" doc:"power usage effectiveness: all that the site draws over what its machines do; hyperscale operators report 1.10 to 1.15, the mean of Uptime Institute's survey of 2023 is 1.58"`

	AcceleratorCap Key[units.Power] `key:"accelerator_cap" positive:"true" doc:"most that an accelerator may draw (nvidia-smi -pl). Limits lower the clocks of accelerators so far that none is ever exceeded, whatever all of them do, and so computation slows"`
	RackCap        Key[units.Power] `key:"rack_cap" positive:"true" doc:"most that the hosts of a rack may draw"`
	RackCooling    Key[units.Power] `key:"rack_cooling" positive:"true" doc:"heat that can be taken from a rack, which is what its hosts draw"`
	SiteCap        Key[units.Power] `key:"site_cap" positive:"true" doc:"most that each site may draw, pue included"`
	SiteCooling    Key[units.Power] `key:"site_cooling" positive:"true" doc:"heat that can be taken from all hosts and switches of a site"`
	Exponent       Key[float64]     `key:"clock_exponent" default:"3" min:"1" max:"4" doc:"what an accelerator draws beyond idling goes with its clock to this power: 3 where the voltage goes with the clock, 1 where it is constant"`
	LowestClock    Key[float64]     `key:"lowest_clock" default:"0.15" positive:"true" min:"0" max:"1" doc:"lowest clock as a part of the full one; 210 of 1,410 MHz of an A100 (recalled) where left out. A limit that wants less is an error"`
}

// Limited says whether power or cooling has a limit.
func (p *Power) Limited() bool {
	return p.AcceleratorCap.Set || p.RackCap.Set || p.RackCooling.Set || p.SiteCap.Set || p.SiteCooling.Set
}

// Battery is [topology.battery]: storage beside the data centre that charges while the
// grid's intensity is low.
type Battery struct {
	Header
	Capacity  Key[units.Energy] `key:"capacity" required:"true" positive:"true" doc:"what it holds; it begins empty and loses nothing"`
	Charge    Key[units.Power]  `key:"charge" required:"true" positive:"true" doc:"what it draws while it charges; it gives whatever the data centre draws"`
	Threshold Key[float64]      `key:"threshold" required:"true" min:"0" max:"100000" doc:"grams for a kWh: below, it charges; from there on it carries the data centre while it lasts (OpenDC's single threshold)"`
}

// PowerModel is [topology.power], or its defaults where it is left out.
func (t *Topology) PowerModel() *Power {
	if t.Power != nil {
		return t.Power
	}
	return defaults[Power]("topology.power")
}

// defaults is a table that the scenario leaves out.
func defaults[T any](path string) *T {
	table := new(T)
	v := reflect.ValueOf(table).Elem()
	for _, d := range declarations(v.Type()) {
		setDefaults(d, v.FieldByIndex(d.index))
	}
	v.FieldByName("Header").Set(reflect.ValueOf(Header{Path: path}))
	return table
}

// checkEnergy finds the keys of power, carbon and battery that have no meaning beside
// the others.
func (t *Topology) checkEnergy(b *binder) {
	if p := t.Power; p != nil {
		p.check(b)
	}
	if t.Carbon != nil {
		t.Carbon.check(b)
	}
	if t.Cost != nil {
		t.Cost.check(b)
	}
	if x := t.Battery; x != nil && t.Carbon == nil {
		b.faultf(x.At, x.Path, "follows the grid's carbon intensity: there is no [topology.carbon]")
	}
}

func (p *Power) check(b *binder) {
	model := p.Model.Value
	for _, k := range []struct {
		name   string
		set    bool
		at     Position
		belong string
	}{
		{"curve", p.Curve.Set, p.Curve.Pos, "measured"},
		{"batch", p.Batch.Set, p.Batch.Pos, "logistic"},
		{"steepness", p.Steepness.Set, p.Steepness.Pos, "logistic"},
		{"midpoint", p.Midpoint.Set, p.Midpoint.Pos, "logistic"},
	} {
		if k.set && model != k.belong {
			b.faultf(k.at, p.Path+"."+k.name, "belongs to model = %q; model is %q", k.belong, model)
		}
	}
	if model == "measured" {
		if !p.Curve.Set {
			b.faultf(p.Model.Pos, p.Path+".model", `"measured" needs the key "curve" (CSV of utilization_ratio,power_W)`)
		}
		for _, k := range []struct {
			name string
			Key[units.Power]
		}{{"accelerator", p.Accelerator}, {"accelerator_idle", p.Idle}} {
			if k.Set {
				b.faultf(k.Pos, p.Path+"."+k.name, "contradicts curve, which says what an accelerator draws")
			}
		}
	}
	for _, k := range []struct {
		name string
		set  bool
		at   Position
	}{{"clock_exponent", p.Exponent.Set, p.Exponent.Pos}, {"lowest_clock", p.LowestClock.Set, p.LowestClock.Pos}} {
		if k.set && !p.Limited() {
			b.faultf(k.at, p.Path+"."+k.name, "belongs to a limit, such as rack_cap, and there is none")
		}
	}
	if p.HostIdle.Set && p.Host.Set && p.HostIdle.Value > p.Host.Value {
		b.faultf(p.HostIdle.Pos, p.Path+".host_idle", "is more than host, %v", p.Host.Value)
	}
}

// ReadCurve reads the measured curve of an accelerator.
func (s *Scenario) ReadCurve(p *Power) ([]energy.Point, Faults) {
	var points []energy.Point
	faults := s.withTable(p.Curve, p.Path+".curve", func(file string, in io.Reader) (faults Faults) {
		points, faults = readCurve(file, in)
		return faults
	})
	return points, faults
}

func readCurve(file string, in io.Reader) (points []energy.Point, _ Faults) {
	rows := newRows(file, in)
	if !rows.header([]string{"utilization_ratio", "power_W"}, nil) {
		return nil, rows.all()
	}
	utilization, power := rows.column("utilization_ratio"), rows.column("power_W")
	for rows.next() {
		x := energy.Point{Utilization: rows.number(utilization), Power: rows.number(power)}
		switch n := len(points); {
		case x.Utilization > 1:
			rows.faultf(utilization, "must be from 0 to 1, not %v", x.Utilization)
		case n > 0 && x.Utilization <= points[n-1].Utilization:
			rows.faultf(utilization, "%v does not follow %v: rows ascend", x.Utilization, points[n-1].Utilization)
		case n == maxPowerRows:
			rows.faultf(utilization, "there are more than %d rows", n)
			return nil, rows.all()
		default:
			points = append(points, x)
		}
	}
	return points, rows.all()
}
