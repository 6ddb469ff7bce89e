package trace

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxMessage bounds one node. The largest of a real capture, which lists the
// tensors of a model's parameters, has some 100 kB.
const maxMessage = 256 << 20

// Read reads a Chakra trace in any of its forms, plain or gzip. What is wrong
// with it is a *SyntaxError; other errors are those of r.
func Read(r io.Reader) (*Trace, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, syntax(0, "gzip: %v", err)
		}
		in = bufio.NewReaderSize(unzipped, 1<<16)
	}
	if begin, _ := in.Peek(64); isJSON(begin) {
		return readJSON(in)
	}
	return readMessages(in)
}

// isJSON tells an object from a message of 123 bytes, which begins with the same
// byte: behind it stands a key.
func isJSON(begin []byte) bool {
	rest, brace := bytes.CutPrefix(bytes.TrimLeft(begin, " \t\r\n"), []byte("{"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return brace && len(rest) > 0 && (rest[0] == '"' || rest[0] == '}')
}

// messages are the length-prefixed messages of a stream.
type messages struct {
	in     *bufio.Reader
	offset int64 // of the next byte
	buffer bytes.Buffer
}

// next gives the next message, which is valid until the one after, and where
// its length stands; io.EOF at the end. The buffer grows with what is there, not
// with the length that is claimed.
func (m *messages) next() (message []byte, at int64, err error) {
	at = m.offset
	var length uint64
	for shift := 0; ; shift += 7 {
		b, err := m.in.ReadByte()
		if err != nil {
			if shift == 0 && errors.Is(err, io.EOF) {
				return nil, at, io.EOF
			}
			return nil, at, m.broken(at, err, "the length of a message is cut off")
		}
		m.offset++
		if length |= uint64(b&0x7f) << shift; shift >= 63 || length > maxMessage {
			return nil, at, syntax(at, "a message of more than %d bytes: the file is no Chakra trace, or damaged", maxMessage)
		}
		if b < 0x80 {
			break
		}
	}
	m.buffer.Reset()
	n, err := io.CopyN(&m.buffer, m.in, int64(length))
	m.offset += n
	if err != nil {
		return nil, at, m.broken(at, err, fmt.Sprintf("a message of %d bytes of which only %d are there: the file is no Chakra trace, or cut off", length, n))
	}
	if m.offset > MaxBytes {
		return nil, at, syntax(at, "the trace has more than %d bytes", int64(MaxBytes))
	}
	return m.buffer.Bytes(), at, nil
}

// broken is the end of the input where none should be, or what gzip found.
func (m *messages) broken(at int64, err error, message string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return syntax(at, "%s", message)
	}
	return corrupt(at, err)
}

// corrupt makes a syntax error of what gzip finds; other errors stay.
func corrupt(at int64, err error) error {
	_, damaged := errors.AsType[flate.CorruptInputError](err)
	if damaged || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
		return syntax(at, "%v", err)
	}
	return err
}

func readMessages(in *bufio.Reader) (*Trace, error) {
	m := &messages{in: in}
	g := newGraph()
	version := "of unknown version"
	var node nodeMessage
	for first := true; ; first = false {
		message, at, err := m.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if first {
			v, ok := metadata(message)
			if v != "" {
				version = v
			}
			if ok {
				continue
			}
		}
		if err := node.decode(message); err != nil {
			if len(g.nodes) == 0 {
				return nil, syntax(at, "the file is no Chakra trace: its first messages are no metadata and no node")
			}
			return nil, syntax(at, "a message that is no node: the trace is damaged")
		}
		if err := node.add(g, at); err != nil {
			return nil, err
		}
	}
	if m.offset == 0 {
		return nil, syntax(0, "the file is empty")
	}
	t := g.trace("chakra " + version)
	known := func(n Node) bool { return n.Type != Skipped }
	if len(t.Nodes) > 0 && !slices.ContainsFunc(t.Nodes, known) {
		return nil, syntax(0, "no node has a type that Chakra knows: the file is no Chakra trace")
	}
	return t, nil
}

// metadata reads a GlobalMetadata: 1 version, 2 attributes, of which "schema"
// is the version of some writers. It reports false for a node, with which some
// captures begin.
func metadata(message []byte) (version string, ok bool) {
	err := fields(message, func(number protowire.Number, v value) error {
		switch {
		case number == 1 && v.kind == protowire.BytesType:
			version = text(v.bytes)
		case number == 2 && v.kind == protowire.BytesType:
			if name, a, err := attribute(v.bytes); err == nil && string(name) == "schema" {
				version = text(a.bytes)
			}
		case number < 16:
			return errors.New("a node")
		}
		return nil
	})
	return version, err == nil
}

// text is a string for messages: short and printable.
func text(b []byte) string {
	quoted := strconv.Quote(string(b[:min(len(b), 64)]))
	return quoted[1 : len(quoted)-1]
}

// value is the value of a field or an attribute.
type value struct {
	kind   protowire.Type
	number uint64 // where it is not of BytesType
	bytes  []byte
}

// fields calls yield for each field of a message.
func fields(message []byte, yield func(protowire.Number, value) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		v := value{kind: kind}
		switch kind {
		case protowire.VarintType:
			v.number, n = protowire.ConsumeVarint(message)
		case protowire.Fixed32Type:
			var x uint32
			x, n = protowire.ConsumeFixed32(message)
			v.number = uint64(x)
		case protowire.Fixed64Type:
			v.number, n = protowire.ConsumeFixed64(message)
		case protowire.BytesType:
			v.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := yield(number, v); err != nil {
			return err
		}
	}
	return nil
}

// attributeValue is the value of an AttributeProto: a number of whichever kind,
// or bytes of a string or list.
type attributeValue struct {
	number float64
	bytes  []byte
	list   bool
}

// attribute reads an AttributeProto: 1 name, 3 to 32 one value of as many types.
func attribute(message []byte) (name []byte, a attributeValue, err error) {
	err = fields(message, func(field protowire.Number, v value) error {
		switch {
		case field == 1:
			name = v.bytes
		case v.kind == protowire.BytesType && field > 2:
			a.bytes, a.list = v.bytes, field != 29 && field != 31
			if f, err := strconv.ParseFloat(string(v.bytes), 64); field == 29 && err == nil {
				a.number = f // some writers have numbers as strings
			}
		case field == 3: // double
			a.number = math.Float64frombits(v.number)
		case field == 5: // float
			a.number = float64(math.Float32frombits(uint32(v.number)))
		case field == 7 || field == 23: // int32, sfixed32
			a.number = float64(int32(v.number))
		case field == 9 || field == 25: // int64, sfixed64
			a.number = float64(int64(v.number))
		case field == 15 || field == 17: // sint32, sint64
			a.number = float64(protowire.DecodeZigZag(v.number))
		case field > 2: // uint32, uint64, fixed32, fixed64, bool
			a.number = float64(v.number)
		}
		return nil
	})
	return name, a, err
}

// nodeMessage is a Node as the file has it. It is used again for every node.
type nodeMessage struct {
	node          Node
	kind          uint64 // type, by its number in the file
	name          []byte
	data, control []uint64
	inputs        []byte

	facts
}

// facts are what is known of a node beside its type.
type facts struct {
	hasKind, hasSize    bool
	operation           float64 // comm_type
	source, destination float64 // -1: none
	group               string
	partial             bool // not all dimensions
}

// decode reads the fields of a Node; see et_def.proto.
func (m *nodeMessage) decode(message []byte) error {
	*m = nodeMessage{data: m.data[:0], control: m.control[:0], facts: facts{source: -1, destination: -1}}
	return fields(message, func(field protowire.Number, v value) error {
		var err error
		switch field {
		case 1:
			m.node.ID = v.number
		case 2:
			m.name = v.bytes
		case 3:
			m.kind = v.number
		case 4:
			m.control, err = ids(m.control, v)
		case 5:
			m.data, err = ids(m.data, v)
		case 7:
			m.node.Seconds = float64(v.number) / 1e6
		case 8:
			err = fields(v.bytes, func(field protowire.Number, v value) error {
				if field == 1 {
					m.inputs = v.bytes
				}
				return nil
			})
		case 10:
			var name []byte
			var a attributeValue
			if name, a, err = attribute(v.bytes); err == nil {
				m.take(string(name), a)
			}
		}
		return err
	})
}

// ids reads ids that are packed or one by one.
func ids(to []uint64, v value) ([]uint64, error) {
	if v.kind == protowire.VarintType {
		return append(to, v.number), nil
	}
	for rest := v.bytes; len(rest) > 0; {
		id, n := protowire.ConsumeVarint(rest)
		if n < 0 {
			return to, protowire.ParseError(n)
		}
		to = append(to, id)
		rest = rest[n:]
	}
	return to, nil
}

// take notes an attribute of a node.
func (m *nodeMessage) take(name string, a attributeValue) {
	switch name {
	case "is_cpu_op":
		m.node.CPU = a.number != 0
	case "num_ops":
		m.node.FLOPs = amount(a.number)
	case "tensor_size":
		m.node.Bytes = amount(a.number)
	case "comm_type":
		m.operation, m.hasKind = a.number, true
	case "comm_size":
		m.node.Size, m.hasSize = amount(a.number), true
	case "comm_src":
		m.source = a.number
	case "comm_dst":
		m.destination = a.number
	case "comm_tag":
		m.node.Tag = whole(a.number)
	case "pg_name":
		m.group = string(a.bytes)
		if m.group == "" { // some writers number groups
			m.group = strconv.FormatFloat(a.number, 'f', -1, 64)
		}
	case "involved_dim":
		_ = fields(a.bytes, func(_ protowire.Number, v value) error { // what is no list involves all
			m.partial = m.partial || bytes.IndexByte(v.bytes, 0) >= 0 || v.kind == protowire.VarintType && v.number == 0
			return nil
		})
	}
}

// amount is a number of bytes or operations: what is none counts as 0.
func amount(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 1) {
		return 0
	}
	return v
}

// whole is a number without its fraction, 0 if it is too large to be exact.
func whole(v float64) int64 {
	if !(math.Abs(v) < 1<<53) {
		return 0
	}
	return int64(v)
}

// add judges the node and adds it to a graph.
func (m *nodeMessage) add(g *graph, offset int64) error {
	if string(m.name) == groupNode {
		declare(g, m.inputs)
	}
	if m.kind > uint64(Collective) {
		m.kind = uint64(Skipped)
	}
	if err := settle(g, &m.node, Type(m.kind), string(m.name), m.facts); err != nil {
		return syntax(offset, "node %d: %v", m.node.ID, err)
	}
	return g.add(m.node, m.data, m.control, offset)
}

// settle makes of what is known of a node what it does.
func settle(g *graph, n *Node, kind Type, name string, f facts) error {
	n.Type = kind
	if n.Seconds > 1e9 {
		return fmt.Errorf("it takes %g s, more than 30 years", n.Seconds)
	}
	peer := func(rank float64, role string) error {
		if !(rank >= 0 && rank < 1<<24) {
			return fmt.Errorf("it is a %s without a rank to its %s", kind, role)
		}
		n.Peer = int32(rank)
		return nil
	}
	switch kind {
	case Skipped:
		g.mended.Unknown++
	case Send:
		return peer(f.destination, "comm_dst")
	case Receive:
		return peer(f.source, "comm_src")
	case Collective:
		named, hasName := kindOf(name)
		switch {
		case f.hasKind && f.operation >= 0 && f.operation <= float64(Barrier):
			n.Kind = Kind(f.operation)
		case n.CPU: // the host's part of a collective that the device performs
			n.Type = Compute
			return nil
		case hasName:
			n.Kind = named
		default:
			g.mended.Unknown++
			n.Type = Skipped
			return nil
		}
		if !f.hasSize && n.Kind != Barrier {
			n.Kind = Captured
			g.mended.Unsized++
		}
		n.Group = g.group(f.group)
		if f.partial && f.group == "" {
			g.mended.Partial++
		}
	}
	return nil
}
