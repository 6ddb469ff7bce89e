package report

import (
	"io"
	"unicode/utf8"

	"github.com/railyard/railyard/result"
)

// Fidelity writes how far a fluid is off packets: a line for each time.
func Fidelity(w io.Writer, r *result.Record) error {
	p := &printer{w: w}
	p.line("%s, as a fluid and packet by packet", r.Text(result.Name.Name))
	p.line("")
	rows := r.List(result.Comparison.Name)
	width := 0
	for _, c := range rows {
		width = max(width, utf8.RuneCountInString(c.Text(result.ComparedWhat.Name)))
	}
	p.line("  %-*s  %-20s %10s %10s %16s", width, "what", "time", "fluid", "packets", "fluid is off by")
	for _, c := range rows {
		p.line("  %-*s  %-20s %10s %10s %+14.1f %%", width, c.Text(result.ComparedWhat.Name), c.Text(result.ComparedMetric.Name),
			Seconds(c.Float(result.FluidValue.Name)), Seconds(c.Float(result.PacketValue.Name)), 100*c.Float(result.FidelityDifference.Name))
	}
	if r.Get(result.FlowDifference.Name) != nil {
		p.line("")
		p.line("single flows are off by %s in the mean", Percent(r.Float(result.FlowDifference.Name)))
	}
	p.packets(r.Record(result.Packets.Name))
	return p.err
}
