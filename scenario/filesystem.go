package scenario

import (
	"slices"

	"github.com/railyard/railyard/units"
)

// FileSystem is what [topology.storage] says of a file system whose servers are hosts of
// the topology.
type FileSystem struct {
	Layout     Key[string]      `key:"layout" enum:"local striped replicated object erasure-coded" doc:"a file system on hosts of the topology, in place of write, read and host: local, drives of each host for itself; striped, blocks in turn over servers (Lustre); replicated, copies from server to server (HDFS); object, copies from the first server to the others (RADOS); erasure-coded, cells and parity that the client makes (HDFS-EC)"`
	Pool       Key[string]      `key:"pool" doc:"name of the [[topology.pool]] whose hosts serve; all hosts where left out"`
	Hosts      Key[[]string]    `key:"hosts" doc:"the hosts that serve, as in [\"host14\", \"host15\"], in place of pool"`
	DriveRead  Key[units.Rate]  `key:"drive_read" positive:"true" doc:"rate at which a drive reads; needed with layout"`
	DriveWrite Key[units.Rate]  `key:"drive_write" positive:"true" doc:"rate at which it writes; drive_read where left out"`
	Drives     Key[int64]       `key:"drives" default:"1" min:"1" max:"1024" doc:"drives of a serving host"`
	DriveSize  Key[units.Bytes] `key:"drive_size" positive:"true" doc:"capacity of a drive; writing more than all hold is an error. No bound where left out"`

	Block   Key[units.Bytes]    `key:"block" default:"\"128MiB\"" positive:"true" doc:"what a file is cut into: dfs.blocksize of HDFS where left out"`
	Stripes Key[int64]          `key:"stripes" min:"1" max:"262144" doc:"striped: servers that a file is spread over; all where left out"`
	Copies  Key[int64]          `key:"copies" default:"3" min:"1" max:"8" doc:"replicated, object: copies of a block"`
	Data    Key[int64]          `key:"data" default:"6" min:"1" max:"255" doc:"erasure-coded: cells of a block; RS-6-3 of HDFS where left out"`
	Parity  Key[int64]          `key:"parity" default:"3" min:"0" max:"255" doc:"erasure-coded: parity cells beside"`
	BySite  Key[bool]           `key:"by_site" default:"false" doc:"with several sites: each has a file system of its own, of the servers that lie there; hosts of a site without any use all. A lost site then takes the checkpoints of training jobs with it, but for copies (replicate_to)"`
	Latency Key[units.Duration] `key:"latency" default:"\"0s\"" most:"1m" doc:"what opening a file costs its client beside"`

	DriveReadIOPS  Key[float64] `key:"drive_read_iops" positive:"true" min:"0" max:"1e12" doc:"requests a second that a drive reads, as data sheets have them for 4 KiB; no bound where left out"`
	DriveWriteIOPS Key[float64] `key:"drive_write_iops" positive:"true" min:"0" max:"1e12" doc:"the same written; drive_read_iops where left out"`
	ServerIOPS     Key[float64] `key:"server_iops" positive:"true" min:"0" max:"1e12" doc:"requests a second that a serving host serves, read or written; no bound where left out"`
	ClientIOPS     Key[float64] `key:"client_iops" positive:"true" min:"0" max:"1e12" doc:"requests a second that a host makes; no bound where left out"`
	Opens          Key[float64] `key:"opens" positive:"true" min:"0" max:"1e9" doc:"files a second that the metadata server opens; no bound where left out"`
	ClientOpens    Key[float64] `key:"client_opens" positive:"true" min:"0" max:"1e9" doc:"files a second that a host opens; no bound where left out"`
}

// StorageLoad is one [[workload.storage]].
type StorageLoad struct {
	Header
	Name         Key[string]         `key:"name" doc:"name in results; the operation's where left out"`
	Op           Key[string]         `key:"op" required:"true" enum:"read write" doc:"what all clients do at once"`
	Size         Key[units.Bytes]    `key:"size" required:"true" positive:"true" doc:"bytes of each client"`
	Files        Key[int64]          `key:"files" default:"1" min:"1" max:"262144" doc:"files of each client, over which its bytes are spread evenly"`
	Request      Key[units.Bytes]    `key:"request" positive:"true" doc:"what is read or written at a time, for iops; where left out, and at the most, a block or the whole of a smaller file"`
	Accelerators Key[Selection]      `key:"accelerators" min:"1" max:"1048576" doc:"clients: how many accelerators, or a list of them, by whose NICs they go; all where left out. They stay free for other workloads"`
	Start        Key[units.Duration] `key:"start" default:"\"0s\"" doc:"when it begins"`
	Iterations   Key[int64]          `key:"iterations" default:"1" min:"1" max:"100000" doc:"times one after another, a row each"`
}

// checkLayout judges the file system by itself.
func (s *Storage) checkLayout(t *Topology, b *binder) {
	layout := s.Layout.Value
	for _, k := range []struct {
		name    string
		set     bool
		at      Position
		layouts []string // that have it; nil: all
	}{
		{"pool", s.Pool.Set, s.Pool.Pos, nil},
		{"hosts", s.Hosts.Set, s.Hosts.Pos, nil},
		{"drive_read", s.DriveRead.Set, s.DriveRead.Pos, nil},
		{"drive_write", s.DriveWrite.Set, s.DriveWrite.Pos, nil},
		{"drives", s.Drives.Set, s.Drives.Pos, nil},
		{"drive_size", s.DriveSize.Set, s.DriveSize.Pos, nil},
		{"block", s.Block.Set, s.Block.Pos, []string{"striped", "replicated", "object", "erasure-coded"}},
		{"stripes", s.Stripes.Set, s.Stripes.Pos, []string{"striped"}},
		{"copies", s.Copies.Set, s.Copies.Pos, []string{"replicated", "object"}},
		{"data", s.Data.Set, s.Data.Pos, []string{"erasure-coded"}},
		{"parity", s.Parity.Set, s.Parity.Pos, []string{"erasure-coded"}},
		{"latency", s.Latency.Set, s.Latency.Pos, nil},
		{"drive_read_iops", s.DriveReadIOPS.Set, s.DriveReadIOPS.Pos, nil},
		{"drive_write_iops", s.DriveWriteIOPS.Set, s.DriveWriteIOPS.Pos, nil},
		{"server_iops", s.ServerIOPS.Set, s.ServerIOPS.Pos, nil},
		{"client_iops", s.ClientIOPS.Set, s.ClientIOPS.Pos, nil},
		{"opens", s.Opens.Set, s.Opens.Pos, nil},
		{"client_opens", s.ClientOpens.Set, s.ClientOpens.Pos, nil},
	} {
		switch {
		case k.set && !s.Layout.Set:
			b.faultf(k.at, s.Path+"."+k.name, "belongs to layout, which is missing")
		case k.set && k.layouts != nil && !slices.Contains(k.layouts, layout):
			b.faultf(k.at, s.Path+"."+k.name, "does not belong to layout = %q", layout)
		}
	}
	if !s.Layout.Set {
		return
	}
	for _, k := range []struct {
		name string
		set  bool
		at   Position
	}{{"write", s.Write.Set, s.Write.Pos}, {"read", s.Read.Set, s.Read.Pos}, {"host", s.Host.Set, s.Host.Pos}} {
		if k.set {
			b.faultf(k.at, s.Path+"."+k.name, "contradicts layout, whose servers and drives say how fast it is")
		}
	}
	if !s.DriveRead.Set && !b.inside(s.Path) {
		b.faultf(s.Layout.Pos, s.Path, `needs the key "drive_read" (rate at which a drive reads)`)
	}
	if s.Hosts.Set && s.Pool.Set {
		b.faultf(s.Hosts.Pos, s.Path+".hosts", "contradicts pool: give one of them")
	}
	if s.Pool.Set {
		t.checkPool(s.Pool, s.Path+".pool", b)
	}
}

// checkPool sees to it that there is a pool that a key names.
func (t *Topology) checkPool(pool Key[string], path string, b *binder) {
	var names []string
	for _, p := range t.allPools() {
		names = append(names, p.Name.Value)
	}
	if !slices.Contains(names, pool.Value) {
		b.faultf(pool.Pos, path, "there is no [[topology.pool]] with the name %q%s", shown(pool.Value), meant(pool.Value, names))
	}
}

// allPools are those of the network, or of all sites.
func (t *Topology) allPools() []HostPool {
	all := t.Pool
	for i := range t.Site {
		all = append(slices.Clip(all), t.Site[i].Pool...)
	}
	return all
}

// HostsOf gives the hosts of the pools of a name, by number, out of so many in all; all if
// the key is not set.
func (t *Topology) HostsOf(pool Key[string], hosts int) []int {
	if pool.Set {
		return t.PoolHosts(pool.Value)
	}
	var servers []int
	for i := range hosts {
		servers = append(servers, i)
	}
	return servers
}

// PoolHosts gives the hosts of the pools of a name, by number.
func (t *Topology) PoolHosts(name string) []int {
	var hosts []int
	first := 0
	count := func(n *Network) {
		if n.Pool == nil {
			first += int(n.Hosts.Value)
		}
		for _, p := range n.Pool {
			for i := range int(p.Hosts.Value) {
				if p.Name.Set && p.Name.Value == name {
					hosts = append(hosts, first+i)
				}
			}
			first += int(p.Hosts.Value)
		}
	}
	if t.Site == nil {
		count(&t.Network)
	}
	for i := range t.Site {
		count(&t.Site[i].Network)
	}
	return hosts
}

// checkStorage sees to it that what reads and writes has something to do it on.
func (s *Scenario) checkStorage(b *binder) {
	loads := s.Workload.Storage
	for i := range s.Workload.Training {
		t := &s.Workload.Training[i]
		t.Input.check(t, s, b)
	}
	for i := range s.Workload.Pipeline {
		s.Workload.Pipeline[i].check(s, b)
	}
	for i := range s.Workload.Serving {
		w := &s.Workload.Serving[i]
		if c := &w.ColdStart; c.Storage.Value {
			s.checkReads("a cold start from storage", c.Storage.Pos, w.Path+".cold_start.from_storage", b)
		}
	}
	if len(loads) == 0 {
		return
	}
	s.checkReads("[[workload.storage]]", loads[0].At, loads[0].Path, b)
}
