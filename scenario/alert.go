package scenario

import "github.com/railyard/railyard/units"

// Alert is one [[alert]].
type Alert struct {
	Header
	Name     Key[string]         `key:"name" required:"true" doc:"name of the alert"`
	Metric   Key[string]         `key:"metric" required:"true" doc:"column of a table over time, as in link_series.utilization_ratio, power_series.power_W, job_series.queued or serving_series.queue"`
	Of       Key[string]         `key:"of" doc:"which link, or workload: the text that the table's rows have; each by itself where left out"`
	Op       Key[string]         `key:"op" required:"true" enum:"< <= > >= == !=" doc:"comparison between the metric and the value that is amiss"`
	Value    Key[float64]        `key:"value" required:"true" doc:"number in the metric's unit"`
	For      Key[units.Duration] `key:"for" default:"\"0s\"" doc:"time for which it has to be amiss before the alert fires"`
	Severity Key[string]         `key:"severity" default:"\"warning\"" enum:"info warning critical" doc:"label of the alert"`
}

// checkAlerts sees to it that alerts have names of their own.
func (s *Scenario) checkAlerts(b *binder) {
	names := map[string]bool{}
	for i := range s.Alert {
		a := &s.Alert[i]
		if a.Name.Set && names[a.Name.Value] {
			b.faultf(a.Name.Pos, a.Path+".name", "%q is there twice", shown(a.Name.Value))
		}
		names[a.Name.Value] = true
	}
}
