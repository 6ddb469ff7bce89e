// Package nccltests has a simulated cluster run the tests that NCCL has for real ones
// (https://github.com/NVIDIA/nccl-tests): one collective over some ranks at several sizes,
// asked for by the same words.
//
// [Load] makes a scenario of a [Test]: of one that there is, whose workload the test takes
// the place of, or of hosts of the catalogue on rails. Sizes are rounded down to whole
// elements of every rank, as the tests do. What a log of theirs says was measured can be
// given, and is then asked for at the same sizes.
package nccltests

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/calibrate"
	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scenario"
)

// Test is what nccl-tests are asked for: one operation over some ranks of a cluster at
// several sizes.
type Test struct {
	Op        string  // "all_reduce", ...; also as nccl-tests have it: "alltoall", "sendrecv"
	Algorithm string  // "auto" where empty
	Ranks     int     // the first so many in topology order; 0 is all
	Type      string  // of an element, "float" where empty
	Sizes     []int64 // bytes

	// Host and Hosts are a cluster of hosts of the catalogue on rails, where no scenario
	// says what there is. Hosts 0 is as many as Ranks fill.
	Host  string
	Hosts int

	// Measured, if set, is a log of nccl-tests: its operation and ranks are taken where
	// none are given, and its sizes beside those that are.
	Measured *calibrate.Log
}

// elementBytes are the types of nccl-tests.
var elementBytes = map[string]int64{
	"int8": 1, "uint8": 1, "f8e4m3": 1, "f8e5m2": 1, "half": 2, "bfloat16": 2,
	"float": 4, "int32": 4, "uint32": 4, "double": 8, "int64": 8, "uint64": 8,
}

// maxSizes bounds how many sizes are tested.
const maxSizes = 1024

// Sizes are the sizes from begin to end, in bytes, each factor times the one before or,
// if the factor is 0, step bytes more.
func Sizes(begin, end, factor, step int64) ([]int64, error) {
	switch {
	case begin < 1 || end < begin:
		return nil, fmt.Errorf("sizes from %d to %d bytes; from 1 byte up there are some", begin, end)
	case factor == 0 && step < 1, factor == 1, factor < 0:
		return nil, fmt.Errorf("sizes by a factor of %d or steps of %d bytes do not grow", factor, step)
	}
	var sizes []int64
	for size := begin; size <= end; {
		if len(sizes) == maxSizes {
			return nil, fmt.Errorf("more than %d sizes", maxSizes)
		}
		sizes = append(sizes, size)
		next := size + step
		if factor > 0 {
			next = size * factor
		}
		if next <= size || factor > 0 && next/factor != size {
			break // beyond what can be counted
		}
		size = next
	}
	return sizes, nil
}

// ParseSize reads a size as nccl-tests take it: bytes, or K, M, G and T of 1024.
func ParseSize(text string) (int64, error) {
	number := strings.TrimRight(text, "KMGTkmgt")
	shift := 0
	if unit := strings.ToUpper(text[len(number):]); unit != "" {
		shift = 10 * (1 + strings.Index("KMGT", unit))
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift || len(text)-len(number) > 1 {
		return 0, fmt.Errorf("%q is not a size: bytes, or K, M, G or T of 1024, as in 8 or 16M", text)
	}
	return n << shift, nil
}

// Load reads a scenario with a test in place of its workload. Without a
// path the cluster is Hosts of Host.
func Load(path string, t *Test, overrides ...string) (*scenario.Scenario, error) {
	op, err := t.complete()
	if err != nil {
		return nil, err
	}
	text := []byte(nil)
	if path == "" {
		path = "-"
		if text, err = t.cluster(); err != nil {
			return nil, err
		}
	} else if text, err = scenario.ReadText(path); err != nil {
		return nil, err
	}
	// The ranks are needed for the sizes: nccl-tests take as many bytes as ranks and
	// elements divide.
	probe, faults := scenario.ParseWith(path, text, "the test", t.workload(op, []int64{1}), overrides)
	if faults != nil {
		return nil, faults
	}
	if t.Ranks == 0 {
		built, faults := probe.BuildTopology()
		if faults != nil {
			return nil, faults
		}
		t.Ranks = built.Topology.Accelerators()
	}
	s, faults := scenario.ParseWith(path, text, "the test", t.workload(op, t.round(op)), overrides)
	return s, faults.Err()
}

// complete takes from the log what is not given, and checks what needs no scenario.
func (t *Test) complete() (op collective.Op, err error) {
	if t.Op == "" && t.Measured != nil {
		t.Op = t.Measured.Op.String()
	}
	switch t.Op {
	case "alltoall":
		t.Op = "all_to_all"
	case "sendrecv":
		t.Op = "send_recv"
	}
	op, ok := collective.ParseOp(t.Op)
	if !ok {
		return op, fmt.Errorf("there is no operation %q; nccl-tests have all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, reduce, send_recv", t.Op)
	}
	if t.Type == "" {
		t.Type = "float"
	}
	if elementBytes[t.Type] == 0 {
		return op, fmt.Errorf("there is no type %q; nccl-tests have float, half, bfloat16, double, int8, uint8, int32, uint32, int64, uint64, f8e4m3, f8e5m2", t.Type)
	}
	if t.Measured == nil {
		return op, nil
	}
	if op != t.Measured.Op {
		return op, fmt.Errorf("%s measured %s, not %s", t.Measured.File, t.Measured.Op, op)
	}
	if t.Ranks == 0 {
		t.Ranks = t.Measured.Ranks
	}
	if t.Ranks != t.Measured.Ranks {
		return op, fmt.Errorf("%s has %d ranks, not %d", t.Measured.File, t.Measured.Ranks, t.Ranks)
	}
	if t.Hosts == 0 {
		t.Hosts = t.Measured.Hosts
	}
	for _, size := range t.Measured.Size {
		t.Sizes = append(t.Sizes, int64(size))
	}
	slices.Sort(t.Sizes)
	t.Sizes = slices.Compact(t.Sizes)
	return op, nil
}

// cluster is the text of a scenario of hosts on rails.
func (t *Test) cluster() ([]byte, error) {
	h, faults := (&scenario.Scenario{File: "-"}).Host(t.Host)
	if faults != nil {
		return nil, faults
	}
	hosts := t.Hosts
	if hosts == 0 {
		hosts = max(1, (t.Ranks+h.Accelerators-1)/h.Accelerators)
	}
	return fmt.Appendf(nil, "name = %q\n[topology]\nkind = \"rail\"\nhost = %q\nhosts = %d\n", fmt.Sprintf("%s over %d x %s", t.Op, hosts, t.Host), t.Host, hosts), nil
}

// workload is the text of the test as a workload.
func (t *Test) workload(op collective.Op, sizes []int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[[workload.collective]]\nop = %q\n", op)
	if t.Algorithm != "" {
		fmt.Fprintf(&b, "algorithm = %q\n", t.Algorithm)
	}
	if t.Ranks > 0 {
		fmt.Fprintf(&b, "ranks = %d\n", t.Ranks)
	}
	list := make([]string, len(sizes))
	for i, size := range sizes {
		list[i] = fmt.Sprintf("\"%dB\"", size)
	}
	fmt.Fprintf(&b, "sizes = [%s]\n", strings.Join(list, ", "))
	return b.String()
}

// round gives the sizes in whole elements, of each rank where an operation has a part
// for each, as nccl-tests do; what leaves nothing is left out.
func (t *Test) round(op collective.Op) []int64 {
	unit := elementBytes[t.Type]
	switch op {
	case collective.AllGather, collective.ReduceScatter, collective.AllToAll:
		unit *= int64(t.Ranks)
	}
	var sizes []int64
	for _, size := range t.Sizes {
		if size -= size % unit; size > 0 {
			sizes = append(sizes, size)
		}
	}
	sizes = slices.Compact(sizes)
	if sizes == nil {
		return []int64{unit}
	}
	return sizes
}

// ElementBytes is the size of an element of the test, in bytes.
func (t *Test) ElementBytes() int64 { return elementBytes[t.Type] }
