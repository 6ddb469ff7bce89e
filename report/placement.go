package report

import "github.com/railyard/railyard/result"

// placement writes how the hosts filled up.
func (p *printer) placement(x *result.Record) {
	p.line("")
	p.line("placement %s, when jobs for %s of the accelerators had come", x.Text(result.PlacementRule.Name), Percent(x.Float(result.LoadArrived.Name)))
	p.item("allocated", "%s of the accelerators", Percent(x.Float(result.LoadAllocated.Name)))
	p.item("fragmented", "%s of what was free could not be used by typical jobs", Percent(x.Float(result.LoadFragments.Name)))
}
