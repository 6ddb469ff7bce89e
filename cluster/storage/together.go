package storage

import (
	"math"
	"slices"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Together is files of one size, one of each client, that are written or read all at one
// pace, that of the fullest link.
type Together struct {
	Links   []topology.LinkID
	Counts  []float64 // how many times the bytes of a file cross each
	Latency sim.Time  // of the farthest
}

// Together is what files of so many bytes, one of each client, cross.
func (s *System) Together(clients []topology.NodeID, bytes float64, write bool) *Together {
	return s.gather(clients, bytes, RequestBytes/bytes, func(i int) []network.Transfer {
		return s.Transfers(Access{Write: write, Client: clients[i], Bytes: bytes, First: i % len(s.Servers)})
	})
}

// Samples are what a client reads at random: many, and so from all servers alike. Or it
// writes them, over all alike.
type Samples struct {
	Write   bool
	Bytes   float64 // of all that a client reads or writes at a time
	Request float64 // bytes of a request, no more than a block
	PerFile float64 // bytes for each file that is opened
}

// maxSources bounds the ways from servers to clients that read samples, and so the time
// to find them.
const maxSources = 1 << 18

// Sampled is what samples cross of which each client has so many. Where clients and servers are
// very many a client reads from as many of the servers as are its share, in turn.
func (s *System) Sampled(clients []topology.NodeID, r Samples) *Together {
	request := s.cell(math.Min(r.Request, s.Block))
	return s.gather(clients, r.Bytes, RequestBytes/r.PerFile, func(i int) []network.Transfer {
		even := *s.of(clients[i])
		n := len(even.Servers)
		of := min(n, max(1, maxSources/len(clients)))
		even.Block, even.Stripes = r.Bytes/float64(of), n
		return even.transfers(Access{Write: r.Write, Client: clients[i], Bytes: r.Bytes, First: i * of % n}, request)
	})
}

// gather is what the transfers of all clients cross, so many bytes of each, with so much
// on the links of opens for each of them.
func (s *System) gather(clients []topology.NodeID, bytes, opens float64, of func(client int) []network.Transfer) *Together {
	w := &Together{}
	counts := make([]float64, len(s.t.Links))
	add := func(l topology.LinkID, count float64) {
		if counts[l] == 0 {
			w.Links = append(w.Links, l)
		}
		counts[l] += count
	}
	for i, client := range clients {
		for _, t := range of(i) {
			for k, l := range t.Links {
				count := 1.0
				if t.Counts != nil {
					count = t.Counts[k]
				}
				add(l, count*t.Bytes/bytes)
			}
			w.Latency = max(w.Latency, t.Latency)
		}
		for _, l := range s.openers(client) {
			add(l, opens)
		}
	}
	slices.Sort(w.Links)
	for _, l := range w.Links {
		w.Counts = append(w.Counts, counts[l])
	}
	return w
}

// Takes is how long they are on their way over an idle network, so many bytes in each.
func (w *Together) Takes(t *topology.Topology, bytes float64) sim.Time {
	rate := math.Inf(1)
	for i, l := range w.Links {
		rate = min(rate, t.Links[l].Payload/w.Counts[i])
	}
	return w.Latency.After(sim.FromSeconds(bytes / rate))
}
