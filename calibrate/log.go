package calibrate

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/units"
)

// Log is what one run of nccl-tests measured: one operation over so many ranks
// at several sizes, out of place.
type Log struct {
	File  string
	Op    collective.Op
	Ranks int
	Hosts int

	Size    []float64 // bytes, as package collective counts them
	Seconds []float64
}

// Given is what the user says of a log that does not say it itself: the
// operation by its name, the ranks and the hosts; empty where the log does.
type Given struct {
	Op           string
	Ranks, Hosts int
}

// ReadLog reads the output of nccl-tests (rccl-tests prints the same):
//
//	# Collective test starting: all_reduce_perf
//	#  Rank  0 Group  0 Pid   4711 on      node0 device  0 [0x07] NVIDIA H100 80GB HBM3
//	#       size         count      type   redop    root     time   algbw   busbw #wrong
//	        1024           256     float     sum      -1    20.61    0.05    0.09      0
//
// The operation stands there since version 2.17, the ranks unless they were cut
// off; what is given counts more. Lines of other programs are passed over.
func ReadLog(file string, in io.Reader, given Given) (Log, error) {
	l := Log{File: file, Ranks: given.Ranks, Hosts: given.Hosts}
	opKnown := false
	named := func(test string, at scenario.Position) error {
		name := test
		switch test {
		case "alltoall":
			name = "all_to_all"
		case "sendrecv":
			name = "send_recv"
		}
		if l.Op, opKnown = collective.ParseOp(name); !opKnown {
			return scenario.Faults{at.Faultf("", "there is no operation %q", test)}
		}
		return nil
	}
	if given.Op != "" {
		if err := named(given.Op, scenario.Position{File: file}); err != nil {
			return l, err
		}
	}
	column := -1 // of the time
	var hosts []string
	ranks := 0
	lines := bufio.NewScanner(io.LimitReader(in, maxLog))
	for line := 1; lines.Scan(); line++ {
		fields := strings.Fields(strings.TrimLeft(strings.TrimSpace(lines.Text()), "#"))
		at := scenario.Position{File: file, Line: line, Col: 1}
		switch {
		case len(fields) < 4:
		case !strings.HasPrefix(strings.TrimSpace(lines.Text()), "#"):
			size, err := strconv.ParseUint(fields[0], 10, 63)
			if err != nil || size == 0 || column < 0 || column >= len(fields) {
				continue
			}
			time, err := units.ParseNumber(fields[column])
			if err != nil || !(time > 0) {
				return l, scenario.Faults{at.Faultf("", "%q is not a time above 0 us", fields[column])}
			}
			if len(l.Size) == maxSizes {
				return l, scenario.Faults{at.Faultf("", "the log has more than %d rows", maxSizes)}
			}
			l.Size = append(l.Size, float64(size))
			l.Seconds = append(l.Seconds, time*1e-6)
		case fields[0] == "size":
			column = slices.Index(fields, "time")
		case fields[0] == "Rank":
			ranks++
			if i := slices.Index(fields, "on"); i >= 0 && i+1 < len(fields) && !slices.Contains(hosts, fields[i+1]) && len(hosts) < maxLogHosts {
				hosts = append(hosts, fields[i+1])
			}
		case fields[0] == "Collective" && fields[1] == "test" && !opKnown:
			if err := named(strings.TrimSuffix(fields[len(fields)-1], "_perf"), at); err != nil {
				return l, err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return l, scenario.Faults{{File: file, Message: err.Error()}}
	}
	if l.Ranks == 0 {
		l.Ranks = ranks
	}
	if l.Hosts == 0 {
		l.Hosts = len(hosts)
	}
	switch {
	case l.Size == nil:
		return l, fault(file, "has no row of nccl-tests")
	case !opKnown:
		return l, fault(file, "does not say which operation it measured; say so")
	case l.Ranks < 2:
		return l, fault(file, "does not say over how many ranks it measured; say so")
	}
	return l, nil
}

const (
	maxLog      = 64 << 20 // bytes
	maxSizes    = 1024
	maxLogHosts = 1024
)

func fault(file, what string) error {
	return scenario.Faults{scenario.Position{File: file}.Faultf("", "the log %s", what)}
}
