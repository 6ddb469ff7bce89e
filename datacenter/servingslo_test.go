package datacenter_test

import (
	"math"
	"slices"
	"testing"
)

// Every step takes 0.25 s, a batch has one sequence: the first request has its first token
// after 0.25 s, the second after 1.25 s, when the first has had its four. A turned-away
// one misses, too.
func TestObjectives(t *testing.T) {
	r := run(t, servingOn("h100-sxm-80gb", 1, `model = "llama-3.1-8b"
step_costs = "c.csv"
requests = "r.csv"
max_batch = 1
max_queue = 1
[workload.serving.slo]
ttft = "1s"
[[workload.serving.tenant]]
name = "paid"
[[workload.serving.tenant]]
name = "free"
[workload.serving.tenant.slo]
ttft = "2s"
e2e = "1900ms"
`), map[string]string{
		"c.csv": "part,sequences,cached_tokens,tokens,time_s\ndense,,,100,0.25\nprefill,1,100,100,0\ndecode,8,200,,0\n",
		"r.csv": "request,arrival_s,input_tokens,output_tokens,tenant\na,0,50,4,paid\nb,0.1,50,4,free\nc,0.2,50,4,paid\n",
	})
	s := r.Summary.List("serving")[0]
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	near("met", s.Float("slo_ratio"), 2.0/3)
	near("met to first token", s.Float("slo_ttft_ratio"), 2.0/3)
	near("goodput", s.Float("goodput_requests_per_s"), 2/2.0)
	near("tokens", s.Float("goodput_tokens_per_s"), 8/2.0)
	paid, free := s.List("tenants")[0], s.List("tenants")[1]
	near("paid", paid.Float("slo_ratio"), 1.0/2)
	near("paid, turned away", paid.Float("refused"), 1)
	near("free", free.Float("slo_ratio"), 1)
	near("free, first token", free.Record("ttft_s").Float("p50"), 1.15)
	if got := table(t, r.Tables, "requests").Column("tenant").Text; !slices.Equal(got, []string{"paid", "free", "paid"}) {
		t.Errorf("tenants %v", got)
	}
}

// An empty list of tables is as if it were left out.
func TestNoTenants(t *testing.T) {
	const serves = "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n[[workload.serving]]\nmodel = \"llama-3.1-8b\"\n" +
		"rate = 10\ncount = 10\ninput = 100\noutput = 10\nshared_prefix = 64\n"
	want := number(t, run(t, serves, nil), "serving.0.e2e_s.mean")
	for _, key := range []string{"tenant", "client"} {
		if got := number(t, run(t, serves+key+" = []\n", nil), "serving.0.e2e_s.mean"); got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}

// Under more load than there is room for, the tenant of the higher priority has its first
// token sooner; the shares are those asked for.
func TestTenants(t *testing.T) {
	s := run(t, servingOn("h100-sxm-80gb", 1, `model = "llama-3.1-8b"
rate = 100.0
count = 2000
input = 512
output = 64
max_batch = 32
[[workload.serving.tenant]]
name = "free"
share = 3.0
[[workload.serving.tenant]]
name = "paid"
priority = 1
input = 256
`), nil).Summary.List("serving")[0]
	free, paid := s.List("tenants")[0], s.List("tenants")[1]
	if n := paid.Float("requests"); n < 420 || n > 580 { // 500, with a deviation of 19
		t.Errorf("%v of 2000 requests are of a quarter", n)
	}
	if f, p := free.Record("ttft_s").Float("p50"), paid.Record("ttft_s").Float("p50"); p > f/10 {
		t.Errorf("median time to first token %v s, %v of the lower priority", p, f)
	}
}

// A million tokens cost what the run costs for each token of the answers.
func TestServingCost(t *testing.T) {
	r := run(t, "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n[topology.cost]\nrental = \"2USD/h\"\n[topology.power]\n[[workload.serving]]\nmodel = \"llama-3.1-8b\"\nconcurrency = 8\ncount = 80\ninput = 512\noutput = 100\n", nil)
	hours := r.Summary.Float("makespan_s") / 3600
	cost := r.Summary.Record("cost").List("jobs")[0].Float("per_million_tokens_USD")
	if want := 8 * 2 * hours / (80 * 100) * 1e6; math.Abs(cost/want-1) > 1e-9 {
		t.Errorf("a million tokens cost %v USD, want %v", cost, want)
	}
	energy := r.Summary.Record("energy").List("jobs")[0]
	if each := energy.Float("per_token_J"); math.Abs(each*80*100/energy.Float("energy_J")-1) > 1e-9 {
		t.Errorf("%v J a token, %v J in all", each, energy.Float("energy_J"))
	}
}
