package datacenter_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/sim"
)

// chain is three links of 10 GB/s, 1 us each, one after another.
var chain = map[string]string{
	"links.csv": "link,capacity_Bps,latency_s\na,1e10,1e-6\nb,1e10,1e-6\nc,1e10,1e-6\n",
	"flows.csv": "flow,start_s,bytes,route\nx,0,1000000,a b c\n",
}

const chainFlows = "[topology]\nkind = \"links\"\nfile = \"links.csv\"\n[topology.packet]\nmtu = \"1000B\"\n%s[[workload.flows]]\nfile = \"flows.csv\"\n[sim]\nfidelity = \"packet\"\n"

// TestPacketFlow: store and forward adds (n-1) packets to latency + bytes/rate, and
// an acknowledgement of 64 bytes the way back. The files are those of a fluid.
func TestPacketFlow(t *testing.T) {
	for keys, want := range map[string]float64{
		"":                                   3e-6 + 1e-4 + 2e-7,
		"header = \"50B\"\n":                 3e-6 + 1.05*(1e-4+2e-7),
		"completion = \"arrival\"\n":         3e-6 + 1e-4 + 2e-7,
		"transport = \"ndp\"\n":              3e-6 + 1e-4 + 2e-7,
		"pfc = false\n":                      3e-6 + 1e-4 + 2e-7,
		"completion = \"acknowledgement\"\n": 3e-6 + 1e-4 + 2e-7 + 3e-6 + 3*64e-10,
	} {
		r := run(t, fmt.Sprintf(chainFlows, keys), chain)
		if got := column(t, r, "flows", "finish_s")[0]; math.Abs(got-want) > 1e-10 {
			t.Errorf("%q: ends at %v, want %v", keys, got, want)
		}
		if got := column(t, r, "links", "bytes"); got[0] != 1e6 || got[2] != 1e6 {
			t.Errorf("%q: links carry %v, want 1e6 each", keys, got)
		}
	}
	fluid, packet := run(t, fmt.Sprintf(chainFlows, ""), chain, "sim.fidelity=fluid"), run(t, fmt.Sprintf(chainFlows, ""), chain)
	if len(fluid.Tables) != len(packet.Tables) {
		t.Errorf("%d tables by packets, %d by the fluid", len(packet.Tables), len(fluid.Tables))
	}
}

// TestPacketCollectives holds collectives over packets to the fluid: rings, halving
// and a direct all-to-all on a non-blocking fabric agree to a few percent, training
// too.
func TestPacketCollectives(t *testing.T) {
	const fabric = "[topology]\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 2\n[topology.packet]\nmtu = \"9000B\"\n"
	const small = "[models.small]\nlayers = 2\nhidden = 512\nheads = 8\nvocab = 1000\n[[workload.training]]\nmodel = \"small\"\nglobal_batch = 16\nsequence = 128\n"
	for name, c := range map[string]struct{ toml, path string }{
		"ring":      {"[[workload.collective]]\nop = \"all_reduce\"\nalgorithm = \"ring\"\nsizes = [\"32MiB\"]\n", "collectives.0.time_s"},
		"halving":   {"[[workload.collective]]\nop = \"all_gather\"\nalgorithm = \"halving-doubling\"\nsizes = [\"32MiB\"]\n", "collectives.0.time_s"},
		"direct":    {"[[workload.collective]]\nop = \"all_to_all\"\nsizes = [\"8MiB\"]\n", "collectives.0.time_s"},
		"broadcast": {"[[workload.collective]]\nop = \"broadcast\"\nsizes = [\"8MiB\"]\niterations = 10\n", "collectives.0.time_s"},
		"training":  {small + "tensor = 2\npipeline = 2\niterations = 10\n", "training.0.iteration_s"},
		"unfolded":  {small + "expand = true\ntensor = 2\niterations = 2\n", "training.0.iteration_s"},
	} {
		packet := number(t, run(t, fabric+c.toml, nil, "sim.fidelity=packet"), c.path)
		// The pipeline of a fluid's broadcast has no packets; the best that has is
		// slower.
		bound := 0.06
		if name == "broadcast" {
			bound = 1
		}
		if fluid := number(t, run(t, fabric+c.toml, nil), c.path); !near(packet, fluid, bound) {
			t.Errorf("%s: %v s by packets, %v s as a fluid", name, packet, fluid)
		}
	}
}

// TestPacketDeterminism: marks and sprayed paths are drawn from the scenario's seed, so
// that a run is the same again, and another with another seed.
func TestPacketDeterminism(t *testing.T) {
	const incast = "[sim]\nfidelity = \"packet\"\n[topology]\nkind = \"fat-tree\"\nk = 4\nhost = \"one\"\n[hosts.one]\naccelerator = \"h100-sxm-80gb\"\naccelerators = 1\nnics = 1\n" +
		"[[workload.collective]]\nop = \"all_to_all\"\nsizes = [\"8MiB\"]\n[topology.packet]\n"
	for _, keys := range []string{"congestion_control = \"dcqcn\"\n", "transport = \"ndp\"\n"} {
		first, again := written(t, run(t, incast+keys, nil)), written(t, run(t, incast+keys, nil))
		if !maps.Equal(first, again) {
			t.Errorf("%s: two runs differ", keys)
		}
		if other := written(t, run(t, incast+keys, nil, "sim.seed=2")); other["links.csv"] == first["links.csv"] {
			t.Errorf("%s: another seed changes nothing", keys)
		}
	}
}

// TestPacketContention: two workloads that share links slow each other down, and
// their shared links say who.
func TestPacketContention(t *testing.T) {
	const two = `
[sim]
fidelity = "packet"
[topology]
kind = "switch"
accelerators = 4
bandwidth = "10GB/s"
latency = "1us"
[[workload.collective]]
name = "one"
op = "all_to_all"
sizes = ["4MB"]
accelerators = 4
[[workload.collective]]
name = "two"
op = "all_to_all"
sizes = ["4MB"]
accelerators = 4
shared = true
`
	r := run(t, two, nil)
	// 3 MB a rank, twice, at 10 GB/s.
	for i := range 2 {
		if got := number(t, r, fmt.Sprintf("collectives.%d.time_s", i)); !near(got, 600e-6, 0.05) {
			t.Errorf("collective %d takes %v s, want 600 us", i, got)
		}
	}
	most := r.Summary.Record("network").List("most_contended")
	if len(most) == 0 || len(most[0].List("contenders")) != 2 {
		t.Errorf("the most contended links are %v, want one and two on them", most)
	}
}

// TestPauseDeadlock: three messages that each go two links around a circle of three
// pause each other for good. Without flow control they lose packets and arrive.
func TestPauseDeadlock(t *testing.T) {
	files := map[string]string{
		"links.csv": "link,capacity_Bps,latency_s\n",
		"flows.csv": "flow,start_s,bytes,route\na,0,10000000,s0 r0 r1 d2\nb,0,10000000,s1 r1 r2 d0\nc,0,10000000,s2 r2 r0 d1\n",
	}
	for _, l := range strings.Fields("s0 s1 s2 r0 r1 r2 d0 d1 d2") {
		files["links.csv"] += l + ",1e10,1e-6\n"
	}
	toml := fmt.Sprintf(chainFlows, "buffer = \"500kB\"\n")
	s, err := load(t, toml, files)
	if err != nil {
		t.Fatal(err)
	}
	_, err = railyard.Run(context.Background(), s, railyard.Options{})
	if deadlock, ok := errors.AsType[*sim.DeadlockError](err); !ok || len(deadlock.Waits) != 3 || deadlock.Waits[0] != (sim.Wait{Who: "flow a", For: "links that are paused or down"}) {
		t.Errorf("got %v, want a deadlock of three flows", err)
	}
	lossy := run(t, toml, files, "topology.packet.pfc=false")
	if number(t, lossy, "packets.lost") == 0 || number(t, lossy, "flows.finished") != 3 {
		t.Errorf("without flow control: %v lost, %v ended", number(t, lossy, "packets.lost"), number(t, lossy, "flows.finished"))
	}
}

// TestPacketsRefused is scenarios that packets cannot be sent of.
func TestPacketsRefused(t *testing.T) {
	const fabric = "[sim]\nfidelity = \"packet\"\n[topology]\nkind = \"switch\"\naccelerators = 8\nbandwidth = \"1GB/s\"\nlatency = \"1us\"\n"
	reduce := func(keys string) string {
		return "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n" + keys
	}
	weighted := map[string]string{"links.csv": chain["links.csv"], "flows.csv": "flow,start_s,bytes,route,weight\nx,0,1000,a,2\n"}
	huge := map[string]string{"links.csv": chain["links.csv"], "flows.csv": "flow,start_s,bytes,route\nx,0,1e15,a\n"}
	for _, c := range []struct {
		toml  string
		files map[string]string
		want  string
	}{
		{fabric + "[topology.packet]\nmtu = \"10B\"\n" + reduce(""), nil, "case.toml:8:1: topology.packet: an MTU of 10 bytes; 64 to 1048576 can be"},
		{fabric + "[topology.packet]\nbuffer = \"1kB\"\n" + reduce(""), nil, "a buffer of 1000 bytes holds no packet of 4096"},
		{fabric + "[topology.packet]\nwindow = 3\n" + reduce(""), nil, `case.toml:9:10: topology.packet.window: belongs to transport = "ndp"; here it is "roce"`},
		{fabric + "[topology.packet]\npfc = false\npause = \"1MB\"\n" + reduce(""), nil, `case.toml:10:9: topology.packet.pause: belongs to pfc = true with transport = "roce"; here it is not so`},
		{fabric + "[topology.packet]\necn_max = \"1MB\"\n" + reduce(""), nil, `belongs to congestion_control = "dcqcn"; here it is "none"`},
		{fabric + "[topology.packet]\ntransport = \"ndp\"\ncongestion_control = \"dcqcn\"\n" + reduce(""), nil, `belongs to transport = "roce"; here it is "ndp"`},
		{fabric + strings.Replace(reduce("algorithm = \"ring\"\n"), "all_reduce", "broadcast", 1), nil, "is a pipeline of small pieces"},
		{fabric + strings.Replace(reduce(""), "1MiB", "100TiB", 1), nil, `packets over links are more than can be sent, 2.15e+09: take fewer bytes`},
		{strings.Replace(fabric, "= 8", "= 4000", 1) + reduce(""), nil, "more than can be sent one by one"},
		{fmt.Sprintf(chainFlows, ""), weighted, "case.toml:9:12: topology: flow x has a weight of 2, which neither packets nor"},
		{fmt.Sprintf(chainFlows, ""), huge, "packets over links are more than can be sent"},
	} {
		if got := refused(t, c.toml, c.files); !strings.Contains(got, c.want) {
			t.Errorf("got %q, want %q in it", got, c.want)
		}
	}
}
