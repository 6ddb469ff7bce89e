package datacenter_test

import (
	"fmt"
	"strings"
	"testing"
)

// Of one rank every operation is done at once, whatever the algorithm; and what an algorithm
// cannot do with the hosts that a collective lists is known before it runs.
func TestCollectivesThatCannotBe(t *testing.T) {
	const hosts = "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-h100\"\nhosts = 2\n"
	collective := func(op, algorithm, accelerators string) string {
		return fmt.Sprintf("[[workload.collective]]\nop = %q\nalgorithm = %q\naccelerators = %s\nsizes = [\"1MB\"]\n", op, algorithm, accelerators)
	}
	for _, op := range []string{"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "send_recv"} {
		for _, algorithm := range []string{"auto", "direct"} {
			r := run(t, hosts+collective(op, algorithm, "[1]"), nil)
			if moved := number(t, r, "network.bytes"); moved != 0 {
				t.Errorf("%s by %s of one rank moves %v bytes", op, algorithm, moved)
			}
		}
	}
	grid := "[topology]\nkind = \"torus\"\ndims = [4, 2]\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n"
	for _, c := range []struct{ toml, want string }{
		{hosts + collective("all_reduce", "nvls", "[1, 2, 8]"), "case.toml:7:13: workload.collective[0].algorithm: nvls takes as many ranks in every host, not 2 in one and 1 in another"},
		{hosts + collective("all_gather", "nvls", "16"), "case.toml:7:13: workload.collective[0].algorithm: nvls of all_gather takes the ranks of one host, not of 2"},
		{hosts + collective("all_gather", "hierarchical", "[3, 4, 9]"), "case.toml:7:13: workload.collective[0].algorithm: hierarchical takes as many ranks in every host"},
		{grid + collective("all_to_all", "hierarchical", "8"), "case.toml:8:13: workload.collective[0].algorithm: hierarchical takes all_reduce, all_gather and reduce_scatter along dimensions, not all_to_all"},
	} {
		if got := refused(t, c.toml, nil); !strings.Contains(got, c.want) {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}
