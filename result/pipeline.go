package result

// What pipelines make of raw data.
var (
	Pipelines     = Metric{Name: "pipelines", Definition: "one record for each data set that is made of raw data"}
	PipelineStage = Metric{Name: "stage", Definition: "what the stage does"}
	ItemsIn       = Metric{Name: "items_in", Definition: "items that have gone in"}
	ItemsOut      = Metric{Name: "items_out", Definition: "items that have come out"}
	StageRead     = Metric{Name: "read_bytes", Unit: "bytes", Definition: "bytes read from the file system"}
	StageWritten  = Metric{Name: "written_bytes", Unit: "bytes", Definition: "bytes of files written, without copies and parity"}
	StageCores    = Metric{Name: "core_s", Unit: "s", Definition: "core-seconds that the workers have computed"}
	StageBusy     = Metric{Name: "busy_ratio", Unit: "ratio", Definition: "part of the pipeline's time in which the workers computed"}
	StageRate     = Metric{Name: "most_items_per_s", Definition: "items a second that the workers can take; missing where they have nothing to do", Formula: "cores / core time of an item"}
	StageEnd      = Metric{Name: "finish_s", Unit: "s", Definition: "when the last item that has come out was written"}
	PipelineTime  = Metric{Name: "time_s", Unit: "s", Definition: "from the start until the last item was written, or the end of the run"}
	PipelineRate  = Metric{Name: "items_per_s", Definition: "items a second that have gone in", Formula: "items / time"}
	BusiestStage  = Metric{Name: "busiest_stage", Definition: "the stage whose workers computed for the longest"}
)
