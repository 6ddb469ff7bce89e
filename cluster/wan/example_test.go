package wan_test

import (
	"context"
	"fmt"
	"time"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/wan"
	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// A checkpoint of 1 TB goes from one data centre to another, over 100 Gbit/s and 20 ms.
func Example() {
	host := topology.Host{
		Name: "host", Accelerators: 8, NICs: 8, NICBandwidth: 50e9, NICEfficiency: 1, ScaleUp: topology.ScaleUpSwitch, ScaleUpBandwidth: 450e9, ScaleUpEfficiency: 1,
	}
	var sites []topology.Site
	for _, name := range []string{"east", "west"} {
		t, err := topology.Rail(topology.Fabric{Host: host, Hosts: 2, HostsPerRack: 2, Oversubscription: 1, Planes: 1, ToRs: 1})
		if err != nil {
			fmt.Println(err)
			return
		}
		sites = append(sites, topology.Site{Name: name, Topology: t})
	}
	t, err := topology.Sites(sites, []topology.WAN{{From: 0, To: 1, Bandwidth: 12.5e9, Latency: units.Duration(sim.FromSeconds(0.02))}})
	if err != nil {
		fmt.Println(err)
		return
	}
	c := cluster.New(sim.New(), t, 0)
	w := wan.New(c)
	w.Send(0, 1, 1e12, network.NoOwner, c.Engine.Register(said("it has come at")), 0)
	if err := c.Engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: it has come at 1m20.02s
}

type said string

func (s said) Handle(now sim.Time, _ uint64) {
	fmt.Println(string(s), time.Duration(now.Seconds()*float64(time.Second)))
}
