package scenario

import (
	"strings"
	"testing"

	"github.com/railyard/railyard/topology"
)

// What each kind of topology takes and needs, and how its numbers go together.
func TestTopologyFaults(t *testing.T) {
	const bandwidth = "bandwidth = \"1GB/s\"\nlatency = \"1us\"\n"
	fabric := func(kind, keys string) string {
		return "[topology]\nkind = \"" + kind + "\"\nhost = \"dgx-h100\"\n" + keys
	}
	site := func(name, keys string) string {
		return "[[topology.site]]\nname = \"" + name + "\"\nkind = \"rail\"\nhost = \"dgx-h100\"\nhosts = 8\n" + keys
	}
	const wan = "[[topology.wan]]\nfrom = \"a\"\nto = \"b\"\nbandwidth = \"1Tbps\"\nlatency = \"5ms\"\n"
	const pool = "[[topology.pool]]\nhost = \"dgx-a100\"\nhosts = 4\n"
	for _, c := range []struct{ name, text, want string }{
		{"torus without sizes", "[topology]\nkind = \"torus\"\n" + bandwidth, `case.toml:2:1: topology: kind "torus" needs the key "dims"`},
		{"a side of none", "[topology]\nkind = \"torus\"\ndims = [4, 0]\n" + bandwidth, `case.toml:3:12: topology.dims: must be from 1 to 1048576, not 0`},
		{"too many", "[topology]\nkind = \"torus\"\ndims = [1024, 1024, 2]\n" + bandwidth, `case.toml:3:8: topology.dims: are more than 1048576 accelerators in all`},
		{"wrap of others", "[topology]\nkind = \"torus\"\ndims = [4, 4, 4]\nwrap = [true, false]\n" + bandwidth, `case.toml:4:8: topology.wrap: has 2 entries; one, or one for each of the 3 dims`},
		{"wrap by number", "[topology]\nkind = \"torus\"\ndims = [4, 4]\nwrap = [1, 0]\n" + bandwidth, `case.toml:4:9: topology.wrap: must be true or false, not a number`},
		{"wrap of a ring", switch8 + "wrap = true\n", `case.toml:6:1: topology.wrap: has no meaning with kind "switch"; kinds that take it: torus`},
		{"no dimension", "[topology]\nkind = \"multi\"\n", `case.toml:2:8: topology: kind "multi" needs a [[topology.dimension]]`},
		{"half a dimension", "[topology]\nkind = \"multi\"\n[[topology.dimension]]\nkind = \"ring\"\n" + bandwidth, `case.toml:3:1: topology.dimension[0]: needs the key "size"`},
		{"a torus of tori", "[topology]\nkind = \"multi\"\n[[topology.dimension]]\nkind = \"torus\"\nsize = 4\n" + bandwidth, `case.toml:4:8: topology.dimension[0].kind: "torus" is unknown; one of: ring, switch, full-mesh`},
		{"graph without cables", "[topology]\nkind = \"graph\"\nnodes = \"n.csv\"\n", `case.toml:2:1: topology: kind "graph" needs the key "links"`},
		{"fabric without a host", "[topology]\nkind = \"rail\"\nhosts = 4\n", `case.toml:2:8: topology: kind "rail" needs the key "host"`},
		{"fabric without hosts", fabric("leaf-spine", ""), `case.toml:2:8: topology: kind "leaf-spine" needs the key "hosts"`},
		{"host and pool", fabric("rail", "") + pool, `case.toml:3:8: topology.host: contradicts [[topology.pool]]`},
		{"half a pool", "[topology]\nkind = \"rail\"\n[[topology.pool]]\nhost = \"dgx-a100\"\n", `case.toml:3:1: topology.pool[0]: needs the key "hosts"`},
		{"unknown host of a pool", "[topology]\nkind = \"rail\"\n[[topology.pool]]\nhost = \"dgx-a10\"\nhosts = 1\n", `case.toml:4:8: topology.pool[0].host: there is no host "dgx-a10"`},
		{"pools of one host", "[topology]\nkind = \"single-host\"\n" + pool, `case.toml:3:1: topology.pool: has no meaning with kind "single-host"`},
		{"too many in pools", "[topology]\nkind = \"rail\"\n" + strings.ReplaceAll(pool, "4", "100_000") + strings.ReplaceAll(pool, "4", "100_000"), `case.toml:3:1: topology: 200000 hosts of 1600000 accelerators in all are more than`},
		{"valiant in a tree", fabric("fat-tree", "k = 8\nrouting = \"valiant\"\n"), `case.toml:5:11: topology.routing: "valiant" takes kind "dragonfly", not "fat-tree"; one of: ecmp, adaptive, spray, static`},
		{"queue pairs sprayed", fabric("rail", "hosts = 8\nrouting = \"spray\"\nqueue_pairs = 4\n"), `case.toml:6:15: topology.queue_pairs: belongs to routing = "ecmp"; routing is "spray"`},
		{"too many ports", fabric("rail", "hosts = 8\nplanes = 8\ntors = 4\n"), `case.toml:6:8: topology.tors: 4 for each of 8 planes are more ports than the 16`},
		{"a dragonfly too small", fabric("dragonfly", "hosts = 9\nhosts_per_rack = 1\ngroups = 2\nrouters = 4\nglobal_links = 1\n"), `case.toml:4:9: topology: a dragonfly takes 1 hosts on a router, room for 8 hosts of 8 NICs`},
		{"an oversubscribed dragonfly", fabric("dragonfly", "hosts = 9\noversubscription = 2\n"), `case.toml:5:20: topology.oversubscription: must be 1 with kind "dragonfly"`},
		{"sites of a kind", "[topology]\nkind = \"rail\"\n" + site("a", ""), `case.toml:2:8: topology.kind: contradicts [[topology.site]]`},
		{"a site without a name", "[[topology.site]]\nkind = \"rail\"\n", `case.toml:1:1: topology.site[0]: needs the key "name"`},
		{"a site without a kind", "[[topology.site]]\nname = \"a\"\n", `case.toml:1:1: topology.site[0]: needs the key "kind"`},
		{"a site of rings", "[[topology.site]]\nname = \"a\"\nkind = \"ring\"\naccelerators = 8\n" + bandwidth, `case.toml:3:8: topology.site[0].kind: "ring" is not made of hosts, as sites are; one of: single-host,`},
		{"two sites of a name", site("a", "") + site("a", ""), `case.toml:7:8: topology.site[1].name: "a" is the name of another site, too`},
		{"a fault in a site", site("a", "") + site("b", "oversubscripton = 2\n"), `case.toml:11:1: unknown key "oversubscripton" in topology.site[1]`},
		{"a bad routing in a site", site("a", "routing = \"ugal\"\n"), `case.toml:6:11: topology.site[0].routing: "ugal" takes kind "dragonfly"`},
		{"no such site", site("a", "") + wan, `case.toml:8:6: topology.wan[0].to: there is no site "b"`},
		{"to itself", site("a", "") + strings.ReplaceAll(wan, "\"b\"", "\"a\""), `case.toml:8:6: topology.wan[0].to: is where the cable comes from`},
		{"a cable and no sites", fabric("rail", "hosts = 4\n") + wan, `case.toml:5:1: topology.wan[0]: joins sites, and there is no [[topology.site]]`},
		{"too many in sites", strings.ReplaceAll(site("a", "")+site("b", ""), "hosts = 8", "hosts = 100_000"), `case.toml:1:1: topology.site: 200000 hosts of 1600000 accelerators in all are more`},
	} {
		_, faults := Parse("case.toml", []byte(c.text+allReduce), nil)
		if !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, faults, c.want)
		}
	}
}

// What a fabric is made of, with what is left out filled in.
func TestFabric(t *testing.T) {
	fabric := func(keys string) (topology.Fabric, *Scenario) {
		s := parse(t, "[topology]\n"+keys+allReduce)
		f, faults := s.Fabric(&s.Topology.Network)
		if faults != nil {
			t.Fatal(faults)
		}
		return f, s
	}
	f, _ := fabric("kind = \"rail\"\nrouting = \"adaptive\"\nplanes = 2\n[[topology.pool]]\nname = \"old\"\nhost = \"dgx-a100\"\nhosts = 64\n[[topology.pool]]\nhost = \"dgx-h100\"\nhosts = 32\n")
	if len(f.Pools) != 2 || f.Pools[0].Host.Name != "dgx-a100" || f.Pools[1].Hosts != 32 || f.Planes != 2 || f.HostsPerRack != 32 {
		t.Errorf("pools %+v, planes %d, %d hosts a rack", f.Pools, f.Planes, f.HostsPerRack)
	}
	if want := (topology.Routing{Policy: topology.Adaptive, Seed: 1, QueuePairs: 1}); f.Routing != want {
		t.Errorf("routing %+v, want %+v", f.Routing, want)
	}
	// p = 8 NICs on a router: 16 routers of 8 global cables in 129 groups.
	f, s := fabric("kind = \"dragonfly\"\nhost = \"dgx-h100\"\n")
	if f.Hosts != 129*16 || s.Topology.Hosts.Value != 129*16 || f.HostsPerRack != 1 {
		t.Errorf("%d hosts, %d on a router", f.Hosts, f.HostsPerRack)
	}
}
