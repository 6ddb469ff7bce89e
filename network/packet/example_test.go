package packet_test

import (
	"context"
	"fmt"

	"github.com/railyard/railyard/network"
	"github.com/railyard/railyard/network/packet"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

type printer struct{}

func (printer) Sent(topology.LinkID, float64, sim.Time, sim.Time) {}
func (printer) Waiting(topology.LinkID, bool, sim.Time)           {}
func (printer) Left(network.ID, sim.Time)                         {}
func (printer) Ended(id network.ID, now sim.Time) {
	fmt.Printf("message %d has arrived at %v\n", id, now)
}

// Two messages of 1 MB take turns on a link of 50 GB/s: 20 us each alone, 40 us
// together, the last packet of the first, which is short, before that of the second.
func Example() {
	topo, err := topology.Links([]topology.BareLink{{Name: "cable", Capacity: 50e9, Latency: sim.Microsecond}})
	if err != nil {
		fmt.Println(err)
		return
	}
	engine := sim.New()
	f := packet.New(engine, topo, packet.Default(), printer{})
	for id := range network.ID(2) {
		f.Send(&network.Message{ID: id, Bytes: 1e6, Route: []topology.LinkID{0}})
	}
	if err := engine.Run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// message 0 has arrived at 40.9066us
	// message 1 has arrived at 41us
}
