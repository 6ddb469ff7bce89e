package datacenter

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	workload "github.com/railyard/railyard/workload/jobs"
)

// hosting is the hosts among which jobs are placed.
type hosting struct {
	hosts   []scheduler.Host
	types   map[string]uint8 // numbers of the names of accelerators
	placer  *scheduler.Placer
	tenants *tenancy // nil: all share all
	cpu     bool     // jobs' demands of CPUs and of memory count
	memory  bool
}

// plenty stands for what is never short.
const plenty = math.MaxInt64 / 4

// findHosts finds the hosts among which jobs are placed, where the scenario asks for
// that.
func (b *builder) findHosts() {
	s := b.scenario
	k := &s.Scheduler
	h := &hosting{types: map[string]uint8{}}
	switch {
	case b.nodes != nil:
		b.poolHosts(h)
	case !b.topology.Bare() && (k.Placement.Set || k.Consolidate.Value || k.AntiAffinity.Set || k.Security != nil || k.Policy.Value == "gavel" || k.Site.Set || b.power.Lowered() || s.DealtToSites()):
		b.fabricHosts(h)
	default:
		return
	}
	rule := scheduler.Pack
	if k.Placement.Set {
		rule, _ = scheduler.ParsePlacement(k.Placement.Value) // an enum of the schema
	}
	if h.tenants = b.findTenants(h); b.faults != nil {
		return
	}
	h.placer = scheduler.NewPlacer(h.hosts, scheduler.Placing{
		Rule: rule, Consolidate: k.Consolidate.Value, Random: sim.Stream(uint64(s.Sim.Seed.Value), "placement"), Isolation: h.tenants.isolation(),
	})
	b.hosting = h
}

// typeOf is the number of an accelerator's name.
func (h *hosting) typeOf(name string) (uint8, bool) {
	n, known := h.types[name]
	if !known && len(h.types) < scheduler.MaxTypes {
		n, known = uint8(len(h.types)), true
		h.types[name] = n
	}
	return n, known
}

// poolHosts are those of the pool's file.
func (b *builder) poolHosts(h *hosting) {
	n := b.nodes
	h.cpu, h.memory = n.HasCPU, n.HasMemory
	var near [3]map[string]int32
	for i := range near {
		near[i] = map[string]int32{}
	}
	for i := range n.Name {
		x := scheduler.Host{Accelerators: n.Accelerators[i], Speed: n.Speed[i], CPU: plenty, Memory: plenty}
		if x.Accelerators > 0 {
			var ok bool
			if x.Type, ok = h.typeOf(n.Type[i]); !ok {
				b.fault(b.scenario.Topology.File.Pos, "topology.file", "more than %d types of accelerators", scheduler.MaxTypes)
				return
			}
		}
		if h.cpu {
			x.CPU = n.CPU[i]
		}
		if h.memory {
			x.Memory = n.Memory[i]
		}
		for level := range near {
			name := n.Near[level][i]
			number, known := near[level][name]
			if !known {
				number = int32(len(near[level]))
				near[level][name] = number
			}
			if name == "" {
				number = -1
			}
			x.Near[level] = number
		}
		h.hosts = append(h.hosts, x)
	}
}

// fabricHosts are those of a topology with a network. Those of a rack share their
// leaf, in a rail fabric the leaf of each rail; those of a pod their part of a fat
// tree.
func (b *builder) fabricHosts(h *hosting) {
	t := b.topology
	h.cpu, h.memory = true, true
	k := int(b.scenario.Topology.K.Value)
	for i := range t.Servers {
		s := &t.Servers[i]
		x := scheduler.Host{
			Accelerators: s.Spec.Accelerators, CPU: int64(s.Spec.CPUs) * 1000, Memory: int64(s.Spec.Memory),
			Near: [3]int32{int32(s.Rack), -1, -1}, Speed: b.clock(s.FirstAccelerator),
		}
		if x.Accelerators > 0 {
			x.Type, _ = h.typeOf(s.Spec.Accelerator.Name)
		}
		switch t.Kind {
		case "rail":
			x.Near = [3]int32{-1, int32(s.Rack), -1}
		case "fat-tree":
			x.Near[2] = int32(i * s.Spec.NICs / max(1, k*k/4))
		}
		if sites := b.scenario.Topology.Site; sites != nil {
			n := t.SiteOfServer(i)
			x.Site, x.Speed = int32(n), sites[n].Speed.Value
		}
		h.hosts = append(h.hosts, x)
	}
}

// capacity is the CPUs and the memory of all hosts, where they count.
func (h *hosting) capacity() (all scheduler.Resources) {
	for i := range h.hosts {
		if h.cpu {
			all.CPU += min(h.hosts[i].CPU, math.MaxInt64-all.CPU)
		}
		if h.memory {
			all.Memory += min(h.hosts[i].Memory, math.MaxInt64-all.Memory)
		}
	}
	return all
}

// counts are the accelerators of each type.
func (h *hosting) counts() []int {
	n := make([]int, len(h.types))
	for i := range h.hosts {
		if x := &h.hosts[i]; x.Accelerators > 0 {
			n[x.Type] += x.Accelerators
		}
	}
	return n
}

// alike says whether accelerators are of one type.
func (h *hosting) alike(list []int32) bool {
	types, n := map[uint8]bool{}, int32(0)
	for i := range h.hosts {
		x := &h.hosts[i]
		first := n
		n += int32(x.Accelerators)
		if slices.ContainsFunc(list, func(a int32) bool { return a >= first && a < n }) {
			types[x.Type] = true
		}
	}
	return len(types) < 2
}

// settle judges the jobs of a file by the hosts that there are, and leaves out
// those that want nothing that these have.
func (b *builder) settle(w *scenario.Jobs, rows []workload.Job) []workload.Job {
	h := b.hosting
	whole, idle := 0, 0
	kept := rows[:0]
	for i := range rows {
		j := rows[i]
		if h == nil && j.Milli > 0 {
			j.Milli = 0
			whole++
		}
		if j.Accelerators == 0 && (h == nil || !h.cpu) {
			idle++
			continue
		}
		kept = append(kept, j)
	}
	if whole > 0 {
		b.warnings = append(b.warnings, fmt.Sprintf("%s: jobs that want parts of accelerators get whole ones, since the topology has no hosts to share them on: %s", w.File.Value, report.Count(float64(whole))))
	}
	if idle > 0 {
		b.warnings = append(b.warnings, fmt.Sprintf("%s: jobs that want no accelerator are left out, since the topology does not say what CPUs it has: %s", w.File.Value, report.Count(float64(idle))))
	}
	return kept
}

// requests are what jobs want of the hosts, checked on a cluster that is idle: what
// does not fit there never does.
type requests struct {
	*builder
	idle   *scheduler.Placer
	fits   map[scheduler.Request]bool
	all    []scheduler.Request
	partly string // a job that wants parts of accelerators
	apart  map[string]int32
	speeds map[string]int32 // number of each text in the placer's
	kinds  map[scheduler.Request]struct{}
}

// maxKinds bounds the different speeds of jobs, and the kinds of job that gavel has to
// weigh against each other at every start.
const maxKinds = 4096

func (b *builder) newRequests() *requests {
	r := &requests{builder: b, fits: map[scheduler.Request]bool{}, apart: map[string]int32{"": 0}, speeds: map[string]int32{"": 0}, kinds: map[scheduler.Request]struct{}{}}
	if b.hosting != nil {
		r.idle = scheduler.NewPlacer(b.hosting.hosts, scheduler.Placing{Consolidate: b.hosting.placer.Consolidate, Isolation: b.hosting.placer.Isolation})
	}
	return r
}

// add is what a job wants, zero where hosts do not matter.
func (r *requests) add(j *workload.Job, at scenario.Position) scheduler.Request {
	h := r.hosting
	if h == nil {
		if j.Speeds != "" {
			r.faults = append(r.faults, at.Faultf("speeds", `speeds: job %q has them, and jobs are not placed by host: a pool needs a file of its hosts, another topology scheduler.placement`, j.ID))
		}
		return scheduler.Request{}
	}
	want := scheduler.Request{Count: j.Accelerators, Milli: j.Milli, CPU: j.CPU, Memory: j.Memory, Site: j.Site}
	want.Tenant = h.tenants.number(j.User, j.Group)
	if !h.cpu {
		want.CPU = 0
	}
	if !h.memory {
		want.Memory = 0
	}
	named := false
	for name := range strings.SplitSeq(j.Accelerator, "|") {
		if name == "" {
			continue
		}
		named = true
		if n, known := h.types[name]; known {
			want.Types |= 1 << n
		}
	}
	if named && want.Types == 0 && j.Accelerators > 0 {
		r.faults = append(r.faults, at.Faultf("accelerator", "accelerator: job %q wants %q, and no host has such; there are %s",
			j.ID, j.Accelerator, strings.Join(slices.Sorted(maps.Keys(h.types)), ", ")))
		return want
	}
	r.fit(want, j, at)
	if j.Milli > 0 || j.Accelerators == 0 {
		r.partly = j.ID
	}
	r.all = append(r.all, want)
	var value string
	switch r.scenario.Scheduler.AntiAffinity.Value {
	case "user":
		value = j.User
	case "group":
		value = j.Group
	case "type":
		value = j.Type
	case "model":
		value = j.Model
	}
	number, known := r.apart[value]
	if !known {
		number = int32(len(r.apart))
		r.apart[value] = number
	}
	want.Apart = number
	want.Speeds = r.speedsOf(j, at)
	if len(r.kinds) <= maxKinds {
		r.kinds[scheduler.Request{Count: want.Count, Types: want.Types, Speeds: want.Speeds}] = struct{}{}
	}
	return want
}

// speedsOf is the number of a job's speeds in the placer.
func (r *requests) speedsOf(j *workload.Job, at scenario.Position) int32 {
	number, known := r.speeds[j.Speeds]
	if known {
		return number
	}
	h := r.hosting
	var speeds scheduler.Speeds
	all, _ := workload.ParseSpeeds(j.Speeds) // its reader has judged it
	for _, s := range all {
		if t, there := h.types[s.Type]; there {
			speeds[t], known = s.Speed, true
		}
	}
	if !known {
		r.faults = append(r.faults, at.Faultf("speeds", "speeds: job %q names no type that there is; there are %s", j.ID, strings.Join(slices.Sorted(maps.Keys(h.types)), ", ")))
		return 0
	}
	if len(h.placer.Speeds) == maxKinds {
		r.faults = append(r.faults, at.Faultf("speeds", "speeds: those of job %q and of the jobs before it are more than %d different ones", j.ID, maxKinds))
		return 0
	}
	h.placer.Speeds = append(h.placer.Speeds, speeds)
	r.speeds[j.Speeds] = int32(len(h.placer.Speeds))
	return r.speeds[j.Speeds]
}

// fit tries a request on the idle cluster, each once.
func (r *requests) fit(want scheduler.Request, j *workload.Job, at scenario.Position) {
	fits, known := r.fits[want]
	if !known {
		fits = r.room(want)
		r.fits[want] = fits
	}
	if !fits && len(r.faults) == 0 {
		r.faults = append(r.faults, at.Faultf("", "job %q finds no room even on the idle cluster: %s", j.ID, needsOf(j)))
	}
}

// room says whether there is any for a request on the idle cluster, at one site where these
// matter.
func (r *requests) room(want scheduler.Request) bool {
	if !r.scenario.Scheduler.Site.Set || want.Site != 0 {
		return r.idle.Place(want) != nil
	}
	for site := range r.scenario.Topology.Site {
		if want.Site = int32(site) + 1; r.idle.Place(want) != nil {
			return true
		}
	}
	return false
}

// needsOf says what a job wants of hosts.
func needsOf(j *workload.Job) string {
	text := fmt.Sprintf("%d accelerators", j.Accelerators)
	if j.Milli > 0 {
		text = fmt.Sprintf("%d/1000 of each of %s", j.Milli, text)
	}
	if j.Accelerator != "" {
		text += " of type " + j.Accelerator
	}
	return text + fmt.Sprintf(", %g cores, %d bytes of memory", float64(j.CPU)/1000, j.Memory)
}

// finish gives the placement what is typical, and refuses policies that count whole
// accelerators.
func (r *requests) finish() {
	if r.hosting == nil {
		return
	}
	r.hosting.placer.Typical = scheduler.TypicalOf(r.all)
	p := &r.scenario.Scheduler.Policy
	if p.Value == "elastic" {
		r.fault(p.Pos, "scheduler.policy", "\"elastic\" counts accelerators, and not every count may have room on hosts: leave out placement")
	}
	if p.Value == "gavel" && len(r.kinds) > maxKinds {
		r.fault(p.Pos, "scheduler.policy", "\"gavel\" weighs jobs of different gangs, types and speeds against each other, and there are more than %d kinds", maxKinds)
	}
	if r.partly == "" {
		return
	}
	if parts := []string{"fifo", "fifo-skip", "sjf", "sjf-skip", "drf"}; !slices.Contains(parts, p.Value) {
		r.fault(p.Pos, "scheduler.policy", "%q counts whole accelerators, and job %q wants none or parts; %s do not", p.Value, r.partly, strings.Join(parts, ", "))
	}
	for _, g := range r.scenario.Scheduler.Group {
		if g.Quota.Value > 0 || g.Limit.Set {
			r.fault(g.At, g.Path, "has a quota or a limit, which count whole accelerators, and job %q wants none or parts", r.partly)
		}
	}
}
