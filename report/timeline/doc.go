// Package timeline writes a [result.Timeline] for the viewers that people have: as
// Chrome trace events in JSON, which ui.perfetto.dev, chrome://tracing and Speedscope
// open, and as Perfetto's protobuf, a third of the size.
//
// # Form
//
// A process of the timeline is a process of the trace, and a track is a thread, or as
// many as it takes: slices that overlap lie on lanes of their own, so that no two slices
// of one thread overlap, which viewers would draw wrongly. Lane 2 of "acc0
// communication" is "acc0 communication (2)".
//
//	name, ph M            process_name, process_sort_index, thread_name, thread_sort_index
//	ph X                  a slice: ts, dur, and its notes as args
//	ph s, ph f            the two ends of an arrow, with one id
//	ph C                  a value of a counter
//
// Times are in microseconds. A tick of the simulation is 10 ps, so they have up to five
// decimals and are exact. Perfetto's own form counts whole nanoseconds: there an instant
// is rounded to the nearest, which keeps the order and lets no slices overlap. A slice
// shorter than that may have no length.
//
// Threads come one after another, each in the order of time; metadata comes first. Field
// numbers of the protobuf are those of Perfetto's protos/perfetto/trace, which never
// change.
package timeline

import (
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/railyard/railyard/result"
)

// Format is a way to write a timeline.
type Format func(w io.Writer, t *result.Timeline) error

// FormatOf is the format that the name of a file asks for: .json or .pftrace, with .gz
// behind it compressed.
func FormatOf(path string) (Format, error) {
	plain, compressed := strings.CutSuffix(path, ".gz")
	var f Format
	switch {
	case strings.HasSuffix(plain, ".json"):
		f = Chrome
	case strings.HasSuffix(plain, ".pftrace"):
		f = Perfetto
	default:
		return nil, fmt.Errorf("%s: a timeline is written as .json, .json.gz, .pftrace or .pftrace.gz", path)
	}
	if !compressed {
		return f, nil
	}
	return func(w io.Writer, t *result.Timeline) error {
		z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
		if err != nil {
			return err
		}
		if err := f(z, t); err != nil {
			return err
		}
		return z.Close()
	}, nil
}
