package rollout_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/rollout"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Eight hosts pull an image of 10 GB over NICs of 10 GB/s: from the registry, which sends
// it eight times, or from each other.
func Example() {
	host := topology.Host{Name: "server", Accelerators: 1, NICs: 1, NICBandwidth: units.Rate(10e9), NICEfficiency: 1}
	for _, peers := range []bool{false, true} {
		t, err := topology.LeafSpine(topology.Fabric{Host: host, Hosts: 9, HostsPerRack: 9, Oversubscription: 1})
		if err != nil {
			fmt.Println(err)
			return
		}
		engine := sim.New()
		c := cluster.New(engine, t, 0)
		r := &rollout.Job{
			Image: 10e9, Registries: []rollout.Registry{{Host: 8}}, Hosts: []int32{0, 1, 2, 3, 4, 5, 6, 7}, Batch: 8, Peers: peers, Piece: 1e7,
		}
		c.Submit(&cluster.Job{Name: "driver", Shared: true, Program: r})
		if err := engine.Run(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
		registered, passed := r.Sent()
		fmt.Println(r.Rows[0].Ended, registered/1e9, passed/1e9)
	}
	// Output:
	// 8s 80 0
	// 1.007s 10 70
}
