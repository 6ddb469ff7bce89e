package report

import "github.com/railyard/railyard/result"

// pipeline writes how fast a data set was made.
func (p *printer) pipeline(s *result.Record) {
	p.line("")
	p.line("pipeline %s: %s items in, %s out", s.Text(result.Name.Name), Count(s.Float(result.ItemsIn.Name)), Count(s.Float(result.ItemsOut.Name)))
	p.item("throughput", "%s items/s, %s made in %s", Count(s.Float(result.PipelineRate.Name)), Prefixed(s.Float(result.StageWritten.Name), "B"), Seconds(s.Float(result.PipelineTime.Name)))
	p.item("busiest stage", "%s (all of them in pipelines.csv)", s.Text(result.BusiestStage.Name))
}
