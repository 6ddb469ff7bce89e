package datacenter

import (
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/storage"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// maxStored bounds the transfers that clients of a file system have on their way at a
// time, and so their memory.
const maxStored = 1 << 20

// buildStorage puts drives into the hosts that serve files, if the scenario has any.
func (b *builder) buildStorage() {
	s := &b.scenario.Topology.Storage
	if !s.Layout.Set {
		return
	}
	if b.topology.Bare() {
		b.fault(s.Layout.Pos, s.Path+".layout", "there are no hosts to have drives: it needs a topology of hosts")
		return
	}
	servers := b.scenario.Topology.HostsOf(s.Pool, len(b.topology.Servers))
	if s.Hosts.Set {
		if servers = b.named(s.Hosts, s.Path+".hosts"); servers == nil {
			return
		}
	}
	drives := s.Drives.Value
	rates := storage.Rates{
		Read: s.DriveRead.Value * units.Rate(drives), Write: s.DriveWrite.Value * units.Rate(drives),
		ReadRequests: s.DriveReadIOPS.Value * float64(drives), WriteRequests: s.DriveWriteIOPS.Value * float64(drives),
		ServerRequests: s.ServerIOPS.Value, ClientRequests: s.ClientIOPS.Value, Opens: s.Opens.Value, ClientOpens: s.ClientOpens.Value,
	}
	if !s.DriveWrite.Set {
		rates.Write = rates.Read
	}
	if !s.DriveWriteIOPS.Set {
		rates.WriteRequests = rates.ReadRequests
	}
	if f := b.scale.Storage; f != 0 {
		rates = rates.Scaled(f)
	}
	layout, _ := storage.ParseLayout(s.Layout.Value)
	made, with, err := storage.New(b.topology, storage.System{
		Layout: layout, Hosts: servers, Block: float64(s.Block.Value), Rates: rates, Stripes: int(s.Stripes.Value), Copies: int(s.Copies.Value),
		Data: int(s.Data.Value), Parity: int(s.Parity.Value), Latency: sim.Time(s.Latency.Value), BySite: s.BySite.Value,
	})
	if err != nil {
		b.fault(s.Layout.Pos, s.Path+".layout", "%v", err)
		return
	}
	b.files, b.topology = made, with
}

// named are the hosts of these names; nil if one of them is none.
func (b *builder) named(names scenario.Key[[]string], key string) []int {
	t := b.topology
	known := make([]string, len(t.Servers))
	for h := range known {
		known[h] = t.ServerName(h)
	}
	var hosts []int
	for _, name := range names.Value {
		h := slices.Index(known, name)
		switch {
		case h < 0:
			b.fault(names.Pos, key, "%s", noneOf("host", name, known))
			return nil
		case slices.Contains(hosts, h):
			b.fault(names.Pos, key, "%q is there twice", name)
			return nil
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// stored is a [[workload.storage]] as it runs.
type stored struct {
	load *storage.Load
	job  int
}

// addStorage adds what reads and writes files.
func (b *builder) addStorage(w *scenario.StorageLoad) {
	j := &cluster.Job{Name: b.name(w.Name, w.Op.Value)}
	place := scenario.Placing{Start: w.Start, Accelerators: w.Accelerators}
	if !place.Accelerators.Set {
		place.Accelerators.Set, place.Accelerators.Value.Count = true, int64(b.topology.Accelerators())
	}
	if !b.place(&place, w.Path, w.At, j) {
		return
	}
	if j.List == nil { // the first so many, whoever has them
		for i := range j.Count {
			j.List = append(j.List, int32(i))
		}
	}
	j.Shared = true
	l := &storage.Load{
		System: b.files, Write: w.Op.Value == "write", Bytes: float64(w.Size.Value), Files: int(w.Files.Value), Iterations: int(w.Iterations.Value), Request: float64(w.Request.Value),
		First: sim.Stream(uint64(b.scenario.Sim.Seed.Value), "storage/"+j.Name).IntN(len(b.files.Servers)),
	}
	for _, client := range j.List {
		if !b.files.Serves(topology.NodeID(client)) {
			b.fault(w.At, w.Path, "accelerator %d cannot reach the files: its host has %s", client, missing(b.files))
			return
		}
	}
	if most := l.Transfers(len(j.List)); most > maxStored {
		b.fault(w.Size.Pos, w.Path+".size", "%.3g transfers at a time are more than the %d that can be simulated; fewer files, fewer clients or larger blocks make fewer", most, maxStored)
		return
	}
	if l.Write && !b.fits(w.Size.Pos, w.Path+".size", float64(w.Size.Value)*float64(len(j.List))) {
		return
	}
	j.Program = l
	b.stored = append(b.stored, &stored{l, len(b.cluster.Jobs)})
	only := *w
	only.Name.Value, only.Name.Set = j.Name, true
	b.submit(j, scenario.Workload{Storage: []scenario.StorageLoad{only}})
}

// fits says whether drives have room for so many bytes of files, written once.
func (b *builder) fits(at scenario.Position, key string, bytes float64) bool {
	s := &b.scenario.Topology.Storage
	if !s.DriveSize.Set {
		return true
	}
	b.written += bytes * b.files.Overhead()
	if room := float64(s.DriveSize.Value) * float64(s.Drives.Value) * float64(len(b.files.Servers)); b.written > room {
		b.fault(at, key, "with what is written before it comes to %.4g TB on drives, which hold %.4g TB", b.written/1e12, room/1e12)
		return false
	}
	return true
}

// files is a checkpoint of some accelerators, so many bytes of each, as it is written and
// read.
type files struct {
	of          []topology.NodeID
	bytes       float64
	write, read *storage.Together
}

// together is how accelerators write, and read, a file of so many bytes each. Where that
// is very many transfers the blocks are taken to be larger.
func (p *plant) together(accelerators []topology.NodeID, bytes float64) (write, read *storage.Together) {
	if last := &p.checkpoint; last.bytes != bytes || !slices.Equal(last.of, accelerators) {
		coarse := *p.files
		l := &storage.Load{System: &coarse, Bytes: bytes, Files: 1}
		for l.Transfers(len(accelerators)) > maxStored && coarse.Block < bytes {
			coarse.Block *= 2
		}
		*last = files{slices.Clone(accelerators), bytes, coarse.Together(accelerators, bytes, true), coarse.Together(accelerators, bytes, false)}
	}
	return p.checkpoint.write, p.checkpoint.read
}

// collectStorage tells how files were read and written.
func (p *plant) collectStorage(r *Result) {
	if len(p.stored) == 0 {
		return
	}
	r.Tables = append(r.Tables, p.storageTable())
	r.Summary.Add(result.StorageLoads, p.storageRecords())
}

// storageTable has a row for each time that files were read or written.
func (p *plant) storageTable() *result.Table {
	var of, op []string
	var times []int64
	var start, finish, bytes, moved, rates []float64
	for _, s := range p.stored {
		for i, r := range s.load.Rows {
			of, op, times = append(of, p.cluster.Jobs[s.job].Name), append(op, opOf(s.load)), append(times, int64(i))
			start, finish = append(start, r.Start.Seconds()), append(finish, r.Finish.Seconds())
			bytes, moved = append(bytes, r.Bytes), append(moved, r.Moved)
			rates = append(rates, result.Ratio(r.Bytes, (r.Finish-r.Start).Seconds()))
		}
	}
	return &result.Table{Name: "storage", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.StorageOp, Text: op},
		{Metric: result.StorageIteration, Integers: times},
		{Metric: result.StorageStart, Numbers: start},
		{Metric: result.StorageFinish, Numbers: finish},
		{Metric: result.StorageBytes, Numbers: bytes},
		{Metric: result.StorageMoved, Numbers: moved},
		{Metric: result.StorageRate, Numbers: rates},
	}}
}

func opOf(l *storage.Load) string {
	if l.Write {
		return "write"
	}
	return "read"
}

// storageRecords is a record for each workload that reads or writes files.
func (p *plant) storageRecords() []*result.Record {
	all := []*result.Record{}
	for _, s := range p.stored {
		job := p.cluster.Jobs[s.job]
		var spent, bytes, moved, slowest float64
		for _, r := range s.load.Rows {
			took := (r.Finish - r.Start).Seconds()
			spent, slowest = spent+took, max(slowest, took)
			bytes, moved = bytes+r.Bytes, moved+r.Moved
		}
		r := &result.Record{}
		r.Add(result.Name, job.Name)
		r.Add(result.StorageOp, opOf(s.load))
		r.Add(result.StorageLayout, p.files.Layout.String())
		r.Add(result.StorageServers, int64(len(p.files.Servers)))
		r.Add(result.StorageClients, int64(len(job.List)))
		r.Add(result.IterationCount, int64(len(s.load.Rows)))
		r.Add(result.StorageTime, result.Ratio(spent, float64(len(s.load.Rows))))
		r.Add(result.StorageSlowest, slowest)
		r.Add(result.StorageBytes, bytes)
		r.Add(result.StorageMoved, moved)
		r.Add(result.StorageRate, result.Ratio(bytes, spent))
		p.addLost(r, s.job)
		all = append(all, r)
	}
	return all
}
