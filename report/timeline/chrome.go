package timeline

import (
	"bufio"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/railyard/railyard/result"
)

// Chrome writes a timeline as Chrome trace events, one a line.
func Chrome(w io.Writer, t *result.Timeline) error {
	c := &chrome{w: bufio.NewWriterSize(w, 1<<16), timeline: t}
	c.write([]byte(`{"displayTimeUnit":"ns","traceEvents":[`))
	for i, p := range t.Processes {
		at := c.prefix("M", i, -1)
		c.event(at, `,"name":"process_name","args":{"name":`, quote(p.Name), `}`)
		c.event(at, `,"name":"process_sort_index","args":{"sort_index":`, strconv.Itoa(i), `}`)
	}
	all, of := lanes(t)
	for i := range all {
		at := c.prefix("M", int(t.Tracks[all[i].track].Process), i)
		c.event(at, `,"name":"thread_name","args":{"name":`, quote(all[i].name(t)), `}`)
		c.event(at, `,"name":"thread_sort_index","args":{"sort_index":`, strconv.Itoa(i), `}`)
	}
	names, notes := make([]string, len(t.Names)), make([]string, len(t.Notes))
	for i, name := range t.Names {
		names[i] = `,"name":` + quote(name)
	}
	for i, n := range t.Notes {
		notes[i] = arguments(n)
	}
	for i := range all {
		at := c.prefix("X", int(t.Tracks[all[i].track].Process), i)
		for _, n := range all[i].slices {
			s := &t.Slices[n]
			c.begin(at, s.From)
			c.line = appendMicroseconds(append(c.line, `,"dur":`...), s.To-s.From)
			c.end(names[s.Name], notes[s.Notes])
		}
	}
	for i, a := range t.Arrows {
		id := `,"id":` + strconv.Itoa(i+1) + `,"cat":"message","name":"message"`
		from, to := &t.Slices[a.From], &t.Slices[a.To]
		for _, end := range []struct {
			ph, more string
			at       result.Ticks
			slice    int32
		}{{"s", "", from.From, a.From}, {"f", `,"bp":"e"`, max(from.From, to.From), a.To}} {
			l := of[end.slice]
			c.begin(c.prefix(end.ph, int(t.Tracks[all[l].track].Process), int(l)), end.at)
			c.end(id, end.more)
		}
	}
	for i := range t.Counters {
		k := &t.Counters[i]
		at, name := c.prefix("C", int(k.Process), -1), `,"name":`+quote(k.Name)
		for n, v := range k.Values {
			c.begin(at, k.At[n])
			c.end(name, `,"args":{"value":`, number(v), `}`)
		}
	}
	c.write([]byte("\n]}\n"))
	if c.err != nil {
		return c.err
	}
	return c.w.Flush()
}

// microsecond is how many ticks one has.
const microsecond = 100_000

// chrome writes events.
type chrome struct {
	w        *bufio.Writer
	timeline *result.Timeline
	line     []byte
	events   int
	err      error
}

// prefix is how events of a kind begin that belong to a process and, if it is not -1, a
// thread. Both count from 1.
func (c *chrome) prefix(ph string, process, thread int) string {
	p := `{"ph":"` + ph + `","pid":` + strconv.Itoa(process+1)
	if thread >= 0 {
		p += `,"tid":` + strconv.Itoa(thread+1)
	}
	return p
}

// event writes one without a time.
func (c *chrome) event(prefix string, rest ...string) {
	c.start(prefix)
	c.end(rest...)
}

// begin begins one at an instant.
func (c *chrome) begin(prefix string, at result.Ticks) {
	c.start(prefix)
	c.line = appendMicroseconds(append(c.line, `,"ts":`...), at)
}

func (c *chrome) start(prefix string) {
	c.line = c.line[:0]
	if c.events++; c.events > 1 {
		c.line = append(c.line, ',')
	}
	c.line = append(append(c.line, '\n'), prefix...)
}

func (c *chrome) end(rest ...string) {
	for _, r := range rest {
		c.line = append(c.line, r...)
	}
	c.write(append(c.line, '}'))
}

func (c *chrome) write(b []byte) {
	if _, err := c.w.Write(b); c.err == nil {
		c.err = err
	}
}

// appendMicroseconds writes a time as a decimal number of microseconds, exactly.
func appendMicroseconds(b []byte, t result.Ticks) []byte {
	b = strconv.AppendInt(b, int64(t/microsecond), 10)
	part := int64(t % microsecond)
	if part == 0 {
		return b
	}
	b = append(b, '.')
	for place := int64(microsecond) / 10; part > 0; place /= 10 {
		b = append(b, byte('0'+part/place))
		part %= place
	}
	return b
}

// arguments is notes as the args of an event, "" if there are none.
func arguments(notes []result.Note) string {
	if len(notes) == 0 {
		return ""
	}
	text := `,"args":{`
	for i, n := range notes {
		if i > 0 {
			text += ","
		}
		value := number(n.Number)
		if n.Text != "" {
			value = quote(n.Text)
		}
		text += quote(n.Name) + ":" + value
	}
	return text + "}"
}

// number is a number in JSON, null if it has none.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "null"
	}
	return result.Number(v)
}

func quote(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the names of links have a ">"
	if err := e.Encode(text); err != nil {
		panic("timeline: " + err.Error()) // a string always can be
	}
	return strings.TrimSuffix(b.String(), "\n")
}
