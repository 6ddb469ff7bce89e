// Package record makes a timeline of what happens in a cluster: which accelerator computed
// what when, which messages went between them, which jobs their hosts had.
//
// A [Recorder] is told of activities as they end ([cluster.Observer]) and keeps those of
// the accelerators that are to be shown; of accelerators that are simulated as one because
// they do the same that is one. Once the run is over it is told what else is known, and
// gives all of it in order. Memory is bounded by the number of slices, and what began after
// the last is left out with a warning.
package record

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// Options are what of a run is put into its timeline.
type Options struct {
	// Accelerators are those to show, by number in the order of the topology. Without,
	// of accelerators that are simulated as one because they do the same it is the
	// first, and of all others each; its tracks say for how many it stands.
	Accelerators []int
	// All shows every one.
	All bool
	// From and To bound the time: what lasts into it is shown whole. To 0 is the end.
	From, To sim.Time
	// Slices is how many there may be; 0 is MaxSlices.
	Slices int
	// Brief makes do with as many slices as the page of a report has use for, and leaves
	// out the rest without a warning.
	Brief bool
	// InFolder has it written into the folder of results as timeline.json.gz, where a report finds it.
	InFolder bool
}

// MaxSlices is how many slices a timeline has, unless more or fewer are asked for: 130 MB
// of them in memory.
const MaxSlices = 1 << 22

// briefSlices is how many a brief one has: some iterations of what does not repeat in
// thousands of accelerators that each do something else.
const briefSlices = 1 << 18

// Recorder is an observer that makes a timeline of what it is told.
type Recorder struct {
	cluster *cluster.Cluster
	from    sim.Time
	to      sim.Time
	limit   int
	chosen  bool // shown are those that were asked for
	brief   bool
	shown   []bool  // accelerators
	alike   []int32 // of each that is shown: how many do what it does
	ledgers int     // of the cluster that have been looked at
	picks   map[members][]pick

	tracks map[place]int32
	places []place // of each track
	names  map[string]int32
	notes  map[string]int32
	key    []byte
	full   sim.Time // when there were too many slices; Never: there are not
	warn   func(string)

	result.Timeline
}

// members are groups of accelerators, told apart by where their list lies.
type members struct {
	first        *topology.NodeID
	groups, size int
}

// pick is an accelerator of some that is shown, and its place in its group.
type pick struct {
	node  topology.NodeID
	place int
}

// place is where a track belongs, in the order in which tracks are shown.
type place struct {
	section section
	host    int32 // -1: none
	number  int32 // of the accelerator, or of the job
	row     row
}

// section is what processes are of.
type section uint8

const (
	ofJobs section = iota
	ofHosts
	ofNetwork
)

// row is what a track of a host, a job or the network shows.
type row uint8

const (
	hostJobs row = iota
	ownStream
	sends    = ownStream + row(cluster.CommunicationStream) + 1
	receives = sends + 1
	flows    = receives + 1
	faults   = flows + 1
)

// New has what happens in a cluster, which has not run, recorded. What cannot be shown is
// told to warn, in words.
func New(c *cluster.Cluster, o *Options, warn func(string)) *Recorder {
	n := c.Topology.Accelerators()
	r := &Recorder{
		cluster: c, from: o.From, to: o.To, limit: cmp.Or(o.Slices, MaxSlices), chosen: o.Accelerators != nil || o.All, brief: o.Brief,
		shown: make([]bool, n), alike: make([]int32, n), picks: map[members][]pick{},
		tracks: map[place]int32{}, names: map[string]int32{}, notes: map[string]int32{"": 0}, full: sim.Never, warn: warn,
	}
	if o.Brief {
		r.limit = min(r.limit, briefSlices)
	}
	r.Notes = [][]result.Note{nil}
	if r.to == 0 {
		r.to = sim.Never
	}
	for _, a := range o.Accelerators {
		if a < 0 || a >= n {
			warn(fmt.Sprintf("the timeline cannot show accelerator %d: there are %d, from 0 on", a, n))
			break
		}
		r.shown[a] = true
	}
	for a := range r.shown {
		r.shown[a] = r.shown[a] || o.All
	}
	c.Observer = r
	return r
}

// Observe adds an activity, once for each accelerator that is shown.
func (r *Recorder) Observe(a cluster.Activity) {
	if a.From == a.To || !r.within(a.From, a.To) {
		return
	}
	if a.Stream == cluster.JobStream {
		r.add(place{ofJobs, -1, int32(a.Job), ownStream}, a.Name, a.From, a.To, a.Notes)
		return
	}
	for _, p := range r.of(&a) {
		r.add(r.at(p.node, ownStream+row(a.Stream)), a.Name, a.From, a.To, a.Notes)
	}
}

// Message adds the two ends of messages, and the arrows between them.
func (r *Recorder) Message(send, receive cluster.Activity) {
	if !r.within(send.From, max(send.To, receive.To)) {
		return
	}
	on := func(a *cluster.Activity, p pick) int32 {
		return r.add(r.at(p.node, ownStream+row(a.Stream)), a.Name, a.From, a.To, a.Notes)
	}
	to := r.of(&receive)
	for _, p := range r.of(&send) {
		s := on(&send, p)
		for len(to) > 0 && to[0].place < p.place {
			on(&receive, to[0])
			to = to[1:]
		}
		if len(to) > 0 && to[0].place == p.place {
			r.connect(s, on(&receive, to[0]))
			to = to[1:]
		}
	}
	for _, p := range to {
		on(&receive, p)
	}
}

func (r *Recorder) connect(from, to int32) {
	if from >= 0 && to >= 0 {
		r.Arrows = append(r.Arrows, result.Arrow{From: from, To: to})
	}
}

func (r *Recorder) within(from, to sim.Time) bool { return to >= r.from && from <= r.to }

// at is the place of a row of an accelerator.
func (r *Recorder) at(n topology.NodeID, what row) place {
	return place{ofHosts, int32(r.cluster.Topology.Server(n)), int32(n), what}
}

// of are the accelerators of an activity that are shown.
func (r *Recorder) of(a *cluster.Activity) []pick {
	for all := r.cluster.Ledgers(); r.ledgers < len(all); r.ledgers++ {
		clear(r.picks) // a job has begun, whose lists may lie where another's were
		r.look(all[r.ledgers].Accelerators)
	}
	if len(a.On) == 0 || len(a.On[0]) == 0 {
		return nil
	}
	of := members{&a.On[0][0], len(a.On), len(a.On[0])}
	picks, known := r.picks[of]
	if known {
		return picks
	}
	if a.Stream != cluster.CommunicationStream {
		for _, group := range a.On {
			r.look(group)
		}
	}
	for _, group := range a.On {
		for i, n := range group {
			if r.shown[n] {
				picks = append(picks, pick{n, i})
			}
		}
	}
	r.picks[of] = picks
	return picks
}

// look shows the first of some accelerators that do the same.
func (r *Recorder) look(alike []topology.NodeID) {
	if len(alike) == 0 {
		return
	}
	if first := alike[0]; !r.chosen && !r.shown[first] {
		r.shown[first] = true
		clear(r.picks)
	}
	for _, n := range alike {
		r.alike[n] = max(r.alike[n], int32(len(alike)))
	}
}

// add adds a slice and gives its number, -1 if there is no room.
func (r *Recorder) add(at place, name string, from, to sim.Time, notes []result.Note) int32 {
	if len(r.Slices) == r.limit {
		r.full = min(r.full, from)
		return -1
	}
	track, known := r.tracks[at]
	if !known {
		track = int32(len(r.places))
		r.tracks[at], r.places = track, append(r.places, at)
	}
	r.Slices = append(r.Slices, result.Slice{From: from, To: to, Track: track, Name: r.named(name), Notes: r.noted(notes)})
	return int32(len(r.Slices) - 1)
}

func (r *Recorder) named(name string) int32 {
	n, known := r.names[name]
	if !known {
		n = int32(len(r.Names))
		r.names[name], r.Names = n, append(r.Names, name)
	}
	return n
}

// noted is the number of a combination of notes.
func (r *Recorder) noted(notes []result.Note) int32 {
	key := r.key[:0]
	for _, n := range notes {
		key = append(append(key, n.Name...), 0)
		key = append(append(key, n.Text...), 0)
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(n.Number))
	}
	r.key = key
	n, known := r.notes[string(key)]
	if !known {
		n = int32(len(r.Notes))
		r.notes[string(key)], r.Notes = n, append(r.Notes, notes)
	}
	return n
}

// Fault is a part of the network that broke.
type Fault struct {
	Name, Kind string
	At, Repair sim.Time // when, and after how long; Repair 0 is never
	Rate       float64  // of it that is left
}

// Finish gives what was recorded until the end, with the flows of the cluster, what of it
// broke, and from tables over time what was when how high.
func (r *Recorder) Finish(end sim.Time, broken []Fault, tables []*result.Table) *result.Timeline {
	r.to = min(r.to, end)
	r.addFlows(end)
	r.addFaults(broken, end)
	for i := range r.Slices {
		s := &r.Slices[i] // what was told of before it ended
		s.From, s.To = min(s.From, end), min(s.To, end)
	}
	r.arrange()
	for _, t := range tables {
		if strings.HasSuffix(t.Name, "_series") {
			r.addCounters(t, end)
		}
	}
	if r.full != sim.Never && !r.brief {
		r.warn(fmt.Sprintf("the timeline leaves out what began after %v: it has %d slices, the most that there may be; show fewer accelerators or a shorter time", r.full, r.limit))
	}
	return &r.Timeline
}

// Held shows a time in which a job had accelerators, of those that are shown.
func (r *Recorder) Held(j *cluster.Job, from, to sim.Time, accelerators []topology.NodeID) {
	var spans []jobs.Span
	for _, a := range accelerators {
		if r.shown[a] {
			spans = append(spans, jobs.Span{First: a, Last: a})
		}
	}
	r.addStretch(j, from, to, spans)
}

// HeldSpans shows a time in which a job of a trace had accelerators, which are all shown
// unless some were asked for.
func (r *Recorder) HeldSpans(j *cluster.Job, from, to sim.Time, spans []jobs.Span) {
	if r.chosen {
		spans = r.chosenOf(spans)
	}
	r.addStretch(j, from, to, spans)
}

// chosenOf is what of some accelerators was asked for.
func (r *Recorder) chosenOf(spans []jobs.Span) (shown []jobs.Span) {
	for _, x := range spans {
		for a := x.First; a <= x.Last; a++ {
			if r.shown[a] {
				shown = append(shown, jobs.Span{First: a, Last: a})
			}
		}
	}
	return shown
}

// addStretch shows a time in which a job had accelerators on each of their hosts.
func (r *Recorder) addStretch(j *cluster.Job, from, to sim.Time, spans []jobs.Span) {
	if from == to || !r.within(from, to) {
		return
	}
	t := r.cluster.Topology
	seen := map[int]bool{}
	for _, x := range spans {
		for n := x.First; n <= x.Last; {
			host, next := t.Server(n), x.Last+1
			if host >= 0 {
				next = min(next, t.Servers[host].FirstAccelerator+topology.NodeID(t.Servers[host].Spec.Accelerators))
			}
			if !seen[host] {
				seen[host] = true
				r.add(place{ofHosts, int32(host), -1, hostJobs}, j.Name, from, to, []result.Note{
					{Name: "accelerators", Number: float64(len(j.Accelerators))},
					{Name: "first_here", Text: t.NodeName(n)},
					{Name: "waited_s", Number: (j.StartedAt - j.Start).Seconds()},
				})
			}
			n = next
		}
	}
}

// addFlows shows flows where they are sent and where they arrive, or if they came with
// their route, in the network.
func (r *Recorder) addFlows(end sim.Time) {
	t := r.cluster.Topology
	n := topology.NodeID(t.Accelerators())
	for number, set := range r.cluster.Flows {
		for i, id := range set.IDs {
			f := &set.Flows[i]
			from, to, ended := r.cluster.Network.Times(id)
			if !ended {
				from, to = max(from, f.Start), end
			}
			ends := f.Connection
			hidden := ends.From < n && ends.To < n && !r.shown[ends.From] && !r.shown[ends.To]
			if from >= end || !r.within(from, to) || r.chosen && hidden {
				continue
			}
			bytes := result.Note{Name: "bytes", Number: f.Bytes}
			if f.Route != nil || ends.From >= n || ends.To >= n {
				r.add(place{ofNetwork, -1, int32(number), flows}, f.Name, from, to, []result.Note{bytes})
				continue
			}
			s := r.add(r.at(ends.From, sends), f.Name, from, to, []result.Note{bytes, {Name: "to", Text: t.NodeName(ends.To)}})
			r.connect(s, r.add(r.at(ends.To, receives), f.Name, from, to, []result.Note{bytes, {Name: "from", Text: t.NodeName(ends.From)}}))
		}
	}
}

// addFaults shows what of the network was broken when.
func (r *Recorder) addFaults(broken []Fault, end sim.Time) {
	for _, f := range broken {
		to := end
		if f.Repair > 0 {
			to = min(to, f.At.After(f.Repair))
		}
		if f.At >= end || !r.within(f.At, to) {
			continue
		}
		r.add(place{ofNetwork, -1, 0, faults}, f.Name, f.At, to, []result.Note{
			{Name: "kind", Text: f.Kind},
			{Name: "rate_left", Number: f.Rate},
		})
	}
}

// arrange puts the tracks in order, gives them names, and makes the processes.
func (r *Recorder) arrange() {
	order := make([]int32, len(r.places))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(x, y int32) int {
		a, b := r.places[x], r.places[y]
		return cmp.Or(cmp.Compare(a.section, b.section), cmp.Compare(a.host, b.host), cmp.Compare(a.number, b.number), cmp.Compare(a.row, b.row))
	})
	moved := make([]int32, len(order))
	process := map[string]int32{}
	for to, from := range order {
		at := r.places[from]
		name := r.process(at)
		n, known := process[name]
		if !known {
			n = r.addProcess(name)
			process[name] = n
		}
		moved[from] = int32(to)
		r.Tracks = append(r.Tracks, result.Track{Process: n, Name: r.track(at)})
	}
	for i := range r.Slices {
		r.Slices[i].Track = moved[r.Slices[i].Track]
	}
}

func (r *Recorder) addProcess(name string) int32 {
	r.Processes = append(r.Processes, result.Process{Name: name})
	return int32(len(r.Processes) - 1)
}

// process is the name of that of a place.
func (r *Recorder) process(at place) string {
	t := r.cluster.Topology
	switch {
	case at.section == ofJobs:
		return "jobs"
	case at.section == ofNetwork:
		return "network"
	case at.host < 0:
		return "accelerators"
	}
	return t.ServerName(int(at.host)) + " (" + t.Racks[t.Servers[at.host].Rack].Name + ")"
}

// track is the name of that of a place.
func (r *Recorder) track(at place) string {
	switch {
	case at.section == ofJobs:
		return r.cluster.Jobs[at.number].Name
	case at.row == hostJobs:
		return "jobs"
	case at.row == faults:
		return "faults"
	case at.row == flows:
		return r.cluster.Flows[at.number].Name
	}
	name := r.cluster.Topology.NodeName(topology.NodeID(at.number))
	name = name[strings.LastIndexByte(name, '/')+1:]
	switch at.row {
	case sends:
		return name + " sends"
	case receives:
		return name + " receives"
	}
	name += " " + cluster.Stream(at.row-ownStream).String()
	if n := r.alike[at.number]; n > 1 {
		name += ", 1 of " + strconv.Itoa(int(n)) + " alike"
	}
	return name
}

// addCounters adds the columns of a table over time, each of every link or workload.
func (r *Recorder) addCounters(t *result.Table, end sim.Time) {
	at := t.Column(result.SeriesTime.Name)
	if at == nil {
		return
	}
	process := r.addProcess(strings.TrimSuffix(t.Name, "_series") + " over time")
	var of *result.Column
	for i := range t.Columns {
		if t.Columns[i].Text != nil {
			of = &t.Columns[i]
		}
	}
	for from := 0; from < t.Rows(); {
		to := from + 1
		for to < t.Rows() && (of == nil || of.Text[to] == of.Text[from]) {
			to++
		}
		for i := range t.Columns {
			c := &t.Columns[i]
			if c.Numbers == nil || c.Metric.Name == at.Metric.Name {
				continue
			}
			k := result.Counter{Process: process, Name: c.Metric.Name}
			if of != nil {
				k.Name = of.Text[from] + " " + k.Name
			}
			for row := from; row < to; row++ {
				begin, next := sim.FromSeconds(at.Numbers[row]), end
				if row+1 < to {
					next = sim.FromSeconds(at.Numbers[row+1])
				}
				if !math.IsNaN(c.Numbers[row]) && r.within(begin, next) {
					k.At, k.Values = append(k.At, begin), append(k.Values, c.Numbers[row])
				}
			}
			r.Counters = append(r.Counters, k)
		}
		from = to
	}
}
