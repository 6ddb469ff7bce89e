package report

import "github.com/railyard/railyard/result"

// rollout writes how long software took to come to all hosts.
func (p *printer) rollout(s *result.Record) {
	p.line("")
	p.line("rollout %s: %s to %s hosts in %s batches, %s", s.Text(result.Name.Name), Prefixed(s.Float(result.RolloutImage.Name), "B"),
		Count(s.Float(result.HostCount.Name)), Count(s.Float(result.RolloutBatches.Name)), s.Text(result.RolloutHow.Name))
	time := "it has not ended"
	if s.Get(result.RolloutTime.Name) != nil {
		time = Seconds(s.Float(result.RolloutTime.Name))
	}
	p.item("time", "%s, %s of it to pull and unpack", time, Seconds(s.Float(result.RolloutPull.Name)))
	p.item("bytes", "%s from the registry, %s from host to host", Prefixed(s.Float(result.RolloutRegistered.Name), "B"), Prefixed(s.Float(result.RolloutPassed.Name), "B"))
	p.item("out of use", "%s of hosts, %s jobs put back", Seconds(s.Float(result.RolloutDown.Name)), Count(s.Float(result.RolloutInterrupted.Name)))
}
