package trace_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/railyard/railyard/workload/trace"
)

// message is a message of Protocol Buffers as it grows.
type message []byte

func (m message) number(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), b)
}

// ids adds a packed list.
func (m message) ids(field protowire.Number, ids ...uint64) message {
	var list []byte
	for _, id := range ids {
		list = protowire.AppendVarint(list, id)
	}
	return m.bytes(field, list)
}

// attribute adds an attribute of a node whose value is a varint.
func (m message) attribute(name string, field protowire.Number, v uint64) message {
	return m.bytes(10, message(nil).bytes(1, []byte(name)).number(field, v))
}

// file puts messages behind a GlobalMetadata.
func file(nodes ...message) []byte {
	text := protowire.AppendBytes(nil, message(nil).bytes(1, []byte("0.0.4")))
	for _, n := range nodes {
		text = protowire.AppendBytes(text, n)
	}
	return text
}

// node is a node with the fields that every one has; id 0 is not written.
func node(id uint64, kind trace.Type) message {
	var m message
	if id != 0 {
		m = m.number(1, id)
	}
	return m.bytes(2, []byte("name")).number(3, uint64(kind))
}

// Fields of an attribute's value.
const (
	asInt32, asInt64, asUint32, asUint64, asSint32, asSint64 = 7, 9, 11, 13, 15, 17
	asBool                                                   = 27
)

func read(t testing.TB, text []byte) *trace.Trace {
	t.Helper()
	got, err := trace.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func zipped(text []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(text)
	w.Close()
	return b.Bytes()
}

// comm_size as every kind of number that the schema has.
func TestNumbers(t *testing.T) {
	fixed32 := func(field protowire.Number, v uint32) message {
		return protowire.AppendFixed32(protowire.AppendTag(nil, field, protowire.Fixed32Type), v)
	}
	fixed64 := func(field protowire.Number, v uint64) message {
		return protowire.AppendFixed64(protowire.AppendTag(nil, field, protowire.Fixed64Type), v)
	}
	for _, c := range []struct {
		name  string
		value message
	}{
		{"double", fixed64(3, math.Float64bits(1<<20))},
		{"float", fixed32(5, math.Float32bits(1<<20))},
		{"int32", message(nil).number(asInt32, 1<<20)},
		{"int64", message(nil).number(asInt64, 1<<20)},
		{"uint32", message(nil).number(asUint32, 1<<20)},
		{"uint64", message(nil).number(asUint64, 1<<20)},
		{"sint32", message(nil).number(asSint32, 1<<21)}, // zigzag
		{"sint64", message(nil).number(asSint64, 1<<21)},
		{"fixed32", fixed32(19, 1<<20)},
		{"fixed64", fixed64(21, 1<<20)},
		{"sfixed32", fixed32(23, 1<<20)},
		{"sfixed64", fixed64(25, 1<<20)},
		{"string", message(nil).bytes(29, []byte("1048576"))},
	} {
		size := append(message(nil).bytes(1, []byte("comm_size")), c.value...)
		got := read(t, file(node(5, trace.Collective).attribute("comm_type", asInt64, 2).bytes(10, size)))
		n := got.Nodes[0]
		if n.Size != 1<<20 || n.Kind != trace.AllGather || got.Schema != "chakra 0.0.4" {
			t.Errorf("%s: size %v of %v in %q", c.name, n.Size, n.Kind, got.Schema)
		}
	}
}

// Dependencies packed and one by one, of data and of control; an id of 0, which
// is not on the wire; ids that fall.
func TestDependencies(t *testing.T) {
	got := read(t, file(
		node(9, trace.Compute).number(5, 0).number(5, 4).number(7, 250),
		node(4, trace.Compute).ids(4, 0),
		node(0, trace.Compute),
	))
	if fmt.Sprint(got.Waits) != "[0 1 2]" || fmt.Sprint(got.NextAt, got.Next) != "[0 2 3 3] [1 2 2]" && fmt.Sprint(got.NextAt, got.Next) != "[0 2 3 3] [2 1 2]" {
		t.Error(got.Waits, got.NextAt, got.Next)
	}
	if got.Nodes[2].ID != 9 || got.Nodes[2].Seconds != 250e-6 || got.DataDependencies != 2 || got.ControlDependencies != 1 {
		t.Errorf("%+v", got)
	}
}

// What a node is: the host's part of a collective is none, nor what has no size.
func TestNodes(t *testing.T) {
	for _, c := range []struct {
		name string
		node message
		want string
	}{
		{"host's part", node(1, trace.Collective).attribute("is_cpu_op", asBool, 1), "compute host"},
		{"false is no flag", node(1, trace.Compute).attribute("is_cpu_op", asBool, 0), "compute"},
		{"named", message(nil).bytes(2, []byte("ncclKernel_ReduceScatter_RING")).number(3, 7).attribute("comm_size", asUint64, 8), "collective reduce_scatter"},
		{"without size", node(1, trace.Collective).attribute("comm_type", asInt64, 0), "collective captured"},
		{"barrier", node(1, trace.Collective).attribute("comm_type", asInt64, 9), "collective barrier"},
		{"nameless", node(1, trace.Collective).attribute("comm_size", asInt64, 8), "skipped"},
		{"of a later version", node(1, 9), "skipped"},
		{"metadata", node(1, trace.Metadata), "metadata"},
		{"send", node(1, trace.Send).attribute("comm_dst", asInt32, 3).attribute("comm_tag", asInt32, 5), "send 3 5"},
		{"receive", node(1, trace.Receive).attribute("comm_src", asInt32, 0), "receive 0 0"},
	} {
		got := read(t, file(c.node, node(2, trace.Compute))).Nodes[0]
		said := got.Type.String()
		switch got.Type {
		case trace.Collective:
			said += " " + got.Kind.String()
		case trace.Send, trace.Receive:
			said += fmt.Sprintf(" %d %d", got.Peer, got.Tag)
		}
		if got.CPU {
			said += " host"
		}
		if said != c.want {
			t.Errorf("%s: %s, want %s", c.name, said, c.want)
		}
	}
}

// Everything wrong with a capture that can be mended.
func TestMended(t *testing.T) {
	got := read(t, file(
		node(1, trace.Compute).ids(5, 1, 99).ids(4, 98),
		node(2, trace.Compute).ids(4, 3).ids(5, 1), // its caller lies behind it
		node(3, trace.Compute).ids(5, 2),
		node(3, trace.Compute).ids(5, 1),
		node(4, 10),
		node(5, trace.Collective).attribute("comm_type", asInt64, 0),
		node(6, trace.Collective).attribute("comm_type", asInt64, 0).attribute("comm_size", asInt64, 4).
			bytes(10, message(nil).bytes(1, []byte("involved_dim")).bytes(28, message(nil).bytes(1, []byte{1, 0}))),
	))
	want := trace.Mended{Dangling: 2, Self: 1, Circular: 1, Duplicates: 1, Unknown: 1, Unsized: 1, Partial: 1}
	if got.Mended != want {
		t.Errorf("%+v, want %+v", got.Mended, want)
	}
	if fmt.Sprint(got.Waits[:3], got.Next) != "[0 1 1] [1 2]" {
		t.Error(got.Waits, got.Next)
	}
	const says = "2 dangling dependencies on nodes that are not in the trace: dropped; 1 dependency of a node on itself: dropped; "
	if text := got.Mended.String(); !strings.HasPrefix(text, says) {
		t.Errorf("%q, want %q ...", text, says)
	}
	if (trace.Mended{}).String() != "" {
		t.Error("nothing mended says something")
	}
}

// A random graph without circles of data loses control dependencies until there
// are no circles, and none if there were none.
func TestUnwind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "nodes")
		rank := rapid.Permutation(sequence(n)).Draw(t, "rank") // data flows from low to high
		var nodes []message
		forward := true // no control dependency against the data
		data, control := 0, 0
		for id := range n {
			m := node(uint64(id), trace.Compute)
			for range rapid.IntRange(0, 3).Draw(t, "data") {
				if on := rapid.IntRange(0, n-1).Draw(t, "on"); rank[on] < rank[id] {
					m = m.number(5, uint64(on))
					data++
				}
			}
			for range rapid.IntRange(0, 2).Draw(t, "control") {
				if on := rapid.IntRange(0, n-1).Draw(t, "on"); on != id {
					m = m.number(4, uint64(on))
					control++
					forward = forward && rank[on] < rank[id]
				}
			}
			nodes = append(nodes, m)
		}
		got, err := trace.Read(bytes.NewReader(file(nodes...)))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Next)+got.Mended.Circular != data+control || forward && got.Mended.Circular > 0 {
			t.Fatalf("%d of %d + %d dependencies left, %d dropped", len(got.Next), data, control, got.Mended.Circular)
		}
		waits := append([]int32(nil), got.Waits...)
		walked := 0
		for more := true; more; {
			more = false
			for i := range waits {
				if waits[i] == 0 {
					waits[i], more = -1, true
					walked++
					for _, next := range got.Next[got.NextAt[i]:got.NextAt[i+1]] {
						waits[next]--
					}
				}
			}
		}
		if walked != n {
			t.Fatalf("%d of %d nodes can be reached: %v", walked, n, waits)
		}
	})
}

func sequence(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestGzip(t *testing.T) {
	plain := file(node(1, trace.Compute).number(7, 3), node(2, trace.Compute).ids(5, 1))
	if a, b := read(t, plain), read(t, zipped(plain)); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("%v, zipped %v", a, b)
	}
}

// A capture may begin with a node.
func TestNoMetadata(t *testing.T) {
	got := read(t, protowire.AppendBytes(nil, node(3, trace.Compute)))
	if len(got.Nodes) != 1 || got.Nodes[0].ID != 3 {
		t.Errorf("%+v", got)
	}
}

func TestNotATrace(t *testing.T) {
	whole := file(node(1, trace.Compute).number(7, 3), node(2, trace.Compute).ids(5, 1))
	long := func(length uint64) []byte { return append(protowire.AppendVarint(file(), length), 1, 2, 3) }
	for _, c := range []struct {
		name string
		text []byte
		want string
	}{
		{"empty", nil, "byte 0: the file is empty"},
		{"cut within a message", whole[:len(whole)-2], "byte 21: a message of 13 bytes of which only 11 are there"},
		{"cut within a length", append(file(), 0x80), "byte 8: the length of a message is cut off"},
		{"a hostile length", long(1 << 62), "byte 8: a message of more than"},
		{"a large length", long(200 << 20), "byte 8: a message of 209715200 bytes of which only 3 are there"},
		{"a length without end", bytes.Repeat([]byte{0xff}, 20), "byte 0: a message of more than"},
		{"text", []byte("HELLO, this is not a trace at all, but a text that somebody wrote. It goes on and on, and on."), "byte 0: the file is no Chakra trace"},
		{"zeros", make([]byte, 100), "byte 0: no node has a type"},
		{"damaged", protowire.AppendBytes(whole, []byte{0xff}), "byte 35: a message that is no node"},
		{"no receiver", file(node(1, trace.Send)), "byte 8: node 1: it is a send without a rank to its comm_dst"},
		{"negative rank", file(node(1, trace.Receive).attribute("comm_src", asInt64, math.MaxUint64)), "byte 8: node 1: it is a receive without"},
		{"too long", file(node(1, trace.Compute).number(7, 1<<60)), "byte 8: node 1: it takes"},
		{"gzip cut", zipped(whole)[:20], "byte"},
		{"gzip damaged", append([]byte{0x1f, 0x8b}, make([]byte, 30)...), "byte 0: gzip"},
		{"other JSON", []byte(`{"traceEvents": []}`), `byte 0: there is neither a "workload_graph" nor`},
		{"JSON cut", []byte(`{"workload_graph": [{"Id": 1}, {"Id"`), "byte 30: the file is cut off"},
		{"JSON of a list", []byte(`{"nodes": 3}`), `byte 11: "nodes" is not a list`},
		{"a host trace", []byte(`{"schema": "1.0.2", "nodes": [{"id": 2, "name": "aten::add", "ctrl_deps": 1}]}`), "byte 0: this is a PyTorch host trace of 1 operators without times of the device"},
	} {
		got, err := trace.Read(bytes.NewReader(c.text))
		if _, ok := errors.AsType[*trace.SyntaxError](err); !ok || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want %q", c.name, got, err, c.want)
		}
	}
}

// Any prefix of a trace is a shorter trace or an error with a place.
func TestPrefixes(t *testing.T) {
	whole := file(node(1, trace.Send).attribute("comm_dst", asInt32, 3), node(2, trace.Compute).ids(5, 1))
	for _, text := range [][]byte{whole, zipped(whole)} {
		for n := range text {
			_, err := trace.Read(bytes.NewReader(text[:n]))
			if _, ok := errors.AsType[*trace.SyntaxError](err); err != nil && !ok {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	// The feeder's, with the names of its fields as they come.
	got := read(t, []byte(` {"workload_name": "x", "workload_graph": [
		{"Id": 4, "Name": "ncclKernel_Broadcast", "NodeType": 7, "runtime": 28, "is_cpu_op": false, "ctrlDeps": 3, "data_deps": [2]},
		{"id": 2, "name": "op", "NodeType": 4, "runtime": "7", "is_cpu_op": true},
		{"id": 3, "NodeType": 7, "comm_type": 0, "comm_size": 8, "pg_name": "dp", "involved_dim": [true]}
	]}`))
	if n := got.Nodes[2]; n.Kind != trace.Captured || n.Seconds != 28e-6 || got.Waits[2] != 2 {
		t.Errorf("%+v", n)
	}
	if n := got.Nodes[0]; !n.CPU || n.Seconds != 7e-6 {
		t.Errorf("%+v", n)
	}
	if n := got.Nodes[1]; n.Size != 8 || got.Groups[n.Group].Name != "dp" || got.Groups[n.Group].Ranks != nil {
		t.Errorf("%+v", n)
	}
	// A host trace with the kernels of the device linked into it.
	got = read(t, []byte(`{"schema": "1.0.2-chakra.0.0.4", "nodes": [
		{"id": 2, "name": "## process_group:init ##", "ctrl_deps": 1, "inputs": {"values": ["[{\"pg_name\": \"3\", \"ranks\": [0, 2]}]"]}},
		{"id": 5, "name": "record_param_comms", "ctrl_deps": 2, "exclusive_dur": 4, "inputs": {"values": [[[14, 15, 0, 100, 4, "cuda:0"]], 12, ["3", "dp"]]}},
		{"id": 6, "name": "ncclDevKernel_AllGather_RING_LL", "cat": "kernel", "stream": 7, "ctrl_deps": 5, "exclusive_dur": 30,
			"inputs": {"values": [[[14, 15, 0, 100, 4, "cuda:0"]], 12, ["3", "dp"], 0, "all_gather"]}},
		{"id": 7, "name": "gemm", "cat": "kernel", "stream": 7, "ctrl_deps": 5, "exclusive_dur": 50}
	], "finish_ts": 8}`))
	if n := got.Nodes[2]; n.Kind != trace.AllGather || n.Size != 400 || fmt.Sprint(got.Groups[n.Group]) != "{3 [0 2]}" || n.CPU {
		t.Errorf("%+v in %v", n, got.Groups)
	}
	if n := got.Nodes[3]; n.Type != trace.Compute || n.CPU || n.Seconds != 50e-6 || got.Nodes[1].Seconds != 4e-6 || !got.Nodes[1].CPU {
		t.Errorf("%+v", got.Nodes)
	}
}

// The ranks of process groups in a node of a .et, whose inputs are text.
func TestDeclaredGroups(t *testing.T) {
	for _, c := range []struct{ inputs, want string }{
		{`['[{"pg_name": "1", "ranks": [4, 5, 6]}, {"pg_name": "0", "ranks": []}]']`, "[4 5 6]"},
		{`['[{"pg_name": "1", "ranks": {"5": 1, "4": 0}}]']`, "[4 5]"},
		{`['[{"pg_name": "1", "ranks": []}]']`, "[]"},
		{`['[{"pg_name": "1", "ranks": [4, 4]}]']`, "[]"},
		{`['[{"pg_name": "1", "ranks": [-1]}]']`, "[]"},
		{`['[{"pg_name": "1", "ranks": {"x": 0}}]']`, "[]"},
		{`['[{"pg_name":`, "[]"},
	} {
		init := message(nil).bytes(2, []byte("## process_group:init ##")).number(3, 1).bytes(8, message(nil).bytes(1, []byte(c.inputs)))
		use := node(2, trace.Collective).attribute("comm_type", asInt64, 0).attribute("comm_size", asInt64, 4).
			bytes(10, message(nil).bytes(1, []byte("pg_name")).bytes(29, []byte("1")))
		got := read(t, file(init, use))
		if g := got.Groups[got.Nodes[1].Group]; g.Name != "1" || fmt.Sprint(g.Ranks) != c.want {
			t.Errorf("%s: %v, want %s", c.inputs, g, c.want)
		}
	}
}
