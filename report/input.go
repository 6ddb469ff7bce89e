package report

import "github.com/railyard/railyard/result"

// input writes what a job had of its samples.
func (p *printer) input(x *result.Record) {
	if x == nil {
		return
	}
	waited := "never waited for"
	if s := x.Float(result.InputWaited.Name); s > 0 {
		waited = Seconds(s) + " waited for in all"
	}
	p.item("samples", "%s each, %s read in all, %s found in memory; %s", Prefixed(x.Float(result.SampleBytes.Name), "B"),
		Prefixed(x.Float(result.InputRead.Name), "B"), Percent(x.Float(result.InputHits.Name)), waited)
	p.item("", "of an iteration read in %s and prepared in %s, where nothing is in the way", Seconds(x.Float(result.InputReading.Name)), Seconds(x.Float(result.InputPreparing.Name)))
}
