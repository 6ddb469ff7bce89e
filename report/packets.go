package report

import "github.com/railyard/railyard/result"

// packets says in a line what happened to packets.
func (p *printer) packets(r *result.Record) {
	if r == nil {
		return
	}
	count := func(m result.Metric) string { return Count(r.Float(m.Name)) }
	p.line("")
	p.line("packets: %s sent over links, %s pauses, %s marked, %s lost, %s trimmed", count(result.PacketsSent),
		count(result.Pauses), count(result.PacketsMarked), count(result.PacketsLost), count(result.PacketsTrimmed))
}
