package datacenter_test

import (
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard/result"
)

// apart is a scenario of two hosts of eight H100 whose first host computes prompts of
// Llama 3.1 70B, and whose second goes on; with less, all replicas do both.
func apart(keys, disaggregate string) string {
	return "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 2\n\n[[workload.serving]]\nmodel = \"llama-3.1-70b\"\ntensor = 4\nrouter = \"least-loaded\"\n" +
		keys + "[workload.serving.disaggregate]\n" + disaggregate
}

// tokenOf70B is what a token of Llama 3.1 70B has in the cache: keys and values of 80
// layers, 8 heads of 128, two bytes each.
const tokenOf70B = 2 * 80 * 8 * 128 * 2

// Every byte of keys and values crosses the links between the hosts once, and a request
// alone takes its prompt, its bytes at the rate of four NICs, and its tokens.
func TestDisaggregated(t *testing.T) {
	r := run(t, apart("requests = \"r.csv\"\n", "prefill = 2\ndecode = 2\n"),
		map[string]string{"r.csv": "request,arrival_s,input_tokens,output_tokens\na,0,1000,5\nb,10,3000,5\nc,20,500,1\n"})
	s := r.Summary.List("serving")[0]
	want := 4000.0 * tokenOf70B
	if got := s.Float("kv_transfer_bytes"); got != want {
		t.Errorf("%v bytes go over, want %v", got, want)
	}
	links := r.Table("links")
	from, to, bytes := links.Column("from").Text, links.Column("to").Text, links.Column("bytes").Numbers
	var sent, received, back float64
	for i := range bytes {
		switch {
		case strings.HasPrefix(from[i], "host0/nic") && strings.HasPrefix(to[i], "leaf"):
			sent += bytes[i]
		case strings.HasPrefix(from[i], "leaf") && strings.HasPrefix(to[i], "host1/nic"):
			received += bytes[i]
		case strings.HasPrefix(from[i], "host1/nic") && strings.HasPrefix(to[i], "leaf"):
			back += bytes[i]
		}
	}
	if sent != want || received != want || back != 0 {
		t.Errorf("links carry %v and %v bytes, %v back; want %v", sent, received, back, want)
	}
	requests := r.Table("requests")
	begin, end := requests.Column("transfer_start_s").Numbers, requests.Column("transfer_end_s").Numbers
	first, finish := requests.Column("first_token_s").Numbers, requests.Column("finish_s").Numbers
	rate := 0.0 // that is left for bytes of a NIC
	for i, p := range links.Column("payload_Bps").Numbers {
		if strings.HasPrefix(from[i], "host0/nic") {
			rate = p
		}
	}
	for i, tokens := range []float64{1000, 3000} {
		// The library's start, and what its protocol loses, are below 20 %.
		if got, least := end[i]-begin[i], tokens*tokenOf70B/4/rate; got < least || got > 1.2*least {
			t.Errorf("request %d: %v s to go over, %v s at the rate of the NICs", i, got, least)
		}
		if begin[i] != first[i] || finish[i] <= end[i] {
			t.Errorf("request %d: first token at %v, over from %v to %v, ends at %v", i, first[i], begin[i], end[i], finish[i])
		}
	}
	if where := requests.Column("replica").Text; where[0] != "2" || where[2] != "0" || begin[2] == begin[2] {
		t.Errorf("replicas %v; an answer of one token goes over at %v", where, begin[2])
	}
}

// On the same load and accelerators no prompt comes between the tokens: their tail is
// shorter than where all replicas do both. Prompts have half of the replicas and take
// longer (Zhong et al., DistServe, OSDI 2024, section 2.3).
func TestDisaggregatedTails(t *testing.T) {
	load := "rate = 8.0\ncount = 400\ninput = { distribution = \"lognormal\", mean = 2000, cv = 1.0, min = 16, max = 16000 }\noutput = { distribution = \"lognormal\", mean = 200, cv = 0.8, min = 1, max = 2000 }\n"
	text := apart(load, "prefill = 2\ndecode = 2\n")
	together, _, _ := strings.Cut(text, "[workload.serving.disaggregate]")
	of := func(text string) *result.Record { return run(t, text, nil).Summary.List("serving")[0] }
	a, b := of(text), of(together)
	if a.Float("requests") != 400 || b.Float("requests") != 400 {
		t.Errorf("%v and %v of 400 requests end", a.Float("requests"), b.Float("requests"))
	}
	for _, m := range []string{"tpot_s", "itl_s"} {
		if x, y := a.Record(m).Float("p99"), b.Record(m).Float("p99"); x > 0.7*y {
			t.Errorf("p99 of %s: %v s apart, %v s together", m, x, y)
		}
	}
	if x, y := a.Record("ttft_s").Float("mean"), b.Record("ttft_s").Float("mean"); x < y {
		t.Errorf("time to first token: %v s on two replicas, %v s on four", x, y)
	}
	pools := a.List("pools")
	if n := pools[0].Float("replicas") + pools[1].Float("replicas"); n != a.Float("replicas") || math.Abs(pools[0].Float("mean_batch")*2+pools[1].Float("mean_batch")*2-a.Float("mean_batch")*4) > 1e-9 {
		t.Errorf("%v replicas; pools %v and %v", a.Float("replicas"), pools[0], pools[1])
	}
}

// Both kinds of replicas scale by the documented formula, on a metric of their own and
// within their own bounds, and every request is answered. Decisions are compared where all
// replicas are ready.
func TestDisaggregatedScale(t *testing.T) {
	text := apart(`rate = 8.0
count = 600
input = { distribution = "lognormal", mean = 2000, cv = 1.0, min = 16, max = 16000 }
output = { distribution = "lognormal", mean = 200, cv = 0.8, min = 1, max = 2000 }
[workload.serving.cold_start]
image = "1GB"
image_rate = "1GB/s"
weights_rate = "20GB/s"
engine = "4s"
`, `decode = 2
[workload.serving.disaggregate.prefill_autoscale]
metric = "prompt-tokens"
target = 8000.0
max = 2
down_window = "0s"
[workload.serving.disaggregate.decode_autoscale]
metric = "requests"
target = 40.0
max = 2
down_window = "30s"
`)
	r := run(t, text, nil)
	s := r.Summary.List("serving")[0]
	if s.Float("requests") != 600 || s.Float("unfinished") != 0 {
		t.Errorf("%v of 600 requests are answered", s.Float("requests"))
	}
	d := r.Table("scaling")
	pool, ready, starting := d.Column("pool").Text, d.Column("ready").Integers, d.Column("starting").Integers
	targets, changes := map[string]float64{"prefill": 8000, "decode": 40}, map[string]int{}
	was := map[string]int64{"prefill": 1, "decode": 2}
	for i, metric := range d.Column("metric").Numbers {
		p, got, desired := pool[i], d.Column("recommended").Integers[i], d.Column("desired").Integers[i]
		if desired < 1 || desired > 2 {
			t.Errorf("row %d: %d replicas are desired, of at least 1 and at most 2", i, desired)
		}
		if desired != was[p] {
			changes[p]++
			was[p] = desired
		}
		want, ratio := float64(ready[i]), metric/targets[p]
		if math.Abs(ratio-1) > 0.1 {
			want = math.Ceil(want*ratio - 1e-9)
		}
		if starting[i] == 0 && float64(got) != want {
			t.Errorf("row %d: %d replicas of %s at %v of %v: %d, want %v", i, ready[i], p, metric, targets[p], got, want)
		}
	}
	for i, p := range s.List("pools") {
		name := [...]string{"prefill", "decode"}[i]
		if float64(changes[name]) != p.Float("scalings") || p.Float("scalings") < 1 || p.Float("mean_replicas") >= 2 || p.Float("most_replicas") != 2 {
			t.Errorf("%s scales %d times; %v", name, changes[name], p)
		}
	}
}

func TestDisaggregateRefused(t *testing.T) {
	drawn := "concurrency = 1\ncount = 1\ninput = 10\noutput = 10\n"
	both := "prefill = 2\ndecode = 2\n"
	for _, c := range []struct{ name, text, want string }{
		{"replicas", apart("replicas = 4\n"+drawn, both), "case.toml:10:12: workload.serving[0].replicas: contradicts disaggregate"},
		{"static", apart("batching = \"static\"\n"+drawn, both), "static keeps a batch together"},
		{"autoscale", apart(drawn, both+"[workload.serving.autoscale]\ntarget = 2.0\n"), "workload.serving[0].autoscale: is of replicas that do both"},
		{"most of one kind", apart(drawn, both+"[workload.serving.disaggregate.decode_autoscale]\ntarget = 2.0\n"), "decode_autoscale: needs the key \"max\""},
		{"more than the most", apart(drawn, both+"[workload.serving.disaggregate.prefill_autoscale]\ntarget = 2.0\nmax = 1\n"), "disaggregate.prefill: there are 2 at the start, more than prefill_autoscale.max, 1"},
		{"most do not fit", apart(drawn, both+"[workload.serving.disaggregate.prefill_autoscale]\ntarget = 2.0\nmax = 4\n"), "24 are more than the 16"},
		{"too many", apart(drawn, "prefill = 3\ndecode = 2\n"), "20 are more than the 16"},
		{"not all", apart("accelerators = 12\n"+drawn, both), "2 replicas of 4 accelerators for prompts and 2 of 4 for tokens take 16, not 12"},
		{"heads", apart(drawn, both+"decode_tensor = 3\n"), "tensor = 3 does not divide its 64 heads"},
		{"does not fit", apart(drawn, both+"decode_tensor = 1\n"), "llama-3.1-70b does not fit"},
		{"one table", apart("step_costs = \"c.csv\"\n"+drawn, both+"decode_tensor = 2\n"), "is one table, and prefill_tensor and decode_tensor differ"},
		{"incomplete", apart(drawn, "prefill = 2\n"), `needs the key "decode"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := refused(t, c.text, nil); !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}
