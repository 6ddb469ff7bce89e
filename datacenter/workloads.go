package datacenter

// kind is a kind of workload. Each has a file that says how what a scenario has of it
// becomes jobs, and how what those did is told.
type kind struct {
	add     func(*builder)
	collect func(*plant, *Result) // only its own; nil: with all jobs
}

// kinds are in the order in which their jobs have numbers, and their results places.
var kinds = []kind{
	{func(b *builder) { each(b, b.scenario.Workload.Training, (*builder).addTraining) }, (*plant).collectTrainings},
	{func(b *builder) { each(b, b.scenario.Workload.Collective, (*builder).addCollective) }, (*plant).collectCollectives},
	{func(b *builder) { each(b, b.scenario.Workload.Flows, (*builder).addFlows) }, (*plant).collectFlows},
	{func(b *builder) { each(b, b.scenario.Workload.Replay, (*builder).addReplay) }, (*plant).collectReplays},
	{func(b *builder) { each(b, b.scenario.Workload.Serving, (*builder).addServing) }, (*plant).collectServing},
	{func(b *builder) { each(b, b.scenario.Workload.Storage, (*builder).addStorage) }, (*plant).collectStorage},
	{func(b *builder) { each(b, b.scenario.Workload.Pipeline, (*builder).addPipeline) }, (*plant).collectPipelines},
	{func(b *builder) { b.addJobs(); b.addAudit() }, nil},
	{func(b *builder) { each(b, b.scenario.Workload.Rollout, (*builder).addRollout) }, (*plant).collectRollouts},
	{func(b *builder) { each(b, b.scenario.Workload.Backup, (*builder).addBackup) }, (*plant).collectBackups},
}

// each adds the workloads of a list.
func each[W any](b *builder, all []W, add func(*builder, *W)) {
	for i := range all {
		add(b, &all[i])
	}
}
