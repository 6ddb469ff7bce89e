package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const bare = `[topology]
kind = "switch"
accelerators = 8
bandwidth = "50GB/s"
latency = "1us"
`

const allReduce = `
[[workload.collective]]
op = "all_reduce"
sizes = ["1MiB"]
`

// command runs one command line in a folder with some files.
func command(t *testing.T, ctx context.Context, files map[string]string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	status = execute(ctx, args, &out, &errs)
	return status, out.String(), errs.String()
}

// Every documented exit status; data on standard output, talk on standard error.
func TestExitStatus(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	good := map[string]string{"case.toml": bare + allReduce}
	missing := map[string]string{"case.toml": bare + allReduce + "\n[[expect]]\nmetric = \"makespan_s\"\nop = \">\"\nvalue = 1\n"}
	endless := map[string]string{
		"case.toml": "[topology]\nkind = \"links\"\nfile = \"l.csv\"\n\n[[workload.flows]]\nfile = \"f.csv\"\n",
		"l.csv":     "link,capacity_Bps,latency_s\nslow,1,0\n", "f.csv": "flow,start_s,bytes,route\nendless,0,1e18,slow\n",
	}
	for _, c := range []struct {
		name           string
		ctx            context.Context
		files          map[string]string
		args           []string
		status         int
		stdout, stderr string // regular expressions; "" is nothing at all
	}{
		{"done", nil, good, []string{"run", "case.toml"}, 0, `all_reduce`, ""},
		{"checked", nil, good, []string{"check", "case.toml"}, 0, `^case.toml: ok\n$`, ""},
		{"help", nil, nil, []string{"--help"}, 0, `Exit status`, ""},
		{"no such command", nil, nil, []string{"rum"}, 2, "", `unknown command "rum"[^$]*try railyard --help`},
		{"no scenario", nil, nil, []string{"run"}, 2, "", `arg`},
		{"no such flag", nil, good, []string{"run", "case.toml", "--jsn"}, 2, "", `jsn`},
		{"a seed that is none", nil, good, []string{"run", "case.toml", "--seed", "x"}, 2, "", `seed`},
		{"no such kind", nil, nil, []string{"catalog", "cats"}, 2, "", `cats`},
		{"an input that is not there", nil, nil, []string{"run", "absent.toml"}, 3, "", `^absent.toml: cannot read the scenario: no such file or directory\n$`},
		{"an input that is wrong", nil, map[string]string{"case.toml": "x = 1\n" + bare}, []string{"run", "case.toml"}, 3, "", `^case.toml:1:1: unknown key`},
		{"an event limit", nil, good, []string{"run", "case.toml", "--max-events", "2"}, 4, "", `event limit`},
		{"a deadlock", nil, endless, []string{"run", "case.toml"}, 4, "", `flow endless waits for bandwidth on link slow`},
		{"a folder that cannot be", nil, good, []string{"run", "case.toml", "--out", "case.toml/out"}, 4, "", `cannot write the results`},
		{"an expectation missed", nil, missing, []string{"run", "case.toml"}, 5, `MISSED`, `expectation missed: makespan_s is .*, expected > 1`},
		{"an expectation of nothing", nil, map[string]string{"case.toml": strings.Replace(missing["case.toml"], "makespan_s", "makespan", 1)}, []string{"run", "case.toml"}, 3, "all_reduce", `^case.toml:12:10: expect\[0\].metric: .*"makespan"`},
		{"interrupted", cancelled, good, []string{"run", "case.toml"}, 130, "interrupted", `interrupted`},
		{"plot of nothing", nil, nil, []string{"plot", "absent"}, 3, "", `absent`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := c.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			status, stdout, stderr := command(t, ctx, c.files, c.args...)
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			for name, s := range map[string]struct{ got, want string }{"stdout": {stdout, c.stdout}, "stderr": {stderr, c.stderr}} {
				if s.want == "" && s.got != "" || !regexp.MustCompile(s.want).MatchString(s.got) {
					t.Errorf("%s is %q, want %q", name, s.got, s.want)
				}
			}
		})
	}
}

// Wrong input, of check.py's twelve kinds and more: status 3, one clear message
// with its place, nothing on standard output.
func TestBadInput(t *testing.T) {
	links := func(l, f string) map[string]string {
		return map[string]string{"case.toml": "[topology]\nkind = \"links\"\nfile = \"links.csv\"\n\n[[workload.flows]]\nfile = \"flows.csv\"\n", "links.csv": l, "flows.csv": f}
	}
	toml := func(text string) map[string]string { return map[string]string{"case.toml": text} }
	const l = "link,capacity_Bps,latency_s\na,1e9,0\nb,1e9,0\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string // how the message begins
		says  string
	}{
		{"unknown key", toml(strings.Replace(bare, "bandwidth", "bandwith", 1) + allReduce), "case.toml:4:1: unknown key", `did you mean "bandwidth"`},
		{"missing unit", toml(strings.Replace(bare, `"50GB/s"`, "100", 1) + allReduce), "case.toml:4:13: topology.bandwidth:", "no unit"},
		{"wrong unit", toml(strings.Replace(bare, "50GB/s", "100us", 1) + allReduce), "case.toml:4:13: topology.bandwidth:", "rate"},
		{"negative", toml(strings.Replace(bare, "8", "-8", 1) + allReduce), "case.toml:3:16: topology.accelerators:", "-8"},
		{"unknown kind", toml("[topology]\nkind = \"fat-three\"\nhosts = 8\n" + allReduce), "case.toml:2:8: topology.kind:", `did you mean "fat-tree"`},
		{"syntax", toml("[topology\nkind = \"switch\"\n"), "case.toml:1:", "]"},
		{"no workload", toml(bare), "case.toml: there is no workload", "[[workload.collective]]"},
		{"missing file", map[string]string{"case.toml": "[topology]\nkind = \"links\"\nfile = \"absent.csv\"\n\n[[workload.flows]]\nfile = \"absent.csv\"\n"}, "case.toml:3:8: topology.file:", `cannot read "absent.csv"`},
		{"degrees do not fit", toml("[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n\n[[workload.training]]\nmodel = \"bert-large\"\ntensor = 3\nmicro_batch = 1\nglobal_batch = 8\n"), "case.toml:7:10: workload.training[0].tensor:", "nearest: 2 or 4"},
		{"infinite", toml(strings.Replace(bare, "50GB/s", "infGB/s", 1) + allReduce), "case.toml:4:13: topology.bandwidth:", ""},
		{"empty", toml(""), "case.toml: there is no", ""},
		{"huge", toml("[topology]\nkind = \"fat-tree\"\nhost = \"dgx-h100\"\nk = 100000000\n" + allReduce), "case.toml:4:5: topology.k:", "256"},
		{"truncated CSV", links(l, "flow,start_s,bytes,route\nx,0,1e6,a\ny,0,1e"), "flows.csv:3:", ""},
		{"truncated links", links("link,capacity_Bps,latency_s\na,1e9,0\nb,1e9", "flow,start_s,bytes,route\n"), "links.csv:3:", ""},
		{"unknown link", links(l, "flow,start_s,bytes,route\nx,0,1e6,a c\n"), "flows.csv:2:9: route:", `"c"`},
		{"cycle", links(l, "flow,start_s,bytes,route,after\nx,0,1e6,a,y\ny,0,1e6,b,x\n"), "flows.csv:2:1: after:", "wait for each other"},
		{"not UTF-8", toml("name = \"\xff\"\n" + bare + allReduce), "case.toml:1:", ""},
	} {
		for _, name := range []string{"run", "check"} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				status, stdout, stderr := command(t, context.Background(), c.files, name, "case.toml")
				if status != 3 || stdout != "" {
					t.Errorf("status %d, standard output %q", status, stdout)
				}
				if !strings.HasPrefix("\n"+stderr, "\n"+c.want) && !(c.name == "unknown key" && strings.Contains(stderr, "\n"+c.want)) || !strings.Contains(stderr, c.says) || strings.Contains(stderr, "panic") {
					t.Errorf("got  %q\nwant %q ... %q", stderr, c.want, c.says)
				}
				if c.name != "empty" && strings.Count(stderr, "\n") > 2 {
					t.Errorf("one fault takes %d lines: %q", strings.Count(stderr, "\n"), stderr)
				}
			})
		}
	}
}

// An interrupted run writes what was done, marked.
func TestInterruptedRunIsWritten(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	status, stdout, _ := command(t, ctx, map[string]string{"case.toml": bare + allReduce}, "run", "case.toml", "--out", "out", "--json")
	text, err := os.ReadFile(filepath.Join("out", "summary.json"))
	if status != 130 || err != nil || string(text) != stdout {
		t.Errorf("status %d, %v", status, err)
	}
	var summary struct{ Status string }
	if err := json.Unmarshal(text, &summary); err != nil || summary.Status != "interrupted" {
		t.Errorf("%v, %+v", err, summary)
	}
	var manifest struct{ Status string }
	if text, err = os.ReadFile(filepath.Join("out", "manifest.json")); err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil || manifest.Status != "interrupted" {
		t.Errorf("%v, %+v", err, manifest)
	}
}
