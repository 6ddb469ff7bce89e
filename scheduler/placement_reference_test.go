package scheduler

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// reference is a file beside the checkout, which users do not have.
func reference(tb testing.TB, parts ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "shared", "reference", "scheduling"}, parts...)...))
	if os.IsNotExist(err) {
		tb.Skip("no reference")
	}
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// typeSet numbers the names of accelerators.
type typeSet map[string]uint8

func (t typeSet) number(name string) uint8 {
	if _, known := t[name]; !known {
		t[name] = uint8(len(t))
	}
	return t[name]
}

func (t typeSet) set(names string) (set uint64) {
	for name := range strings.SplitSeq(names, "|") {
		if name != "" {
			set |= 1 << t.number(name)
		}
	}
	return set
}

// fgdOrder is the order in which the FGD authors' simulator prefers hosts that
// tie in the case below, the number of each in its name. It shuffles them with a
// seed; this one order agrees with all of its placements under all four rules.
const fgdOrder = `797 1175 326 26 1104 419 523 284 960 407 339 734 59 372 443 428 911 953 761 403 147 592 3 321 208
	259 510 572 835 106 1085 1113 10 270 642 504 231 340 441 779`

// The simulator of the FGD paper places 420 pods on 40 nodes; each pod goes to
// the same node here. Under dot-product it gives two pods of its node 0059 parts
// of accelerators that it gave out before (8,360 of 8,000 thousandths in the
// end), since it reads what is free before its last placement is written: these
// two cannot be followed.
func TestFGDMini(t *testing.T) {
	var c struct {
		Nodes, Pods [][]any
		Expected    map[string]struct{ Assign [][2]*string }
	}
	if err := json.Unmarshal(reference(t, "placement", "given_fgd_mini.json"), &c); err != nil {
		t.Fatal(err)
	}
	number := func(v any) int64 { return int64(v.(float64)) }
	rank := map[string]int{}
	for i, n := range strings.Fields(fgdOrder) {
		rank["openb-node-"+strings.Repeat("0", 4-len(n))+n] = i
	}
	slices.SortFunc(c.Nodes, func(a, b []any) int { return cmp.Compare(rank[a[0].(string)], rank[b[0].(string)]) })
	types := typeSet{}
	var hosts []Host
	for _, n := range c.Nodes {
		hosts = append(hosts, Host{
			CPU: number(n[1]), Memory: number(n[2]), Accelerators: int(number(n[3])), Type: types.number(n[4].(string)),
		})
	}
	pods := map[string]Request{}
	var workload []Request
	for _, p := range c.Pods {
		r := Request{
			CPU: number(p[1]), Memory: number(p[2]), Count: int(number(p[3])), Milli: int32(number(p[4])), Types: types.set(p[5].(string)),
		}
		pods[p[0].(string)] = r
		workload = append(workload, r)
	}
	for name, rule := range map[string]Placement{
		"04-GpuPacking": Pack, "05-BestFit": BestFit, "02-DotProd": DotProduct, "06-FGD": Fragmentation,
	} {
		t.Run(rule.String(), func(t *testing.T) {
			p := NewPlacer(hosts, Placing{Rule: rule, Typical: TypicalOf(workload)})
			for _, pair := range c.Expected[name].Assign {
				r := pods[*pair[0]]
				got := p.Place(r)
				if pair[1] == nil {
					if got != nil {
						t.Errorf("%s goes to host %d, should not fit", *pair[0], got[0].Host)
					}
					continue
				}
				want := int32(rank[*pair[1]])
				if over := rule == DotProduct && *pair[1] == "openb-node-0059"; over && !p.holds(int(want), &r) {
					v := &p.vacant[want]
					v.cpu -= r.CPU
					v.memory -= r.Memory
					clear(p.hosts[want].free)
					v.count(p.hosts[want].free)
					continue
				}
				if got == nil || got[0].Host != want {
					t.Fatalf("%s %+v goes to %v, should go to host %d", *pair[0], r, got, want)
				}
				p.Take(r, got)
			}
		})
	}
}

// openb is the pods and the nodes with accelerators of Alibaba's trace of 2023.
func openb(tb testing.TB) ([]Host, []Request) {
	rows := func(name string) [][]string {
		rows, err := csv.NewReader(strings.NewReader(string(reference(tb, "traces", name)))).ReadAll()
		if err != nil {
			tb.Fatal(err)
		}
		return rows[1:]
	}
	number := func(s string) int64 {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
	types := typeSet{}
	var hosts []Host
	for _, n := range rows("alibaba2023_openb_nodes.csv") {
		// The authors simulate the 1,213 nodes that have accelerators.
		if h := (Host{CPU: number(n[1]), Memory: number(n[2]), Accelerators: int(number(n[3]))}); h.Accelerators > 0 {
			h.Type = types.number(n[4])
			hosts = append(hosts, h)
		}
	}
	var pods []Request
	for _, p := range rows("alibaba2023_openb_default.csv") {
		pods = append(pods, Request{
			Count: int(number(p[2])), Types: types.set(p[4]), Milli: int32(number(p[7])), CPU: number(p[8]), Memory: number(p[9]),
		})
	}
	return hosts, pods
}

// The experiment of the FGD paper (figures 7 and 9a): pods arrive in random
// order, copies of random ones after them; none leaves, and one that does not fit
// is gone. Means over 10 seeds, in percent of all accelerators, when pods for as
// many have arrived: experiments/analysis/expected_results of its artifact. The
// experiment is run to 100 %, so copies are few.
func TestOpenb(t *testing.T) {
	hosts, pods := openb(t)
	typical := TypicalOf(pods)
	for _, c := range []struct {
		rule                  Placement
		allocated, fragmented float64 // at 100 % and at 50 %
	}{
		{Random, 86.3, 30.17},
		{BestFit, 92.86, 21.62},
		{Fragmentation, 95.23, 17.86},
	} {
		t.Run(c.rule.String(), func(t *testing.T) {
			t.Parallel()
			const seeds = 10
			var allocated, fragmented float64
			for seed := range uint64(seeds) {
				random := rand.New(rand.NewPCG(seed, 0))
				a, f := fill(hosts, pods, Placing{Rule: c.rule, Typical: typical, Random: random})
				allocated += a / seeds
				fragmented += f / seeds
			}
			t.Logf("allocated %.2f %%, published %.2f; fragmented %.2f %%, published %.2f", allocated, c.allocated, fragmented, c.fragmented)
			if math.Abs(allocated-c.allocated) > 0.5 || math.Abs(fragmented-c.fragmented) > 0.5 {
				t.Error("more than half a point from what is published")
			}
		})
	}
}

// fill is the allocation at 100 % of arrived load, and the fragmentation at 50 %.
func fill(hosts []Host, pods []Request, how Placing) (allocated, fragmented float64) {
	hosts, queue := slices.Clone(hosts), slices.Clone(pods)
	how.Random.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
	how.Random.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	total, arrived := 0, 0
	for _, h := range hosts {
		total += h.Accelerators * Whole
	}
	p := NewPlacer(hosts, how)
	samples := 0
	for i := 0; ; i++ {
		if i == len(queue) {
			queue = append(queue, pods[how.Random.IntN(len(pods))])
		}
		arrived += queue[i].Count * int(queue[i].Milli)
		if shares := p.Place(queue[i]); shares != nil {
			p.Take(queue[i], shares)
		}
		switch load := 100 * float64(arrived) / float64(total); {
		case load >= 50 && fragmented == 0:
			fragmented = 100 * p.Fragmented()
		case load > 100.5: // the mean over 99.5 to 100.5 is what is published
			return allocated / float64(samples), fragmented
		case load >= 99.5:
			allocated += 100 * p.Allocated()
			samples++
		}
	}
}

// BenchmarkOpenb places all 8,152 pods of openb under fragmentation.
func BenchmarkOpenb(b *testing.B) {
	hosts, pods := openb(b)
	typical := TypicalOf(pods)
	for b.Loop() {
		p := NewPlacer(hosts, Placing{Rule: Fragmentation, Typical: typical})
		for _, r := range pods {
			if shares := p.Place(r); shares != nil {
				p.Take(r, shares)
			}
		}
	}
	b.ReportMetric(float64(len(pods)*b.N)/b.Elapsed().Seconds(), "pods/s")
}
