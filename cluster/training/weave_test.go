package training

import (
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload"
)

var routed = workload.Model{
	Family: workload.FamilyTransformer, Layers: 4, Hidden: 1024, Heads: 16, Vocab: 1024, Sequence: 512,
	Experts: 16, ExpertsPerToken: 2, ExpertFFN: 2048,
}

// Woven passes compute what both compute and exchange what both exchange; while tokens
// of the one are on their way the other computes.
func TestWeave(t *testing.T) {
	_, p, _ := compiled(t, workload.Training{Model: routed, GlobalBatch: 32, Data: 8, Expert: 8, ExpertOverlap: true})
	c := &p.chunks[0]
	forward, backward := c.forward.joined(), c.back[1][0].joined()
	sum := func(steps []step) (compute sim.Time, bytes float64, exchanges, beside int) {
		for i, s := range steps {
			compute += s.duration
			bytes += s.transfer.bytes
			switch s.do {
			case stepExchange:
				exchanges++
			case stepBeside:
				exchanges++
				beside++
				if steps[i+1].do != stepCompute {
					t.Errorf("step %d has nothing beside it", i)
				}
			}
		}
		return compute, bytes, exchanges, beside
	}
	f, fBytes, fExchanges, _ := sum(forward)
	b, bBytes, bExchanges, _ := sum(backward)
	both, bytes, exchanges, beside := sum(weave(forward, backward))
	if both != f+b || bytes != fBytes+bBytes || exchanges != fExchanges+bExchanges {
		t.Errorf("woven passes compute %v and exchange %v bytes in %d, apart %v, %v, %d", both, bytes, exchanges, f+b, fBytes+bBytes, fExchanges+bExchanges)
	}
	// Two exchanges a layer and pass: there and back.
	if want := 2 * 2 * int(routed.Layers); exchanges != want || beside != want {
		t.Errorf("%d exchanges, %d of them beside computation, want %d", exchanges, beside, want)
	}
	// Nothing can be beside the exchanges of a pass alone.
	if _, _, n, beside := sum(weave(forward, nil)); n != fExchanges || beside != 0 {
		t.Errorf("alone %d of %d exchanges are beside computation", beside, n)
	}
}
