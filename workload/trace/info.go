package trace

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Info is what is in a trace.
type Info struct {
	Schema              string  `json:"schema"`
	Nodes               int     `json:"nodes"`
	Types               []Count `json:"types"`
	DataDependencies    int     `json:"data_dependencies"`
	ControlDependencies int     `json:"control_dependencies"`

	// Bytes are those that a rank gives in.
	Communication []Count `json:"communication"`
	Groups        []Count `json:"groups"` // collectives of each process group

	HostSeconds        float64 `json:"host_s"`
	AcceleratorSeconds float64 `json:"accelerator_s"`
	FLOPs              float64 `json:"flops"`        // of computations without a duration
	Bytes              float64 `json:"memory_bytes"` // of the same

	Mended   Mended   `json:"mended"`
	Warnings []string `json:"warnings,omitempty"`
}

// Count is how often there is something, and how much of it.
type Count struct {
	Name  string  `json:"name"`
	Count int     `json:"count"`
	Bytes float64 `json:"bytes,omitempty"`
}

// Inspect reads a trace or a workload text and says what is in it. A text is
// seen as by rank 0 of the ranks that it states, or of the fewest that it can
// have.
func Inspect(r io.Reader) (Info, error) {
	in := bufio.NewReader(r)
	begin, _ := in.Peek(maxLine)
	word, _, _ := strings.Cut(strings.Join(strings.Fields(string(begin[:min(len(begin), 64)])), " "), " ")
	if _, isText := modes[word]; !isText {
		t, err := Read(in)
		if err != nil {
			return Info{}, err
		}
		return t.Info(), nil
	}
	l, err := ReadLayers(in)
	if err != nil {
		return Info{}, err
	}
	ranks := l.Ranks
	if ranks == 0 {
		ranks = l.Tensor * l.Expert * l.Pipeline
	}
	t, err := l.Trace(ranks)
	if err != nil {
		return Info{}, &SyntaxError{Line: 1, Message: err.Error()}
	}
	info := t.Info()
	info.Warnings = l.Warnings
	return info, nil
}

// Info says what is in a trace.
func (t *Trace) Info() Info {
	i := Info{
		Schema: t.Schema, Nodes: len(t.Nodes), Types: []Count{}, Communication: []Count{}, Groups: []Count{},
		DataDependencies: t.DataDependencies, ControlDependencies: t.ControlDependencies, Mended: t.Mended,
	}
	types := make([]Count, len(typeNames))
	kinds := make([]Count, len(kindNames))
	groups := make([]Count, len(t.Groups))
	var sends, receives Count
	add := func(c *Count, name string, bytes float64) { *c = Count{name, c.Count + 1, c.Bytes + bytes} }
	for k := range t.Nodes {
		n := &t.Nodes[k]
		add(&types[n.Type], n.Type.String(), 0)
		switch n.Type {
		case Collective:
			add(&kinds[n.Kind], n.Kind.String(), n.Size)
			add(&groups[n.Group], t.Groups[n.Group].Name, n.Size)
			continue
		case Send:
			add(&sends, n.Type.String(), n.Size)
			continue
		case Receive:
			add(&receives, n.Type.String(), n.Size)
			continue
		}
		switch {
		case n.Seconds == 0:
			i.FLOPs += n.FLOPs
			i.Bytes += n.Bytes
		case n.CPU:
			i.HostSeconds += n.Seconds
		default:
			i.AcceleratorSeconds += n.Seconds
		}
	}
	some := func(to *[]Count, from ...Count) {
		for _, c := range from {
			if c.Count > 0 {
				*to = append(*to, c)
			}
		}
	}
	some(&i.Types, types...)
	some(&i.Communication, append(kinds, sends, receives)...)
	some(&i.Groups, groups...)
	return i
}

// Write prints the info for a person.
func (i Info) Write(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	counts := func(name string, all []Count) {
		for k, c := range all {
			if k > 0 {
				name = ""
			}
			text := thousands(c.Count) + " " + c.Name
			if c.Bytes > 0 {
				text += fmt.Sprintf(", %.0f bytes", c.Bytes)
			}
			line(name, "%s", text)
		}
	}
	line("schema", "%s", i.Schema)
	line("nodes", "%s", thousands(i.Nodes))
	counts("types", i.Types)
	line("dependencies", "%s data, %s control", thousands(i.DataDependencies), thousands(i.ControlDependencies))
	counts("communication", i.Communication)
	counts("groups", i.Groups)
	line("durations", "host %.6g s, accelerator %.6g s", i.HostSeconds, i.AcceleratorSeconds)
	if i.FLOPs > 0 || i.Bytes > 0 {
		line("without duration", "%.6g FLOPs, %.6g bytes of memory", i.FLOPs, i.Bytes)
	}
	if text := i.Mended.String(); text != "" {
		line("mended", "%s", strings.ReplaceAll(text, "; ", "\n\t"))
	}
	for _, text := range i.Warnings {
		line("warning", "%s", text)
	}
	return out.Flush()
}
