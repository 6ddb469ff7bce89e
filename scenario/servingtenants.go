package scenario

import "github.com/railyard/railyard/units"

// SLO is [workload.serving.slo]: service level objectives of each request.
type SLO struct {
	TTFT Key[units.Duration] `key:"ttft" positive:"true" doc:"most time to the first token"`
	TPOT Key[units.Duration] `key:"tpot" positive:"true" doc:"most time per token after it, in the mean of a request"`
	E2E  Key[units.Duration] `key:"e2e" positive:"true" doc:"most time from arrival to the last token"`
}

// Set says whether there is any objective.
func (s *SLO) Set() bool { return s.TTFT.Set || s.TPOT.Set || s.E2E.Set }

// Or takes from another what this leaves out.
func (s SLO) Or(other SLO) SLO {
	if !s.TTFT.Set {
		s.TTFT = other.TTFT
	}
	if !s.TPOT.Set {
		s.TPOT = other.TPOT
	}
	if !s.E2E.Set {
		s.E2E = other.E2E
	}
	return s
}

// Tenant is one [[workload.serving.tenant]].
type Tenant struct {
	Header
	Name         Key[string]  `key:"name" required:"true" doc:"name of the tenant"`
	Share        Key[float64] `key:"share" default:"1" positive:"true" min:"0" max:"1e9" doc:"with rate or concurrency, its part of the requests, to the parts of the others"`
	Priority     Key[int64]   `key:"priority" default:"0" min:"-1000000" max:"1000000" doc:"requests of a higher one are taken into a batch before others, and preempted after them"`
	Input        Key[Lengths] `key:"input" min:"1" max:"16777216" doc:"tokens of its prompts; those of all where left out"`
	Output       Key[Lengths] `key:"output" min:"1" max:"16777216" doc:"tokens of its answers, in the same way"`
	SharedPrefix Key[int64]   `key:"shared_prefix" min:"1" max:"16777216" doc:"tokens that all of its prompts begin with; that of all where left out"`
	SLO          SLO          `key:"slo" doc:"what its requests are to keep to; what is left out is that of all"`
}

// mostTenants bounds the tenants of a workload: each request is sought among them.
const mostTenants = 1000

// checkTenants judges tenants together.
func (w *Serving) checkTenants(b *binder) {
	if len(w.Tenant) > mostTenants {
		b.faultf(w.Tenant[mostTenants].At, w.Path+".tenant", "more than %d", mostTenants)
		return
	}
	if len(w.Tenant) > 0 && w.Format.Value != "csv" {
		b.faultf(w.Tenant[0].At, w.Tenant[0].Path, "a trace of format %s does not say whose its requests are", w.Format.Value)
	}
	seen := map[string]bool{}
	for i := range w.Tenant {
		t := &w.Tenant[i]
		if seen[t.Name.Value] && t.Name.Set {
			b.faultf(t.Name.Pos, t.Path+".name", "%q is there twice", shown(t.Name.Value))
		}
		seen[t.Name.Value] = true
		for _, k := range []struct {
			name string
			set  bool
			at   Position
		}{{"share", t.Share.Set, t.Share.Pos}, {"input", t.Input.Set, t.Input.Pos}, {"output", t.Output.Set, t.Output.Pos}, {"shared_prefix", t.SharedPrefix.Set, t.SharedPrefix.Pos}} {
			if k.set && w.Requests.Set {
				b.faultf(k.at, t.Path+"."+k.name, "belongs to rate or concurrency")
			}
		}
	}
}
