package trace_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/railyard/railyard/workload/trace"
)

// checkGraph holds a trace to what every trace promises.
func checkGraph(t *testing.T, tr *trace.Trace) {
	t.Helper()
	n := len(tr.Nodes)
	if len(tr.Waits) != n || len(tr.NextAt) != n+1 || int(tr.NextAt[n]) != len(tr.Next) {
		t.Fatalf("%d nodes, %d waits, %d ends, %d edges", n, len(tr.Waits), len(tr.NextAt), len(tr.Next))
	}
	waits := make([]int32, n)
	for i := range n {
		if i > 0 && tr.Nodes[i].ID <= tr.Nodes[i-1].ID {
			t.Fatal("ids do not ascend")
		}
		if v := tr.Nodes[i]; !(v.Seconds >= 0 && v.Size >= 0 && v.FLOPs >= 0 && v.Bytes >= 0) || int(v.Group) >= len(tr.Groups) || v.Peer < 0 {
			t.Fatalf("%+v", v)
		}
		for _, next := range tr.Next[tr.NextAt[i]:tr.NextAt[i+1]] {
			waits[next]++
		}
	}
	for i, w := range tr.Waits {
		if waits[i] != w {
			t.Fatalf("node %d waits for %d, and %d say so", i, w, waits[i])
		}
	}
}

func FuzzRead(f *testing.F) {
	whole := file(
		node(0, trace.Compute).number(7, 3), node(2, trace.Compute).ids(5, 0, 2, 9).ids(4, 3), node(3, trace.Compute).ids(5, 2),
		node(5, trace.Collective).attribute("comm_type", asInt64, 2).attribute("comm_size", asSint32, 8).attribute("pg_name", asInt64, 1),
		node(6, trace.Send).attribute("comm_dst", asInt32, 1).attribute("comm_tag", asInt64, 1<<60),
	)
	f.Add(whole)
	f.Add(zipped(whole))
	f.Add([]byte(`{"workload_graph": [{"Id": 2, "NodeType": 7, "comm_type": "0", "comm_size": 8, "pg_name": [1], "ctrlDeps": [2, 3]}]}`))
	f.Add([]byte(`{"nodes": [{"id": 2, "name": "nccl:all_reduce", "stream": 3, "dur": 1e9, "inputs": {"values": [[1, 2, 3, 4, 5, "x"]]}}], "schema": "1"}`))
	f.Add([]byte(`{"nodes": [{"id": 2, "name": "## process_group:init ##", "dur": 1, "cat": "kernel", "inputs": {"values": ["[{\"pg_name\": \"0\", \"ranks\": {\"1\": 0}}]"]}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tr, err := trace.Read(bytes.NewReader(text))
		if err == nil {
			checkGraph(t, tr)
			_ = tr.Info()
		} else if _, ok := errors.AsType[*trace.SyntaxError](err); !ok {
			t.Errorf("%v has no place", err)
		}
	})
}

func FuzzReadLayers(f *testing.F) {
	f.Add(header + "\n1\na -1 10 ALLREDUCE 100 20 ALLGATHER 200 30 REDUCESCATTER_EP 300 5\n")
	f.Add("MICRO\n1\na -1 10 ALLREDUCE 1e9 20 ALLTOALL 200 30 BROADCAST_DP_EP 300 5 DATA")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := trace.ReadLayers(strings.NewReader(text))
		if err != nil {
			if _, ok := errors.AsType[*trace.SyntaxError](err); !ok {
				t.Errorf("%v has no place", err)
			}
			return
		}
		if ranks := l.Tensor * l.Expert * l.Pipeline; ranks <= 1<<10 {
			tr, err := l.Trace(ranks)
			if err != nil {
				t.Fatal(err)
			}
			checkGraph(t, tr)
		}
	})
}
