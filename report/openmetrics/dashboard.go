package openmetrics

import (
	"encoding/json"
	"io"
)

// panel is one of the dashboard: a title, the unit as Grafana calls it, and the query.
type panel struct{ title, unit, query, legend string }

// panels are the panels of the dashboard, two a row.
var panels = []panel{
	{"Accelerators that compute", "percentunit", `railyard_gpu_compute_ratio{run=~"$run",Hostname=~"$host"}`, "{{Hostname}} {{gpu}}"},
	{"Accelerators that wait for communication", "percentunit", `railyard_gpu_communication_ratio{run=~"$run",Hostname=~"$host"}`, "{{Hostname}} {{gpu}}"},
	{"GPU utilization by host", "percent", `avg by (Hostname) (DCGM_FI_DEV_GPU_UTIL{run=~"$run",Hostname=~"$host"})`, "{{Hostname}}"},
	{"Memory used", "mbytes", `DCGM_FI_DEV_FB_USED{run=~"$run",Hostname=~"$host"}`, "{{Hostname}} {{gpu}}"},
	{"Power of accelerators", "watt", `sum by (Hostname) (DCGM_FI_DEV_POWER_USAGE{run=~"$run",Hostname=~"$host"})`, "{{Hostname}}"},
	{"Power of hosts, with their accelerators", "watt", `railyard_host_power_watts{run=~"$run",Hostname=~"$host"}`, "{{Hostname}}"},
	{"Busiest links", "percentunit", `topk(10, railyard_link_utilization_ratio{run=~"$run"})`, "{{link}}"},
	{"Bytes sent by host", "bytes", `sum by (instance) (node_network_transmit_bytes_total{run=~"$run",instance=~"$host"})`, "{{instance}}"},
	{"Bytes received by host", "bytes", `sum by (instance) (node_network_receive_bytes_total{run=~"$run",instance=~"$host"})`, "{{instance}}"},
	{"Time of an iteration", "s", `last_over_time(railyard_training_iteration_seconds{run=~"$run"}[$__range])`, "{{run}} {{name}}"},
	{"Utilization of floating point units", "percentunit", `last_over_time(railyard_training_mfu_ratio{run=~"$run"}[$__range])`, "{{run}} {{name}}"},
	{"Requests", "short", `vllm:num_requests_running{run=~"$run"}`, "running {{model_name}}"},
	{"Requests that wait", "short", `vllm:num_requests_waiting{run=~"$run"}`, "waiting {{model_name}}"},
	{"Cache of keys and values", "percentunit", `vllm:kv_cache_usage_perc{run=~"$run"}`, "{{model_name}}"},
	{"Tokens generated", "short", `vllm:generation_tokens_total{run=~"$run"}`, "{{model_name}}"},
	{"Time to first token, 99th percentile", "s", `histogram_quantile(0.99, sum by (le, model_name) (vllm:time_to_first_token_seconds_bucket{run=~"$run"}))`, "{{model_name}}"},
	{"End to end, 99th percentile", "s", `histogram_quantile(0.99, sum by (le, model_name) (vllm:e2e_request_latency_seconds_bucket{run=~"$run"}))`, "{{model_name}}"},
	{"Jobs that run", "short", `railyard_job_running{run=~"$run"}`, "{{run}}"},
	{"Jobs that wait", "short", `railyard_job_queued{run=~"$run"}`, "{{run}}"},
}

// Dashboard writes a dashboard for Grafana that shows what Write writes: utilization by
// accelerator, host and link, training, inference and jobs, with the run and the host to
// choose. It asks for the Prometheus when it is imported.
func Dashboard(w io.Writer) error {
	type object = map[string]any
	source := object{"type": "prometheus", "uid": "${DS_PROMETHEUS}"}
	variable := func(name, label, query string) object {
		return object{
			"name": name, "label": label, "type": "query", "datasource": source, "query": query, "definition": query,
			"refresh": 2, "includeAll": true, "multi": true, "allValue": ".*", "current": object{"text": "All", "value": "$__all"}, "sort": 1,
		}
	}
	var all []object
	for i, p := range panels {
		all = append(all, object{
			"id": i + 1, "type": "timeseries", "title": p.title, "datasource": source,
			"gridPos":     object{"h": 8, "w": 12, "x": i % 2 * 12, "y": i / 2 * 8},
			"fieldConfig": object{"defaults": object{"unit": p.unit, "min": 0, "custom": object{"drawStyle": "line", "lineInterpolation": "stepAfter", "fillOpacity": 10, "showPoints": "auto"}}, "overrides": []object{}},
			"targets":     []object{{"refId": "A", "datasource": source, "expr": p.query, "legendFormat": p.legend}},
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(object{
		"__inputs":      []object{{"name": "DS_PROMETHEUS", "label": "Prometheus", "type": "datasource", "pluginId": "prometheus", "pluginName": "Prometheus"}},
		"title":         "Railyard",
		"uid":           "railyard",
		"schemaVersion": 39,
		"editable":      true,
		"time":          object{"from": "now-1h", "to": "now"},
		"templating": object{"list": []object{
			variable("run", "Run", "label_values(railyard_makespan_seconds, run)"),
			variable("host", "Host", "label_values(railyard_gpu_compute_ratio, Hostname)"),
		}},
		"panels": all,
	})
}
