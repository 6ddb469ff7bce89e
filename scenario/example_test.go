package scenario_test

import (
	"fmt"

	"github.com/railyard/railyard/scenario"
)

func ExampleParse() {
	text := []byte(`
[topology]
kind = "rail"
host = "half"
hosts = 4

[hosts.half]
accelerator = "h100-sxm-80gb"
accelerators = 4

[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB", "1GiB"]
`)
	s, faults := scenario.Parse("half.toml", text, []string{"topology.hosts=8"})
	if faults != nil {
		fmt.Println(faults)
		return
	}
	host, _ := s.Host(s.Topology.Host.Value)
	fmt.Println(s.Name.Value, "has", s.Topology.Hosts.Value, "hosts of", host.Accelerators, host.Accelerator.Name)
	fmt.Println("with", host.NICs, "NICs of", host.NICBandwidth, "for", s.Workload.Collective[0].Sizes.Value)
	// Output:
	// half has 8 hosts of 4 h100-sxm-80gb
	// with 4 NICs of 400Gbps for [1MiB 1GiB]
}

func ExampleParse_faults() {
	_, faults := scenario.Parse("case.toml", []byte(`[topology]
kind = "switch"
accelerators = 8
bandwith = "400Gbps"
latency = 1
`), nil)
	fmt.Println(faults)
	// Output:
	// case.toml:4:1: unknown key "bandwith" in topology (did you mean "bandwidth"?)
	// case.toml:5:11: topology.latency: "1" has no unit; a time was expected: ps, ns, us, ms, s, m, h, d
	// case.toml: there is no workload: add a [[workload.training]], [[workload.collective]] or [[workload.flows]]
}

func ExampleScenario_BuildTopology() {
	s, faults := scenario.Parse("fabric.toml", []byte(`
[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 8
hosts_per_rack = 4

[[workload.collective]]
op = "all_reduce"
sizes = ["1GB"]
`), nil)
	if faults != nil {
		fmt.Println(faults)
		return
	}
	built, faults := s.BuildTopology()
	if faults != nil {
		fmt.Println(faults)
		return
	}
	t := built.Topology
	fmt.Println(t.Accelerators(), "accelerators,", len(t.Racks), "racks")
	// Output: 64 accelerators, 2 racks
}
