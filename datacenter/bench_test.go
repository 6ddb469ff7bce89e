package datacenter_test

import (
	"fmt"
	"testing"
)

// BenchmarkLargeCollective is whole runs on rails of dgx-h100 hosts, reading of the
// scenario and tables of all links included: every accelerator of 4,096 sends every
// other a message, each by the way that its hash takes; and all of 65,536 sum.
func BenchmarkLargeCollective(b *testing.B) {
	for _, c := range []struct {
		op    string
		hosts int
	}{{"all_to_all", 512}, {"all_reduce", 8192}} {
		b.Run(fmt.Sprintf("%s/accelerators=%d", c.op, 8*c.hosts), func(b *testing.B) {
			toml := fmt.Sprintf("[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = %d\n\n[[workload.collective]]\nop = %q\nsizes = [\"1GiB\"]\n", c.hosts, c.op)
			b.ReportAllocs()
			for b.Loop() {
				run(b, toml, nil)
			}
		})
	}
}
