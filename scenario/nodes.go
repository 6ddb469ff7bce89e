package scenario

import (
	"io"
	"strings"
)

// maxNodes bounds the hosts of a pool.
const maxNodes = MaxHosts

// NodeTable is a CSV of the hosts of a pool, a column for each of its fields.
type NodeTable struct {
	Name         []string
	Accelerators []int
	Type         []string  // of the accelerators
	Speed        []float64 // of them; 1 where the file does not say
	CPU          []int64   // thousandths of a core
	Memory       []int64   // bytes
	Near         [3][]string

	// HasCPU and HasMemory say whether the file has such a column. Where it has
	// none, that is never short.
	HasCPU, HasMemory bool
}

// nodeColumns are the columns of a node table. Those of Alibaba's openb are taken,
// too: sn, gpu, model, memory_mib.
var nodeColumns = []string{
	"node", "accelerators", "type", "speed", "cpu_milli", "memory_bytes", "memory_mib", "rack", "rails", "pod", "sn", "gpu", "model",
}

// ReadNodes reads the file that the topology names.
func (s *Scenario) ReadNodes() (*NodeTable, Faults) {
	var nodes *NodeTable
	faults := s.withTable(s.Topology.File, s.Topology.Path+".file", func(file string, in io.Reader) (faults Faults) {
		nodes, faults = readNodes(file, in)
		return faults
	})
	return nodes, faults
}

func readNodes(file string, in io.Reader) (*NodeTable, Faults) {
	rows := newRows(file, in)
	if !rows.header(nil, nodeColumns) {
		return nil, rows.all()
	}
	either := func(name, other string) int {
		if c := rows.column(name); c >= 0 {
			return c
		}
		return rows.column(other)
	}
	node, accelerators, kind := either("node", "sn"), either("accelerators", "gpu"), either("type", "model")
	if node < 0 {
		rows.add(Position{file, 1, 1}.Faultf("node", "there is no column node"))
	}
	if accelerators < 0 {
		rows.add(Position{file, 1, 1}.Faultf("accelerators", "there is no column accelerators"))
	}
	if rows.faults != nil {
		return nil, rows.all()
	}
	speed, cpu, bytes, mib := rows.column("speed"), rows.column("cpu_milli"), rows.column("memory_bytes"), rows.column("memory_mib")
	near := [3]int{rows.column("rack"), rows.column("rails"), rows.column("pod")}
	t := &NodeTable{HasCPU: cpu >= 0, HasMemory: bytes >= 0 || mib >= 0}
	index := map[string]int32{}
	total := 0
	for rows.next() {
		if len(t.Name) == maxNodes {
			rows.faultf(node, "more than %d nodes", maxNodes)
			break
		}
		t.Name = append(t.Name, rows.id(node, index))
		n := int(rows.amount(accelerators, MaxAccelerators, 1))
		if total += n; total > MaxAccelerators {
			rows.faultf(accelerators, "more than %d in all", MaxAccelerators)
			break
		}
		t.Accelerators = append(t.Accelerators, n)
		t.Type = append(t.Type, strings.Clone(rows.text(kind)))
		t.Speed = append(t.Speed, rows.weight(speed))
		t.CPU = append(t.CPU, rows.amount(cpu, 1<<40, 1))
		if bytes >= 0 {
			t.Memory = append(t.Memory, rows.amount(bytes, 1<<60, 1))
		} else {
			t.Memory = append(t.Memory, rows.amount(mib, 1<<40, 1<<20))
		}
		for i, column := range near {
			t.Near[i] = append(t.Near[i], strings.Clone(rows.text(column)))
		}
	}
	if total == 0 && len(rows.faults) == 0 {
		rows.add(Position{file, 1, 1}.Faultf("accelerators", "no node has accelerators"))
	}
	if faults := rows.all(); faults != nil {
		return nil, faults
	}
	return t, nil
}

// amount is a whole number up to most, in units; 0 where it is left out.
func (r *rows) amount(column int, most, unit int64) int64 {
	if r.text(column) == "" {
		return 0
	}
	v := r.integer(column)
	if v < 0 || v > most {
		r.faultf(column, "must be from 0 to %d, not %d", most, v)
		return 0
	}
	return v * unit
}

// checkPlacement sees to it that there are hosts to choose from where jobs are
// placed by host.
func (s *Scenario) checkPlacement(b *binder) {
	t := s.Topology
	if t == nil {
		return
	}
	pool := t.Kind.Value == "pool"
	switch {
	case pool && t.File.Set && t.Accelerators.Set:
		b.faultf(t.File.Pos, "topology.file", "contradicts accelerators: a pool has one or the other")
	case pool && !t.File.Set && !t.Accelerators.Set:
		b.faultf(t.At, "topology.accelerators", `is missing: a pool has so many, or a file of hosts`)
	}
	if t.Host.Set || len(t.Site) > 0 || pool && t.File.Set {
		return
	}
	k := &s.Scheduler
	if k.Placement.Set && k.Placement.Value != "pack" {
		b.faultf(k.Placement.Pos, "scheduler.placement", "%q chooses hosts, and a topology of kind %q has none; a pool has with a file of them", k.Placement.Value, t.Kind.Value)
	}
	if k.AntiAffinity.Set {
		b.faultf(k.AntiAffinity.Pos, "scheduler.anti_affinity", "is about hosts, and a topology of kind %q has none; a pool has with a file of them", t.Kind.Value)
	}
	if k.Consolidate.Value {
		b.faultf(k.Consolidate.Pos, "scheduler.consolidate", "is about hosts, and a topology of kind %q has none; a pool has with a file of them", t.Kind.Value)
	}
}
