package datacenter

import (
	"testing"

	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/scenario"
)

// TestPacketDefaults: what a scenario leaves out of [topology.packet] is what package
// packet says and sources.
func TestPacketDefaults(t *testing.T) {
	s, faults := scenario.Parse("case.toml", []byte("[topology]\nkind = \"switch\"\naccelerators = 2\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MB\"]\n"), nil)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	want := packet.Default()
	want.Seed = 1
	if got := packetOptions(s); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
