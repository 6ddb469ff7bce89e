package scheduler

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestPlace(t *testing.T) {
	type share = Share
	four := func(n int) []Host { return slices.Repeat([]Host{{Accelerators: 4, CPU: 8000, Memory: 80}}, n) }
	racks := func(near ...[3]int32) []Host {
		hosts := four(len(near))
		for i := range hosts {
			hosts[i].Near = near[i]
		}
		return hosts
	}
	types := []Host{{Accelerators: 2, Type: 0}, {Accelerators: 2, Type: 1, Speed: 3}, {Accelerators: 2, Type: 1, Speed: 3}, {Accelerators: 2, Type: 0}}
	on := func(host int32, count int) placed {
		return placed{Request{Count: count}, []Share{{host, []int32{0, 1, 2, 3}[:count]}}}
	}
	for _, c := range []struct {
		name  string
		how   Placing
		hosts []Host
		taken []placed
		wants Request
		want  []Share
	}{
		// Host 1 is in use, hosts 0 and 2 are not.
		{"pack fills hosts in use", Placing{Rule: Pack}, four(3), []placed{on(1, 1)}, Request{Count: 2}, []share{{1, []int32{1, 2}}}},
		{"pack joins a part to a part", Placing{Rule: Pack}, four(2), []placed{on(0, 2), {Request{Count: 1, Milli: 300}, []Share{{1, []int32{3}}}}}, Request{Count: 1, Milli: 500}, []share{{1, []int32{3}}}},
		{"spread takes the emptiest", Placing{Rule: Spread}, four(3), []placed{on(0, 1)}, Request{Count: 2}, []share{{1, []int32{0, 1}}}},
		// Hosts have 4 and 2 free: one with 2 left over 0 is the better fit.
		{"topology takes the fullest", Placing{Rule: Topology}, four(2), []placed{on(1, 2)}, Request{Count: 2}, []share{{1, []int32{2, 3}}}},
		// Left of the largest host: host 0 half of its accelerators and 1/8 of
		// its CPUs, host 1 a quarter and 7/8. The smaller sum is host 0's.
		{
			"best fit counts CPUs, too",
			Placing{Rule: BestFit},
			four(2),
			[]placed{{Request{Count: 1, CPU: 6000}, []Share{{0, []int32{0}}}}, {Request{Count: 2}, []Share{{1, []int32{0, 1}}}}},
			Request{Count: 1, CPU: 1000},
			[]share{{0, []int32{1}}},
		},
		// A demand of CPUs alone: free CPUs 8 and 2 cores times 1 core.
		{"dot product avoids what the job wants most of", Placing{Rule: DotProduct}, four(2), []placed{{Request{CPU: 6000}, []Share{{Host: 1}}}}, Request{CPU: 1000}, []share{{Host: 1}}},
		{"CPUs run out", Placing{Rule: Pack}, four(1), []placed{{Request{CPU: 6000}, []Share{{Host: 0}}}}, Request{Count: 1, CPU: 3000}, nil},
		{"memory runs out", Placing{Rule: Pack}, four(1), []placed{{Request{Memory: 60}, []Share{{Host: 0}}}}, Request{Count: 1, Memory: 30}, nil},
		{"parts do not add up to a whole", Placing{Rule: Pack}, []Host{{Accelerators: 2}}, []placed{{Request{Count: 2, Milli: 500}, []Share{{0, []int32{0, 1}}}}}, Request{Count: 1}, nil},

		// Jobs of all accelerators are typical. Both hosts hold it; on host 0 it
		// leaves 0.7 of an accelerator that nobody can use, on host 1 it uses
		// what is of no use already.
		{
			"fragmentation reuses fragments",
			Placing{Rule: Fragmentation, Typical: []Typical{{Request{Count: 1, Milli: Whole}, 1}}},
			four(2),
			[]placed{{Request{Count: 1, Milli: 600}, []Share{{1, []int32{2}}}}},
			Request{Count: 1, Milli: 300},
			[]share{{1, []int32{2}}},
		},

		{"a gang takes the fewest hosts", Placing{Rule: Pack}, four(3), []placed{on(0, 2)}, Request{Count: 6}, []share{{1, []int32{0, 1, 2, 3}}, {2, []int32{0, 1}}}},
		{"a gang spread", Placing{Rule: Spread}, four(3), []placed{on(0, 2)}, Request{Count: 7}, []share{{0, []int32{2}}, {1, []int32{0, 1, 2}}, {2, []int32{0, 1, 2}}}},
		{"no host has four", Placing{Rule: Pack}, four(2), []placed{on(0, 1), on(1, 2)}, Request{Count: 4}, []share{{0, []int32{1, 2, 3}}, {1, []int32{2}}}},
		{"consolidated, it waits", Placing{Rule: Pack, Consolidate: true}, four(2), []placed{on(0, 1), on(1, 2)}, Request{Count: 4}, nil},
		{"a consolidated gang", Placing{Rule: Pack, Consolidate: true}, four(3), []placed{on(0, 2)}, Request{Count: 6}, []share{{1, []int32{0, 1, 2, 3}}, {2, []int32{0, 1}}}},
		{"a consolidated gang waits", Placing{Rule: Pack, Consolidate: true}, four(3), []placed{on(0, 1), on(1, 1), on(2, 1)}, Request{Count: 6}, nil},
		{"a gang's CPUs go along", Placing{Rule: Pack}, four(2), nil, Request{Count: 8, CPU: 17000}, nil},

		// Rack 0 has 8 free, rack 1 has 6, the pod all of it.
		{"the rack with least room", Placing{Rule: Topology}, racks([3]int32{0, -1, 0}, [3]int32{0, -1, 0}, [3]int32{1, -1, 0}, [3]int32{1, -1, 0}), []placed{on(3, 2)}, Request{Count: 5}, []share{{2, []int32{0, 1, 2, 3}}, {3, []int32{2}}}},
		{"no rack, but a group on the same rails", Placing{Rule: Topology}, racks([3]int32{0, 0, 0}, [3]int32{1, 1, 0}, [3]int32{2, 1, 0}), nil, Request{Count: 8}, []share{{1, []int32{0, 1, 2, 3}}, {2, []int32{0, 1, 2, 3}}}},
		{"no neighbourhood holds it", Placing{Rule: Topology}, racks([3]int32{0, -1, 0}, [3]int32{1, -1, 1}), nil, Request{Count: 8}, []share{{0, []int32{0, 1, 2, 3}}, {1, []int32{0, 1, 2, 3}}}},

		{"a gang on the fastest type", Placing{Rule: Pack}, types, nil, Request{Count: 4}, []share{{1, []int32{0, 1}}, {2, []int32{0, 1}}}},
		{"a type that is asked for", Placing{Rule: Pack}, types, nil, Request{Count: 4, Types: 1 << 0}, []share{{0, []int32{0, 1}}, {3, []int32{0, 1}}}},
		{"types are not mixed", Placing{Rule: Pack}, types, nil, Request{Count: 5}, nil},
		{"apart", Placing{Rule: Pack}, four(2), []placed{{Request{Count: 1, Apart: 7}, []Share{{0, []int32{0}}}}}, Request{Count: 1, Apart: 7}, []share{{1, []int32{0}}}},
		{"apart from others only", Placing{Rule: Pack}, four(2), []placed{{Request{Count: 1, Apart: 7}, []Share{{0, []int32{0}}}}}, Request{Count: 1, Apart: 8}, []share{{0, []int32{1}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := NewPlacer(c.hosts, c.how)
			for _, x := range c.taken {
				p.Take(x.wants, x.has)
			}
			if diff := cmp.Diff(c.want, p.Place(c.wants)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// placed is a job that has its shares.
type placed struct {
	wants Request
	has   []Share
}

// on says whether a job has something of a host.
func (p placed) on(host int32) bool {
	return slices.ContainsFunc(p.has, func(s Share) bool { return s.Host == host })
}

// The mean over two kinds of job, by hand. The host has 1,000, 400 and 0 free and
// two cores. Three jobs want a whole accelerator and one core: the 400 are lost to
// them. One wants half an accelerator and three cores: all 1,400 are. So of 1,400
// free, (3 x 400 + 1,400) / 4 = 650 are fragments.
func TestFragments(t *testing.T) {
	p := NewPlacer([]Host{{Accelerators: 3, CPU: 2000}}, Placing{Rule: Fragmentation, Typical: []Typical{
		{Request{Count: 1, Milli: Whole, CPU: 1000}, 3},
		{Request{Count: 1, Milli: 500, CPU: 3000}, 1},
	}})
	p.Take(Request{Count: 1, Milli: 600}, []Share{{0, []int32{1}}})
	p.Take(Request{Count: 1}, []Share{{0, []int32{2}}})
	if got, want := p.Fragmented(), 650.0/1400; got != want {
		t.Errorf("%v of what is free is fragments, want %v", got, want)
	}
	if got, want := p.Allocated(), 1600.0/3000; got != want {
		t.Errorf("%v is allocated, want %v", got, want)
	}
}

// A host that is taken whole while a job is on it, as a rollout does, has nothing free:
// of the other's two accelerators a job of four can use none.
func TestFragmentsWithoutLocked(t *testing.T) {
	p := NewPlacer([]Host{{Accelerators: 4}, {Accelerators: 2}}, Placing{Typical: []Typical{{Request{Count: 4, Milli: Whole}, 1}}})
	p.Take(Request{Count: 2}, []Share{{0, []int32{0, 1}}})
	p.Take(Request{Count: 4}, []Share{{0, []int32{0, 1, 2, 3}}})
	if got := p.Fragmented(); got != 1 {
		t.Errorf("%v of what is free is fragments, want 1", got)
	}
}

// 19 of 20 jobs are 95 %.
func TestTypicalOf(t *testing.T) {
	var jobs []Request
	for range 12 {
		jobs = append(jobs, Request{Count: 1, Memory: int64(len(jobs))})
	}
	for range 7 {
		jobs = append(jobs, Request{CPU: 1000})
	}
	jobs = append(jobs, Request{Count: 8, Milli: Whole})
	want := []Typical{{Request{Count: 1, Milli: Whole}, 12}, {Request{CPU: 1000}, 7}}
	if got := TypicalOf(jobs); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestSpeed(t *testing.T) {
	p := NewPlacer([]Host{{Accelerators: 1, Speed: 2}, {Accelerators: 1, Type: 1}}, Placing{Speeds: []Speeds{{0.25}, {0, 3}}})
	for speeds, want := range []float64{1, 0.25, 2} { // of the hosts; on type 0; on type 1
		if got := p.Speed(Request{Speeds: int32(speeds)}, []Share{{0, []int32{0}}, {1, []int32{0}}}); got != want {
			t.Errorf("a job with speeds %d on accelerators of speed 2 and 1 runs at %v, want %v", speeds, got, want)
		}
	}
}

// A gang that no host holds goes to the type that is fastest for it.
func TestFastestType(t *testing.T) {
	hosts := []Host{{Accelerators: 1}, {Accelerators: 1}, {Accelerators: 1, Type: 1, Speed: 2}, {Accelerators: 1, Type: 1, Speed: 2}}
	p := NewPlacer(hosts, Placing{Speeds: []Speeds{{3, 1}}})
	for speeds, want := range []int32{2, 0} {
		if got := p.Place(Request{Count: 2, Speeds: int32(speeds)}); got[0].Host != want {
			t.Errorf("speeds %d: from host %d on, want %d", speeds, got[0].Host, want)
		}
	}
}

// Whatever comes and goes, nobody gets what another has, a job gets what it
// wants, on no more hosts than it must and on none with those it is apart from, if that
// is asked for, and when all have left everything is free again. A placer that
// remembers scores decides as one that has just begun.
func TestPlacerProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var hosts []Host
		for range rapid.IntRange(1, 6).Draw(t, "hosts") {
			hosts = append(hosts, Host{
				Accelerators: rapid.IntRange(0, 4).Draw(t, "accelerators"), Type: uint8(rapid.IntRange(0, 1).Draw(t, "type")),
				CPU: 4000, Memory: 400, Near: [3]int32{rapid.Int32Range(-1, 2).Draw(t, "rack"), -1, 0},
			})
		}
		how := Placing{
			Rule:        Placement(rapid.IntRange(0, len(placementNames)-1).Draw(t, "rule")),
			Consolidate: rapid.Bool().Draw(t, "consolidate"),
			Typical:     []Typical{{Request{Count: 1, Milli: 500, CPU: 1000}, 2}, {Request{Count: 2, Milli: Whole}, 1}},
			Random:      rand.New(rand.NewPCG(1, 2)),
		}
		p := NewPlacer(hosts, how)
		var running []placed
		for range rapid.IntRange(0, 20).Draw(t, "steps") {
			if len(running) > 0 && rapid.Bool().Draw(t, "leave") {
				i := rapid.IntRange(0, len(running)-1).Draw(t, "who")
				p.Give(running[i].wants, running[i].has)
				running = slices.Delete(running, i, i+1)
				continue
			}
			r := Request{
				Count: rapid.IntRange(0, 9).Draw(t, "count"), Milli: rapid.SampledFrom([]int32{0, 300, 500, Whole}).Draw(t, "milli"),
				CPU: rapid.Int64Range(0, 5000).Draw(t, "cpu"), Memory: rapid.Int64Range(0, 300).Draw(t, "memory"),
				Types: rapid.Uint64Range(0, 3).Draw(t, "types"), Apart: rapid.Int32Range(0, 2).Draw(t, "apart"),
			}
			fresh := NewPlacer(hosts, how)
			for _, j := range running {
				fresh.Take(j.wants, j.has)
			}
			shares := p.Place(r)
			if how.Rule != Random && !cmp.Equal(shares, fresh.Place(r)) {
				t.Fatalf("%+v goes to %v, a fresh placer sends it to %v", r, shares, fresh.Place(r))
			}
			if shares == nil {
				continue
			}
			n := 0
			for _, s := range shares {
				n += len(s.Accelerators)
				if !slices.IsSorted(s.Accelerators) || len(slices.Compact(slices.Clone(s.Accelerators))) < len(s.Accelerators) {
					t.Fatalf("%v", shares)
				}
				if r.Count > 0 && r.Types != 0 && r.Types>>hosts[s.Host].Type&1 == 0 {
					t.Fatalf("%+v goes to host %d of type %d", r, s.Host, hosts[s.Host].Type)
				}
			}
			if n != r.Count {
				t.Fatalf("%+v gets %v", r, shares)
			}
			for _, s := range shares {
				if r.Apart != 0 && slices.ContainsFunc(running, func(j placed) bool { return j.wants.Apart == r.Apart && j.on(s.Host) }) {
					t.Fatalf("%+v shares host %d with another of its number", r, s.Host)
				}
			}
			if how.Consolidate && len(shares) > 1 {
				size := 0 // of the largest host of its type
				for _, h := range hosts {
					if h.Type == hosts[shares[0].Host].Type {
						size = max(size, h.Accelerators)
					}
				}
				if least := (r.Count + size - 1) / size; len(shares) > least {
					t.Fatalf("%+v lies on %d hosts, and %d of its type hold it", r, len(shares), least)
				}
			}
			p.Take(r, shares)
			running = append(running, placed{r, shares})
			for i, h := range p.hosts {
				if p.vacant[i].cpu < 0 || p.vacant[i].memory < 0 || slices.ContainsFunc(h.free, func(f int32) bool { return f < 0 }) {
					t.Fatalf("host %d has given out more than it has: %+v", i, h)
				}
			}
		}
		for _, j := range running {
			p.Give(j.wants, j.has)
		}
		for i, h := range p.hosts {
			whole := !slices.ContainsFunc(h.free, func(f int32) bool { return f != Whole })
			if v := p.vacant[i]; !whole || v.cpu != h.CPU || v.memory != h.Memory || len(h.apart) > 0 {
				t.Fatalf("host %d is not free again: %+v", i, h)
			}
		}
	})
}

func ExamplePlacer() {
	hosts := slices.Repeat([]Host{{Accelerators: 8}}, 3)
	p := NewPlacer(hosts, Placing{Rule: Pack})
	for _, r := range []Request{{Count: 2}, {Count: 12}, {Count: 1, Milli: 250}} {
		shares := p.Place(r)
		p.Take(r, shares)
		fmt.Println(r.Count, "on", shares)
	}
	fmt.Printf("%.1f %% allocated\n", 100*p.Allocated())
	// Output:
	// 2 on [{0 [0 1]}]
	// 12 on [{1 [0 1 2 3 4 5 6 7]} {2 [0 1 2 3]}]
	// 1 on [{0 [2]}]
	// 59.4 % allocated
}
