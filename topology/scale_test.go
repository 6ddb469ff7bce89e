package topology

import (
	"fmt"
	"slices"
	"testing"
)

// What is scaled is as what is built with more, link by link.
func TestScaledIsAsBuilt(t *testing.T) {
	type builder func(Fabric) (*Topology, error)
	kinds := map[string]builder{"leaf-spine": LeafSpine, "rail": Rail, "fat-tree": FatTree}
	for _, scaleUp := range []ScaleUp{ScaleUpSwitch, ScaleUpMesh, ScaleUpRing, ScaleUpPCIe} {
		for kind, build := range kinds {
			t.Run(fmt.Sprint(scaleUp, " ", kind), func(t *testing.T) {
				h := host(4, 2, scaleUp)
				h.ScaleUpLatency = 700 // halved on the way into a switch and on the way out
				h.CollectiveOverhead, h.StepOverhead = 100, 10
				h.Accelerator.LaunchOverhead, h.Accelerator.Vector, h.Accelerator.MemoryBandwidth = 4, 1e12, 2e12
				h.Accelerator.Peak[BF16] = 3e12
				more := h
				more.ScaleUpBandwidth *= 2
				more.NICBandwidth *= 2 // beyond the PCIe link
				more.ScaleUpLatency *= 4
				more.CollectiveOverhead, more.StepOverhead = 300, 30
				more.Accelerator.LaunchOverhead, more.Accelerator.Vector, more.Accelerator.MemoryBandwidth = 20, 6e12, 14e12
				more.Accelerator.Peak[BF16] = 18e12
				f := fabric(h, 6, 2, 1, 4)
				g := fabric(more, 6, 2, 1, 4)
				g.LinkLatency, g.SwitchLatency = 4*f.LinkLatency, 4*f.SwitchLatency
				small, err := build(f)
				was := slices.Clone(built(t, small, err).Links)
				large, err := build(g)
				built(t, large, err)
				scaled := small.Scaled(Scale{Compute: 6, Memory: 7, ScaleUp: 2, NIC: 2, Spine: 2, Latency: 4, Collective: 3, Launch: 5})
				for i := range large.Links {
					if scaled.Links[i] != large.Links[i] {
						t.Fatalf("link %s: scaled %+v, built %+v", large.LinkName(LinkID(i)), scaled.Links[i], large.Links[i])
					}
				}
				for i := range large.Servers {
					if *scaled.Servers[i].Spec != *large.Servers[i].Spec {
						t.Fatalf("scaled %+v\nbuilt %+v", *scaled.Servers[i].Spec, *large.Servers[i].Spec)
					}
				}
				if !slices.Equal(small.Links, was) || *small.Servers[0].Spec != h {
					t.Error("the topology has changed")
				}
			})
		}
	}
}

// Each factor takes the links that it is about, and no others.
func TestScaleByTier(t *testing.T) {
	topo, err := LeafSpine(fabric(host(2, 1, ScaleUpSwitch), 2, 1, 1, 0))
	built(t, topo, err)
	for _, c := range []struct {
		name  string
		by    Scale
		links int // a directed one for either end of two cables a host, one a host, one a leaf
	}{
		{"nothing", Scale{}, 0},
		{"scale-up", Scale{ScaleUp: 2}, 8},
		{"NIC", Scale{NIC: 1.1}, 4},
		{"NIC beyond PCIe", Scale{NIC: 2}, 12},
		{"spine", Scale{Spine: 2}, 4},
		{"compute", Scale{Compute: 2, Memory: 2, Launch: 2, Collective: 2}, 0},
	} {
		changed := 0
		for i, l := range topo.Scaled(c.by).Links {
			if l != topo.Links[i] {
				changed++
			}
		}
		if changed != c.links {
			t.Errorf("%s: %d links have changed, want %d", c.name, changed, c.links)
		}
	}
	bare, err := Ring(4, 1e9, 0)
	for _, l := range built(t, bare, err).Scaled(Scale{ScaleUp: 3}).Links {
		if l.Capacity != 3e9 || l.Payload != 3e9 {
			t.Errorf("%+v", l)
		}
	}
}
