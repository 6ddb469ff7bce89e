package alert_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/alert"
	"github.com/railyard/railyard/internal/lab"
	"github.com/railyard/railyard/report/openmetrics"
	"github.com/railyard/railyard/result"
)

// alerting is a pool of four accelerators. Jobs wait from 100 to 400 s, and from 500 to
// 530 s; everything is idle from 630 to 700 s.
const alerting = `
[topology]
kind = "ring"
accelerators = 4
bandwidth = "1GB/s"
latency = "1us"
[[workload.jobs]]
file = "jobs.csv"
[[alert]]
name = "JobsWait"
metric = "job_series.queued"
op = ">"
value = 0
for = "1m"
severity = "critical"
[[alert]]
name = "Idle"
metric = "job_series.allocation_ratio"
op = "<="
value = 0
[[alert]]
name = "Never"
metric = "job_series.running"
op = ">"
value = 7
`

var alertingJobs = map[string]string{"jobs.csv": `job,submit_s,accelerators,duration_s
a,0,4,400
b,100,4,130
c,500,4,100
d,700,4,200
`}

// Alerts fire when what is amiss has been for as long as they say, and end with it, up to
// the intervals of the series.
func TestAlerts(t *testing.T) {
	r := lab.Run(t, alerting, alertingJobs)
	width := lab.Column(t, r, "job_series", "time_s")[1]
	if width > 10 {
		t.Fatalf("intervals of %v s are too long for this", width)
	}
	type fired struct{ amiss, fired, resolved float64 }
	got := map[string][]fired{}
	amiss, at, resolved := lab.Column(t, r, "alerts", "pending_s"), lab.Column(t, r, "alerts", "fired_s"), lab.Column(t, r, "alerts", "resolved_s")
	for i, name := range lab.Words(t, r, "alerts", "alert") {
		got[name] = append(got[name], fired{amiss[i], at[i], resolved[i]})
	}
	for name, want := range map[string][]fired{
		"JobsWait": {{100, 160, 400}}, // from 500 to 530 s it is not for long enough
		"Idle":     {{630, 630, 700}},
		"Never":    nil,
	} {
		if !slices.EqualFunc(got[name], want, func(a, b fired) bool {
			return math.Abs(a.amiss-b.amiss) <= width && math.Abs(a.fired-b.fired) <= width && math.Abs(a.resolved-b.resolved) <= width
		}) {
			t.Errorf("%s fired %v, want about %v", name, got[name], want)
		}
	}
	if got := lab.Number(t, r, "alerts.0.fired"); got != 1 {
		t.Errorf("JobsWait fired %v times", got)
	}
	if got := lab.Number(t, r, "alerts.0.firing_s"); math.Abs(got-240) > 2*width {
		t.Errorf("JobsWait fired for %v s, want about 240", got)
	}
}

// Each link by itself, or one of them; an alert at the end of the run is not resolved.
func TestAlertsOfLinks(t *testing.T) {
	const fabric = "[topology]\nkind = \"switch\"\naccelerators = 8\nbandwidth = \"50GB/s\"\nlatency = \"1us\"\n"
	text := fabric + "[[workload.flows]]\nfile = \"flows.csv\"\n[[alert]]\nname = \"Busy\"\nmetric = \"link_series.utilization_ratio\"\nop = \">\"\nvalue = 0.9\nfor = \"1s\"\n"
	files := map[string]string{"flows.csv": "flow,start_s,bytes,src,dst\na,0,250e9,acc0,acc1\nb,6,200e9,acc0,acc2\n"}
	r := lab.Run(t, text, files)
	if got := lab.Words(t, r, "alerts", "of"); !slices.Equal(got, []string{"acc0>switch", "acc0>switch", "switch>acc1", "switch>acc2"}) {
		t.Errorf("alerts of %q", got)
	}
	resolved := lab.Column(t, r, "alerts", "resolved_s")
	for i, open := range []bool{false, true, false, true} {
		if math.IsNaN(resolved[i]) != open {
			t.Errorf("alert %d ends at %v s", i, resolved[i])
		}
	}
	one := lab.Run(t, text+"of = \"switch>acc2\"\n", files)
	if got := lab.Words(t, one, "alerts", "of"); !slices.Equal(got, []string{"switch>acc2"}) {
		t.Errorf("alerts of %q", got)
	}
}

func TestAlertFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{strings.Replace(alerting, "job_series.queued", "job_series.qeued", 1), `alert[0].metric: "job_series.qeued" is no column of a table over time (did you mean "job_series.queued"?)`},
		{strings.Replace(alerting, "job_series.queued", "jobs.wait_s", 1), `alert[0].metric: "jobs.wait_s" is no column`},
		{strings.Replace(alerting, "\"Idle\"", "\"JobsWait\"", 1), `alert[1].name: "JobsWait" is there twice`},
		{strings.Replace(alerting, "op = \">\"", "op = \"~\"", 1), `alert[0].op: "~" is unknown`},
	} {
		if got := lab.Refused(t, c.text, alertingJobs); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	r := lab.Run(t, strings.Replace(alerting, "job_series.queued", "serving_series.queue", 1), alertingJobs)
	if text := strings.Join(r.Warnings, "\n"); !strings.Contains(text, "the alert JobsWait looks at serving_series, which this run does not have") {
		t.Errorf("warnings: %s", text)
	}
}

// promtool accepts the rules; on the series that the run wrote it fires what the run fired,
// when the run did; and a Prometheus that has the run's metrics finds what is amiss.
func TestAlertsInPrometheus(t *testing.T) {
	for _, tool := range []string{"promtool", "prometheus"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s on the path", tool)
		}
	}
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("jobs.csv", []byte(alertingJobs["jobs.csv"]))
	s, err := railyard.Parse(filepath.Join(dir, "case.toml"), []byte(alerting))
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{Usage: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, rules := range map[string][]openmetrics.Rule{"alerts.yml": alert.Rules(s), "standard.yml": openmetrics.Standard} {
		var b bytes.Buffer
		if err := openmetrics.Rules(&b, rules); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("promtool", "check", "rules", write(name, b.Bytes())).CombinedOutput(); err != nil {
			t.Errorf("promtool check rules %s: %v\n%s", name, err, out)
		}
	}
	test := write("test.yml", []byte(ruleTest(t, r)))
	if out, err := exec.Command("promtool", "test", "rules", test).CombinedOutput(); err != nil {
		t.Errorf("promtool test rules: %v\n%s", err, out)
	}

	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var text bytes.Buffer
	if err := openmetrics.Write(&text, &r.Results, r.Usage, openmetrics.Options{Start: start, Run: "alerting"}); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := exec.Command("promtool", "tsdb", "create-blocks-from", "openmetrics", write("run.om", text.Bytes()), data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	server := lab.Prometheus(t, dir, data)
	for i, rule := range alert.Rules(s) {
		for _, at := range []float64{50, 200, 300, 450, 640, 690, 800} {
			amiss := len(lab.Ask(t, server, rule.Expression(), start.Add(time.Duration(at*1e9)))) > 0
			want := slices.ContainsFunc([][2]float64{{100, 400}, {630, 700}}[i:min(i+1, 2)], func(w [2]float64) bool { return w[0] < at && at < w[1] })
			if amiss != want {
				t.Errorf("at %v s: %s: %v, want %v", at, rule.Expression(), amiss, want)
			}
		}
	}
}

// ruleTest is a test for promtool: the series that alerts look at, second by second, and
// what fires a little before and after the run's alerts do.
func ruleTest(t *testing.T, r *railyard.Result) string {
	var b strings.Builder
	fmt.Fprint(&b, "rule_files:\n  - alerts.yml\nevaluation_interval: 1s\ntests:\n  - interval: 1s\n    input_series:\n")
	end := lab.Number(t, r, "makespan_s")
	at := lab.Column(t, r, "job_series", "time_s")
	for series, name := range map[string]string{"railyard_job_queued": "queued", "railyard_job_allocation_ratio": "allocation_ratio", "railyard_job_running": "running"} {
		values, k := lab.Column(t, r, "job_series", name), 0
		fmt.Fprintf(&b, "      - series: %s\n        values: '", series)
		for now := 0.0; now < end; now++ {
			for k+1 < len(at) && at[k+1] <= now {
				k++
			}
			fmt.Fprint(&b, result.Number(values[k]), " ")
		}
		fmt.Fprint(&b, "'\n")
	}
	fmt.Fprint(&b, "    alert_rule_test:\n")
	summaries := map[string]string{"JobsWait": "job_series.queued > 0", "Idle": "job_series.allocation_ratio <= 0"}
	expect := func(alert, severity string, at float64, fires bool) {
		fmt.Fprintf(&b, "      - eval_time: %ds\n        alertname: %s\n", int(at), alert)
		if fires {
			fmt.Fprintf(&b, "        exp_alerts:\n          - exp_labels: {severity: %s}\n            exp_annotations: {summary: %q}\n", severity, summaries[alert])
		}
	}
	fired, resolved := lab.Column(t, r, "alerts", "fired_s"), lab.Column(t, r, "alerts", "resolved_s")
	for i, name := range lab.Words(t, r, "alerts", "alert") {
		severity := lab.Words(t, r, "alerts", "severity")[i]
		expect(name, severity, fired[i]-2, false)
		expect(name, severity, fired[i]+3, true)
		expect(name, severity, resolved[i]-2, true)
		expect(name, severity, resolved[i]+3, false)
	}
	for now := 0.0; now < end; now += 50 {
		expect("Never", "warning", now, false)
	}
	return b.String()
}
