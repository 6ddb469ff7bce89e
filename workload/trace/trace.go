// Package trace reads execution traces: what the ranks of a job did, as a graph
// of computations and communications.
//
// # Formats
//
// A Chakra trace (Sridharan et al., "Chakra: Advancing Performance Benchmarking
// and Co-design using Standardized Execution Traces", 2023) is one file for each
// rank. [Read] takes it in three forms, plain or gzip, told apart by what they
// begin with:
//
//   - .et: messages of Protocol Buffers, each behind its length as a varint:
//     GlobalMetadata, then Nodes (et_def.proto of MLCommons Chakra, 0.0.4 to
//     1.0.0 and later)
//   - the JSON of ASTRA-sim's feeder, {"workload_graph": [...]}
//   - a PyTorch host trace as JSON, {"schema": ..., "nodes": [...]}, if the
//     times of the device have been linked into it
//
// The workload text of AICB and SimAI, a line for each layer of a model, is read
// by [ReadLayers] and becomes a trace by [Layers.Trace].
//
// # Untidy captures
//
// Real captures depend on nodes that are not there, on themselves and, through
// their control dependencies, in circles. What can be understood is mended and
// counted in [Mended]; what cannot, such as a file that ends within a message,
// is a [SyntaxError] with its place.
//
// Memory is bounded by what a file holds, not by what it claims, and by
// [MaxNodes] and [MaxBytes].
package trace

import (
	"fmt"
	"strings"
)

// Bounds of one trace. The largest captures known have some million nodes.
const (
	MaxBytes = 4 << 30 // after decompression
	MaxNodes = 1 << 23
	maxDeps  = 1 << 26
)

// Type is what a node does.
type Type uint8

// The types of Chakra, by its numbers. Skipped is all that it does not number
// or that is not known here: such a node takes no time.
const (
	Skipped Type = iota
	Metadata
	MemoryLoad
	MemoryStore
	Compute
	Send
	Receive
	Collective
)

var typeNames = [...]string{"skipped", "metadata", "memory load", "memory store", "compute", "send", "receive", "collective"}

func (t Type) String() string { return typeNames[t] }

// Kind is the operation of a collective.
type Kind uint8

// The operations of Chakra, by its numbers. Captured is a collective of which a
// trace tells the time but not the operation's size: it is no operation to
// simulate, and takes the time that it took.
const (
	AllReduce Kind = iota
	Reduce
	AllGather
	Gather
	Scatter
	Broadcast
	AllToAll
	ReduceScatter
	ReduceScatterBlock
	Barrier
	Captured
)

var kindNames = [...]string{
	"all_reduce", "reduce", "all_gather", "gather", "scatter", "broadcast", "all_to_all", "reduce_scatter",
	"reduce_scatter_block", "barrier", "captured",
}

func (k Kind) String() string { return kindNames[k] }

// kindOf finds the operation that the name of a kernel or an operator speaks of:
// "ncclKernel_AllReduce_RING_LL_Sum_float", "c10d::allgather_".
func kindOf(name string) (Kind, bool) {
	plain := strings.ReplaceAll(strings.ToLower(name), "_", "")
	for _, k := range [...]Kind{AllReduce, AllGather, ReduceScatter, AllToAll, Broadcast, Barrier, Gather, Scatter, Reduce} {
		if strings.Contains(plain, strings.ReplaceAll(kindNames[k], "_", "")) {
			return k, true
		}
	}
	return 0, false
}

// Node is one thing that a rank does.
type Node struct {
	ID      uint64
	Seconds float64 // that it took; 0 if the trace does not say

	// FLOPs and Bytes of memory (num_ops and tensor_size) stand for a duration
	// where there is none.
	FLOPs, Bytes float64

	// Size is the bytes of a communication: of a collective what each rank
	// gives in, that is for all_reduce the vector, for all_gather its shard,
	// for reduce_scatter and all_to_all its whole input.
	Size float64
	// Peer and Tag of a message: whom a Send is to, whom a Receive is from.
	Peer int32
	Tag  int64
	// Group is who takes part in a collective, an index to Trace.Groups.
	Group int32

	Type Type
	Kind Kind
	// CPU marks work of the host's processor, which leaves the accelerator free.
	CPU bool
}

// Group is the ranks among which collectives run.
type Group struct {
	Name string
	// Ranks are its members, in order, where the trace tells them. Without, it
	// is all ranks whose traces use a group of this name.
	Ranks []int32
}

// Trace is the graph of one rank. Node i may start when Waits[i] others have
// ended; at its own end it is one less to wait for to each of
// Next[NextAt[i]:NextAt[i+1]].
type Trace struct {
	Schema string // "chakra 0.0.4"
	Nodes  []Node // in the order of their ids
	Waits  []int32
	Next   []int32
	NextAt []int32
	Groups []Group // the first is all ranks

	DataDependencies, ControlDependencies int // before anything was mended
	Mended                                Mended
}

// Mended counts what was wrong with a trace and has been put right.
type Mended struct {
	Dangling   int `json:"dangling_dependencies"` // on nodes that are not there, dropped
	Self       int `json:"self_dependencies"`     // of a node on itself, dropped
	Circular   int `json:"circular_dependencies"` // control dependencies that closed a circle, dropped
	Duplicates int `json:"duplicate_nodes"`       // whose id had been taken, dropped
	Unknown    int `json:"unknown_nodes"`         // of a type not known, taken as done at once
	Unsized    int `json:"unsized_collectives"`   // replayed by their duration
	Partial    int `json:"partial_collectives"`   // over some dimensions of a network, taken as over all
}

// Add sums the counts of two traces.
func (m *Mended) Add(o Mended) {
	m.Dangling += o.Dangling
	m.Self += o.Self
	m.Circular += o.Circular
	m.Duplicates += o.Duplicates
	m.Unknown += o.Unknown
	m.Unsized += o.Unsized
	m.Partial += o.Partial
}

// String says what was mended, "" if nothing was.
func (m Mended) String() string {
	var parts []string
	for _, p := range []struct {
		n              int
		one, many, how string
	}{
		{m.Dangling, "dangling dependency", "dangling dependencies", "on nodes that are not in the trace: dropped"},
		{m.Self, "dependency", "dependencies", "of a node on itself: dropped"},
		{m.Circular, "control dependency", "control dependencies", "that closed a circle: dropped"},
		{m.Duplicates, "node", "nodes", "with an id that another had: dropped"},
		{m.Unknown, "node", "nodes", "of unknown type: done at once"},
		{m.Unsized, "collective", "collectives", "without a size: replayed by the time captured"},
		{m.Partial, "collective", "collectives", "over some dimensions of a network: run over all ranks"},
	} {
		switch {
		case p.n == 1:
			parts = append(parts, "1 "+p.one+" "+p.how)
		case p.n > 1:
			parts = append(parts, thousands(p.n)+" "+p.many+" "+p.how)
		}
	}
	return strings.Join(parts, "; ")
}

// thousands prints a count with its thousands separated.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// SyntaxError is what makes a file no trace, and where: at a line of text, or a
// byte of what a binary file holds when decompressed.
type SyntaxError struct {
	Line    int // from 1; 0 in a binary file
	Offset  int64
	Message string
}

func (e *SyntaxError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, e.Message)
	}
	return fmt.Sprintf("byte %d: %s", e.Offset, e.Message)
}

func syntax(offset int64, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Message: fmt.Sprintf(format, args...)}
}
