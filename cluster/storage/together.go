package storage

import (
	"math"
	"slices"

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
	w := &Together{}
	counts := make([]float64, len(s.t.Links))
	for i, client := range clients {
		for _, t := range s.Transfers(Access{Write: write, Client: client, Bytes: bytes, First: i % len(s.Servers)}) {
			for k, l := range t.Links {
				count := 1.0
				if t.Counts != nil {
					count = t.Counts[k]
				}
				if counts[l] == 0 {
					w.Links = append(w.Links, l)
				}
				counts[l] += count * t.Bytes / bytes
			}
			w.Latency = max(w.Latency, t.Latency)
		}
		for _, l := range s.openers(client) {
			if counts[l] == 0 {
				w.Links = append(w.Links, l)
			}
			counts[l] += RequestBytes / bytes
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
