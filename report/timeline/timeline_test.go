package timeline

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/sim"
)

// small is two accelerators, a message between them, and a counter.
func small() *result.Timeline {
	return &result.Timeline{
		Processes: []result.Process{{Name: "host0"}, {Name: "network"}},
		Tracks:    []result.Track{{Process: 0, Name: "acc0"}, {Process: 0, Name: "acc1"}},
		Names:     []string{"send", "receive"},
		Notes:     [][]result.Note{nil, {{Name: "bytes", Number: 1 << 20}, {Name: "of", Text: `a "b"`}}},
		Slices: []result.Slice{
			{From: 1, To: 250_001, Track: 0, Name: 0, Notes: 1},
			{From: 100_000, To: 250_001, Track: 1, Name: 1},
			{From: 200_000, To: 300_000, Track: 0, Name: 0},
		},
		Arrows:   []result.Arrow{{From: 0, To: 1}},
		Counters: []result.Counter{{Process: 1, Name: "link", At: []sim.Time{0, 12_340_000}, Values: []float64{0.5, 0}}},
	}
}

func ExampleChrome() {
	if err := Chrome(os.Stdout, small()); err != nil {
		panic(err)
	}
	// Output:
	// {"displayTimeUnit":"ns","traceEvents":[
	// {"ph":"M","pid":1,"name":"process_name","args":{"name":"host0"}},
	// {"ph":"M","pid":1,"name":"process_sort_index","args":{"sort_index":0}},
	// {"ph":"M","pid":2,"name":"process_name","args":{"name":"network"}},
	// {"ph":"M","pid":2,"name":"process_sort_index","args":{"sort_index":1}},
	// {"ph":"M","pid":1,"tid":1,"name":"thread_name","args":{"name":"acc0"}},
	// {"ph":"M","pid":1,"tid":1,"name":"thread_sort_index","args":{"sort_index":0}},
	// {"ph":"M","pid":1,"tid":2,"name":"thread_name","args":{"name":"acc0 (2)"}},
	// {"ph":"M","pid":1,"tid":2,"name":"thread_sort_index","args":{"sort_index":1}},
	// {"ph":"M","pid":1,"tid":3,"name":"thread_name","args":{"name":"acc1"}},
	// {"ph":"M","pid":1,"tid":3,"name":"thread_sort_index","args":{"sort_index":2}},
	// {"ph":"X","pid":1,"tid":1,"ts":0.00001,"dur":2.5,"name":"send","args":{"bytes":1048576,"of":"a \"b\""}},
	// {"ph":"X","pid":1,"tid":2,"ts":2,"dur":1,"name":"send"},
	// {"ph":"X","pid":1,"tid":3,"ts":1,"dur":1.50001,"name":"receive"},
	// {"ph":"s","pid":1,"tid":1,"ts":0.00001,"id":1,"cat":"message","name":"message"},
	// {"ph":"f","pid":1,"tid":3,"ts":1,"id":1,"cat":"message","name":"message","bp":"e"},
	// {"ph":"C","pid":2,"ts":0,"name":"link","args":{"value":0.5}},
	// {"ph":"C","pid":2,"ts":123.4,"name":"link","args":{"value":0}}
	// ]}
}

// event is what a viewer reads of either form, times in ticks.
type event struct {
	process, thread string
	name            string
	from, to        sim.Time
	notes           string
}

// trace is a file as it was read.
type trace struct {
	events  []event // by thread, in the order of the file
	arrows  [][2]event
	samples map[string][]float64
}

// readChrome reads Chrome trace events and refuses what viewers draw wrongly.
func readChrome(text []byte) (*trace, error) {
	var file struct {
		TraceEvents []struct {
			Ph       string
			Pid, Tid int
			ID       int
			Ts, Dur  json.Number
			Name, Bp string
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	t := &trace{samples: map[string][]float64{}}
	processes, threads := map[int]string{}, map[int]string{}
	last := map[int]event{}
	starts := map[int]event{}
	for _, e := range file.TraceEvents {
		at, err := ticks(e.Ts)
		if err != nil {
			return nil, err
		}
		switch e.Ph {
		case "M":
			switch name, _ := e.Args["name"].(string); e.Name {
			case "process_name":
				processes[e.Pid] = name
			case "thread_name":
				threads[e.Tid] = name
			}
		case "X":
			took, err := ticks(e.Dur)
			if err != nil {
				return nil, err
			}
			x := event{processes[e.Pid], threads[e.Tid], e.Name, at, at + took, told(e.Args)}
			if x.process == "" || x.thread == "" {
				return nil, fmt.Errorf("%v has no process or thread", x)
			}
			if before, some := last[e.Tid]; some && before.to > x.from {
				return nil, fmt.Errorf("%v overlaps %v", x, before)
			}
			last[e.Tid] = x
			t.events = append(t.events, x)
		case "s":
			if _, twice := starts[e.ID]; twice {
				return nil, fmt.Errorf("two arrows %d begin", e.ID)
			}
			starts[e.ID] = event{process: processes[e.Pid], thread: threads[e.Tid], from: at}
		case "f":
			s, known := starts[e.ID]
			if !known || at < s.from || e.Bp != "e" {
				return nil, fmt.Errorf("arrow %d ends at %v, and begins at %v", e.ID, at, s.from)
			}
			delete(starts, e.ID)
			t.arrows = append(t.arrows, [2]event{s, {process: processes[e.Pid], thread: threads[e.Tid], from: at}})
		case "C":
			t.samples[processes[e.Pid]+" "+e.Name] = append(t.samples[processes[e.Pid]+" "+e.Name], e.Args["value"].(float64))
		default:
			return nil, fmt.Errorf("an event %q", e.Ph)
		}
	}
	if len(starts) > 0 {
		return nil, fmt.Errorf("%d arrows do not end", len(starts))
	}
	for _, a := range t.arrows {
		for _, end := range a {
			if !slices.ContainsFunc(t.events, func(x event) bool {
				return x.process == end.process && x.thread == end.thread && x.from <= end.from && end.from <= x.to
			}) {
				return nil, fmt.Errorf("no slice at the end of an arrow at %v", end.from)
			}
		}
	}
	return t, nil
}

// ticks reads microseconds without a floating-point number.
func ticks(text json.Number) (sim.Time, error) {
	whole, part, _ := strings.Cut(string(text), ".")
	if len(part) > 5 {
		return 0, fmt.Errorf("%s is finer than a tick", text)
	}
	n, err := strconv.ParseInt("0"+whole+part+strings.Repeat("0", 5-len(part)), 10, 64)
	return sim.Time(n), err
}

func told(notes map[string]any) string {
	var all []string
	for name, v := range notes {
		all = append(all, fmt.Sprint(name, "=", v))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// fields walks a message of the wire format.
func fields(b []byte, visit func(n protowire.Number, number uint64, content []byte)) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		var number uint64
		var content []byte
		switch kind {
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			number, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			content, size = protowire.ConsumeBytes(b)
		default:
			return fmt.Errorf("field %d is of type %d", n, kind)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		visit(n, number, content)
		b = b[size:]
	}
	return nil
}

// readPerfetto reads a perfetto.protos.Trace by the numbers of its .proto files, and
// refuses slices that do not end in the order in which they begin. Times come out in
// nanoseconds.
func readPerfetto(file []byte) (*trace, error) {
	type descriptor struct {
		name   string
		parent uint64
	}
	t := &trace{samples: map[string][]float64{}}
	tracks, names, noteNames := map[uint64]descriptor{}, map[uint64]string{}, map[uint64]string{}
	open, last := map[uint64]*event{}, map[uint64]uint64{}
	flows := map[uint64]event{}
	var problem error
	bad := func(err error) {
		if problem == nil {
			problem = err
		}
	}
	named := func(content []byte, into map[uint64]string) {
		var id uint64
		var name string
		bad(fields(content, func(n protowire.Number, v uint64, c []byte) {
			switch n {
			case 1:
				id = v
			case 2:
				name = string(c)
			}
		}))
		into[id] = name
	}
	err := fields(file, func(_ protowire.Number, _ uint64, packet []byte) {
		var at, sequence uint64
		var track, content, interned []byte
		bad(fields(packet, func(n protowire.Number, v uint64, c []byte) {
			switch n {
			case 8:
				at = v
			case 10:
				sequence = v
			case 11:
				content = c
			case 12:
				interned = c
			case 60:
				track = c
			}
		}))
		if sequence == 0 {
			bad(fmt.Errorf("a packet belongs to no sequence"))
		}
		bad(fields(interned, func(n protowire.Number, _ uint64, c []byte) {
			switch n {
			case 2:
				named(c, names)
			case 3:
				named(c, noteNames)
			}
		}))
		if track != nil {
			var uuid uint64
			var d descriptor
			bad(fields(track, func(n protowire.Number, v uint64, c []byte) {
				switch n {
				case 1:
					uuid = v
				case 2:
					d.name = string(c)
				case 3:
					bad(fields(c, func(n protowire.Number, _ uint64, c []byte) {
						if n == 6 {
							d.name = string(c)
						}
					}))
				case 5:
					d.parent = v
				}
			}))
			tracks[uuid] = d
		}
		if content == nil {
			return
		}
		var kind, of, name, value uint64
		var starts, ends []uint64
		notes := map[string]any{}
		bad(fields(content, func(n protowire.Number, v uint64, c []byte) {
			switch n {
			case 4:
				var id uint64
				bad(fields(c, func(n protowire.Number, v uint64, c []byte) {
					switch n {
					case 1:
						id = v
					case 5:
						notes[noteNames[id]] = math.Float64frombits(v)
					case 6:
						notes[noteNames[id]] = string(c)
					}
				}))
			case 9:
				kind = v
			case 10:
				name = v
			case 11:
				of = v
			case 44:
				value = v
			case 47:
				starts = append(starts, v)
			case 48:
				ends = append(ends, v)
			}
		}))
		d, known := tracks[of]
		if !known || tracks[d.parent].name == "" {
			bad(fmt.Errorf("an event on track %d, which nothing describes", of))
		}
		if at < last[of] {
			bad(fmt.Errorf("an event at %d ns after one at %d", at, last[of]))
		}
		last[of] = at
		process := tracks[d.parent].name
		switch kind {
		case 1:
			if open[of] != nil {
				bad(fmt.Errorf("a slice begins in another"))
			}
			open[of] = &event{process, d.name, names[name], sim.Time(at), 0, told(notes)}
			for _, id := range starts {
				flows[id] = *open[of]
			}
			for _, id := range ends {
				t.arrows = append(t.arrows, [2]event{flows[id], *open[of]})
			}
		case 2:
			if open[of] == nil {
				bad(fmt.Errorf("a slice ends that has not begun"))
				return
			}
			open[of].to = sim.Time(at)
			t.events = append(t.events, *open[of])
			open[of] = nil
		case 4:
			t.samples[process+" "+d.name] = append(t.samples[process+" "+d.name], math.Float64frombits(value))
		default:
			bad(fmt.Errorf("an event of type %d", kind))
		}
	})
	if err != nil {
		return nil, err
	}
	for of, e := range open {
		if e != nil {
			bad(fmt.Errorf("a slice of track %d does not end", of))
		}
	}
	return t, problem
}

func written(t rapid.TB, f Format, x *result.Timeline) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBothForms reads what both writers wrote of the same timeline. Perfetto's counts in
// nanoseconds.
func TestBothForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := small()
		x.Slices, x.Arrows = nil, nil
		n := rapid.IntRange(0, 40).Draw(t, "slices")
		span := rapid.SampledFrom([]int64{300, 100_000, 1 << 60}).Draw(t, "span")
		for range n {
			from := rapid.Int64Range(0, span).Draw(t, "from")
			x.Slices = append(x.Slices, result.Slice{
				From: sim.Time(from), To: sim.Time(rapid.Int64Range(from, span).Draw(t, "to")),
				Track: int32(rapid.IntRange(0, 1).Draw(t, "track")), Name: int32(rapid.IntRange(0, 1).Draw(t, "name")), Notes: int32(rapid.IntRange(0, 1).Draw(t, "notes")),
			})
		}
		chrome, err := readChrome(written(t, Chrome, x))
		if err != nil {
			t.Fatal(err)
		}
		perfetto, err := readPerfetto(written(t, Perfetto, x))
		if err != nil {
			t.Fatal(err)
		}
		var want []string // whatever lane they lie on
		for _, s := range x.Slices {
			want = append(want, fmt.Sprint(x.Tracks[s.Track].Name, x.Names[s.Name], s.From, s.To))
		}
		var got []string
		for _, e := range chrome.events {
			track, _, _ := strings.Cut(e.thread, " ")
			got = append(got, fmt.Sprint(track, e.name, e.from, e.to))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("slices are %v, want %v", got, want)
		}
		for i := range chrome.events {
			e := &chrome.events[i]
			e.from, e.to = (e.from+50)/100, (e.to+50)/100
		}
		if !slices.Equal(perfetto.events, chrome.events) {
			t.Fatalf("perfetto has %v, chrome %v", perfetto.events, chrome.events)
		}
		if a, b := chrome.samples["network link"], perfetto.samples["network link"]; !slices.Equal(a, b) || len(a) != 2 {
			t.Fatalf("counters are %v and %v", a, b)
		}
		for track := range x.Tracks {
			if got, want := lanesOf(x, track), atOnce(x, track); got != want {
				t.Fatalf("track %d has %d lanes, and at most %d slices at once", track, got, want)
			}
		}
	})
}

func lanesOf(x *result.Timeline, track int) (n int) {
	all, _ := lanes(x)
	for _, l := range all {
		if int(l.track) == track {
			n++
		}
	}
	return n
}

// atOnce is how many slices a track has at most at an instant: as many lanes as it needs.
// One without a length needs one of its own if another has begun before and lasts.
func atOnce(x *result.Timeline, track int) (most int) {
	for i, a := range x.Slices {
		if int(a.Track) != track {
			continue
		}
		n := 1
		for k, b := range x.Slices {
			if int(b.Track) == track && k != i && a.From < b.To && (b.From < a.From || b.From == a.From && k < i && a.From < a.To) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestArrows(t *testing.T) {
	c, err := readChrome(written(t, Chrome, small()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := readPerfetto(written(t, Perfetto, small()))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []*trace{c, p} {
		if len(x.arrows) != 1 || x.arrows[0][0].thread != "acc0" || x.arrows[0][1].thread != "acc1" {
			t.Errorf("arrows are %v", x.arrows)
		}
	}
	if want := `bytes=1.048576e+06 of=a "b"`; c.events[0].notes != want || p.events[0].notes != want {
		t.Errorf("notes are %q and %q, want %q", c.events[0].notes, p.events[0].notes, want)
	}
}

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]Format{"a.json": Chrome, "a.json.gz": Chrome, "a.pftrace": Perfetto, "b.gz/a.pftrace.gz": Perfetto} {
		f, err := FormatOf(path)
		if err != nil {
			t.Fatal(err)
		}
		got, plain := written(t, f, small()), written(t, want, small())
		if strings.HasSuffix(path, ".gz") {
			z, err := gzip.NewReader(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if got, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, plain) {
			t.Errorf("%s has another form", path)
		}
	}
	for _, path := range []string{"a.csv", "json", "a.gz", ""} {
		if _, err := FormatOf(path); err == nil {
			t.Errorf("%q is a timeline", path)
		}
	}
}

// BenchmarkWrite writes a million slices of 64 accelerators, a tenth of them messages.
func BenchmarkWrite(b *testing.B) {
	x := &result.Timeline{
		Processes: []result.Process{{Name: "host0"}}, Names: []string{"forward", "all_reduce"},
		Notes: [][]result.Note{nil, {{Name: "bytes", Number: 1 << 20}, {Name: "algorithm", Text: "ring"}, {Name: "ranks", Number: 8}}},
	}
	random := rand.New(rand.NewPCG(1, 2))
	for track := range 128 {
		x.Tracks = append(x.Tracks, result.Track{Name: "acc" + strconv.Itoa(track)})
	}
	at := make([]sim.Time, len(x.Tracks))
	for n := range 1_000_000 {
		track := n % len(x.Tracks)
		from := at[track]
		at[track] += sim.Time(random.Int64N(1e8))
		x.Slices = append(x.Slices, result.Slice{From: from, To: at[track], Track: int32(track), Name: int32(track % 2), Notes: int32(track % 2)})
		if n%10 == 9 {
			x.Arrows = append(x.Arrows, result.Arrow{From: int32(n - 1), To: int32(n)})
		}
	}
	for _, path := range []string{"a.json", "a.json.gz", "a.pftrace", "a.pftrace.gz"} {
		b.Run(path, func(b *testing.B) {
			f, err := FormatOf(path)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				var size counter
				if err := f(&size, x); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(size))
			}
		})
	}
}

type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
