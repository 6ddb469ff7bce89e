package workload

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/combin"
	"pgregory.net/rapid"

	"github.com/railyard/railyard/topology"
)

// The products of a mixture of experts: 6 FLOPs a token and parameter that the
// token visits, and attention's 12 h s a token and layer, of h = heads x head_dim.
func TestFLOPsOfExperts(t *testing.T) {
	mixtral := llama(32, 4096, 32, 8, 14336, 32000)
	mixtral.Experts, mixtral.ExpertsPerToken = 8, 2
	qwen := llama(48, 2048, 32, 4, 6144, 151936)
	qwen.HeadDim, qwen.Experts, qwen.ExpertsPerToken, qwen.ExpertFFN = 128, 128, 8, 768
	shared := qwen
	shared.SharedExperts, shared.DenseLayers, shared.CapacityFactor = 2, 3, 1.25 // what is computed in vain is no arithmetic of the model
	for name, m := range map[string]Model{"mixtral": mixtral, "qwen": qwen, "shared and dense": shared} {
		if err := m.Validate(); err != nil {
			t.Fatal(name, err)
		}
		const s = 4096
		norms := (2*m.Layers + 1) * m.Hidden
		inProducts := m.ActiveParameters() - m.Vocab*m.Hidden - norms
		want := 6*float64(inProducts) + 12*float64(m.Layers*m.WithDefaults().Heads*m.WithDefaults().HeadDim)*s
		job := Training{Model: m, GlobalBatch: 4, Sequence: s, Precision: topology.BF16}
		if got := job.FLOPs() / (4 * s); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%s: %g FLOPs a token, want %g", name, got, want)
		}
	}
	// Latent attention: a query and key are head_dim + rotary_dim wide, a value
	// value_dim (DeepSeek-AI 2024, section 2.1).
	deepseek := llama(60, 5120, 128, 128, 12288, 102400)
	deepseek.HeadDim, deepseek.KVRank, deepseek.QueryRank, deepseek.RotaryDim, deepseek.ValueDim = 128, 512, 1536, 64, 128
	deepseek.Experts, deepseek.ExpertsPerToken, deepseek.SharedExperts, deepseek.ExpertFFN, deepseek.DenseLayers = 160, 6, 2, 1536, 1
	const s = 4096
	norms := deepseek.Layers*(2*5120+512+1536) + 5120
	want := 6*float64(deepseek.ActiveParameters()-102400*5120-norms) + 6*60*128*(128+64+128)*s
	if got := (Training{Model: deepseek, GlobalBatch: 1, Precision: topology.BF16, Sequence: s}).FLOPs() / s; math.Abs(got/want-1) > 1e-12 {
		t.Errorf("latent attention: %g FLOPs a token, want %g", got, want)
	}
}

// However experts are shared out, all ranks together compute the same, hold all
// parameters once a replica, and tokens are neither lost nor multiplied.
func TestExpertsSharedOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := llama(2, 64, 4, 4, 128, 64)
		expert := int64(1) << rapid.IntRange(0, 3).Draw(t, "expert")
		tensor := int64(1) << rapid.IntRange(0, 2).Draw(t, "tensor")
		m.Experts = expert * rapid.Int64Range(1, 4).Draw(t, "own")
		m.ExpertsPerToken = rapid.Int64Range(1, m.Experts).Draw(t, "top")
		// As many tokens as make the rows of each expert whole.
		b := Batch{Samples: m.Experts * tensor, Sequence: 16, Precision: topology.BF16}
		whole := m.Unfold(b)[1]
		b.Expert, b.Tensor, b.SequenceParallel = expert, tensor, tensor > 1
		part := m.Unfold(b)[1]
		if got := part.ExpertParameters * expert * tensor; got != whole.ExpertParameters {
			t.Fatalf("%d ranks hold %d parameters of experts, want %d", expert*tensor, got, whole.ExpertParameters)
		}
		flops := func(l Layer, name string) (sum float64) {
			for _, op := range append(l.Forward, l.Backward...) {
				if len(op.Name) >= len(name) && op.Name[:len(name)] == name {
					sum += op.FLOPs
				}
			}
			return sum
		}
		// A rank of one of so many expert-parallel replicas computes for its own
		// tokens, a tensor-parallel one its part.
		if got, want := flops(part, "experts")*float64(tensor), flops(whole, "experts"); math.Abs(got/want-1) > 1e-12 {
			t.Fatalf("%g FLOPs in experts, want %g", got, want)
		}
	})
}

// On how many hosts a token's experts are, by counting all choices of groups and then of
// experts.
func TestHostsPerToken(t *testing.T) {
	subsets := func(n, k int, each func(chosen []int)) {
		for _, c := range combin.Combinations(n, k) {
			each(c)
		}
	}
	for _, c := range []struct{ experts, groups, drawn, top, hosts int }{
		{8, 1, 1, 2, 4}, {8, 1, 1, 3, 8}, {8, 1, 1, 3, 1}, {8, 4, 2, 3, 4}, {8, 4, 2, 3, 2}, {8, 4, 1, 2, 2}, {8, 4, 3, 3, 8}, {12, 6, 3, 2, 3}, {12, 4, 4, 4, 4},
	} {
		m := Model{Experts: int64(c.experts), ExpertGroups: int64(c.groups), GroupsPerToken: int64(c.drawn), ExpertsPerToken: int64(c.top)}
		size := c.experts / c.groups
		var visited, ways float64
		subsets(c.groups, c.drawn, func(groups []int) {
			subsets(c.drawn*size, c.top, func(chosen []int) {
				hosts := map[int]bool{}
				for _, e := range chosen {
					expert := groups[e/size]*size + e%size
					hosts[expert*c.hosts/c.experts] = true
				}
				visited += float64(len(hosts))
				ways++
			})
		})
		if got, want := m.hostsPerToken(int64(c.hosts)), visited/ways; math.Abs(got/want-1) > 1e-9 {
			t.Errorf("%+v: %g hosts, want %g", c, got, want)
		}
	}
}

// DeepSeek-V3's tokens go to four hosts of eight at the most, in 8 bits, and come back in
// 16: 3.63 hosts in the mean, of 256 experts in eight groups of which four are drawn.
func TestDispatchPerHost(t *testing.T) {
	m := llama(1, 7168, 128, 128, 18432, 1000)
	m.Experts, m.ExpertsPerToken, m.ExpertFFN, m.ExpertGroups, m.GroupsPerToken = 256, 8, 2048, 8, 4
	b := Batch{Samples: 1, Sequence: 4096, Precision: topology.FP8, Expert: 64, ExpertHosts: 8}
	missed := 1.0 // a host whose group is drawn
	for i := range 8 {
		missed *= float64(96-i) / float64(128-i)
	}
	hosts := 4 * (1 - missed)
	for _, l := range m.Unfold(b) {
		if l.ExpertParameters == 0 {
			continue
		}
		for _, pass := range []struct {
			ops   []Operator
			bytes [2]float64
		}{{l.Forward, [2]float64{1, 2}}, {l.Backward, [2]float64{1, 2}}} {
			n := 0
			for _, op := range pass.ops {
				if op.Group != ExpertGroup || op.Class != Communication {
					continue
				}
				if want := pass.bytes[n] * 4096 * 7168 * hosts; math.Abs(op.Bytes/want-1) > 1e-9 {
					t.Errorf("exchange %d: %g bytes, want %g", n, op.Bytes, want)
				}
				n++
			}
			if n != 2 {
				t.Errorf("%d exchanges", n)
			}
		}
	}
}
