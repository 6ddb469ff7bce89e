package datacenter_test

import (
	"fmt"
	"strings"
	"testing"
)

// The first replica of a service that was scaled to nothing pulls its image and reads its
// weights over the network: what that takes is what its bytes take on the narrowest
// place, and twice as long where another reads from the same drives.
func TestColdStartFromStorage(t *testing.T) {
	serve := func(cold string) string {
		return strings.Replace(filer("layout = \"striped\"\n"), "hosts = 4\n[[", "hosts = 2\n[[", 1) + `
[[workload.serving]]
model = "llama-3.1-70b"
tensor = 8
accelerators = 8
rate = 1.0
arrivals = "constant"
count = 1
input = 512
output = 16
[workload.serving.autoscale]
min = 0
target = 16.0
[workload.serving.cold_start]
engine = "1s"
image = "24GB"
` + cold
	}
	first := func(text string) float64 { return column(t, run(t, text, nil), "requests", "first_token_s")[0] }
	r := run(t, serve("image_rate = \"1TB/s\"\nweights_rate = \"1000000TB/s\"\n"), nil)
	weights := 8 * number(t, r, "serving.0.weights_bytes")
	without := column(t, r, "requests", "first_token_s")[0] - 24e9/1e12

	image, loading := 24e9/(50e9*0.92), weights/48e9 // of one NIC; of the drives
	if got := first(serve("image_rate = \"1TB/s\"\nfrom_storage = true\n")) - without; !near(got, image+loading, 1e-3) {
		t.Errorf("image and weights take %v s, want %v", got, image+loading)
	}
	if got := first(serve("image_rate = \"1GB/s\"\nweights_rate = \"10GB/s\"\nfrom_storage = true\n")) - without; !near(got, 24+weights/10e9, 1e-3) {
		t.Errorf("unpacked and loaded slowly they take %v s, want %v", got, 24+weights/10e9)
	}
	beside := "[[workload.storage]]\nop = \"read\"\nsize = \"1TB\"\nstart = \"29s\"\naccelerators = [8, 9, 10, 11, 12, 13, 14, 15]\n"
	if got := first(serve("image_rate = \"1TB/s\"\nfrom_storage = true\n")+beside) - without; got < image+1.9*loading {
		t.Errorf("beside another reader they take %v s, and alone %v", got, image+loading)
	}
	if got := refused(t, fmt.Sprintf("[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n%s", serve("from_storage = true\n")[strings.Index(serve(""), "[[workload"):]), nil); !strings.Contains(got, "[topology.storage] with a layout is missing") {
		t.Errorf("said %q", got)
	}
}
