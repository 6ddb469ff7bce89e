package result

import "github.com/railyard/railyard/sim"

// Ticks is the time of a timeline, in those of the simulation: 10 ps.
type Ticks = sim.Time

// Timeline is what happened when, where somebody asked for it: slices of time on
// tracks, arrows between them, and counters. It is columns of small values that refer
// to each other by index, so that a million slices take 40 MB.
type Timeline struct {
	Processes []Process
	Tracks    []Track
	Slices    []Slice
	Arrows    []Arrow
	Counters  []Counter
	Names     []string // of slices, each once
	Notes     [][]Note // on slices, each combination once; the first is none
}

// Process is what has tracks of its own: a host, the jobs, the network.
type Process struct{ Name string }

// Track is one thing that does something in a process, such as an accelerator's
// computation. Slices on it may overlap; who draws them puts them into lanes.
type Track struct {
	Process int32
	Name    string
}

// Slice is something that lasted from one instant to another.
type Slice struct {
	From, To           Ticks
	Track, Name, Notes int32
}

// Arrow leads from a slice to one that it brought about: a message from its sender to
// its receiver.
type Arrow struct{ From, To int32 }

// Counter is a quantity over time; each value holds until the next.
type Counter struct {
	Process int32
	Name    string
	At      []Ticks
	Values  []float64
}

// Note says something of a slice: a text, or else a number.
type Note struct {
	Name   string
	Text   string
	Number float64
}
