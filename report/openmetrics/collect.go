package openmetrics

import (
	"math"
	"slices"
	"strconv"

	"github.com/railyard/railyard/result"
)

// summary adds every number of the summary, at the end of the run.
func (e *exposition) summary(r *result.Record) { e.record(r, nil, nil) }

func (e *exposition) record(r *result.Record, path []string, labels []label) {
	for _, f := range r.Fields {
		own := append(slices.Clone(path), f.Metric.Name)
		switch v := f.Value.(type) {
		case *result.Record:
			if v != nil {
				e.record(v, own, labels)
			}
		case []*result.Record:
			for i, row := range v {
				e.record(row, own, rowLabels(f.Metric.Name, i, row, labels))
			}
		case float64:
			e.final(own, f.Metric, labels, v)
		case int64:
			e.final(own, f.Metric, labels, float64(v))
		case bool:
			value := 0.0
			if v {
				value = 1
			}
			e.final(own, f.Metric, labels, value)
		}
	}
}

func (e *exposition) final(path []string, m result.Metric, labels []label, v float64) {
	name, unit := named(path...)
	e.stream(e.family(name, "gauge", unit, m.Definition), "", labels...).add(e.end, v)
}

// longestLabel bounds what of a text is a label.
const longestLabel = 200

// rowLabels are those of a row of a list: its number, its texts, and those of what the
// list is in, but for texts of the same name.
func rowLabels(list string, n int, row *result.Record, outer []label) []label {
	all := []label{{clean(list), strconv.Itoa(n)}}
	add := func(l label) {
		if !slices.ContainsFunc(all, func(k label) bool { return k.name == l.name }) && l.name != "run" {
			all = append(all, l)
		}
	}
	for _, f := range row.Fields {
		if text, ok := f.Value.(string); ok && len(text) <= longestLabel {
			add(label{clean(f.Metric.Name), text})
		}
	}
	for _, l := range outer {
		add(l)
	}
	return all
}

// rows calls for each run of rows that have the same texts, which are its labels.
func rows(t *result.Table, visit func(from, to int, labels []label)) {
	var texts []*result.Column
	for i := range t.Columns {
		if t.Columns[i].Text != nil {
			texts = append(texts, &t.Columns[i])
		}
	}
	for from := 0; from < t.Rows(); {
		to := from + 1
		for to < t.Rows() && !slices.ContainsFunc(texts, func(c *result.Column) bool { return c.Text[to] != c.Text[from] }) {
			to++
		}
		var labels []label
		for _, c := range texts {
			labels = append(labels, label{clean(c.Metric.Name), c.Text[from]})
		}
		visit(from, to, labels)
		from = to
	}
}

// column adds a column of some rows over time.
func (e *exposition) column(t *result.Table, from, to int, c *result.Column, s *stream) {
	at := t.Column(result.SeriesTime.Name)
	for i := from; i < to; i++ {
		s.add(at.Numbers[i], c.Numbers[i])
	}
}

// series adds the columns of a table over time.
func (e *exposition) series(t *result.Table) {
	rows(t, func(from, to int, labels []label) {
		for i := range t.Columns {
			c := &t.Columns[i]
			if c.Numbers == nil || c.Metric.Name == result.SeriesTime.Name {
				continue
			}
			name, unit := named(t.Name[:len(t.Name)-len("_series")], c.Metric.Name)
			e.column(t, from, to, c, e.stream(e.family(name, "gauge", unit, c.Metric.Definition), "", labels...))
		}
	})
}

// accelerators adds what DCGM exporter tells of a GPU, and what only a simulation knows.
func (e *exposition) accelerators(t *result.Table) {
	at := t.Column(result.SeriesTime.Name)
	compute, exposed := t.Column(result.UsageCompute.Name), t.Column(result.UsageExposed.Name)
	power := t.Column(result.UsagePower.Name)
	dcgm := func(labels []label) []label {
		return []label{{"gpu", labels[1].value}, {"device", "nvidia" + labels[1].value}, {"Hostname", labels[0].value}}
	}
	rows(t, func(from, to int, labels []label) {
		used := e.stream(e.family("DCGM_FI_DEV_GPU_UTIL", "gauge", "", "GPU utilization (in %)."), "", dcgm(labels)...)
		for i := from; i < to; i++ {
			used.add(at.Numbers[i], 100*(compute.Numbers[i]+exposed.Numbers[i]))
		}
	})
	for _, m := range []result.Metric{result.UsageCompute, result.UsageExposed} {
		name, unit := named("gpu", m.Name)
		f, c := e.family(name, "gauge", unit, m.Definition), t.Column(m.Name)
		rows(t, func(from, to int, labels []label) {
			e.column(t, from, to, c, e.stream(f, "", label{"gpu", labels[1].value}, label{"Hostname", labels[0].value}))
		})
	}
	for _, x := range []struct {
		metric     result.Metric
		name, help string
		unit       float64
	}{
		{result.UsagePower, "DCGM_FI_DEV_POWER_USAGE", "Power draw (in W).", 1},
		{result.UsageMemory, "DCGM_FI_DEV_FB_USED", "Framebuffer memory used (in MiB).", 1 << 20},
		{result.UsageFree, "DCGM_FI_DEV_FB_FREE", "Framebuffer memory free (in MiB).", 1 << 20},
	} {
		if c := t.Column(x.metric.Name); c != nil {
			f := e.family(x.name, "gauge", "", x.help)
			rows(t, func(from, to int, labels []label) {
				s := e.stream(f, "", dcgm(labels)...)
				for i := from; i < to; i++ {
					s.add(at.Numbers[i], c.Numbers[i]/x.unit)
				}
			})
		}
	}
	if power == nil {
		return
	}
	// OpenMetrics would have a counter's name end in _total, which DCGM's does not.
	f := e.family("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "unknown", "", "Total energy consumption since boot (in mJ).")
	rows(t, func(from, to int, labels []label) {
		s, sum := e.stream(f, "", dcgm(labels)...), 0.0
		s.add(at.Numbers[from], 0)
		for i := from; i < to; i++ {
			until := e.end
			if i+1 < to {
				until = at.Numbers[i+1]
			}
			sum += power.Numbers[i] * (until - at.Numbers[i])
			s.add(until, math.Round(1e3*sum))
		}
	})
}

// hosts adds the power of hosts.
func (e *exposition) hosts(t *result.Table) {
	c := t.Column(result.UsagePower.Name)
	name, unit := named("host", c.Metric.Name)
	f := e.family(name, "gauge", unit, c.Metric.Definition)
	rows(t, func(from, to int, labels []label) {
		e.column(t, from, to, c, e.stream(f, "", label{"Hostname", labels[0].value}))
	})
}

// interfaces adds what node exporter tells of a network interface.
func (e *exposition) interfaces(t *result.Table) {
	for _, x := range []struct {
		metric     result.Metric
		name, help string
	}{
		{result.UsageTransmitted, "node_network_transmit_bytes", "Network device statistic transmit_bytes."},
		{result.UsageReceived, "node_network_receive_bytes", "Network device statistic receive_bytes."},
	} {
		f, c := e.family(x.name, "counter", "", x.help), t.Column(x.metric.Name)
		rows(t, func(from, to int, labels []label) {
			s := e.stream(f, "_total", label{"device", labels[1].value}, label{"instance", labels[0].value})
			s.add(0, 0)
			e.column(t, from, to, c, s)
		})
	}
}

// engine are the labels that vLLM's metrics have.
func engine(workload string, models map[string]string) []label {
	return []label{{"model_name", models[workload]}, {"workload", workload}}
}

// engineSeries are what vLLM tells of its queues and caches over time.
var engineSeries = []struct {
	metric     result.Metric
	name, help string
}{
	{result.SeriesBatch, "vllm:num_requests_running", "Number of requests in model execution batches."},
	{result.SeriesQueue, "vllm:num_requests_waiting", "Number of requests waiting to be processed."},
	{result.SeriesCache, "vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage."},
}

// serving adds what vLLM tells of its queues and caches.
func (e *exposition) serving(t *result.Table, models map[string]string) {
	for _, x := range engineSeries {
		f, c := e.family(x.name, "gauge", "", x.help), t.Column(x.metric.Name)
		rows(t, func(from, to int, labels []label) {
			e.column(t, from, to, c, e.stream(f, "", engine(labels[0].value, models)...))
		})
	}
}

// counts is at how many times counters of requests are told, beside time 0.
const counts = 64

// Buckets of vLLM's histograms, in seconds.
var (
	firstTokenBuckets = []float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560}
	latencyBuckets    = []float64{0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680}
)

// requests adds what vLLM counts of requests, from those of a table.
func (e *exposition) requests(t *result.Table, models map[string]string) {
	of := t.Column(result.Workload.Name)
	arrival, first, finish := t.Column(result.RequestArrival.Name).Numbers, t.Column(result.RequestFirstToken.Name).Numbers, t.Column(result.RequestFinish.Name).Numbers
	input, output := t.Column(result.RequestInput.Name).Integers, t.Column(result.RequestOutput.Name).Integers
	list := map[string][]int{}
	var workloads []string
	for i, name := range of.Text {
		if list[name] == nil {
			workloads = append(workloads, name)
		}
		list[name] = append(list[name], i)
	}
	for _, name := range workloads {
		labels := engine(name, models)
		counter := func(family, help string, of func(i int, now float64) float64, more ...label) {
			s := e.stream(e.family(family, "counter", "", help), "_total", append(slices.Clone(labels), more...)...)
			for k := range counts + 1 {
				now, sum := e.moment(k), 0.0
				for _, i := range list[name] {
					sum += of(i, now)
				}
				s.add(now, math.Round(sum))
			}
		}
		counter("vllm:prompt_tokens", "Number of prefill tokens processed.", func(i int, now float64) float64 {
			if first[i] <= now {
				return float64(input[i])
			}
			return 0
		})
		counter("vllm:generation_tokens", "Number of generation tokens processed.", func(i int, now float64) float64 {
			switch {
			case finish[i] <= now:
				return float64(output[i])
			case first[i] <= now && finish[i] > first[i]:
				return 1 + float64(output[i]-1)*(now-first[i])/(finish[i]-first[i])
			}
			return 0
		})
		counter("vllm:request_success", "Count of successfully processed requests.", func(i int, now float64) float64 {
			if finish[i] <= now {
				return 1
			}
			return 0
		}, label{"finished_reason", "length"})
		e.histogram("vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.", firstTokenBuckets, labels, list[name], arrival, first)
		e.histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", latencyBuckets, labels, list[name], arrival, finish)
	}
}

// histogram adds one of the time from one instant to another of some rows. A row counts
// from the second on.
func (e *exposition) histogram(name, help string, buckets []float64, labels []label, list []int, from, to []float64) {
	var counted [counts + 1][]float64 // rows of each bucket, the last without a bound, by when they first count
	var sums [counts + 1]float64
	for k := range counted {
		counted[k] = make([]float64, len(buckets)+1)
	}
	for _, i := range list {
		if math.IsNaN(to[i]) || to[i] > e.end {
			continue
		}
		k := 0
		for e.moment(k) < to[i] {
			k++
		}
		took := to[i] - from[i]
		bucket, _ := slices.BinarySearch(buckets, took)
		counted[k][bucket]++
		sums[k] += took
	}
	for k := range counts {
		for b, n := range counted[k] {
			counted[k+1][b] += n
		}
		sums[k+1] += sums[k]
	}
	f := e.family(name, "histogram", "seconds", help)
	for b := range len(buckets) + 1 {
		le := "+Inf"
		if b < len(buckets) {
			if le = strconv.FormatFloat(buckets[b], 'f', -1, 64); buckets[b] == math.Trunc(buckets[b]) {
				le += ".0" // as OpenMetrics wants it
			}
		}
		s := e.stream(f, "_bucket", append(slices.Clone(labels), label{"le", le})...)
		for k := range counted {
			below := 0.0
			for _, n := range counted[k][:b+1] {
				below += n
			}
			s.add(e.moment(k), below)
		}
	}
	count, sum := e.stream(f, "_count", labels...), e.stream(f, "_sum", labels...)
	for k := range counted {
		all := 0.0
		for _, n := range counted[k] {
			all += n
		}
		count.add(e.moment(k), all)
		sum.add(e.moment(k), sums[k])
	}
}

// moment is when counters of requests are told for the k-th time.
func (e *exposition) moment(k int) float64 { return e.end * float64(k) / counts }
