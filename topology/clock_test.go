package topology

import "testing"

// Clocks scale what the matrix and vector units do and nothing else; servers of one clock
// are of one kind; the topology that they are of stays.
func TestClocked(t *testing.T) {
	h := Host{Name: "node", Accelerators: 2, NICs: 1, NICBandwidth: 1e9, NICEfficiency: 1, Accelerator: Accelerator{Vector: 4e12, MemoryBandwidth: 1e12}}
	h.Accelerator.Peak[BF16] = 100e12
	full, err := LeafSpine(Fabric{Host: h, Hosts: 4, HostsPerRack: 2, Oversubscription: 1})
	if err != nil {
		t.Fatal(err)
	}
	slow := full.Clocked([]float64{0.5, 1, 0.5, 0.25}).Clocked([]float64{1, 1, 1, 0.5})
	for i, want := range []float64{0.5, 1, 0.5, 0.125} {
		a := &slow.Servers[i].Spec.Accelerator
		if float64(a.Peak[BF16]) != want*100e12 || float64(a.Vector) != want*4e12 || a.MemoryBandwidth != 1e12 || a.Rated(BF16) != 100e12 {
			t.Errorf("server %d at %v of its clock: %+v", i, want, a)
		}
		if full.Servers[i].Spec.Accelerator.Peak[BF16] != 100e12 {
			t.Errorf("server %d of the first has changed", i)
		}
	}
	if slow.Servers[0].Spec != slow.Servers[2].Spec {
		t.Error("servers of one clock are two kinds")
	}
}
