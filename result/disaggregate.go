package result

// Prompts and tokens on replicas of their own.
var (
	HandoverBytes = Metric{Name: "kv_transfer_bytes", Unit: "bytes", Definition: "keys and values that went from replicas that compute prompts to those that go on"}
	HandoverTime  = Metric{Name: "kv_transfer_s", Unit: "s", Definition: "how long those of a request were on their way, the last time", Formula: "transfer_end_s - transfer_start_s"}
	HandoverWait  = Metric{Name: "kv_wait_s", Unit: "s", Definition: "from the first token of a request until its keys and values begin to go over, the last time: the second replica has no room, or ends its step"}
	ServingPools  = Metric{Name: "pools", Definition: "one record for the replicas that compute prompts, and one for those that go on"}

	RequestPrefill    = Metric{Name: "prefill_replica", Definition: "replica that computed the prompt, from 0; empty if none has"}
	RequestFetchStart = Metric{Name: "transfer_start_s", Unit: "s", Definition: "when keys and values began to go to the second replica, the last time; empty if they have not"}
	RequestFetchEnd   = Metric{Name: "transfer_end_s", Unit: "s", Definition: "when they were there; empty if they are not"}
)
