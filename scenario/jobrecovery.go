package scenario

import "github.com/railyard/railyard/units"

// MaxRestarts is how often a job begins again at the most.
const MaxRestarts = 1 << 16

// JobRecovery is what a [[workload.jobs]] says of failures.
type JobRecovery struct {
	OnFailure   Key[string]         `key:"on_failure" default:"\"requeue\"" enum:"requeue fail" doc:"what becomes of a job of which accelerators fail: requeue, it waits to begin again; fail, it has failed. What is planned always puts it back"`
	MaxRestarts Key[int64]          `key:"max_restarts" min:"0" max:"65536" doc:"how often a job begins again; at its next failure it has failed. 65536 where left out"`
	Interval    Key[units.Duration] `key:"checkpoint_interval" positive:"true" doc:"work between two checkpoints of a job, to the latest of which a failure sets it back. None are made where left out, and a failure undoes all"`
	Pause       Key[units.Duration] `key:"checkpoint_time" default:"\"0s\"" doc:"time for which a job stands still for each, in addition to its duration; where left out, what they take is part of that"`
	Restart     Key[units.Duration] `key:"restart_time" default:"\"0s\"" doc:"time that a job has to run in addition after a failure, until processes stand again and have read the checkpoint"`
}

// checkJobRecovery judges what no key shows by itself.
func (s *Scenario) checkJobRecovery(b *binder) {
	for i := range s.Workload.Jobs {
		w := &s.Workload.Jobs[i]
		for _, k := range []struct {
			name string
			set  bool
			at   Position
		}{
			{"on_failure", w.OnFailure.Set, w.OnFailure.Pos},
			{"max_restarts", w.MaxRestarts.Set, w.MaxRestarts.Pos},
			{"checkpoint_interval", w.Interval.Set, w.Interval.Pos},
			{"checkpoint_time", w.Pause.Set, w.Pause.Pos},
			{"restart_time", w.Restart.Set, w.Restart.Pos},
		} {
			switch {
			case k.set && (s.Topology == nil || len(s.Topology.Fault) == 0):
				b.faultf(k.at, w.Path+"."+k.name, "belongs to failures, and there is no [[topology.fault]]")
			case k.set && w.OnFailure.Value == "fail" && k.name != "on_failure":
				b.faultf(k.at, w.Path+"."+k.name, `belongs to on_failure = "requeue"; on_failure is "fail"`)
			case k.set && k.name == "checkpoint_time" && !w.Interval.Set:
				b.faultf(k.at, w.Path+"."+k.name, "belongs to checkpoint_interval, which is missing")
			}
		}
	}
}
