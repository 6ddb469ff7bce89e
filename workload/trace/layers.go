package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/railyard/railyard/units"
)

// Bounds of a text. The largest of SimAI has some thousand layers.
const (
	maxLayers = 1 << 20
	maxLine   = 1 << 16
	maxRanks  = 1 << 20
)

// Layers is a workload text of AICB or SimAI (Wang et al., "SimAI", NSDI 2025):
// the layers of a model on one pipeline stage, each with what it computes and
// communicates in the forward pass, for the gradients of its input, and for
// those of its weights.
//
// The first line is the mode and the degrees of parallelism, the second the
// number of layers. Each other line is a layer of twelve columns: name,
// dependency, then for each of the three passes nanoseconds, operation and
// bytes, and the nanoseconds of the update. Bytes are as AICB has them: for
// all-gather the gathered result, for reduce-scatter the input.
type Layers struct {
	Mode     string
	Tensor   int // ranks of a tensor-parallel group: model_parallel_NPU_group
	Expert   int // of an expert-parallel group: ep
	Pipeline int // stages: pp
	Ranks    int // all_gpus; 0 if the header does not say
	Layers   []Layer
	Warnings []string // what the text leaves out and what it says in vain
}

// Layer is one line.
type Layer struct {
	Name   string
	Passes [3]Pass // forward, gradient of the input, gradient of the weights
	Update float64 // s
}

// Pass is a computation and the collective that follows it.
type Pass struct {
	Seconds float64
	Kind    Kind
	Bytes   float64 // 0: no collective
	Group   string  // suffix of the operation: "", "EP" or "DP_EP"
}

// modes are those of ASTRA-sim and SimAI. In those of one group every operation
// is over all ranks; in those with weights first their gradients come before
// those of the input.
var modes = map[string]struct{ oneGroup, weightsFirst bool }{
	"HYBRID_TRANSFORMER_FWD_IN_BCKWD": {},
	"HYBRID_TRANSFORMER":              {},
	"HYBRID_DLRM":                     {weightsFirst: true},
	"DATA":                            {oneGroup: true, weightsFirst: true},
	"MODEL":                           {oneGroup: true},
	"MICRO":                           {oneGroup: true},
}

// ReadLayers reads a workload text. What is wrong with it is a *SyntaxError.
func ReadLayers(r io.Reader) (*Layers, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	number := 0
	fail := func(format string, args ...any) error {
		return &SyntaxError{Line: number, Message: fmt.Sprintf(format, args...)}
	}
	next := func() (columns []string, ok bool) {
		for lines.Scan() {
			number++
			if columns = strings.Fields(lines.Text()); len(columns) > 0 {
				return columns, true
			}
		}
		return nil, false
	}
	l := &Layers{Tensor: 1, Expert: 1, Pipeline: 1}
	header, ok := next()
	if !ok {
		number = max(number, 1)
		if err := lines.Err(); err != nil {
			return nil, l.unreadable(err, fail)
		}
		return nil, fail("the file is empty")
	}
	if err := l.header(header); err != nil {
		return nil, fail("%v", err)
	}
	count, ok := next()
	stated := 0
	if ok {
		var err error
		if stated, err = strconv.Atoi(count[0]); err != nil || stated < 0 || len(count) > 1 {
			return nil, fail("%.40q is not the number of layers", strings.Join(count, " "))
		}
	}
	for {
		columns, ok := next()
		if !ok {
			break
		}
		if len(l.Layers) == maxLayers {
			return nil, fail("more than %d layers", maxLayers)
		}
		layer, err := readLayer(columns)
		if err != nil {
			return nil, fail("%v", err)
		}
		l.Layers = append(l.Layers, layer)
	}
	if err := lines.Err(); err != nil {
		number++
		return nil, l.unreadable(err, fail)
	}
	if len(l.Layers) == 0 {
		return nil, fail("there are no layers")
	}
	if stated != len(l.Layers) {
		l.warn("the text has %d layers, not the %d that it states", len(l.Layers), stated)
	}
	return l, nil
}

func (l *Layers) unreadable(err error, fail func(string, ...any) error) error {
	if errors.Is(err, bufio.ErrTooLong) {
		return fail("a line of more than %d bytes: this is no workload text", maxLine)
	}
	return err
}

func (l *Layers) warn(format string, args ...any) {
	l.Warnings = append(l.Warnings, fmt.Sprintf(format, args...))
}

// header reads the mode and the degrees: words and numbers in turn, a colon
// behind most words.
func (l *Layers) header(words []string) error {
	l.Mode = words[0]
	mode, known := modes[l.Mode]
	if !known {
		return fmt.Errorf("%.40q is no mode of a workload text; known: HYBRID_TRANSFORMER_FWD_IN_BCKWD, HYBRID_TRANSFORMER, HYBRID_DLRM, DATA, MODEL, MICRO", l.Mode)
	}
	degrees := []struct {
		name string
		to   *int
		told bool
	}{{"model_parallel_NPU_group", &l.Tensor, false}, {"ep", &l.Expert, false}, {"pp", &l.Pipeline, false}, {"all_gpus", &l.Ranks, false}}
	if len(words) == 2 { // HYBRID_DLRM 4
		words = []string{words[0], degrees[0].name, words[1]}
	}
	recomputes := false
	for i := 1; i+1 < len(words); i++ {
		name := strings.TrimSuffix(words[i], ":")
		v, err := strconv.ParseInt(words[i+1], 10, 64)
		if name == "checkpoints" && err == nil && v > 0 {
			recomputes = true
		}
		for k := range degrees {
			d := &degrees[k]
			if name != d.name {
				continue
			}
			if err != nil || v < 1 || v > maxRanks {
				return fmt.Errorf("%s is %.20q, not a number from 1 to %d", name, words[i+1], maxRanks)
			}
			*d.to, d.told = int(v), true
		}
	}
	var missing []string
	for _, d := range degrees {
		if !d.told && !mode.oneGroup {
			missing = append(missing, d.name)
		}
	}
	if len(missing) > 0 {
		l.warn("the header leaves out %s: degrees are taken as 1, and the ranks are those of the scenario", strings.Join(missing, ", "))
	}
	if l.Pipeline > 1 {
		l.warn("the text holds one of %d pipeline stages: the transfers between stages and their bubble are left out", l.Pipeline)
	}
	if recomputes {
		l.warn("the forward passes that its checkpoints repeat are left out")
	}
	return nil
}

func readLayer(columns []string) (Layer, error) {
	if len(columns) < 12 {
		return Layer{}, fmt.Errorf("a layer has 12 columns, not %d", len(columns))
	}
	layer := Layer{Name: columns[0]}
	nanoseconds := func(column int) (float64, error) {
		v, err := units.ParseNumber(columns[column])
		if err != nil || !(v >= 0 && v <= 1e18) {
			return 0, fmt.Errorf("column %d: %.40q is no time in ns", column+1, columns[column])
		}
		return v / 1e9, nil
	}
	var err error
	for i := range layer.Passes {
		p, at := &layer.Passes[i], 2+3*i
		if p.Seconds, err = nanoseconds(at); err != nil {
			return layer, err
		}
		bytes, err := units.ParseNumber(columns[at+2])
		if err != nil || !(bytes >= 0 && bytes <= 1e18) {
			return layer, fmt.Errorf("column %d: %.40q is no number of bytes", at+3, columns[at+2])
		}
		operation := columns[at+1]
		if operation == "NONE" {
			continue
		}
		name := operation
		for _, suffix := range []string{"DP_EP", "EP"} {
			if base, ok := strings.CutSuffix(operation, "_"+suffix); ok {
				name, p.Group = base, suffix
				break
			}
		}
		kind, known := operations[name]
		if !known {
			return layer, fmt.Errorf("column %d: %.40q is no operation; known: NONE, ALLREDUCE, ALLGATHER, REDUCESCATTER, ALLTOALL, BROADCAST, with _EP or _DP_EP", at+2, operation)
		}
		p.Kind, p.Bytes = kind, bytes
	}
	layer.Update, err = nanoseconds(11)
	return layer, err
}

var operations = map[string]Kind{
	"ALLREDUCE": AllReduce, "ALLGATHER": AllGather, "REDUCESCATTER": ReduceScatter, "ALLTOALL": AllToAll, "BROADCAST": Broadcast,
}

// Trace is what each of so many ranks does, seen from rank 0. Ranks are in the
// order of SimAI: tensor-parallel neighbours first, then expert-parallel ones,
// then the replicas of the experts, then the stages.
//
//	forward     of each layer: compute, then its collective
//	backward    from the last layer: the input's gradient and the collective,
//	            beside which the weights' gradient is computed, whose collective
//	            only the layer's update waits for
func (l *Layers) Trace(ranks int) (*Trace, error) {
	mode := modes[l.Mode]
	model := l.Tensor * l.Pipeline
	if mode.oneGroup {
		model = 1
	}
	if ranks%model != 0 {
		return nil, fmt.Errorf("%d ranks are no multiple of tensor x pipeline parallelism, %d x %d", ranks, l.Tensor, l.Pipeline)
	}
	data := ranks / model
	if data%l.Expert != 0 {
		return nil, fmt.Errorf("%d data-parallel ranks are no multiple of the expert parallelism, %d", data, l.Expert)
	}
	g := newGraph()
	group := func(name string, size, stride int) int32 {
		if mode.oneGroup {
			return 0
		}
		members := make([]int32, size)
		for i := range members {
			members[i] = int32(i * stride)
		}
		g.declared[name] = members
		return g.group(name)
	}
	groups := map[string]int32{
		"TP":    group("TP", l.Tensor, 1),
		"DP":    group("DP", data, l.Tensor),
		"EP":    group("EP", l.Expert, l.Tensor),
		"DP_EP": group("DP_EP", data/l.Expert, l.Tensor*l.Expert),
	}
	var last error
	add := func(n Node, after ...uint64) uint64 {
		n.ID = uint64(len(g.nodes))
		last = errors.Join(last, g.add(n, after, nil, 0))
		return n.ID
	}
	// pass adds a computation and its collective; both are the computation if
	// there is no collective.
	pass := func(p Pass, ordinary string, after ...uint64) (computed, communicated uint64) {
		computed = add(Node{Type: Compute, Seconds: p.Seconds}, after...)
		if p.Bytes == 0 {
			return computed, computed
		}
		name := ordinary
		if p.Group != "" {
			name = p.Group
		}
		n := Node{Type: Collective, Kind: p.Kind, Size: p.Bytes, Group: groups[name]}
		if p.Kind == AllGather {
			members := ranks
			if n.Group != 0 {
				members = len(g.declared[name])
			}
			n.Size /= float64(members) // what each gives in
		}
		return computed, add(n, computed)
	}
	var after []uint64
	for _, layer := range l.Layers {
		_, done := pass(layer.Passes[0], "TP", after...)
		after = []uint64{done}
	}
	for i := len(l.Layers) - 1; i >= 0; i-- {
		layer := &l.Layers[i]
		var input, inputDone, weights, weightsDone uint64
		if mode.weightsFirst {
			weights, weightsDone = pass(layer.Passes[2], "DP", after...)
			_, inputDone = pass(layer.Passes[1], "TP", weights)
		} else {
			input, inputDone = pass(layer.Passes[1], "TP", after...)
			weights, weightsDone = pass(layer.Passes[2], "DP", input)
		}
		if layer.Update > 0 && weightsDone != weights {
			add(Node{Type: Compute, Seconds: layer.Update}, weightsDone)
		}
		after = []uint64{inputDone, weights}
	}
	if last != nil {
		return nil, last
	}
	return g.trace("aicb " + l.Mode), nil
}
