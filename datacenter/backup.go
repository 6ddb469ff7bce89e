package datacenter

import (
	"fmt"
	"slices"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/backup"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// maxStreams bounds the streams of a backup.
const maxStreams = 1 << 14

// vault is the hosts that keep the copies of a [[workload.backup]].
type vault struct {
	hosts []int
	write []topology.LinkID // their drives; nil: as fast as need be
	limit []topology.LinkID // what all streams cross; nil: nothing
}

// backedUp is a [[workload.backup]] as it runs.
type backedUp struct {
	*backup.Job
	job int
}

// buildVaults adds the drives of hosts that keep copies, and the limits of backups, to the
// topology.
func (b *builder) buildVaults() {
	b.vaults = map[string]vault{}
	for i := range b.scenario.Workload.Backup {
		w := &b.scenario.Workload.Backup[i]
		v := vault{hosts: b.scenario.Topology.PoolHosts(w.Pool.Value)}
		if w.To.Set {
			if v.hosts = b.named(w.To, w.Path+".to"); v.hosts == nil {
				return
			}
		}
		name := fmt.Sprint("backup", i)
		if w.Name.Set {
			name = w.Name.Value
		}
		var services []topology.Service
		if w.Write.Set {
			for _, h := range v.hosts {
				services = append(services, topology.Service{Name: b.topology.ServerName(h) + "/" + name + "/write", Rate: w.Write.Value})
			}
		}
		if w.Rate.Set {
			services = append(services, topology.Service{Name: name + "/rate", Rate: w.Rate.Value})
		}
		with, first, err := b.topology.WithServices(services)
		if err != nil {
			b.fault(w.At, w.Path, "%v", err)
			return
		}
		b.topology = with
		links := make([]topology.LinkID, len(services))
		for k := range links {
			links[k] = first + topology.LinkID(k)
		}
		if w.Rate.Set {
			links, v.limit = links[:len(links)-1], links[len(links)-1:]
		}
		v.write = links
		b.vaults[w.Path] = v
	}
}

// addBackup adds what copies the file system.
func (b *builder) addBackup(w *scenario.Backup) {
	v := b.vaults[w.Path]
	for _, d := range b.files.Servers {
		if slices.Contains(v.hosts, d.Server) {
			b.fault(w.To.Pos.Or(w.Pool.Pos), w.Path, "%s keeps what is to be copied", b.topology.ServerName(d.Server))
			return
		}
	}
	for _, h := range v.hosts {
		if b.topology.Servers[h].Spec.NICs == 0 {
			b.fault(w.To.Pos.Or(w.Pool.Pos), w.Path, "%s has no NICs", b.topology.ServerName(h))
			return
		}
	}
	if every, copies := units.Duration(w.Every.Value), units.Duration(w.Copies.Value); w.Start.Value > units.Duration(sim.Never)-every || every > (units.Duration(sim.Never)-w.Start.Value)/copies {
		b.fault(w.Copies.Pos.Or(w.At), w.Path+".copies", "%d copies reach beyond the clock, %v", w.Copies.Value, sim.Never)
		return
	}
	p := &backup.Job{
		Bytes: float64(w.Size.Value), Change: w.Change.Value, FullEvery: int(w.Full.Value),
		Every: sim.Time(w.Every.Value), Window: sim.Time(w.Window.Value), Copies: int(w.Copies.Value), Streams: b.streams(v),
	}
	if len(p.Streams) > maxStreams {
		b.fault(w.At, w.Path, "%d streams, from each NIC of servers to each of the hosts that keep the copies, are more than the %d that can be simulated", len(p.Streams), maxStreams)
		return
	}
	only := *w
	only.Name = scenario.Key[string]{Value: b.name(w.Name, "backup"), Set: true}
	j := &cluster.Job{Name: only.Name.Value, Start: sim.Time(w.Start.Value), Shared: true, Program: p}
	b.backups = append(b.backups, &backedUp{p, len(b.cluster.Jobs)})
	b.submit(j, scenario.Workload{Backup: []scenario.Backup{only}})
}

// streams lead from each NIC of each server of the file system to each of each host of a
// vault. A host gives, and gets, as much as any other.
func (b *builder) streams(v vault) (all []backup.Stream) {
	t, sources := b.topology, b.files.Servers
	for _, from := range sources {
		for k, to := range v.hosts {
			out, in := &t.Servers[from.Server], &t.Servers[to]
			pairs := out.Spec.NICs * in.Spec.NICs
			for i := range pairs {
				s := backup.Stream{
					From: out.FirstNIC + topology.NodeID(i/in.Spec.NICs), To: in.FirstNIC + topology.NodeID(i%in.Spec.NICs),
					Services: append([]topology.LinkID{from.Read}, v.limit...), Part: 1 / float64(len(sources)*len(v.hosts)*pairs),
				}
				if len(v.write) > 0 {
					s.Services = append(s.Services, v.write[k])
				}
				if all = append(all, s); len(all) > maxStreams {
					return all
				}
			}
		}
	}
	return all
}

// status says what became of a copy.
func copyStatus(r *backup.Row) string {
	switch {
	case r.Missed:
		return "missed"
	case r.Finish < 0:
		return "unfinished"
	case !r.Fits():
		return "late"
	}
	return "fits"
}

// collectBackups tells how each backup went.
func (p *plant) collectBackups(r *Result) {
	if len(p.backups) == 0 {
		return
	}
	r.Tables = append(r.Tables, p.backupTable())
	r.Summary.Add(result.Backups, p.backupRecords())
}

// backupTable has a row for each copy that was due.
func (p *plant) backupTable() *result.Table {
	var of, kind, status []string
	var number []int64
	var start, finish, until, bytes []float64
	for _, x := range p.backups {
		for i := range x.Rows {
			r := &x.Rows[i]
			of, number, status = append(of, p.cluster.Jobs[x.job].Name), append(number, int64(i)), append(status, copyStatus(r))
			full := "incremental"
			if r.Full {
				full = "full"
			}
			end := result.Missing
			if r.Finish >= 0 {
				end = r.Finish.Seconds()
			}
			kind, bytes = append(kind, full), append(bytes, r.Bytes)
			start, finish, until = append(start, r.Start.Seconds()), append(finish, end), append(until, r.Until.Seconds())
		}
	}
	return &result.Table{Name: "backups", Columns: []result.Column{
		{Metric: result.Workload, Text: of},
		{Metric: result.BackupNumber, Integers: number},
		{Metric: result.BackupKind, Text: kind},
		{Metric: result.BackupStart, Numbers: start},
		{Metric: result.BackupFinish, Numbers: finish},
		{Metric: result.BackupUntil, Numbers: until},
		{Metric: result.BackupBytes, Numbers: bytes},
		{Metric: result.BackupStatus, Text: status},
	}}
}

// backupRecords is a record for each backup.
func (p *plant) backupRecords() []*result.Record {
	all := []*result.Record{}
	for _, x := range p.backups {
		var fits, late, missed int64
		var bytes, spent, idle float64
		var longest sim.Time
		for i := range x.Rows {
			r := &x.Rows[i]
			switch copyStatus(r) {
			case "fits":
				fits++
			case "missed":
				missed++
			case "late":
				late++
			}
			if r.Finish >= 0 {
				bytes, spent, longest = bytes+r.Bytes, spent+(r.Finish-r.Start).Seconds(), max(longest, r.Finish-r.Start)
				idle += x.Takes(r.Bytes).Seconds()
			}
		}
		r := &result.Record{}
		r.Add(result.Name, p.cluster.Jobs[x.job].Name)
		r.Add(result.BackupCopies, int64(len(x.Rows)))
		r.Add(result.BackupFit, fits)
		r.Add(result.BackupLate, late)
		r.Add(result.BackupMissed, missed)
		r.Add(result.BackupBytes, bytes)
		r.Add(result.BackupWindow, x.Window.Seconds())
		r.Add(result.BackupLongest, longest.Seconds())
		r.Add(result.BackupRate, result.Ratio(bytes, spent))
		r.Add(result.BackupIdle, result.Ratio(idle, spent))
		all = append(all, r)
	}
	return all
}
