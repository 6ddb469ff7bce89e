package report_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// The picture of contention is of the link on which most was lost: "a" here, by 3 s
// against 2.
func TestPlotContention(t *testing.T) {
	dir := folder(t, map[string]string{
		"summary.json":   `{"name": "two", "status": "done", "makespan_s": 4, "cluster": {}}`,
		"contention.csv": "link,owner,other,shared_s,lost_s\nb,north,south,4,2\na,north,south,3,1\na,south,north,3,2\n",
		"link_series.csv": "link,time_s,utilization_ratio,offered_ratio\n" +
			"b,0,0.5,0.75\nb,2,0.5,0.5\na,0,0.92,1.84\na,2,0.4,0.5\n",
		"accelerator_series.csv": "", "links.csv": "", "collectives.csv": "",
	})
	if _, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}}); err != nil {
		t.Fatal(err)
	}
	all := texts(t, filepath.Join(dir, "contention.svg"))
	for _, want := range []string{"two: contention on a", "north, south lost 3.000 s there in all", "wanted", "carried", "200 %"} {
		if !slices.Contains(all, want) {
			t.Errorf("no text %q in %q", want, all)
		}
	}
}

// cable is both directions between two nodes.
func cable(a, b string) []report.NetworkLink {
	return []report.NetworkLink{{From: a, To: b, Rate: 1, Utilization: result.Missing}, {From: b, To: a, Rate: 1, Utilization: result.Missing}}
}

// TestPlotNetwork: how nodes are arranged and named.
func TestPlotNetwork(t *testing.T) {
	many := func(n int, from, to string) (all []report.NetworkLink) {
		for i := range n {
			all = append(all, cable(strings.ReplaceAll(from, "#", string(rune('0'+i/10))+string(rune('0'+i%10))), to)...)
		}
		return all
	}
	chain := []report.NetworkLink{}
	for i := range 40 {
		chain = append(chain, cable("s"+strings.Repeat("x", i), "s"+strings.Repeat("x", i+1))...)
	}
	for _, c := range []struct {
		name  string
		links []report.NetworkLink
		has   []string
		not   string
	}{
		{"hosts are one node each", slices.Concat(cable("host0/acc0", "host0/nic0"), cable("host0/nic0", "leaf0"), cable("host1/nic0", "leaf0")), []string{"2 × host", "host1", "1 × leaf"}, "nic0"},
		{"the inside of the only host", slices.Concat(cable("host0/acc0", "host0/switch"), cable("host0/acc1", "host0/switch")), []string{"2 × acc", "acc1", "1 × switch"}, "host0"},
		{"bare accelerators", slices.Concat(cable("acc0", "acc1"), cable("acc1", "acc2")), []string{"3 × acc", "acc2"}, "1 × acc"},
		{"hosts of several sites", slices.Concat(
			cable("east/host0/acc0", "east/host0/nic0"), cable("east/host0/nic0", "east/rack0/leaf0"), cable("east/rack0/leaf0", "east/gateway"),
			cable("west/host0/nic0", "west/rack0/leaf0"), cable("west/rack0/leaf0", "west/gateway"), cable("east/gateway", "west/gateway"),
		), []string{"2 × host", "east/host0", "west/host0", "2 × leaf", "2 × gateway"}, "east/host0/nic0"},
		{"a graph of any names", slices.Concat(cable("north", "core"), cable("south", "core")), []string{"2 nodes", "1 × core", "south"}, "north, south"},
		{"many are few", many(40, "acc#", "switch"), []string{"40 × acc", "00…"}, "acc01"},
		{"a long chain", chain, []string{"s"}, "no"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "network.svg")
			if err := report.PlotNetwork(file, "title", c.links); err != nil {
				t.Fatal(err)
			}
			all := texts(t, file)
			for _, want := range c.has {
				if !slices.Contains(all, want) {
					t.Errorf("no text %q in %q", want, all)
				}
			}
			if slices.Contains(all, c.not) {
				t.Errorf("text %q in %q", c.not, all)
			}
		})
	}
	for _, c := range []struct {
		file, want string
		links      []report.NetworkLink
	}{
		{"network.gif", ".svg or .png", cable("a", "b")},
		{"network.svg", "links have no ends", []report.NetworkLink{{Rate: 1}}},
		{"network.svg", "no links", nil},
	} {
		file := filepath.Join(t.TempDir(), c.file)
		if err := report.PlotNetwork(file, "title", c.links); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s was written", c.file)
		}
	}
}
