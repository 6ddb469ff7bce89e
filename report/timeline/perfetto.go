package timeline

import (
	"bufio"
	"io"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/railyard/railyard/result"
)

// Field numbers of perfetto.protos.
const (
	tracePacket = 1 // Trace

	packetTimestamp     = 8 // TracePacket
	packetSequence      = 10
	packetEvent         = 11
	packetInterned      = 12
	packetSequenceFlags = 13
	packetTrack         = 60

	trackUUID            = 1 // TrackDescriptor
	trackName            = 2
	trackProcess         = 3
	trackParent          = 5
	trackCounter         = 8
	trackChildOrdering   = 11
	trackRank            = 12
	trackProcessOrdering = 19
	processPID           = 1 // ProcessDescriptor
	processName          = 6

	eventAnnotations = 4 // TrackEvent
	eventType        = 9
	eventNameID      = 10
	eventTrack       = 11
	eventDouble      = 44
	eventFlows       = 47
	eventFlowsEnd    = 48

	internedNames           = 2 // InternedData
	internedAnnotationNames = 3
	internedID              = 1 // EventName, DebugAnnotationName
	internedName            = 2

	annotationNameID = 1 // DebugAnnotation
	annotationDouble = 5
	annotationText   = 6
)

// Values of enumerations of perfetto.protos.
const (
	sliceBegin        = 1 // TrackEvent.Type
	sliceEnd          = 2
	counterValue      = 4
	explicitChildren  = 3 // TrackDescriptor.ChildTracksOrdering
	explicitProcesses = 1 // TrackDescriptor.ProcessOrdering
	stateCleared      = 1 // TracePacket.SequenceFlags
	needsState        = 2
)

// Perfetto writes a timeline as a perfetto.protos.Trace.
func Perfetto(w io.Writer, t *result.Timeline) error {
	p := &perfetto{w: bufio.NewWriterSize(w, 1<<16)}
	annotations := p.intern(t)
	p.packet(packetTrack, appendVarint(appendVarint(nil, trackUUID, 0), trackProcessOrdering, explicitProcesses), stateless)
	for i, process := range t.Processes {
		own := appendString(appendVarint(nil, processPID, uint64(i+1)), processName, process.Name)
		d := appendVarint(nil, trackUUID, uint64(i+1))
		d = appendBytes(d, trackProcess, own)
		d = appendVarint(d, trackChildOrdering, explicitChildren)
		p.packet(packetTrack, appendVarint(d, trackRank, uint64(i)), stateless)
	}
	all, _ := lanes(t)
	uuid := uint64(len(t.Processes))
	flows := arrows(t)
	var event []byte
	for i := range all {
		uuid++
		process := t.Tracks[all[i].track].Process
		p.packet(packetTrack, child(uuid, process, all[i].name(t), i), stateless)
		end := appendVarint(appendVarint(nil, eventType, sliceEnd), eventTrack, uuid)
		for _, n := range all[i].slices {
			s := &t.Slices[n]
			event = appendVarint(event[:0], eventType, sliceBegin)
			event = appendVarint(event, eventTrack, uuid)
			event = appendVarint(event, eventNameID, uint64(s.Name)+1)
			event = append(event, annotations[s.Notes]...)
			event = append(event, flows[n]...)
			p.packet(packetEvent, event, s.From)
			p.packet(packetEvent, end, s.To)
		}
	}
	for i := range t.Counters {
		uuid++
		k := &t.Counters[i]
		p.packet(packetTrack, appendBytes(child(uuid, k.Process, k.Name, i), trackCounter, nil), stateless)
		for n, v := range k.Values {
			event = appendVarint(event[:0], eventType, counterValue)
			event = appendVarint(event, eventTrack, uuid)
			p.packet(packetEvent, appendFixed(event, eventDouble, math.Float64bits(v)), k.At[n])
		}
	}
	if p.err != nil {
		return p.err
	}
	return p.w.Flush()
}

// arrows are the fields that the ends of arrows add to slices: both ends have the id of
// one flow.
func arrows(t *result.Timeline) map[int32][]byte {
	fields := make(map[int32][]byte, 2*len(t.Arrows))
	for i, a := range t.Arrows {
		fields[a.From] = appendFixed(fields[a.From], eventFlows, uint64(i+1))
		fields[a.To] = appendFixed(fields[a.To], eventFlowsEnd, uint64(i+1))
	}
	return fields
}

// child is the descriptor of a track of a process.
func child(uuid uint64, process int32, name string, rank int) []byte {
	d := appendString(appendVarint(nil, trackUUID, uuid), trackName, name)
	d = appendVarint(d, trackParent, uint64(process)+1)
	return appendVarint(d, trackRank, uint64(rank))
}

// perfetto writes packets of one sequence.
type perfetto struct {
	w      *bufio.Writer
	body   []byte
	header []byte
	err    error
}

// nanosecond is how many ticks one has.
const nanosecond = 100

// stateless marks a packet that has no time and needs no names.
const stateless result.Ticks = -1

// packet writes one field of a packet, at an instant.
func (p *perfetto) packet(field protowire.Number, content []byte, at result.Ticks) {
	b := appendVarint(p.body[:0], packetSequence, 1)
	switch {
	case field == packetInterned:
		b = appendVarint(b, packetSequenceFlags, stateCleared)
	case at != stateless:
		b = appendVarint(b, packetTimestamp, uint64((at+nanosecond/2)/nanosecond))
		b = appendVarint(b, packetSequenceFlags, needsState)
	}
	p.body = appendBytes(b, field, content)
	p.header = protowire.AppendTag(p.header[:0], tracePacket, protowire.BytesType)
	p.header = protowire.AppendVarint(p.header, uint64(len(p.body)))
	for _, part := range [][]byte{p.header, p.body} {
		if _, err := p.w.Write(part); p.err == nil {
			p.err = err
		}
	}
}

// intern tells the names of slices and notes, which events then refer to by number, and
// gives the fields of an event for each combination of notes.
func (p *perfetto) intern(t *result.Timeline) (annotations [][]byte) {
	var data []byte
	add := func(field protowire.Number, id int, name string) {
		data = appendBytes(data, field, appendString(appendVarint(nil, internedID, uint64(id)), internedName, name))
	}
	for i, name := range t.Names {
		add(internedNames, i+1, name)
	}
	ids := map[string]int{}
	for _, notes := range t.Notes {
		var fields []byte
		for _, n := range notes {
			id, known := ids[n.Name]
			if !known {
				id = len(ids) + 1
				ids[n.Name] = id
				add(internedAnnotationNames, id, n.Name)
			}
			a := appendVarint(nil, annotationNameID, uint64(id))
			if n.Text != "" {
				a = appendString(a, annotationText, n.Text)
			} else {
				a = appendFixed(a, annotationDouble, math.Float64bits(n.Number))
			}
			fields = appendBytes(fields, eventAnnotations, a)
		}
		annotations = append(annotations, fields)
	}
	p.packet(packetInterned, data, stateless)
	return annotations
}

func appendVarint(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendFixed(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), v)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendString(b []byte, field protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}
