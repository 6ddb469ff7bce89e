package railyard_test

import (
	"fmt"
	"strings"
	"testing"
)

// overHosts is a scenario of Llama 3.1 405B on two hosts of eight H100 under one up-link
// each, or what more is said.
func overHosts(tensor, pipeline int, more string) string {
	return fmt.Sprintf("[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 4\nhosts_per_rack = 2\noversubscription = 16.0\n\n[[workload.serving]]\nmodel = \"llama-3.1-405b\"\ntensor = %d\npipeline = %d\n"+
		"concurrency = 4\ncount = 8\ninput = 1000\noutput = 20\naccelerators = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]\n%s", tensor, pipeline, more)
}

// Every token that is computed crosses from the first stage's host to the second's once,
// as 16,384 values of two bytes; the last of an answer is not computed.
func TestStagesOverHosts(t *testing.T) {
	r := run(t, overHosts(8, 2, ""), nil)
	links := r.Table("links")
	from, to := links.Column("from").Text, links.Column("to").Text
	var sent float64
	for i, bytes := range links.Column("bytes").Numbers {
		if strings.HasPrefix(from[i], "host0/nic") && strings.HasPrefix(to[i], "leaf") {
			sent += bytes
		}
	}
	if want := 8 * (1000 + 19) * 16384 * 2.0; sent < want*(1-1e-9) || sent > want*(1+1e-9) {
		t.Errorf("%v bytes leave the first host, want %v", sent, want)
	}
}

// Ranks that sum over an up-link that another job fills wait for it, and it for them;
// in the analytic fidelity nobody does.
func TestTensorOverHosts(t *testing.T) {
	other := "\n[[workload.collective]]\nop = \"all_reduce\"\nalgorithm = \"ring\"\nsizes = [\"4GiB\"]\niterations = 20\naccelerators = [8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31]\n"
	of := func(text string, set ...string) (tpot, other float64) {
		s := run(t, text, nil, set...).Summary
		if c := s.List("collectives"); c != nil {
			other = c[0].Float("time_s")
		}
		return s.List("serving")[0].Record("tpot_s").Float("mean"), other
	}
	alone, _ := of(overHosts(16, 1, ""))
	beside, slowed := of(overHosts(16, 1, other))
	apart, quick := of(overHosts(16, 1, other), "sim.fidelity=analytic")
	if beside < 1.05*alone || slowed < 1.01*quick {
		t.Errorf("a token takes %v s beside another job, %v s alone; it takes %v s, and %v s", beside, alone, slowed, quick)
	}
	if apart > alone*1.001 || apart < alone*0.999 {
		t.Errorf("without contention a token takes %v s beside another job, %v s alone", apart, alone)
	}
	if inHost, _ := of(overHosts(8, 2, "")); alone < inHost {
		t.Errorf("%v s a token with sums over the up-link, %v s with sums in the hosts", alone, inHost)
	}
}
