//go:build unix

package network

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// simgridModes are the ways in which SimGrid can share a network.
var simgridModes = []struct{ name, optim, selective string }{
	{"lazy", "Lazy", "1"},
	{"full", "Full", "0"},
	{"full-selective", "Full", "1"},
}

// BenchmarkSimGrid plays cases on this network and, in the same run, on SimGrid, by
// each of its modes: CPU times, and how many times ours the best of its is. The last
// finish must agree. It wants g++ and libsimgrid-dev, and is skipped without.
func BenchmarkSimGrid(b *testing.B) {
	program := filepath.Join(b.TempDir(), "flows")
	if out, err := exec.Command("g++", "-O2", "-std=c++17", "-o", program, "testdata/simgrid/flows.cpp", "-lsimgrid").CombinedOutput(); err != nil {
		b.Skipf("no SimGrid to compile for: %v %.200s", err, out)
	}
	for _, c := range []struct {
		name string
		make func() (*topology.Topology, []Transfer)
	}{
		{"all-to-all/hosts=64", func() (*topology.Topology, []Transfer) { return allToAll(64) }},
		{"all-to-all/hosts=128", func() (*topology.Topology, []Transfer) { return allToAll(128) }},
		{"poisson/hosts=128/load=0.8/flows=10000", func() (*topology.Topology, []Transfer) { return poisson(8, 10_000, 0.8, 7) }},
		{"poisson/hosts=1024/load=0.2/flows=10000", func() (*topology.Topology, []Transfer) { return poisson(16, 10_000, 0.2, 7) }},
		{"poisson/hosts=1024/load=0.5/flows=10000", func() (*topology.Topology, []Transfer) { return poisson(16, 10_000, 0.5, 7) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			topo, transfers := c.make()
			var last sim.Time
			before := cpu(b)
			for range b.N {
				last = play(b, topo, transfers)
			}
			ours := (cpu(b) - before) / float64(b.N)
			b.StopTimer()
			input := simgridCase(topo, transfers)
			best := math.Inf(1)
			for _, m := range simgridModes {
				finish, took := simgrid(b, program, input, m.optim, m.selective)
				if math.Abs(finish-last.Seconds()) > 1e-4*finish {
					b.Errorf("the last flow ends at %v, under SimGrid (%s) at %v s", last, m.name, finish)
				}
				b.ReportMetric(took, m.name+"-s")
				best = min(best, took)
			}
			b.ReportMetric(ours, "cpu-s")
			b.ReportMetric(best/ours, "times")
		})
	}
}

// simgridCase is a case as testdata/simgrid/flows.cpp reads it. Its hosts are the
// first and the last links.
func simgridCase(topo *topology.Topology, transfers []Transfer) []byte {
	hosts := map[topology.LinkID]int{}
	host := func(l topology.LinkID) int {
		if _, known := hosts[l]; !known {
			hosts[l] = len(hosts)
		}
		return hosts[l]
	}
	var flows bytes.Buffer
	for i := range transfers {
		t := &transfers[i]
		fmt.Fprint(&flows, t.Start.Seconds(), t.Bytes, host(t.Links[0]), host(t.Links[len(t.Links)-1]), len(t.Links))
		fmt.Fprintln(&flows, "", strings.Trim(fmt.Sprint(t.Links), "[]"))
	}
	var out bytes.Buffer
	fmt.Fprintln(&out, len(hosts), len(topo.Links), len(transfers))
	for l := range topo.Links {
		fmt.Fprintln(&out, topo.Links[l].Payload)
	}
	return append(out.Bytes(), flows.Bytes()...)
}

// simgrid plays a case under SimGrid as nothing but max-min sharing, and gives the
// last finish and the CPU time, both in seconds.
func simgrid(b *testing.B, program string, input []byte, optim, selective string) (finish, took float64) {
	command := exec.Command(program, "--cfg=network/model:CM02", "--cfg=network/crosstraffic:0", "--cfg=network/TCP-gamma:0",
		"--cfg=network/optim:"+optim, "--cfg=network/maxmin-selective-update:"+selective, "--log=root.thres:critical")
	command.Stdin = bytes.NewReader(input)
	out, err := command.Output()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscan(string(out), &finish, &took); err != nil {
		b.Fatal(err)
	}
	return finish, took
}
