package scenario

import (
	"strings"
	"testing"
)

const served = "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n\n[[workload.serving]]\nmodel = \"llama-2-70b\"\n"

func TestServingKeys(t *testing.T) {
	drawn := "rate = 2.0\ncount = 10\ninput = 8\n"
	scaled := drawn + "output = 1\n[workload.serving.autoscale]\ntarget = 10.0\n"
	for _, c := range []struct{ name, text, want string }{
		{"no demand", "", "case.toml:5:1: workload.serving[0]: is without demand"},
		{"two demands", "rate = 1.0\nconcurrency = 2\ncount = 1\ninput = 1\noutput = 1\n", "workload.serving[0].concurrency: contradicts rate"},
		{"no lengths", "rate = 1.0\ncount = 1\ninput = 1\n", `needs the key "output" with rate`},
		{"lengths of a file", "requests = \"r.csv\"\ninput = 1\n", "workload.serving[0].input: belongs to rate or concurrency"},
		{"gamma without cv", drawn + "output = 1\narrivals = \"gamma\"\n", `needs the key "cv"`},
		{"cv without gamma", drawn + "output = 1\ncv = 2.0\n", `belongs to arrivals = "gamma"`},
		{"chunk of continuous", drawn + "output = 1\nchunk = 4\n", `belongs to batching = "chunked"`},
		{"no tokens", drawn + "output = 0\n", "must be from 1 to 16777216, not 0"},
		{"unknown distribution", drawn + "output = { distribution = \"zipf\" }\n", `distribution must be "uniform" or "lognormal"`},
		{"no distribution", drawn + "output = { min = 1 }\n", "must be an integer or say its distribution"},
		{"unknown key of one", drawn + "output = { distribution = \"uniform\", mean = 1, max = 3 }\n", `unknown key "mean"; uniform takes min, max`},
		{"backwards", drawn + "output = { distribution = \"uniform\", min = 4, max = 3 }\n", "min, 4, is above max, 3"},
		{"as it should be", drawn + "output = 1\n", ""},
		{"no target", drawn + "output = 1\n[workload.serving.autoscale]\n", `needs the key "target"`},
		{"min above max", scaled + "min = 5\nmax = 3\n", "workload.serving[0].autoscale.min: 5 is more than max, 3"},
		{"poll of some", scaled + "poll = \"10s\"\n", "workload.serving[0].autoscale.poll: belongs to min = 0"},
		{"sync without end", scaled + "sync = \"1ps\"\n", "autoscale.sync: must be 100ms or more"},
		{"policy of both", scaled + "[[workload.serving.autoscale.up]]\npods = 1\npercent = 1\n", "autoscale.up[0]: needs one of pods and percent"},
		{"more at the start", drawn + "output = 1\nreplicas = 4\n[workload.serving.autoscale]\ntarget = 1\nmax = 3\n", "there are 4 at the start, more than autoscale.max, 3"},
		{"queue of clients", "concurrency = 1\ncount = 1\ninput = 1\noutput = 1\nmax_queue = 1\n", "max_queue: belongs to requests or rate"},
		{"tenant twice", drawn + "output = 1\n[[workload.serving.tenant]]\nname = \"a\"\n[[workload.serving.tenant]]\nname = \"a\"\n", `tenant[1].name: "a" is there twice`},
		{"share of a file", "requests = \"r.csv\"\n[[workload.serving.tenant]]\nname = \"a\"\nshare = 2.0\n", "tenant[0].share: belongs to rate or concurrency"},
		{"tenants", drawn + "output = 1\n[workload.serving.slo]\nttft = \"1s\"\n[[workload.serving.tenant]]\nname = \"a\"\nshare = 2.0\n[workload.serving.tenant.slo]\ntpot = \"20ms\"\n", ""},
		{"scaled", scaled + "min = 0\n[workload.serving.cold_start]\nimage = \"1GB\"\n[[workload.serving.autoscale.down]]\npercent = 10\nperiod = \"60s\"\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse("case.toml", []byte(served+c.text), nil)
			switch {
			case c.want == "" && faults != nil:
				t.Error(faults)
			case c.want != "" && !strings.Contains(faults.Error(), c.want):
				t.Errorf("got %v\nwant %s", faults, c.want)
			}
		})
	}
}

const requestHeader = "request,arrival_s,input_tokens,output_tokens\n"

func TestReadRequests(t *testing.T) {
	all, faults := new(Serving).readRequests("r.csv", strings.NewReader(requestHeader+"a,0,10,1\nb,1.5,20,2\n"))
	if faults != nil || len(all) != 2 || all[1].ID != "b" || all[1].Arrival != 1.5 || all[1].Input != 20 || all[1].Output != 2 || all[1].Line != 3 {
		t.Errorf("%+v, %v", all, faults)
	}
	for _, c := range []struct{ name, text, want string }{
		{"before the last", "a,1,10,1\nb,0.5,10,1\n", "r.csv:3:3: arrival_s: 0.5 is before the 1 of the row above"},
		{"twice", "a,1,10,1\na,2,10,1\n", `r.csv:3:1: request: "a" is there twice`},
		{"no prompt", "a,1,0,1\n", "r.csv:2:5: input_tokens: must be from 1 to 16777216, not 0"},
		{"half a token", "a,1,10,0.5\n", `output_tokens: "0.5" is not a whole number`},
		{"empty", "", "there are no rows"},
	} {
		if _, faults := new(Serving).readRequests("r.csv", strings.NewReader(requestHeader+c.text)); !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, faults, c.want)
		}
	}
}

// A column says whose a request is, where there are tenants.
func TestReadTenants(t *testing.T) {
	tenants := []Tenant{{Name: Key[string]{Value: "free"}}, {Name: Key[string]{Value: "paid"}}}
	all, faults := (&Serving{Tenant: tenants}).readRequests("r.csv", strings.NewReader("request,arrival_s,input_tokens,output_tokens,tenant\na,0,10,1,paid\n"))
	if faults != nil || all[0].Tenant != 1 {
		t.Errorf("%+v, %v", all, faults)
	}
	_, faults = (&Serving{Tenant: tenants}).readRequests("r.csv", strings.NewReader("request,arrival_s,input_tokens,output_tokens,tenant\na,0,10,1,other\n"))
	if !strings.Contains(faults.Error(), `r.csv:2:10: tenant: "other" is no [[workload.serving.tenant]]`) {
		t.Error(faults)
	}
	if _, faults = (&Serving{Tenant: tenants}).readRequests("r.csv", strings.NewReader(requestHeader+"a,0,10,1\n")); !strings.Contains(faults.Error(), "no column says whose") {
		t.Error(faults)
	}
}

const costHeader = "part,sequences,cached_tokens,tokens,time_s\n"

func TestReadStepCosts(t *testing.T) {
	all, faults := readStepCosts("c.csv", strings.NewReader(costHeader+"dense,,,8,0.01\nprefill,1,0,8,0.001\ndecode,4,64,,0.002\n"))
	if faults != nil || len(all) != 3 || all[2] != (StepCost{"decode", 4, 64, 0, 0.002}) {
		t.Errorf("%+v, %v", all, faults)
	}
	for _, c := range []struct{ name, text, want string }{
		{"unknown part", "head,,,8,1\n", `c.csv:2:1: part: "head" is unknown: dense, prefill or decode`},
		{"what it does not go by", "dense,3,,8,1\n", "c.csv:2:7: sequences: must be empty for dense"},
		{"negative", "dense,,,8,-1\n", "time_s: -1 is negative"},
	} {
		if _, faults := readStepCosts("c.csv", strings.NewReader(costHeader+c.text)); !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, faults, c.want)
		}
	}
}

func FuzzReadRequests(f *testing.F) {
	f.Add(requestHeader + "a,0,10,1\nb,1.5,20,2\n")
	f.Add(requestHeader + "a,1e400,-1,1\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		all, faults := new(Serving).readRequests("r.csv", strings.NewReader(text))
		if (all == nil) == (faults == nil) {
			t.Errorf("%d requests and faults %v", len(all), faults)
		}
	})
}

func FuzzReadStepCosts(f *testing.F) {
	f.Add(costHeader + "dense,,,8,0.01\nprefill,1,0,8,0.001\ndecode,4,64,,0.002\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, faults := readStepCosts("c.csv", strings.NewReader(text))
		if (all == nil) == (faults == nil) {
			t.Errorf("%d rows and faults %v", len(all), faults)
		}
	})
}
