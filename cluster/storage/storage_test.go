package storage_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// fabric is racks of two hosts: some with two accelerators and two NICs of 10 GB/s, then
// servers with two NICs of 50 GB/s, so that nothing in the fabric itself is in the way.
func fabric(clients, servers int) *topology.Topology {
	client := topology.Host{
		Name: "client", Accelerators: 2, ScaleUpBandwidth: 300e9, ScaleUpEfficiency: 1,
		NICs: 2, NICBandwidth: 10e9, NICEfficiency: 1, PCIeBandwidth: 30e9,
	}
	server := topology.Host{Name: "server", NICs: 2, NICBandwidth: 50e9, NICEfficiency: 1}
	f := topology.Fabric{
		Pools:        []topology.HostPool{{Host: client, Hosts: clients}, {Host: server, Hosts: servers}},
		HostsPerRack: 2, Oversubscription: 0.25, Routing: topology.Routing{Policy: topology.Spray},
	}
	if servers == 0 {
		f.Pools = f.Pools[:1]
	}
	t, err := topology.LeafSpine(f)
	if err != nil {
		panic(err)
	}
	return t
}

// system is a file system on the last so many hosts.
func system(t *topology.Topology, servers int, read, write units.Rate, s storage.System) (*topology.Topology, *storage.System) {
	var on []int
	for i := range servers {
		on = append(on, len(t.Servers)-servers+i)
	}
	s.Hosts, s.Rates.Read, s.Rates.Write = on, read, write
	made, with, err := storage.New(t, s)
	if err != nil {
		panic(err)
	}
	return with, made
}

// run has accelerators read or write, and gives when they have.
func run(t *topology.Topology, clients []int32, l *storage.Load) (sim.Time, *cluster.Cluster) {
	engine := sim.New()
	c := cluster.New(engine, t, 0)
	l.Files, l.Iterations = max(1, l.Files), max(1, l.Iterations)
	c.Submit(&cluster.Job{Name: "load", List: clients, Count: len(clients), Shared: true, Program: l})
	if err := engine.Run(context.Background()); err != nil {
		panic(err)
	}
	return l.Rows[len(l.Rows)-1].Finish, c
}

func Example() {
	t, fs := system(fabric(2, 4), 4, 6e9, 4e9, storage.System{Layout: storage.Replicated, Copies: 3, Block: 128 << 20})
	l := &storage.Load{System: fs, Write: true, Bytes: 8 * (128 << 20)}
	took, _ := run(t, []int32{0}, l)
	fmt.Printf("%.2f GB, three times on drives of 4 servers at 4 GB/s: %.3f s\n", l.Bytes/1e9, took.Seconds())
	// Output: 1.07 GB, three times on drives of 4 servers at 4 GB/s: 0.201 s
}

// What is written or read on an idle network takes the time of its narrowest place:
// drives, NIC of the client, or metadata.
func TestIdleTimes(t *testing.T) {
	const block = 1e6
	replicated := storage.System{Layout: storage.Replicated, Copies: 3, Block: block}
	requests := func(r storage.Rates) storage.System {
		return storage.System{Layout: storage.Striped, Block: block, Rates: r}
	}
	for _, c := range []struct {
		name        string
		servers     int
		read, write units.Rate
		system      storage.System
		load        storage.Load
		want        float64 // s
	}{
		{"striped, drives", 4, 3e9, 2e9, storage.System{Layout: storage.Striped, Block: block}, storage.Load{Write: true, Bytes: 8e9}, 8e9 / (4 * 2e9)},
		{"striped, drives read", 4, 1e9, 2e9, storage.System{Layout: storage.Striped, Block: block}, storage.Load{Bytes: 8e9}, 2e9 / 1e9},
		{"striped, NIC", 4, 30e9, 20e9, storage.System{Layout: storage.Striped, Block: block}, storage.Load{Write: true, Bytes: 8e9}, 8e9 / 10e9},
		{"one stripe", 4, 3e9, 2e9, storage.System{Layout: storage.Striped, Stripes: 1, Block: block}, storage.Load{Write: true, Bytes: 8e9}, 8e9 / 2e9},
		{"a block is on one server", 4, 3e9, 2e9, storage.System{Layout: storage.Striped, Block: 1e9}, storage.Load{Write: true, Bytes: 1e9}, 1e9 / 2e9},
		{"replicated, drives", 4, 3e9, 2e9, replicated, storage.Load{Write: true, Bytes: 8e9}, 3 * 8e9 / (4 * 2e9)},
		{"replicated, read once", 4, 1e9, 2e9, replicated, storage.Load{Bytes: 8e9}, 8e9 / (4 * 1e9)},
		{"replicated, NIC once", 4, 30e9, 200e9, replicated, storage.Load{Write: true, Bytes: 8e9}, 8e9 / 10e9},
		{"object, NIC once", 4, 30e9, 200e9, storage.System{Layout: storage.Object, Copies: 3, Block: block}, storage.Load{Write: true, Bytes: 8e9}, 8e9 / 10e9},
		{"erasure-coded, drives", 6, 3e9, 1e9, storage.System{Layout: storage.ErasureCoded, Data: 4, Parity: 2, Block: block}, storage.Load{Write: true, Bytes: 8e9}, 1.5 * 8e9 / (6 * 1e9)},
		{"erasure-coded, NIC", 6, 30e9, 20e9, storage.System{Layout: storage.ErasureCoded, Data: 4, Parity: 2, Block: block}, storage.Load{Write: true, Bytes: 8e9}, 1.5 * 8e9 / 10e9},
		{"erasure-coded, read", 6, 1e9, 20e9, storage.System{Layout: storage.ErasureCoded, Data: 4, Parity: 2, Block: block}, storage.Load{Bytes: 6e9}, 6e9 / (6 * 1e9)},
		{"files opened one by one", 4, 3e9, 2e9, storage.System{Layout: storage.Striped, Block: block, Rates: storage.Rates{Opens: 100}}, storage.Load{Write: true, Bytes: 4e6, Files: 400}, 4 + 1e4/2e9},
		{"small files, drives", 4, 3e9, 2e9, requests(storage.Rates{ReadRequests: 1000}), storage.Load{Bytes: 2000 * 4096, Files: 2000}, 2000.0 / (4 * 1000)},
		{"small files, written", 4, 3e9, 2e9, requests(storage.Rates{ReadRequests: 1, WriteRequests: 500}), storage.Load{Write: true, Bytes: 2000 * 4096, Files: 2000}, 2000.0 / (4 * 500)},
		{"small files, servers", 4, 3e9, 2e9, requests(storage.Rates{ReadRequests: 1000, ServerRequests: 250}), storage.Load{Bytes: 2000 * 4096, Files: 2000}, 2000.0 / (4 * 250)},
		{"small files, client", 4, 3e9, 2e9, requests(storage.Rates{ReadRequests: 1000, ClientRequests: 500}), storage.Load{Bytes: 2000 * 4096, Files: 2000}, 2000.0 / 500},
		{"small files, opened by the client", 4, 3e9, 2e9, requests(storage.Rates{Opens: 1e4, ClientOpens: 100}), storage.Load{Bytes: 400 * 1e4, Files: 400}, 4 + 1e4/3e9},
		{"large files, the same drives", 4, 1e9, 2e9, requests(storage.Rates{ReadRequests: 1001}), storage.Load{Bytes: 8e9}, 8e9 / (4 * 1e9)},
		{"large files in small requests", 4, 1e9, 2e9, requests(storage.Rates{ReadRequests: 1000}), storage.Load{Bytes: 8e9, Request: 1e5}, 8e4 / (4 * 1000)},
		{"copies are requests", 4, 3e9, 2e9, storage.System{Layout: storage.Replicated, Copies: 3, Block: block, Rates: storage.Rates{WriteRequests: 1000}}, storage.Load{Write: true, Bytes: 2000 * 4096, Files: 2000}, 3 * 2000.0 / (4 * 1000)},
		{"cells are requests", 6, 3e9, 2e9, storage.System{Layout: storage.ErasureCoded, Data: 4, Parity: 2, Block: block, Rates: storage.Rates{WriteRequests: 1000}}, storage.Load{Write: true, Bytes: 600 * 4096, Files: 600}, 6 * 600.0 / (6 * 1000)},
		{"time after time", 4, 3e9, 2e9, storage.System{Layout: storage.Striped, Block: block}, storage.Load{Write: true, Bytes: 8e9, Iterations: 3}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo, fs := system(fabric(2, c.servers), c.servers, c.read, c.write, c.system)
			c.load.System = fs
			took, _ := run(topo, []int32{0}, &c.load)
			if got := took.Seconds(); math.Abs(got-c.want) > 1e-9*c.want {
				t.Errorf("takes %v s, want %v s", got, c.want)
			}
		})
	}
}

// Local drives are used by their own host alone, and cross no NIC.
func TestLocal(t *testing.T) {
	topo, fs := system(fabric(2, 0), 2, 3e9, 2e9, storage.System{Layout: storage.Local, Block: 1e6})
	took, c := run(topo, []int32{0, 1, 2}, &storage.Load{System: fs, Write: true, Bytes: 1e9})
	if want := 1.0; math.Abs(took.Seconds()-want) > 1e-9 { // two on the drives of the first host
		t.Errorf("takes %v, want %v s", took, want)
	}
	for l := range topo.Links {
		if u := c.Network.Use(topology.LinkID(l)); u.Bytes > 0 && topo.Links[l].From != topology.None {
			t.Errorf("%s carries %v B", topo.LinkName(topology.LinkID(l)), u.Bytes)
		}
	}
}

// Clients share drives max-min: two of them, each writing alone as fast as its NIC lets
// it, get half of the drives each.
func TestShared(t *testing.T) {
	topo, fs := system(fabric(2, 4), 4, 3e9, 3e9, storage.System{Layout: storage.Striped, Block: 1e6})
	alone, _ := run(topo, []int32{0}, &storage.Load{System: fs, Write: true, Bytes: 12e9})
	both, _ := run(topo, []int32{0, 2}, &storage.Load{System: fs, Write: true, Bytes: 12e9})
	if want := 12e9 / 10e9; math.Abs(alone.Seconds()-want) > 1e-9 {
		t.Errorf("alone %v, want %v s: the NIC", alone, want)
	}
	if want := 24e9 / 12e9; math.Abs(both.Seconds()-want) > 1e-9 {
		t.Errorf("both %v, want %v s: the drives", both, want)
	}
}

// Clients share requests and opens as they share bytes: one that its own host holds to
// less leaves the rest to the other.
func TestSharedRequests(t *testing.T) {
	for _, c := range []struct {
		name        string
		rates       storage.Rates
		alone, both float64 // s, for 300 files a client
	}{
		{"drives", storage.Rates{ReadRequests: 300}, 1, 2},
		{"a server", storage.Rates{ServerRequests: 300}, 1, 2},
		{"hosts", storage.Rates{ReadRequests: 300, ClientRequests: 100}, 3, 3},
		{"opens", storage.Rates{Opens: 300}, 1, 2},
		{"opens of hosts", storage.Rates{Opens: 300, ClientOpens: 200}, 1.5, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			topo, fs := system(fabric(2, 1), 1, 3e9, 3e9, storage.System{Layout: storage.Striped, Block: 1e6, Rates: c.rates})
			load := func() *storage.Load { return &storage.Load{System: fs, Bytes: 300 * 4096, Files: 300} }
			alone, _ := run(topo, []int32{0}, load())
			both, _ := run(topo, []int32{0, 2}, load())
			if math.Abs(alone.Seconds()-c.alone) > 1e-5 || math.Abs(both.Seconds()-c.both) > 1e-5 {
				t.Errorf("takes %v alone and %v beside another, want %v and %v s", alone, both, c.alone, c.both)
			}
		})
	}
}

// Whatever the layout: drives take or give each byte as often as the layout says, copies
// are on hosts of their own, and nothing goes over the network that need not.
func TestBytesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clients, servers := rapid.IntRange(1, 3).Draw(t, "clients"), rapid.IntRange(6, 9).Draw(t, "servers")
		local := rapid.Bool().Draw(t, "clients serve")
		topo, on := fabric(clients, servers), servers
		if local {
			on += clients
		}
		s := storage.System{
			Layout: storage.Layout(rapid.IntRange(0, 4).Draw(t, "layout")), Block: float64(rapid.IntRange(1, 50).Draw(t, "block")) * 1e5,
			Stripes: rapid.IntRange(0, 6).Draw(t, "stripes"), Copies: rapid.IntRange(1, 6).Draw(t, "copies"),
			Data: rapid.IntRange(1, 4).Draw(t, "data"), Parity: rapid.IntRange(0, 2).Draw(t, "parity"),
			Rates: storage.Rates{ReadRequests: 1e4, WriteRequests: 1e4, ServerRequests: 1e4, ClientRequests: 1e4, Opens: 1e3, ClientOpens: 1e3},
		}
		if s.Layout == storage.Local && !local {
			s.Layout = storage.Striped
		}
		topo, fs := system(topo, on, 3e9, 2e9, s)
		l := &storage.Load{
			System: fs, Write: rapid.Bool().Draw(t, "write"), Bytes: float64(rapid.IntRange(1, 5e7).Draw(t, "bytes")),
			Files: rapid.IntRange(1, 4).Draw(t, "files"), Iterations: rapid.IntRange(1, 2).Draw(t, "iterations"),
			First: rapid.IntRange(0, 20).Draw(t, "first"), Request: float64(rapid.IntRange(1, 100).Draw(t, "request")) * 1e4,
		}
		_, c := run(topo, []int32{0, int32(2*clients - 1)}, l)
		var read, written, left, entered, asked, served, opened float64
		for id := range topo.Links {
			k, u := &topo.Links[id], c.Network.Use(topology.LinkID(id))
			name := topo.LinkName(topology.LinkID(id))
			switch {
			case strings.HasSuffix(name, "/drives/read"):
				read += u.Bytes
			case strings.HasSuffix(name, "/drives/write"):
				written += u.Bytes
			case strings.HasSuffix(name, "/files/requests"):
				asked += u.Bytes / storage.RequestBytes
			case strings.HasSuffix(name, "/drives/read-requests"), strings.HasSuffix(name, "/drives/write-requests"):
				served += u.Bytes / storage.RequestBytes
			case name == "metadata/opens":
				opened += u.Bytes / storage.RequestBytes
			case k.From == topology.None: // of clients
			case topo.Server(k.From) >= 0 && int(k.From) >= topo.Accelerators() && int(k.From) < topo.Accelerators()+topo.NICs() && int(k.To) >= topo.Accelerators():
				left += u.Bytes
			case int(k.To) >= topo.Accelerators() && int(k.To) < topo.Accelerators()+topo.NICs() && int(k.From) >= topo.Accelerators()+topo.NICs():
				entered += u.Bytes
			}
		}
		whole := 2 * l.Bytes * float64(l.Iterations)
		near := func(what string, got, want float64) {
			if math.Abs(got-want) > 1e-6*whole {
				t.Errorf("%s %v B, want %v B", what, got, want)
			}
		}
		near("NICs send and receive", left, entered)
		if files := 2 * float64(l.Files*l.Iterations); math.Abs(opened-files) > 1e-6*files {
			t.Errorf("%v files opened, want %v", opened, files)
		}
		size := min(l.Request, s.Block, l.Bytes/float64(l.Files))
		if s.Layout == storage.ErasureCoded {
			size /= float64(s.Data)
		}
		if n := (read + written) / size; math.Abs(asked-n) > 1e-6*n || math.Abs(served-n) > 1e-6*n {
			t.Errorf("servers have %v requests and drives %v, want %v", asked, served, n)
		}
		if l.Write {
			near("drives read", read, 0)
			near("drives write", written, whole*fs.Overhead())
			if left > written*(1+1e-9) {
				t.Errorf("%v B cross the network for %v B on drives", left, written)
			}
			if !local {
				near("of the network", left, written)
			}
		} else {
			near("drives read", read, whole)
			near("drives write", written, 0)
		}
		var moved float64
		for _, r := range l.Rows {
			moved += r.Moved
		}
		near("rows tell of", moved, read+written)
	})
}

// Two sites of a host and two servers each: with a file system of its own each site reads from
// its own drives, and nothing crosses the cable; with one for both half of all does.
func TestBySite(t *testing.T) {
	parts := make([]topology.Site, 2)
	for i := range parts {
		parts[i] = topology.Site{Name: fmt.Sprint(i), Topology: fabric(1, 2)}
	}
	whole, err := topology.Sites(parts, []topology.WAN{{From: 0, To: 1, Bandwidth: 100e9}})
	if err != nil {
		t.Fatal(err)
	}
	first, last := whole.WANLinks()
	for _, c := range []struct {
		bySite  bool
		crossed float64 // of 2 x 2 GB
	}{{true, 0}, {false, 2e9}} {
		fs, with, err := storage.New(whole, storage.System{
			Layout: storage.Striped, Hosts: []int{1, 2, 4, 5}, Block: 1e6, Rates: storage.Rates{Read: 1e9, Write: 1e9}, BySite: c.bySite,
		})
		if err != nil {
			t.Fatal(err)
		}
		took, cl := run(with, []int32{0, 2}, &storage.Load{System: fs, Bytes: 2e9})
		if crossed := cl.Network.Use(first).Bytes + cl.Network.Use(last-1).Bytes; crossed != c.crossed {
			t.Errorf("by site %v: %v bytes cross the cable, want %v", c.bySite, crossed, c.crossed)
		}
		if want := 1.; math.Abs(took.Seconds()-want) > 1e-3 { // 4 GB from four servers of 1 GB/s
			t.Errorf("by site %v: takes %v, want %v s", c.bySite, took, want)
		}
	}
	_, _, err = storage.New(whole, storage.System{Layout: storage.Replicated, Copies: 3, Hosts: []int{1, 2, 4, 5}, Rates: storage.Rates{Read: 1, Write: 1}, BySite: true})
	if err == nil || !strings.Contains(err.Error(), "at 0 2 serve") {
		t.Errorf("three copies on two servers of a site: %v", err)
	}
}
