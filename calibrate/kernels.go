package calibrate

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
	"github.com/railyard/railyard/workload"
)

// Kernel is one measured kernel: what it does, and how long it took. Call, if set, is
// what it was timed with.
type Kernel struct {
	Operator workload.Operator
	Seconds  float64
	Call     *Call
}

// Match holds back the rows of a table whose Column does not hold Value.
type Match struct{ Column, Value string }

// Bounds of a table, far above an honest one.
const (
	maxRows   = 1 << 20
	maxFitted = 1 << 16 // each is predicted some thousand times
	maxExtent = 1 << 31 // of m, n, k and the like
	maxFaults = 20
)

// ReadKernels reads a CSV of measured kernels, a row each, whose first row names
// the columns, in any order:
//
//	op            attn_prefill, attn_decode, or any name of a matrix product
//	dtype         bf16, fp16, tf32, fp32, fp8, fp4, int8 and their common spellings;
//	              int8_wo and int4_wo, of weights alone: the product is in 16 bits
//	m, n, k       product of m x k activations with k x n weights; tokens_m is m.
//	              Of attn_prefill, m is the tokens of each sequence
//	batch         sequences, of attention; 1 where empty
//	kv_len        keys of each sequence before its m tokens
//	q_heads, kv_heads, head_dim
//	launches      kernels that were timed as one; 1 where empty
//	measured_ms   or time_s, or time_us: how long it took
//
// Other columns may be matched on. Rows that it cannot describe, such as
// elementwise kernels, are passed over and counted in skipped, by what they are.
func ReadKernels(file string, in io.Reader, matches []Match) (kernels []Kernel, skipped map[string]int, err error) {
	t, err := newTable(file, in)
	if err != nil {
		return nil, nil, err
	}
	for _, key := range []string{"op", "dtype"} {
		if _, ok := t.column[key]; !ok {
			return nil, nil, t.fault(1, key, "has no column %q", key)
		}
	}
	seconds, unit := "", 0.0
	for name, scale := range timeColumns {
		if _, ok := t.column[name]; ok {
			if seconds != "" {
				return nil, nil, t.fault(1, name, "has two columns of time, %q and %q", min(seconds, name), max(seconds, name))
			}
			seconds, unit = name, scale
		}
	}
	if seconds == "" {
		return nil, nil, t.fault(1, "measured_ms", "has no column \"measured_ms\", \"time_s\" or \"time_us\"")
	}
	for _, m := range matches {
		if _, ok := t.column[m.Column]; !ok {
			return nil, nil, t.fault(1, m.Column, "has no column %q", m.Column)
		}
	}
	skipped = map[string]int{}
	for t.next() {
		if slices.ContainsFunc(matches, func(m Match) bool { return t.text(m.Column) != m.Value }) {
			continue
		}
		op, what := t.operator()
		if what != "" {
			skipped[what]++
			continue
		}
		time := t.number(seconds) * unit
		if time <= 0 || math.IsInf(time, 0) || math.IsNaN(time) {
			t.add(seconds, "%q is not a time above 0", t.text(seconds))
		}
		if len(kernels) == maxFitted {
			t.faults = append(t.faults, t.fault(0, "", "has more than %d kernels to fit to", maxFitted)...)
			break
		}
		kernels = append(kernels, Kernel{Operator: op, Seconds: time})
	}
	if t.faults != nil {
		return nil, nil, t.faults
	}
	return kernels, skipped, nil
}

var timeColumns = map[string]float64{"time_s": 1, "measured_ms": 1e-3, "time_us": 1e-6}

// operator is what the row describes, or else why it is passed over.
func (t *table) operator() (op workload.Operator, skip string) {
	name, dtype := t.text("op"), t.text("dtype")
	precision, known := dtypes[strings.ToLower(dtype)]
	if !known {
		return op, fmt.Sprintf("dtype %q", dtype)
	}
	op = workload.Operator{Name: name, Precision: precision, Launches: int(t.extent("launches", 1))}
	m := t.extent("m", 1)
	if t.text("m") == "" {
		m = t.extent("tokens_m", 1)
	}
	batch := t.extent("batch", 1)
	if m == 0 || batch == 0 {
		return op, fmt.Sprintf("op %q of no tokens", name)
	}
	switch name {
	case "attn_prefill", "attn_decode":
		queries, keys, dim := t.extent("q_heads", 0), t.extent("kv_heads", 0), t.extent("head_dim", 0)
		if queries == 0 || keys == 0 || dim == 0 {
			return op, fmt.Sprintf("op %q without q_heads, kv_heads and head_dim", name)
		}
		before := t.extent("kv_len", 0)
		if name == "attn_decode" {
			m, before = 1, max(before-1, 0) // kv_len counts the new token
		}
		op.Class = workload.FlashAttention
		op.Batch, op.M, op.N, op.K, op.Groups = batch*queries, m, before+m, dim, batch*keys
		rows := float64(op.Batch) * float64(m) * float64(dim)
		// Token i of m meets those before it and itself.
		op.FLOPs = 4 * rows * (float64(before) + float64(m+1)/2)
		op.Bytes = width[precision] * (2*rows + 2*float64(batch*keys)*float64(op.N)*float64(dim))
	default:
		n, k := t.extent("n", 0), t.extent("k", 0)
		if n == 0 || k == 0 {
			return op, fmt.Sprintf("op %q without n and k", name)
		}
		op.Batch, op.M, op.N, op.K = batch, m, n, k
		op.FLOPs = 2 * float64(batch) * float64(m) * float64(n) * float64(k)
		weights, alone := weightOnly[strings.ToLower(dtype)]
		if !alone {
			weights = width[precision]
		}
		result := max(width[precision], 2) // in 16 bits of what is narrower
		op.Bytes = float64(batch) * (float64(k)*(width[precision]*float64(m)+weights*float64(n)) + result*float64(m)*float64(n))
	}
	return op, ""
}

var dtypes = map[string]topology.Precision{
	"fp32": topology.FP32, "float": topology.FP32, "float32": topology.FP32, "tf32": topology.TF32,
	"fp16": topology.FP16, "half": topology.FP16, "float16": topology.FP16,
	"bf16": topology.BF16, "bfloat16": topology.BF16,
	"fp8": topology.FP8, "fp8_block": topology.FP8, "e4m3": topology.FP8,
	"fp4": topology.FP4, "nvfp4": topology.FP4, "mxfp4": topology.FP4, "int8": topology.INT8,
	"int8_wo": topology.FP16, "int4_wo": topology.FP16,
}

// weightOnly is the bytes of a weight that is narrower than the operands, which it is
// turned into on its way. Of 4 bits each 128 have a scale and a zero, as GPTQ and AWQ
// store them.
var weightOnly = map[string]float64{"int8_wo": 1, "int4_wo": 0.5 + 2.5/128}

// width is the bytes of an operand's element. FP4 has a byte of scale for every
// 16 elements.
var width = [topology.NumPrecisions]float64{
	topology.FP32: 4, topology.TF32: 4, topology.FP16: 2, topology.BF16: 2, topology.FP8: 1, topology.FP4: 0.5 + 1./16, topology.INT8: 1,
}

// table is a CSV with named columns, read row by row.
type table struct {
	file   string
	reader *csv.Reader
	column map[string]int
	row    []string
	rows   int
	faults scenario.Faults
}

func newTable(file string, in io.Reader) (*table, error) {
	t := &table{file: file, reader: csv.NewReader(in), column: map[string]int{}}
	t.reader.ReuseRecord = true
	names, err := t.reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, t.fault(1, "", "is empty")
	} else if err != nil {
		return nil, t.broken(err)
	}
	for i, name := range names {
		if _, twice := t.column[name]; twice {
			return nil, t.fault(1, name, "has two columns %q", name)
		}
		t.column[strings.Clone(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	return t, nil
}

func (t *table) next() bool {
	if len(t.faults) >= maxFaults {
		return false
	}
	row, err := t.reader.Read()
	switch {
	case errors.Is(err, io.EOF):
		return false
	case err != nil:
		t.faults = append(t.faults, t.broken(err)...)
		return false
	case t.rows == maxRows:
		t.faults = append(t.faults, t.fault(0, "", "has more than %d rows", maxRows)...)
		return false
	}
	t.row, t.rows = row, t.rows+1
	return true
}

// text is a cell of the row; empty where there is no such column.
func (t *table) text(column string) string {
	if i, ok := t.column[column]; ok {
		return t.row[i]
	}
	return ""
}

func (t *table) number(column string) float64 {
	x, err := units.ParseNumber(t.text(column))
	if err != nil {
		return math.NaN()
	}
	return x
}

// extent is a count in a cell, otherwise where that is empty.
func (t *table) extent(column string, otherwise int64) int64 {
	text := t.text(column)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > maxExtent {
		t.add(column, "%q is not a count up to %d", text, maxExtent)
		return otherwise
	}
	return n
}

// add notes what is wrong with a cell of the row.
func (t *table) add(column, format string, args ...any) {
	line, col := t.reader.FieldPos(t.column[column])
	at := scenario.Position{File: t.file, Line: line, Col: col}
	t.faults = append(t.faults, at.Faultf(column, "%s: %s", column, fmt.Sprintf(format, args...)))
}

func (t *table) fault(line int, column, format string, args ...any) scenario.Faults {
	at := scenario.Position{File: t.file, Line: line, Col: min(line, 1)}
	return scenario.Faults{at.Faultf(column, "the table "+format, args...)}
}

func (t *table) broken(err error) scenario.Faults {
	at := scenario.Position{File: t.file}
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		at.Line, at.Col, err = e.Line, e.Column, e.Err
	}
	return scenario.Faults{at.Faultf("", "%v", err)}
}
