package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/report"
)

func ExamplePlot() {
	out, err := os.MkdirTemp("", "pictures")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(out)
	files, err := report.Plot("testdata/run", report.PlotOptions{Out: out, Formats: []string{"png"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(filepath.Base(f))
	}
	// Output:
	// utilization.png
	// links.png
	// network.png
	// busbw.png
}

// folder is a copy of testdata/run with some files replaced; "" removes one.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/run")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if text == "" {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// texts are those of an SVG, in the order in which they were drawn.
func texts(t *testing.T, path string) []string {
	t.Helper()
	svg, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile(`>([^<>]+)</text>`).FindAllSubmatch(svg, -1) {
		all = append(all, string(m[1]))
	}
	return all
}

// TestPlotSays looks for what the tables hold in the texts of the pictures.
func TestPlotSays(t *testing.T) {
	dir := folder(t, nil)
	files, err := report.Plot(dir, report.PlotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 8 {
		t.Errorf("wrote %v, want four pictures in two formats", files)
	}
	for _, c := range []struct {
		file       string
		has, hasNo []string
	}{
		{file: "utilization.svg", has: []string{
			"two-rings: what accelerators do", "leaf-spine, 8 × dgx-a100, 64 accelerators",
			"compute", "exposed communication", "idle",
			"53 %", // compute: (0.9+0.9+0.5+0.1+0+0.6+0.9 + 0.2/2) / 7.5, the last interval being half as long
			"time (ms)",
		}},
		{
			file: "links.svg", has: []string{
				"two-rings: utilization of the 5 hottest of 448 links", "contended",
				"spine7&gt;leaf0", "67 %", // 0.005 of 0.0075
				"&lt;1 %", // 0.00002 of 0.0075
			},
			hasNo: []string{"host1/nic0&gt;leaf0"},
		},
		{file: "network.svg", has: []string{
			"two-rings: utilization of the network", "2 × spine", "2 × host", "leaf0", "spine7", "100 %", "utilization",
		}, hasNo: []string{"host0/nic0"}},
		{file: "busbw.svg", has: []string{
			"all_reduce ring, 16 ranks, first", "all_reduce ring, 16 ranks, second", "all_reduce halving-doubling, 16 ranks",
			"bus bandwidth (GB/s)", "64 KiB",
		}},
	} {
		all := texts(t, filepath.Join(dir, c.file))
		for _, want := range c.has {
			if !slices.Contains(all, want) {
				t.Errorf("%s has no text %q; it has %q", c.file, want, all)
			}
		}
		for _, not := range c.hasNo {
			if slices.Contains(all, not) {
				t.Errorf("%s has the text %q", c.file, not)
			}
		}
	}
}

func TestPlotSameBytes(t *testing.T) {
	draw := func() map[string]string {
		dir := t.TempDir()
		files, err := report.Plot("testdata/run", report.PlotOptions{Out: filepath.Join(dir, "made", "here")})
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(f)] = string(text)
		}
		return all
	}
	if !maps.Equal(draw(), draw()) {
		t.Error("two pictures of one folder differ")
	}
}

// TestPlotSkips leaves out tables.
func TestPlotSkips(t *testing.T) {
	const oneSize = "op,algorithm,ranks,size_bytes,time_s,algbw_Bps,busbw_Bps,workload\nall_reduce,ring,8,1024,1e-5,1,2,w\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"no link series", map[string]string{"link_series.csv": ""}, []string{"utilization.svg", "network.svg", "busbw.svg"}},
		{"no links", map[string]string{"links.csv": ""}, []string{"utilization.svg", "links.svg", "busbw.svg"}},
		{"one size", map[string]string{"collectives.csv": oneSize}, []string{"utilization.svg", "links.svg", "network.svg"}},
		{"only links", map[string]string{"accelerator_series.csv": "", "collectives.csv": ""}, []string{"links.svg", "network.svg"}},
		{"no rows", map[string]string{"accelerator_series.csv": "time_s,compute_ratio,communication_ratio,idle_ratio\n"}, []string{"links.svg", "network.svg", "busbw.svg"}},
	} {
		dir := folder(t, c.files)
		files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		if !slices.Equal(files, c.want) {
			t.Errorf("%s: wrote %v, want %v", c.name, files, c.want)
		}
	}
}

// TestPlotFaults is input that cannot be drawn, and the message for it.
func TestPlotFaults(t *testing.T) {
	const (
		series  = "accelerator_series.csv"
		header  = "time_s,compute_ratio,communication_ratio,idle_ratio\n"
		links   = "link_series.csv"
		linkTop = "link,time_s,utilization_ratio\n"
		table   = "collectives.csv"
		tableTo = "op,algorithm,ranks,size_bytes,time_s,algbw_Bps,busbw_Bps,workload\n"
	)
	for _, c := range []struct{ name, file, text, want string }{
		{"no summary", "summary.json", "", "DIR: no summary.json, so no results folder; `railyard run SCENARIO --out DIR` makes one"},
		{"summary cut off", "summary.json", "{\n\"name\": \"a\",\n", "summary.json:3: unexpected end of JSON input"},
		{"summary of another type", "summary.json", "{\n\"makespan_s\": \"long\"}", "summary.json:2: json: cannot unmarshal string"},
		{"negative makespan", "summary.json", `{"makespan_s": -1}`, "summary.json: makespan_s is -1"},
		{"makespan of another run", "summary.json", `{"makespan_s": 0.003}`, series + ":5: time_s is 0.003: not before the makespan of summary.json, 0.003"},

		{"empty file", series, "\n", series + ":1: no header"},
		{"missing column", series, "time_s,compute_ratio\n0,1\n", series + `:1: no column "communication_ratio"; there are time_s, compute_ratio`},
		{"short row", series, header + "0,1,0,0\n0.001,1\n", series + ":3: wrong number of fields"},
		{"word for a number", series, header + "0,1,0,0\n0.001,all,0,0\n", series + `:3: compute_ratio is "all": not a number`},
		{"NaN", series, header + "0,NaN,0,0\n", series + `:2: compute_ratio is "NaN": not a number`},
		{"infinite", series, header + "0,1,0,0\nInf,1,0,0\n", series + `:3: time_s is "Inf": not a number`},
		{"no time", series, header + ",1,0,0\n", series + `:2: time_s is "": not a number`},
		{"time runs back", series, header + "0.002,1,0,0\n0.001,1,0,0\n", series + ":3: time_s is 0.001: not after the row before"},
		{"beyond the makespan", series, header + "0,1,0,0\n9,1,0,0\n", series + ":3: time_s is 9: not before the makespan of summary.json, 0.0075"},
		{"more than all", series, header + "0,1.5,0,0\n", series + ":2: compute_ratio is 1.5: not between 0 and 1"},
		{"more than all in sum", series, header + "0,0.75,0.5,0\n", series + ":2: the shares add up to 1.25, more than 1"},
		{"stray quote", series, header + "0,1,0,0\n0.001,\"1\"0,0,0\n", series + ":3: extraneous or missing \" in quoted-field"},
		{"endless quote", series, header + "\"" + strings.Repeat("0,", 2<<20), series + ":2: a row of more than 1048576 bytes; is a quote not closed?"},
		{"too many intervals", series, header + rows(2000), series + ":1026: more than 1024 intervals"},

		{"link comes back", links, linkTop + "a,0,0\nb,0,0\na,0,0\n", links + `:4: "a" again: the intervals of a link follow each other`},
		{"interval of its own", links, linkTop + "a,0,0\na,0.001,0\nb,0,0\nb,0.002,0\n", links + `:5: time_s is "0.002": not an interval of the first link`},
		{"link too short", links, linkTop + "a,0,0\na,0.001,0\nb,0,0\nc,0,0\n", links + `:5: "b" has 1 intervals, the first link has 2`},
		{"cut off", links, linkTop + "a,0,0\na,0.001,0\nb,0,0\n", links + `: ends within "b": 1 intervals of 2`},
		{"contended for longer than the run", "links.csv", "link,contended_s\na,1\n", `links.csv:2: contended_s is "1": not between 0 and the makespan, 0.0075`},

		{"negative size", table, tableTo + "all_reduce,ring,8,-1,1,1,1,w\n", table + ":2: size_bytes is -1: negative"},
		{"half a rank", table, tableTo + "all_reduce,ring,8.5,1,1,1,1,w\n", table + `:2: ranks is "8.5": not a number of ranks`},
		{"beyond any axis", table, tableTo + "all_reduce,ring,8,1,1,1,1,w\nall_reduce,ring,8,1e300,1,1,1,w\n", table + ": series 0 (\"all_reduce ring, 8 ranks\"): x[1] is 1e+300"},
	} {
		dir := folder(t, map[string]string{c.file: c.text})
		files, err := report.Plot(dir, report.PlotOptions{})
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		if e, ok := errors.AsType[*report.FileError](err); !ok {
			t.Errorf("%s: %v is no FileError", c.name, err)
		} else if e.Line == 0 && strings.Contains(c.want, ".csv:2") {
			t.Errorf("%s: no line", c.name)
		}
		want := strings.Replace(c.want, "DIR:", dir+":", 1)
		if !strings.HasPrefix(c.want, "DIR") {
			want = filepath.Join(dir, c.want)
		}
		if !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, err, want)
		}
		if len(files) > 0 {
			t.Errorf("%s: wrote %v beside the error", c.name, files)
		}
	}
}

// rows are n rows of an accelerator series.
func rows(n int) string {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%de-7,1,0,0\n", i)
	}
	return b.String()
}

func TestPlotReportsAllTables(t *testing.T) {
	dir := folder(t, map[string]string{"accelerator_series.csv": "x\n", "collectives.csv": "y\n"})
	_, err := report.Plot(dir, report.PlotOptions{})
	if err == nil || !strings.Contains(err.Error(), "accelerator_series.csv:1:") || !strings.Contains(err.Error(), "collectives.csv:1:") {
		t.Errorf("got %v, want a line for both tables", err)
	}
}

func TestPlotNothing(t *testing.T) {
	dir := folder(t, map[string]string{"accelerator_series.csv": "", "link_series.csv": "", "links.csv": "", "collectives.csv": ""})
	_, err := report.Plot(dir, report.PlotOptions{})
	const want = ": nothing to draw: no accelerator_series.csv, no link_series.csv, no links.csv, no contention.csv, no collectives.csv, no stretches.csv, no job_series.csv, no jobs.csv, no serving_series.csv, no requests.csv, no kernels.csv, no plan.csv; `railyard run SCENARIO --out DIR` writes the tables of what it simulated"
	if err == nil || err.Error() != dir+want {
		t.Errorf("got %v, want DIR%s", err, want)
	}
	if _, err := report.Plot(dir, report.PlotOptions{Formats: []string{"gif"}}); err == nil || !strings.Contains(err.Error(), "gif") {
		t.Errorf("format gif: got %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "links.csv.d"), 0o777); err != nil {
		t.Fatal(err)
	}
	_, err = report.Plot(filepath.Join(dir, "summary.json"), report.PlotOptions{})
	if err == nil {
		t.Error("a file in place of the folder: no error")
	}
}

// FuzzPlot puts any text in place of a table: an error or pictures, no panic.
func FuzzPlot(f *testing.F) {
	names := []string{"accelerator_series.csv", "link_series.csv", "links.csv", "collectives.csv", "summary.json", "contention.csv", "points.csv", "kernels.csv"}
	for i, name := range names[:5] {
		text, err := os.ReadFile(filepath.Join("testdata/run", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), text)
	}
	f.Add(uint8(0), []byte("time_s,compute_ratio,communication_ratio,idle_ratio\n5e-324,,,\n1e-323,1,0,0\n"))
	f.Add(uint8(3), []byte("op,algorithm,ranks,size_bytes,busbw_Bps,workload\na,b,1,5e-324,1e149,\na,b,1,1e-150,0,\n"))
	f.Add(uint8(4), []byte("{\"makespan_s\":1e300}"))
	f.Add(uint8(5), []byte("link,owner,lost_s\nleaf1>spine7,a,1\n"))
	f.Add(uint8(6), []byte(sweepTable))
	f.Add(uint8(7), []byte("workload,operator,pass,class,flops,bytes,time_s,peak_tflops,memory_Bps\na,b,c,d,1e300,1e-300,1,1e300,1e-300\n"))
	f.Add(uint8(6), []byte("point,a,status,run,makespan_s,cluster.accelerators,reason\n0,1,done,x,NaN,1,\n1,2,done,x,1e300,,\n2,2s,done,x,-1,Inf,\n"))
	f.Fuzz(func(t *testing.T, table uint8, text []byte) {
		if len(text) == 0 {
			return
		}
		dir := folder(t, map[string]string{names[int(table)%len(names)]: string(text)})
		files, err := report.Plot(dir, report.PlotOptions{Formats: []string{"svg"}})
		if (err == nil) != (len(files) > 0) {
			t.Errorf("files %v, error %v", files, err)
		}
	})
}
