package topology

import "fmt"

// Pool builds identical accelerators without a network, for jobs that do not
// communicate.
func Pool(n int) (*Topology, error) {
	if n < 1 || n > 1<<20 {
		return nil, fmt.Errorf("topology: a pool of %d accelerators; it may have 1 to %d", n, 1<<20)
	}
	return &Topology{Kind: "pool", accelerators: n}, nil
}
