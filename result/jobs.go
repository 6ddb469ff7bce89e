package result

// Jobs of a queue.
var (
	JobID           = Metric{Name: "job", Definition: "name of the job"}
	JobSubmit       = Metric{Name: "submit_s", Unit: "s", Definition: "when it was submitted"}
	JobStart        = Metric{Name: "start_s", Unit: "s", Definition: "when it first started; empty if it has not"}
	JobFinish       = Metric{Name: "finish_s", Unit: "s", Definition: "when it ended; empty if it has not"}
	JobAccelerators = Metric{Name: "accelerators", Definition: "accelerators of its gang"}
)
