package backup_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/backup"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// A host copies 100 GB to another, of which a tenth changes in an hour, over NICs of
// 10 GB/s.
func Example() {
	host := topology.Host{Name: "server", Accelerators: 1, NICs: 1, NICBandwidth: units.Rate(10e9), NICEfficiency: 1}
	t, err := topology.LeafSpine(topology.Fabric{Host: host, Hosts: 2, HostsPerRack: 2, Oversubscription: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	c := cluster.New(engine, t, 0)
	b := &backup.Job{
		Bytes: 100e9, Change: 0.1, FullEvery: 2, Every: 3600 * sim.Second, Window: 5 * sim.Second, Copies: 2,
		Streams: []backup.Stream{{From: t.Servers[0].FirstNIC, To: t.Servers[1].FirstNIC, Part: 1}},
	}
	c.Submit(&cluster.Job{Name: "nightly", Shared: true, Program: b})
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	for i := range b.Rows {
		fmt.Println(b.Rows[i].Finish-b.Rows[i].Start, b.Rows[i].Fits())
	}
	// Output:
	// 10s false
	// 1s true
}
