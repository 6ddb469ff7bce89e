package trace

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// groupNode is the node in which PyTorch lists its process groups.
const groupNode = "## process_group:init ##"

// readJSON reads the list of nodes in an object, one node at a time.
func readJSON(in io.Reader) (*Trace, error) {
	d := json.NewDecoder(io.LimitReader(in, MaxBytes))
	fail := func(err error) error {
		at := d.InputOffset()
		if e, ok := errors.AsType[*json.SyntaxError](err); ok {
			return syntax(e.Offset, "%v", err)
		}
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return syntax(at, "%v", err)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return syntax(at, "the file is cut off")
		}
		return corrupt(at, err)
	}
	g := newGraph()
	schema := "of unknown version"
	nodes := -1                          // none so far
	host, timed := false, false          // a host trace; with times of the device
	if _, err := d.Token(); err != nil { // the brace
		return nil, fail(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fail(err)
		}
		switch key {
		case "workload_graph", "nodes":
			host = key == "nodes"
			if t, err := d.Token(); err != nil {
				return nil, fail(err)
			} else if t != json.Delim('[') {
				return nil, syntax(d.InputOffset(), "%q is not a list", key)
			}
			for nodes = 0; d.More(); nodes++ {
				n := jsonNode{}
				at := d.InputOffset()
				if err := d.Decode(&n); err != nil {
					return nil, fail(err)
				}
				add := n.addFeeder
				if host {
					add = n.addHost
					timed = timed || n.onDevice() && n.duration().set
				}
				if err := add(g); err != nil {
					return nil, syntax(at, "%v", err)
				}
			}
			if _, err := d.Token(); err != nil {
				return nil, fail(err)
			}
		default:
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return nil, fail(err)
			}
			var s string
			if (key == "schema" || key == "version") && json.Unmarshal(value, &s) == nil {
				schema = text([]byte(s))
			}
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, fail(err)
	}
	switch {
	case nodes < 0:
		return nil, syntax(0, `there is neither a "workload_graph" nor a list of "nodes": this JSON is no trace`)
	case host && !timed:
		return nil, syntax(0, "this is a PyTorch host trace of %s operators without times of the device: link it with the Kineto trace of the same run (chakra_trace_link) and give the result", thousands(nodes))
	case host:
		return g.trace("pytorch " + schema), nil
	}
	return g.trace("chakra JSON " + schema), nil
}

// jsonNode is a node of both forms of JSON. The names of the feeder are written
// in several ways; encoding/json does not mind their case.
type jsonNode struct {
	ID       uint64
	Name     string
	NodeType number
	CtrlDeps idList
	Control  idList `json:"ctrl_deps"`
	Data     idList `json:"data_deps"`

	Runtime number
	CPU     number `json:"is_cpu_op"`
	FLOPs   number `json:"num_ops"`
	Bytes   number `json:"tensor_size"`

	Operation   number `json:"comm_type"`
	Size        number `json:"comm_size"`
	Source      number `json:"comm_src"`
	Destination number `json:"comm_dst"`
	Tag         number `json:"comm_tag"`
	Group       any    `json:"pg_name"`
	Dimensions  []bool `json:"involved_dim"`

	// Of a linked host trace.
	Inputs      json.RawMessage
	Category    string `json:"cat"`
	Duration    number `json:"dur"`
	Exclusive   number `json:"exclusive_dur"`
	Stream      number
	Sync        idList `json:"sync_dep"`
	InterThread idList `json:"inter_thread_dep"`
}

// number is a number that may be written as one, as a string or as a boolean.
type number struct {
	value float64
	set   bool
}

// UnmarshalJSON takes what is no number as one that is not given.
func (n *number) UnmarshalJSON(text []byte) error {
	s := strings.Trim(string(text), `"`)
	if s == "true" || s == "false" {
		*n = number{map[string]float64{"true": 1}[s], true}
		return nil
	}
	v, err := strconv.ParseFloat(s, 64)
	*n = number{v, err == nil}
	return nil
}

// idList is one id or a list of them; nothing where it is neither.
type idList []uint64

// UnmarshalJSON reads an id or a list of ids.
func (l *idList) UnmarshalJSON(text []byte) error {
	var one uint64
	if json.Unmarshal(text, &one) == nil {
		if string(text) != "null" {
			*l = idList{one}
		}
		return nil
	}
	var all []uint64
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("%.40q is no list of ids", text)
	}
	*l = all
	return nil
}

// addFeeder adds a node of ASTRA-sim's feeder.
func (n *jsonNode) addFeeder(g *graph) error {
	f := facts{
		hasKind: n.Operation.set, operation: n.Operation.value, hasSize: n.Size.set,
		source: orNone(n.Source), destination: orNone(n.Destination), partial: slices.Contains(n.Dimensions, false),
	}
	if n.Group != nil {
		f.group = fmt.Sprint(n.Group)
	}
	node := n.node(n.Runtime)
	node.CPU = n.CPU.value != 0
	kind := Type(0)
	if v := n.NodeType.value; v >= 1 && v <= float64(Collective) {
		kind = Type(v)
	}
	if err := settle(g, &node, kind, n.Name, f); err != nil {
		return fmt.Errorf("node %d: %v", n.ID, err)
	}
	return g.add(node, n.Data, slices.Concat(n.Control, n.CtrlDeps), 0)
}

func orNone(n number) float64 {
	if !n.set {
		return -1
	}
	return n.value
}

func (n *jsonNode) node(micros number) Node {
	return Node{
		ID: n.ID, Seconds: amount(micros.value) / 1e6, FLOPs: amount(n.FLOPs.value), Bytes: amount(n.Bytes.value),
		Size: amount(n.Size.value), Tag: whole(n.Tag.value),
	}
}

// onDevice tells a kernel or a copy, which the linker has put into the host
// trace, from an operator of the host.
func (n *jsonNode) onDevice() bool {
	return n.Stream.set || n.Category == "kernel" || strings.HasPrefix(n.Category, "gpu_")
}

func (n *jsonNode) duration() number {
	if n.Exclusive.set {
		return n.Exclusive
	}
	return n.Duration
}

// addHost adds a node of a linked host trace. Operators of the host take their
// exclusive time on the processor. A kernel depends on the operator that
// launched it; one of NCCL is a collective of the tensors which that operator
// was given.
func (n *jsonNode) addHost(g *graph) error {
	if n.Name == groupNode {
		for _, v := range n.values() {
			if text, ok := v.(string); ok {
				declare(g, []byte(text))
			}
		}
	}
	node := n.node(n.duration())
	node.CPU = !n.onDevice()
	kind, f := Compute, facts{source: -1, destination: -1}
	if !node.CPU && strings.HasPrefix(strings.ToLower(n.Name), "nccl") {
		kind = Collective
		for _, v := range n.values() {
			node.Size += tensorBytes(v)
			if pair, ok := v.([]any); ok && len(pair) == 2 && f.group == "" {
				name, ok := pair[0].(string)
				if about, isText := pair[1].(string); ok && isText && about != "default_pg" {
					f.group = name
				}
			}
		}
		f.hasSize = node.Size > 0
	}
	if err := settle(g, &node, kind, n.Name, f); err != nil {
		return fmt.Errorf("node %d: %v", n.ID, err)
	}
	return g.add(node, slices.Concat(n.Data, n.Sync, n.InterThread), slices.Concat(n.Control, n.CtrlDeps), 0)
}

// values are the inputs of an operator, none where they cannot be read.
func (n *jsonNode) values() []any {
	var inputs struct{ Values []any }
	if json.Unmarshal(n.Inputs, &inputs) != nil {
		return nil
	}
	return inputs.Values
}

// tensorBytes is the size of the tensors in a value: each is a list of its id,
// that of its storage, an offset, elements, bytes of an element, and a device.
func tensorBytes(v any) float64 {
	list, ok := v.([]any)
	if !ok {
		return 0
	}
	if len(list) == 6 {
		elements, isNumber := list[3].(float64)
		bytes, isSize := list[4].(float64)
		if _, onDevice := list[5].(string); isNumber && isSize && onDevice {
			return amount(elements * bytes)
		}
	}
	sum := 0.0
	for _, item := range list {
		sum += tensorBytes(item)
	}
	return sum
}

// declare reads the process groups of groupNode: a JSON list of objects with
// pg_name and ranks, perhaps within other text. A group without ranks is all.
// What cannot be read tells nothing.
func declare(g *graph, inputs []byte) {
	text := string(inputs)
	from, to := strings.Index(text, "[{"), strings.LastIndex(text, "}]")
	if from < 0 || to < from {
		return
	}
	var groups []struct {
		Name  string `json:"pg_name"`
		Ranks json.RawMessage
	}
	if json.Unmarshal([]byte(text[from:to+2]), &groups) != nil {
		return
	}
	for _, group := range groups {
		var ranks []int32
		if json.Unmarshal(group.Ranks, &ranks) != nil {
			ranks = nil
			places := map[string]int32{} // a rank's place in the group
			if json.Unmarshal(group.Ranks, &places) != nil {
				continue
			}
			for name := range places {
				rank, err := strconv.ParseInt(name, 10, 32)
				if err != nil {
					rank = -1
				}
				ranks = append(ranks, int32(rank))
			}
			slices.SortFunc(ranks, func(a, b int32) int {
				return cmp.Compare(places[strconv.Itoa(int(a))], places[strconv.Itoa(int(b))])
			})
		}
		sorted := slices.Sorted(slices.Values(ranks))
		if len(ranks) > 0 && sorted[0] >= 0 && len(slices.Compact(sorted)) == len(ranks) && sorted[len(sorted)-1] < math.MaxInt32 {
			g.declared[group.Name] = ranks
		}
	}
}
