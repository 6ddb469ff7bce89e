// Package openmetrics writes what a run found as OpenMetrics text with time stamps
// (openmetrics.io, version 1.0), which `promtool tsdb create-blocks-from openmetrics`
// turns into blocks of a Prometheus: a simulated data centre in the monitoring that the
// real one has.
//
// # Names
//
// What is the same thing as a metric of DCGM exporter, node exporter or vLLM has its name
// and its labels, so that dashboards made for these show it:
//
//	DCGM_FI_DEV_GPU_UTIL                       share of the time with a kernel, in percent; of accelerators one by one,
//	                                           and so railyard_gpu_compute_ratio, railyard_gpu_communication_ratio
//	DCGM_FI_DEV_FB_USED, DCGM_FI_DEV_FB_FREE   memory in MiB: what a training's fullest accelerator holds; of inference
//	                                           weights and the cache that is reserved
//	DCGM_FI_DEV_POWER_USAGE                    in W, with [topology.power]; and railyard_host_power_watts of whole hosts
//	DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION       in mJ from time 0 on
//	node_network_transmit_bytes_total          of NICs one by one, and node_network_receive_bytes_total
//	vllm:num_requests_running, _waiting        of all replicas
//	vllm:kv_cache_usage_perc                   from 0 to 1, as there
//	vllm:prompt_tokens_total                   counted at the first token
//	vllm:generation_tokens_total               counted evenly from the first token to the last
//	vllm:request_success_total                 with finished_reason "length"
//	vllm:time_to_first_token_seconds           histograms with vLLM's buckets
//	vllm:e2e_request_latency_seconds
//
// All else begins with railyard_: a column of a table over time is
// railyard_TABLE_COLUMN, such as railyard_link_utilization_ratio, and every number of
// the summary railyard_PATH, such as railyard_training_iteration_seconds or
// railyard_serving_ttft_p99_seconds, once, at the end of the run. Units are written out
// and come last. A row of a list has its number as a label called like the list, and its
// texts as labels: training="0", name="gpt3". Every sample has the label run.
//
// # Time
//
// Time 0 of the simulation is at a moment that the caller states. A mean over an
// interval is at its beginning, a counter at its end. Prometheus knows milliseconds: of
// several samples of one series within one only the first is written.
//
// # Size
//
// Of accelerators and NICs there are the first 1,024, and 65,536 samples of each metric:
// of 256 accelerators 256 intervals, of 1,024 64. That is at most about 100 MB.
package openmetrics
