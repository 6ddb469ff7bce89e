package scenario_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/railyard/railyard/internal/lab"
)

// Every kind of topology from its keys to a time that is known in closed form.
func TestTopologies(t *testing.T) {
	const allToAll = "\n[[workload.collective]]\nop = \"all_to_all\"\nalgorithm = \"direct\"\nsizes = [\"64MiB\"]\n"
	const flows = "\n[[workload.flows]]\nfile = \"f.csv\"\n"
	const node = "[hosts.node]\naccelerator = \"h100-sxm-80gb\"\naccelerators = 1\nnics = 1\nnic_bandwidth = \"400Gbps\"\n\n"
	const megabyte = 1 << 20
	for _, c := range []struct {
		name, toml string
		files      map[string]string
		metric     string
		want       float64
		within     float64 // relative
	}{
		// Each link carries N k/8 = 32 messages of 1 MiB, and the farthest is 6 hops.
		{
			"torus", "[topology]\nkind = \"torus\"\ndims = [4, 4, 4]\nbandwidth = \"50GB/s\"\nlatency = \"1us\"\n" + allToAll,
			nil, "collectives.0.time_s", 32*megabyte/50e9 + 6e-6, 1e-6,
		},
		// 63/64 of 64 MiB twice, by six links at once, in 2 x 9 steps.
		{
			"torus, along its dimensions", "[topology]\nkind = \"torus\"\ndims = [4, 4, 4]\nbandwidth = \"50GB/s\"\nlatency = \"1us\"\n" +
				"\n[[workload.collective]]\nop = \"all_reduce\"\nalgorithm = \"hierarchical\"\nsizes = [\"64MiB\"]\n",
			nil, "collectives.0.time_s", 2.0*63*megabyte/6/50e9 + 18e-6, 1e-6,
		},
		// Of a line of four, 2 x 2 pairs of places talk across the middle, for each of
		// the 16 places in the other dimensions.
		{
			"torus without wrap", "[topology]\nkind = \"torus\"\ndims = [4, 4, 4]\nwrap = false\nbandwidth = \"50GB/s\"\nlatency = \"1us\"\n" + allToAll,
			nil, "collectives.0.time_s", 64*megabyte/50e9 + 9e-6, 1e-6,
		},
		// Full mesh of 4 inside, switch of 4 outside: 16 messages of 4 MiB. On a link to
		// a switch 4 x 3 messages go out: each accelerator's 3 columns of 4 have been
		// brought to it by its mesh.
		{
			"multi", "[topology]\nkind = \"multi\"\n" +
				"[[topology.dimension]]\nkind = \"full-mesh\"\nsize = 4\nbandwidth = \"50GB/s\"\nlatency = \"1us\"\n" +
				"[[topology.dimension]]\nkind = \"switch\"\nsize = 4\nbandwidth = \"25GB/s\"\nlatency = \"2us\"\n" + allToAll,
			nil, "collectives.0.time_s", 12*4*megabyte/25e9 + 3e-6, 1e-6,
		},
		// Two flows share the cable from the only switch on.
		{
			"graph", "[topology]\nkind = \"graph\"\nnodes = \"n.csv\"\nlinks = \"l.csv\"\n" + flows,
			map[string]string{
				"n.csv": "node,kind\nh0,host\ns0,switch\nh1,host\na,accelerator\nb,accelerator\n",
				"l.csv": "from,to,bandwidth_Bps,latency_s\nh0,s0,1e9,1e-6\ns0,h1,1e9,1e-6\nh1,a,2e9,0\nh1,b,2e9,0\n",
				"f.csv": "flow,start_s,bytes,src,dst\nx,0,1e6,h0,a\ny,0,1e6,h0,b\nz,0,1e6,h1,h0\n",
			},
			"makespan_s", 2e6/1e9 + 2e-6, 1e-6,
		},
		// Eight messages over one cable of 46 GB/s payload.
		{
			"dragonfly", node + "[topology]\nkind = \"dragonfly\"\nhost = \"node\"\nhosts = 16\nhosts_per_rack = 2\nrouters = 4\nglobal_links = 2\ngroups = 9\n" + flows,
			map[string]string{"f.csv": neighbours(8)},
			"makespan_s", 8 * 46e6 / 46e9, 1e-3,
		},
		{
			"dragonfly, sprayed over all groups", node + "[topology]\nkind = \"dragonfly\"\nhost = \"node\"\nhosts = 16\nhosts_per_rack = 2\nrouters = 4\nglobal_links = 2\ngroups = 9\nrouting = \"valiant\"\n" + flows,
			map[string]string{"f.csv": neighbours(8)},
			// 8/7 messages on each cable; more on no local link than that.
			"makespan_s", 8.0 / 7 * 46e6 / 46e9, 0.02,
		},
		// Two NIC ports of half the rate: hashed to one of them a message has half.
		{
			"one port of two planes", node + "[topology]\nkind = \"leaf-spine\"\nhost = \"node\"\nhosts = 2\nplanes = 2\n" + flows,
			map[string]string{"f.csv": neighbours(1)},
			"makespan_s", 46e6 / 23e9, 1e-3,
		},
		{
			"both ports", node + "[topology]\nkind = \"leaf-spine\"\nhost = \"node\"\nhosts = 2\nplanes = 2\nrouting = \"spray\"\n" + flows,
			map[string]string{"f.csv": neighbours(1)},
			"makespan_s", 46e6 / 46e9, 5e-3,
		},
		// The cable between the sites is the bottleneck, and the distance adds up.
		{
			"sites", node + "[[topology.site]]\nname = \"a\"\nkind = \"rail\"\nhost = \"node\"\nhosts = 2\n" +
				"[[topology.site]]\nname = \"b\"\nkind = \"fat-tree\"\nhost = \"node\"\nk = 4\n" +
				"[[topology.wan]]\nfrom = \"a\"\nto = \"b\"\nbandwidth = \"10GB/s\"\nlatency = \"5ms\"\n" + flows,
			map[string]string{"f.csv": "flow,start_s,bytes,src,dst\nx,0,1e8,a/host0/acc0,b/host15/acc0\ny,0,1e8,a/host1/acc0,b/host3/acc0\n"},
			"makespan_s", 0.005 + 2e8/10e9, 1e-3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lab.Number(t, lab.Run(t, c.toml, c.files), c.metric); !lab.Near(got, c.want, c.within) {
				t.Errorf("%s is %v, want %v", c.metric, got, c.want)
			}
		})
	}
}

// neighbours is flows of 46 MB from the first n hosts to the n after them.
func neighbours(n int) string {
	var b strings.Builder
	b.WriteString("flow,start_s,bytes,src,dst\n")
	for i := range n {
		from, to := strconv.Itoa(i), strconv.Itoa(i+n)
		b.WriteString("f" + from + ",0,46e6,host" + from + "/acc0,host" + to + "/acc0\n")
	}
	return b.String()
}

// A graph that cannot be is refused with the file's place, or the topology's.
func TestGraphRefused(t *testing.T) {
	const toml = "[topology]\nkind = \"graph\"\nnodes = \"n.csv\"\nlinks = \"l.csv\"\n\n[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1MiB\"]\n"
	for _, c := range []struct{ nodes, links, want string }{
		{"a,host\nb,host\n", "a,c,1,0\n", "l.csv:2:3: to: there is no node"},
		{"a,host\nb,router\n", "a,b,1,0\n", "n.csv:3:3: kind:"},
		{"a,host\nb,host\nc,host\n", "a,b,1,0\n", "case.toml:2:8: topology: no cables lead from a to c"},
		{"a,switch\nb,switch\n", "a,b,1,0\n", "case.toml:2:8: topology: a graph of switches alone"},
	} {
		text := lab.Refused(t, toml, map[string]string{"n.csv": "node,kind\n" + c.nodes, "l.csv": "from,to,bandwidth_Bps,latency_s\n" + c.links})
		if !strings.Contains(text, c.want) {
			t.Errorf("%q is not in: %s", c.want, text)
		}
	}
	if text := lab.Refused(t, toml, nil); !strings.Contains(text, `case.toml:3:9: topology.nodes: cannot read "n.csv"`) {
		t.Error(text)
	}
}

// A synchronous training on different hosts goes at the pace of the slowest, on
// hosts of its choice at theirs.
func TestMixedHosts(t *testing.T) {
	const training = "\n[[workload.training]]\nmodel = \"bert-large\"\nmicro_batch = 8\nglobal_batch = 128\nsequence = 128\noverlap = false\n"
	pools := func(names ...string) (toml string) {
		toml = "[topology]\nkind = \"rail\"\n"
		for _, name := range names {
			toml += "[[topology.pool]]\nhost = \"" + name + "\"\nhosts = 1\n"
		}
		return toml + training
	}
	compute := func(toml string) float64 {
		return lab.Number(t, lab.Run(t, toml, nil), "training.0.breakdown_s.compute")
	}
	old, young := compute(pools("dgx-a100", "dgx-a100")), compute(pools("dgx-h100", "dgx-h100"))
	if mixed := compute(pools("dgx-h100", "dgx-a100")); mixed != old || old < 1.5*young {
		t.Errorf("compute takes %v s on both, %v on the old and %v on the new", mixed, old, young)
	}
	listed := compute(pools("dgx-a100", "dgx-h100") + "accelerators = [8, 9, 10, 11, 12, 13, 14, 15]\n")
	if alone := compute(pools("dgx-h100")); listed != alone {
		t.Errorf("compute takes %v s on the new hosts of both, %v where there are no others", listed, alone)
	}
}
