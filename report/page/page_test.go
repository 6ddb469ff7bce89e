package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/page"
)

// results writes what a scenario of the repository finds into a folder.
func results(t testing.TB, name string, set ...string) string {
	t.Helper()
	s, err := railyard.Load(filepath.Join("../../scenarios", name+".toml"), set...)
	if err != nil {
		t.Fatal(err)
	}
	o := railyard.Options{}
	if len(s.Workload.Training) > 0 { // as run --report has it
		o.Timeline = &railyard.TimelineOptions{Brief: true, InFolder: true}
	}
	r, err := railyard.Run(context.Background(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := railyard.Write(dir, s, r, report.Host{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// files writes a results folder by hand.
func files(t testing.TB, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t testing.TB, dir string, objectives ...page.Objective) string {
	t.Helper()
	var b bytes.Buffer
	if err := page.Write(&b, dir, objectives...); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// part is a part of the document that a page embeds, as the tests look at it.
type part struct {
	Kind, Title, File string
	Total             int
	At                []float64
	Lines             []struct {
		Name   string
		Values []float64
	}
	Layers []struct {
		Name   string
		Values [][]float64
	}
	Figures []struct {
		Label, Unit, Text string
		Value             float64
	}
	Columns []struct {
		Name   string
		More   bool
		Values []any
	}
	Bars []struct {
		Name  string
		Value float64
	}
	Rows, Names, Hues []string
	Row               []int
	From, To, X, Y    text
	Edges             []struct {
		Utilization float64
		Links       int
		Who         []any
	}
}

// text is a value as it is embedded.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(b)
	return nil
}

type document struct {
	Title    string
	Sections []struct {
		ID    string
		Parts []part
	}
}

var embedded = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

// read takes the document out of a page, as a browser would.
func read(t testing.TB, html string) document {
	t.Helper()
	found := embedded.FindStringSubmatch(html)
	if found == nil {
		t.Fatal("the page embeds no data")
	}
	var d document
	if err := json.Unmarshal([]byte(found[1]), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d document) find(t testing.TB, section, kind, title string) part {
	t.Helper()
	for _, s := range d.Sections {
		for _, p := range s.Parts {
			if s.ID == section && p.Kind == kind && strings.HasPrefix(p.Title, title) {
				return p
			}
		}
	}
	t.Fatalf("section %s has no %s %q", section, kind, title)
	return part{}
}

func TestSections(t *testing.T) {
	for _, c := range []struct {
		scenario string
		sections string
	}{
		{"quickstart", "headline time iteration over-time network distributions tables figures origin"},
		{"queue", "headline time jobs distributions tables figures origin"},
		{"placement", "headline time jobs distributions tables figures origin"},
		{"fat-tree-incast", "headline network distributions tables figures origin"},
		{"allreduce-1k", "headline time over-time network distributions tables figures origin"},
	} {
		var got []string
		for _, s := range read(t, write(t, results(t, c.scenario))).Sections {
			got = append(got, s.ID)
		}
		if strings.Join(got, " ") != c.sections {
			t.Errorf("%s: %s, want %s", c.scenario, strings.Join(got, " "), c.sections)
		}
	}
}

// The figures of the headline are those of the summary, and each says what it means.
func TestHeadline(t *testing.T) {
	p := read(t, write(t, results(t, "quickstart"))).find(t, "headline", "figures", "training · bert-large")
	found := map[string]float64{}
	for _, f := range p.Figures {
		found[f.Label] = f.Value
		if f.Text == "" {
			t.Errorf("%s has no meaning", f.Label)
		}
	}
	// NVIDIA DeepLearningExamples: 35,774 sequences/s on 64 A100; the scenario expects
	// to be within 5 %.
	if v := found["samples"]; math.Abs(v/35774-1) > 0.05 {
		t.Errorf("%v samples/s", v)
	}
	if v := found["an iteration"] * found["samples"]; math.Abs(v-65536) > 1e-6 {
		t.Errorf("an iteration has %v samples, not the global batch", v)
	}
}

// Parts of a breakdown sum to the whole.
func TestBreakdown(t *testing.T) {
	d := read(t, write(t, results(t, "quickstart")))
	sum := 0.0
	for _, b := range d.find(t, "time", "bars", "An iteration").Bars {
		sum += b.Value
	}
	for _, f := range d.find(t, "headline", "figures", "training").Figures {
		if f.Label == "an iteration" && math.Abs(sum/f.Value-1) > 1e-9 {
			t.Errorf("the parts sum to %v of %v s", sum, f.Value)
		}
	}
}

// Where two rings share a link, the page says who lost to whom, and where.
func TestContention(t *testing.T) {
	d := read(t, write(t, results(t, "allreduce-1k")))
	who := 0
	for _, e := range d.find(t, "network", "network", "Topology").Edges {
		if e.Who != nil {
			who++
			if text := fmt.Sprint(e.Who...); !strings.Contains(text, "north lost") || !strings.Contains(text, "to south") {
				t.Errorf("who contends: %s", text)
			}
		}
	}
	if who != 1 { // leaf6 and its up-link
		t.Errorf("somebody lost on %d cables, not one", who)
	}
	if n := d.find(t, "network", "table", "Who contends").Total; n != 4 {
		t.Errorf("%d rows of contention", n)
	}
	// Both want as much as they get alone, twice the wire together.
	wire := d.find(t, "network", "lines", "Contention on leaf6>spine0")
	if wanted, carried := slices.Max(wire.Lines[0].Values), slices.Max(wire.Lines[1].Values); math.Abs(wanted/carried-2) > 1e-3 {
		t.Errorf("%v was wanted where %v was carried", wanted, carried)
	}
}

// long is a series of n intervals with a peak of every column somewhere.
func long(n int) (text string, peaks [3]float64) {
	var b strings.Builder
	b.WriteString("time_s,compute_ratio,communication_ratio,idle_ratio\n")
	for i := range n {
		c := 0.3 + 0.2*math.Sin(float64(i)/97)
		m := 0.1 + 0.05*math.Cos(float64(i)/31)
		switch i {
		case 3*n/7 + 1:
			c, m = 0.9123456, 0.01
		case 5 * n / 7:
			c, m = 0.01, 0.8765432
		case n / 5:
			c, m = 0.001, 0.0023456
		}
		v := [3]float64{c, m, 1 - c - m}
		for k := range v {
			peaks[k] = max(peaks[k], v[k])
		}
		fmt.Fprintf(&b, "%d,%v,%v,%v\n", i, v[0], v[1], v[2])
	}
	return b.String(), peaks
}

// A series of 10,000 points and one of a million both give a page under 1 MB, with
// every peak where it was, to the seven digits of a chart.
func TestPeaks(t *testing.T) {
	for _, n := range []int{10_000, 200_000} {
		text, peaks := long(n)
		html := write(t, files(t, map[string]string{
			"summary.json":           fmt.Sprintf(`{"name": "long", "makespan_s": %d}`, n),
			"accelerator_series.csv": text,
		}))
		if len(html) > 1e6 {
			t.Errorf("%d points: %d bytes", n, len(html))
		}
		p := read(t, html).find(t, "over-time", "lines", "What accelerators do")
		for k, l := range p.Lines {
			most := 0.0
			for _, v := range l.Values {
				most = max(most, v)
			}
			if math.Abs(most/peaks[k]-1) > 1e-6 {
				t.Errorf("%d points: the peak of %s is %v, not %v", n, l.Name, most, peaks[k])
			}
		}
		for i := range p.At { // whole rows were kept, so that a stack still sums up
			if sum := p.Lines[0].Values[i] + p.Lines[1].Values[i] + p.Lines[2].Values[i]; math.Abs(sum-1) > 1e-6 {
				t.Fatalf("%d points: at %v the shares sum to %v", n, p.At[i], sum)
			}
		}
	}
}

// The heat map of more intervals than it has cells has the highest of each.
func TestHeatPeaks(t *testing.T) {
	var b strings.Builder
	b.WriteString("link,time_s,utilization_ratio\n")
	most := map[string]float64{}
	for _, link := range []string{"a", "b"} {
		for i := range 3000 {
			v := 0.2
			if i == 1234 && link == "b" {
				v = 0.987654
			}
			most[link] = max(most[link], v)
			fmt.Fprintf(&b, "%s,%d,%v\n", link, i, v)
		}
	}
	p := read(t, write(t, files(t, map[string]string{
		"summary.json":    `{"makespan_s": 3000, "network": {"bytes": 1}}`,
		"link_series.csv": b.String(),
	}))).find(t, "network", "heat", "Links over time")
	for i, row := range p.Rows {
		got := 0.0
		for _, v := range p.Layers[0].Values[i] {
			got = max(got, v)
		}
		if got != most[row] {
			t.Errorf("link %s: highest %v, not %v", row, got, most[row])
		}
	}
}

// Names are anything: none of them ends a script or begins one.
func TestEscaping(t *testing.T) {
	const name = `</script><script>pwned=1</script><!--<img src=x onerror=pwned=1>&"'` + "\u2028"
	quoted, _ := json.Marshal(name)
	html := write(t, files(t, map[string]string{
		"summary.json": fmt.Sprintf(`{"name": %s, "makespan_s": 1}`, quoted),
		"jobs.csv":     "job,submit_s,finish_s,wait_s\n\"" + strings.ReplaceAll(name, `"`, `""`) + "\",0,1,0\n",
	}))
	if strings.Contains(html, "pwned=1<") || strings.Contains(html, "<img") || strings.Count(html, "<script") != 2 {
		t.Error("a name is not escaped")
	}
	d := read(t, html)
	if d.Title != name {
		t.Errorf("the title is %q", d.Title)
	}
	if got := d.find(t, "tables", "table", "Jobs").Columns[0].Values[0]; got != name {
		t.Errorf("the job is %q", got)
	}
}

// The same results give the same bytes, whatever host and moment they are from.
func TestDeterministic(t *testing.T) {
	a, b := write(t, results(t, "quickstart")), write(t, results(t, "quickstart"))
	if a != b {
		t.Error("two pages of the same run differ")
	}
}

// Nothing in a page names another place that a browser would ask.
func TestSelfContained(t *testing.T) {
	html := write(t, results(t, "quickstart"))
	for _, found := range regexp.MustCompile(`(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//[^"')\s]+`).FindAllString(html, -1) {
		t.Errorf("refers to %s", found)
	}
	if !strings.Contains(html, "default-src &#39;none&#39;") && !strings.Contains(html, "default-src 'none'") {
		t.Error("no policy that refuses requests")
	}
}

// A table of many rows keeps those that matter, and says how many there are.
func TestTableRows(t *testing.T) {
	var b strings.Builder
	b.WriteString("flow,start_s,finish_s,bytes,alone_s,lost_s\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "f%d,0,1,8,1,%d\n", i, i*37%5000) // 37 and 5000 share no factor: every loss once
	}
	p := read(t, write(t, files(t, map[string]string{"summary.json": `{"makespan_s": 1}`, "flows.csv": b.String()}))).find(t, "tables", "table", "Flows")
	if p.Total != 5000 || len(p.Columns[0].Values) != 1000 {
		t.Fatalf("%d of %d rows", len(p.Columns[0].Values), p.Total)
	}
	for _, v := range p.Columns[5].Values {
		if v.(float64) < 4000 {
			t.Fatalf("a flow that lost %v s is shown, others that lost more are not", v)
		}
	}
}

// A sweep of one metric that falls and one that rises has all its points in the
// charts, and the best of each named.
func TestSweep(t *testing.T) {
	var b strings.Builder
	b.WriteString("point,topology.hosts,status,run,name,training.0.iteration_s,training.0.mfu_ratio,reason\n")
	for i := range 8 {
		fmt.Fprintf(&b, "%d,%d,done,r%d,scaling,%v,%v,\n", i, 1<<i, i, 8/float64(int(1)<<i), 0.5-0.01*float64(i))
	}
	b.WriteString("8,256,invalid,r8,,,,\"does not fit, by far\"\n")
	dir := files(t, map[string]string{"points.csv": b.String()})
	d := read(t, write(t, dir))
	if d.Title != "scaling" {
		t.Errorf("title %q", d.Title)
	}
	best := map[string]float64{}
	for _, f := range d.find(t, "headline", "figures", "best").Figures {
		best[f.Label] = f.Value
	}
	if best["training.0.iteration_s, least"] != 8.0/128 || best["training.0.mfu_ratio, greatest"] != 0.5 {
		t.Errorf("best: %v", best)
	}
	if n := len(d.find(t, "sweep", "studies", "").Columns); n != 3 {
		t.Errorf("%d columns to compare", n)
	}
	if p := d.find(t, "sweep", "studies", ""); p.X != `"training.0.iteration_s"` || p.Y != `"training.0.mfu_ratio"` {
		t.Errorf("the charts begin with %s and %s", p.X, p.Y)
	}
	d = read(t, write(t, dir, page.Objective{Metric: "training.0.mfu_ratio"}, page.Objective{Metric: "training.0.iteration_s", More: true}))
	if p := d.find(t, "sweep", "studies", ""); p.X != `"training.0.mfu_ratio"` || p.Y != `"training.0.iteration_s"` || p.Columns[1].More || !p.Columns[2].More {
		t.Errorf("with other objectives the charts begin with %s and %s", p.X, p.Y)
	}
	if n := d.find(t, "tables", "table", "Points without results").Total; n != 1 {
		t.Errorf("%d points without results", n)
	}
}

// An iteration of a time line in the folder is shown row by row.
func TestTimeline(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"displayTimeUnit":"ms","traceEvents":[
{"ph":"M","name":"process_name","pid":1,"args":{"name":"host0"}},
{"ph":"M","name":"thread_name","pid":1,"tid":2,"args":{"name":"acc0 compute"}}`)
	for i := range 4 { // iterations of 1 s: 0.75 s of compute, then 0.25 s of gradients
		fmt.Fprintf(&b, ",\n{\"ph\":\"X\",\"name\":\"forward %d\",\"cat\":\"compute\",\"pid\":1,\"tid\":2,\"ts\":%d,\"dur\":750000,\"args\":{\"bytes\":3}}", i, i*1000000)
		fmt.Fprintf(&b, ",\n{\"ph\":\"X\",\"name\":\"gradients\",\"cat\":\"communication\",\"pid\":1,\"tid\":3,\"ts\":%d,\"dur\":250000}", i*1000000+750000)
	}
	b.WriteString("\n]}")
	p := read(t, write(t, files(t, map[string]string{
		"summary.json":  `{"makespan_s": 4, "training": [{"name": "a", "iteration_s": 1}]}`,
		"timeline.json": b.String(),
	}))).find(t, "iteration", "gantt", "")
	if got, want := strings.Join(p.Rows, "|"), "host0 · acc0 compute|host0 · thread 3"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	if got := string(p.From + p.To); got != "[0,0.75][0.75,1]" {
		t.Errorf("slices from and to %s", got)
	}
	if p.Names[0] != "forward 1" {
		t.Errorf("%s: not the second iteration", p.Names[0])
	}
}

// Of more slices than there is room for, those of a row that could not be told apart are
// one, and of what is left the longest are shown, from every row.
func TestLongTimeline(t *testing.T) {
	var b strings.Builder
	b.WriteString("[")
	const many = 15_000 // of each of three rows
	for row := range 3 {
		for i := range many {
			kind, length := "forward", 60.0
			if row == 2 && i%2 == 1 { // not to be made one, and the shortest
				kind, length = "backward", 10
			}
			fmt.Fprintf(&b, "{\"ph\":\"X\",\"name\":\"layer %d\",\"cat\":%q,\"pid\":1,\"tid\":%d,\"ts\":%d,\"dur\":%v},\n", i, kind, row, i*66, length)
		}
	}
	b.WriteString(`{"ph":"X","name":"all","cat":"iteration","pid":2,"tid":1,"ts":0,"dur":1000000}]`)
	p := read(t, write(t, files(t, map[string]string{"summary.json": `{"makespan_s": 1}`, "timeline.json": b.String()}))).find(t, "iteration", "gantt", "")
	shown := make([]int, 4)
	for _, r := range p.Row {
		shown[r]++
	}
	if want := []int{1, 1, many, 1}; !slices.Equal(shown, want) {
		t.Errorf("the rows have %d slices, want %d", shown, want)
	}
	if p.Names[0] != "15000 × forward" {
		t.Errorf("the first is %q", p.Names[0])
	}
}

// What failed when is beside what the accelerators did: until the job went on where it
// stopped one, else until the part worked again, or the end.
func TestFailures(t *testing.T) {
	summary := `{"makespan_s": 100}`
	faults := "name,kind,at_s,repair_s\nspine0,switch,10,5\nhost3,host,20,\n"
	for _, c := range []struct {
		files             map[string]string
		rows, from, until string
	}{
		{map[string]string{"faults.csv": faults}, "switch host", "[10,20]", "[15,100]"},
		{map[string]string{"faults.csv": faults, "interruptions.csv": "workload,at_s,kind,name,cause,resumed_s\na,20,host,host3,power supply,50\n"}, "power supply", "[20]", "[50]"},
	} {
		c.files["summary.json"] = summary
		p := read(t, write(t, files(t, c.files))).find(t, "over-time", "gantt", "Failures")
		if rows := strings.Join(p.Rows, " "); rows != c.rows || string(p.From) != c.from || string(p.To) != c.until {
			t.Errorf("%s, from %s to %s; want %s, %s, %s", rows, p.From, p.To, c.rows, c.from, c.until)
		}
	}
}

func TestErrors(t *testing.T) {
	const summary = `{"name": "a", "makespan_s": 10, "cluster": {"accelerators": 8, "hosts": 1}, "network": {"bytes": 1}}`
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"nothing", nil, "no results folder"},
		{"no JSON", map[string]string{"summary.json": "{"}, "summary.json: not JSON"},
		{"no object", map[string]string{"summary.json": "[1]"}, "not a JSON object"},
		{"deep", map[string]string{"summary.json": `{"a":` + strings.Repeat("[", 1000)}, "levels deep"},
		{"no number", map[string]string{"summary.json": summary, "accelerator_series.csv": "time_s,compute_ratio\n0,x\n"}, `accelerator_series.csv:2: compute_ratio is "x": not a number`},
		{"time goes back", map[string]string{"summary.json": summary, "accelerator_series.csv": "time_s,compute_ratio\n1,0\n0,0\n"}, "accelerator_series.csv:3: time_s is 0: not later"},
		{"column lacks", map[string]string{"summary.json": summary, "links.csv": "link,from\na,b\n"}, `links.csv:1: no column "to"`},
		{"row too short", map[string]string{"summary.json": summary, "jobs.csv": "job,wait_s\na\n"}, "jobs.csv:2: wrong number of fields"},
		{"late stretch", map[string]string{"summary.json": summary, "stretches.csv": "job,start_s,finish_s,placement\na,0,11,0\n"}, "stretches.csv:2: from 0 to 11: not within"},
		{"no such accelerator", map[string]string{"summary.json": summary, "stretches.csv": "job,start_s,finish_s,placement\na,0,1,8\n"}, `"8": not accelerators of the 8`},
		{"no points", map[string]string{"points.csv": "point,a,status\n"}, "no points"},
		{"other points", map[string]string{"points.csv": "x,y\n1,2\n"}, "not the points of a sweep"},
		{"no timeline", map[string]string{"summary.json": summary, "timeline.json": "{}"}, "timeline.json: no traceEvents"},
	} {
		err := page.Write(&bytes.Buffer{}, files(t, c.files))
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, new(*page.FileError)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Whatever lies in a folder gives a page or an error.
func FuzzWrite(f *testing.F) {
	names := []string{
		"summary.json", "manifest.json", "links.csv", "link_series.csv", "accelerator_series.csv", "accelerators.csv", "stretches.csv", "jobs.csv",
		"requests.csv", "collectives.csv", "contention.csv", "loads.csv", "points.csv", "timeline.json", "faults.csv",
	}
	for i, text := range []string{
		`{"name":"a","makespan_s":10,"network":{"bytes":1},"cluster":{"accelerators":8},"training":[{"breakdown_s":{"compute":1}}]}`,
		`{"run":"a","seed":1,"scenario":{"a":[{"b":1}]},"inputs":[{"path":"x"}]}`,
		"link,from,to,capacity_Bps,utilization_ratio\nhost0/a>b,host0/a,b,1,0.5\n", "link,time_s,utilization_ratio\na,0,1\n",
		"time_s,compute_ratio\n0,1\n", "compute_s,communication_s,idle_s\n1,1,1\n", "job,start_s,finish_s,placement\na,0,1,0-3\n", "job,submit_s,finish_s,wait_s\na,0,1,0\n",
		"request,arrival_s,first_token_s,finish_s,output_tokens\n0,0,1,2,1\n", "op,ranks,size_bytes,busbw_Bps\na,2,1,1\na,2,2,1\n",
		"link,owner,other,lost_s\na,b,c,1\n", "arrived_ratio,allocated_ratio,fragmented_ratio\n0,0,0\n1,1,1\n",
		"point,k,status,run,m\n0,1,done,a,1\n1,2,done,b,2\n", `[{"ph":"X","ts":1,"dur":2}]`, "at_s,repair_s\n1,1\n",
	} {
		f.Add(uint8(i), text)
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		texts := map[string]string{"summary.json": `{"name":"a","makespan_s":10,"network":{"bytes":1},"cluster":{"accelerators":8}}`}
		texts[names[int(which)%len(names)]] = text
		var b bytes.Buffer
		if err := page.Write(&b, files(t, texts)); err == nil {
			read(t, b.String())
		} else if !errors.As(err, new(*page.FileError)) {
			t.Errorf("%v", err)
		}
	})
}

// Spines that no leaf leads to stand beside those of their site, below its gateway, which
// is the top of the picture.
func TestTiersOfSites(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("link,from,to,capacity_Bps,bytes,busy_ratio,utilization_ratio,contended_s\n")
	cable := func(a, b string) {
		for _, ends := range [][2]string{{a, b}, {b, a}} {
			fmt.Fprintf(&rows, "%s>%s,%s,%s,1e9,1e9,0.5,0.5,0\n", ends[0], ends[1], ends[0], ends[1])
		}
	}
	for _, site := range []string{"east", "west"} {
		cable(site+"/host0/nic0", site+"/leaf0")
		cable(site+"/leaf0", site+"/spine0")
	}
	for _, site := range []string{"east", "west"} {
		for spine := range 3 { // of which leaf 0 has the first alone
			cable(fmt.Sprintf("%s/spine%d", site, spine), site+"/gateway")
		}
	}
	cable("east/gateway", "west/gateway")
	html := write(t, files(t, map[string]string{
		"summary.json": `{"name": "sites", "status": "done", "makespan_s": 1, "network": {"bytes": 1e9}}`, "links.csv": rows.String(),
	}))
	tiers := `"tiers":[{"name":"2 × host","nodes":["east/host0","west/host0"]},{"name":"2 × leaf","nodes":["east/leaf0","west/leaf0"]},` +
		`{"name":"6 × spine","nodes":["east/spine0","east/spine1","east/spine2","west/spine0","west/spine1","west/spine2"]},` +
		`{"name":"2 × gateway","nodes":["east/gateway","west/gateway"]}]`
	if !strings.Contains(html, tiers) {
		_, got, _ := strings.Cut(html, `"tiers":`)
		t.Errorf("tiers are %.400s", got)
	}
}
