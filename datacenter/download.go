package datacenter

import (
	"github.com/railyard/railyard/cluster/serving"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
)

// downloads has replicas read their image and their weights, so many bytes of each
// accelerator, from the file system. An image is pulled once, by the host that the replica
// begins on; of the weights each accelerator reads its own.
func (b *builder) downloads(w *scenario.Serving, p *serving.Pool, weights float64) {
	c := &w.ColdStart
	path := w.Path + ".cold_start.from_storage"
	if b.files == nil {
		return
	}
	for i := range b.topology.Accelerators() {
		if client := topology.NodeID(i); !b.files.Serves(client) {
			b.fault(c.Storage.Pos, path, "accelerator %d cannot reach the files: its host has %s", client, missing(b.files))
			return
		}
	}
	if !c.WeightsRate.Set { // of a storage network, which is simulated now
		p.Start.Weights = 0
	}
	image := float64(c.Image.Value)
	p.Start.Download = func(accelerators []topology.NodeID, loaded bool) network.Transfer {
		bytes := image
		if loaded {
			bytes = weights
		} else {
			accelerators = accelerators[:1]
		}
		t := b.files.Sampled(accelerators, storage.Samples{Bytes: bytes, Request: b.files.Block, PerFile: bytes})
		return network.Transfer{Bytes: bytes, Latency: t.Latency, Links: t.Links, Counts: t.Counts}
	}
}
