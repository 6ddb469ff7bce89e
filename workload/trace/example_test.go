package trace_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/railyard/railyard/workload/trace"
)

// A capture in which a node depends on one that is not there.
func ExampleRead() {
	const text = `{"workload_graph": [
		{"Id": 7, "Name": "forward", "NodeType": 4, "runtime": 250, "data_deps": [3]},
		{"Id": 8, "Name": "gradients", "NodeType": 7, "comm_type": 0, "comm_size": 1048576, "data_deps": [7]}
	]}`
	t, err := trace.Read(strings.NewReader(text))
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, n := range t.Nodes {
		fmt.Println(n.ID, n.Type, n.Seconds, n.Size, "waits for", t.Waits[i])
	}
	fmt.Println(t.Mended)
	// Output:
	// 7 compute 0.00025 0 waits for 0
	// 8 collective 0 1.048576e+06 waits for 1
	// 1 dangling dependency on nodes that are not in the trace: dropped
}

func ExampleInspect() {
	const text = `HYBRID_TRANSFORMER_FWD_IN_BCKWD model_parallel_NPU_group: 8 ep: 1 pp: 1 all_gpus: 16
1
attention -1 752000 ALLREDUCE 20971520 752000 ALLREDUCE 20971520 752000 REDUCESCATTER 83886080 100
`
	info, err := trace.Inspect(strings.NewReader(text))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := info.Write(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// schema         aicb HYBRID_TRANSFORMER_FWD_IN_BCKWD
	// nodes          7
	// types          4 compute
	//                3 collective
	// dependencies   6 data, 0 control
	// communication  2 all_reduce, 41943040 bytes
	//                1 reduce_scatter, 83886080 bytes
	// groups         2 TP, 41943040 bytes
	//                1 DP, 83886080 bytes
	// durations      host 0 s, accelerator 0.0022561 s
}
