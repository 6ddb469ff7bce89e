package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestReadLinks(t *testing.T) {
	got, faults := readLinks("links.csv", strings.NewReader("\ufefflatency_s, link,capacity_Bps\n1e-6,l0,1e9\n0, l1 ,2.5e10\n\n-0,l2,1\n"))
	if faults != nil {
		t.Fatal(faults)
	}
	want := &LinkTable{Name: []string{"l0", "l1", "l2"}, Capacity: []float64{1e9, 2.5e10, 1}, Latency: []float64{1e-6, 0, 0}, Line: []int32{2, 3, 5}}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(LinkTable{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if l, ok := got.Find("l1"); l != 1 || !ok {
		t.Errorf("l1 is %d, %v", l, ok)
	}
	if _, ok := got.Find("l9"); ok {
		t.Error("l9 was found")
	}
}

// findDigit finds links "l0" to "l9".
func findDigit(name string) (int32, bool) {
	if len(name) == 2 && name[0] == 'l' && name[1] >= '0' && name[1] <= '9' {
		return int32(name[1] - '0'), true
	}
	return 0, false
}

func TestReadFlows(t *testing.T) {
	got, faults := readFlows("flows.csv", strings.NewReader("flow,start_s,bytes,route,weight,after\nf0,0,1e6,l0 l1,1,f2\nf1,0.5,0,l2,2.5,\nf2,1,3,l1,,\"f1 f1\"\n"), findDigit)
	if faults != nil {
		t.Fatal(faults)
	}
	want := &FlowTable{
		Name: []string{"f0", "f1", "f2"}, Start: []float64{0, 0.5, 1}, Bytes: []float64{1e6, 0, 3}, Weight: []float64{1, 2.5, 1}, Line: []int32{2, 3, 4},
		Route: []int32{0, 1, 2, 1}, RouteAt: []int32{0, 2, 3, 4},
		After: []int32{2, 1, 1}, AfterAt: []int32{0, 1, 1, 3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}

	got, faults = readFlows("flows.csv", strings.NewReader("bytes,flow,dst,src,start_s\n7,f0,b,a,0\n"), nil)
	if faults != nil {
		t.Fatal(faults)
	}
	want = &FlowTable{
		Name: []string{"f0"}, Start: []float64{0}, Bytes: []float64{7}, Weight: []float64{1}, Line: []int32{2},
		Src: []string{"a"}, Dst: []string{"b"}, AfterAt: []int32{0, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

func TestTableFaults(t *testing.T) {
	links := func(rows string) string { return "link,capacity_Bps,latency_s\n" + rows }
	for _, c := range []struct{ name, text, want string }{
		{"empty file", "", "t.csv: the file is empty; its first row must name the columns link,capacity_Bps,latency_s"},
		{"no rows", links(""), "t.csv: there are no rows below the header"},
		{"missing column", "link,latency_s\na,1\n", "t.csv:1:1: there is no column capacity_Bps"},
		{"unknown column", "link,capacity_bps,latency_s\na,1,1\n", "t.csv:1:1: there is no column capacity_Bps\nt.csv:1:6: unknown column \"capacity_bps\" (did you mean \"capacity_Bps\"?); columns: link, capacity_Bps, latency_s"},
		{"no header", "a,1e9,0\n", "t.csv:1:1: unknown column \"a\", as are all others; the first row must name link,capacity_Bps,latency_s"},
		{"column twice", "link,link,capacity_Bps,latency_s\n", "t.csv:1:6: the column \"link\" is there twice"},
		{"row cut short", links("a,1,0\nb,1\n"), "t.csv:3:1: 2 fields where the header has 3; is the file cut short?"},
		{"row too long", links("a,1,0,9\n"), "t.csv:2:1: 4 fields where the header has 3; is the file cut short?"},
		{"not a number", links("a,fast,0\n"), `t.csv:2:3: capacity_Bps: "fast" is not a number`},
		{"digits as in Go", links("a,1_000,0\n"), `t.csv:2:3: capacity_Bps: "1_000" is not a number`},
		{"hexadecimal", links("a,0x1p4,0\n"), `t.csv:2:3: capacity_Bps: "0x1p4" is not a number`},
		{"a quantity", links("a,1GB/s,0\n"), `t.csv:2:3: capacity_Bps: "1GB/s" is not a number`},
		{"no number", links("a,,0\n"), `t.csv:2:3: capacity_Bps: "" is not a number`},
		{"NaN", links("a,NaN,0\n"), `t.csv:2:3: capacity_Bps: "NaN" is not a finite number`},
		{"infinite", links("a,1,inf\n"), `t.csv:2:5: latency_s: "inf" is not a finite number`},
		{"too large", links("a,1e999,0\n"), `t.csv:2:3: capacity_Bps: "1e999" is too large`},
		{"negative", links("a,1,-1e-9\n"), `t.csv:2:5: latency_s: -1e-9 is negative`},
		{"zero capacity", links("a,0,0\n"), `t.csv:2:3: capacity_Bps: must be more than 0`},
		{"beyond the clock", links("a,1,1e9\n"), `t.csv:2:5: latency_s: 1e+09 s is too long: the range is 92233720.36854775807s`},
		{"longer than a link takes", links("a,1,61\n"), `t.csv:2:5: latency_s: must be at most 60 s, not 61`},
		{"beyond all", links("a,1e300,0\n"), `t.csv:2:3: capacity_Bps: "1e300" is too large`},
		{"twice", links("a,1,0\nb,1,0\na,1,0\n"), `t.csv:4:1: link: "a" is there twice`},
		{"no name", links(" ,1,0\n"), `t.csv:2:1: link: is empty`},
		{"open quote", links("\"a,1,0\nb,1,0\n"), `extraneous or missing " in quoted-field`},
		{"stray quote", links("a\"b,1,0\n"), `t.csv:2:2: bare " in non-quoted-field`},
		{"all at once", links("a,x,y\n,1,0\n"), "t.csv:2:3: capacity_Bps: \"x\" is not a number\nt.csv:2:5: latency_s: \"y\" is not a number\nt.csv:3:1: link: is empty"},
		{"after a field of two lines", links("\"a\n\",1,0\nb,x,0\n"), `t.csv:4:3: capacity_Bps: "x" is not a number`},
		{"long row", links("a,1," + strings.Repeat("0", 2*maxRow)), `t.csv:2:1: a row is longer than 1 MiB; is a quote left open?`},
	} {
		_, faults := readLinks("t.csv", strings.NewReader(c.text))
		if got := faults.Error(); !strings.Contains(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}

	flows := func(rows string) string { return "flow,start_s,bytes,route,weight,after\n" + rows }
	for _, c := range []struct{ name, text, want string }{
		{"no route", flows("a,0,1,,,\n"), `t.csv:2:7: route: is empty: a flow takes one link or more`},
		{"unknown link", flows("a,0,1,l0 m1,,\n"), `t.csv:2:7: route: there is no link "m1"`},
		{"ends on links", "flow,start_s,bytes,src,dst\na,0,1,b,c\n", `t.csv:1:1: there is no column route`},
		{"negative bytes", flows("a,0,-1,l0,,\n"), `t.csv:2:5: bytes: -1 is negative`},
		{"zero weight", flows("a,0,1,l0,0,\n"), `t.csv:2:10: weight: must be more than 0`},
		{"unknown after", flows("first,0,1,l0,,\nb,0,1,l0,,frist\n"), `t.csv:3:11: after: there is no flow "frist"`},
		{"near after", flows("flow10,0,1,l0,,\nb,0,1,l0,,flow1\n"), `t.csv:3:11: after: there is no flow "flow1" (did you mean "flow10"?)`},
		{"after itself", flows("a,0,1,l0,,a\n"), `t.csv:2:1: after: these wait for each other: a -> a`},
		{"cycle of two", flows("f1,0,1,l0,,f2\nf2,0,1,l0,,f1\n"), `t.csv:2:1: after: these wait for each other: f1 -> f2 -> f1`},
		{"cycle behind a chain", flows("a,0,1,l0,,b\nb,0,1,l0,,c\nc,0,1,l0,,d\nd,0,1,l0,,b\n"), `t.csv:3:1: after: these wait for each other: b -> c -> d -> b`},
	} {
		_, faults := readFlows("t.csv", strings.NewReader(c.text), findDigit)
		if got := faults.Error(); !strings.Contains(got, c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	_, faults := readFlows("t.csv", strings.NewReader("flow,start_s,bytes,src,dst\na,0,1,,c\n"), nil)
	if got, want := faults.Error(), "t.csv:2:7: src: is empty"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTableFaultsAreBounded(t *testing.T) {
	_, faults := readLinks("t.csv", strings.NewReader("link,capacity_Bps,latency_s\n"+strings.Repeat("a,x\n", 100)+strings.Repeat("a,x,0\n", 1000)))
	if len(faults) != maxTableFaults+1 || faults[maxTableFaults].Message != "and 2079 more" {
		t.Errorf("%d faults, the last: %v", len(faults), faults[len(faults)-1])
	}
	if got := faults.Error(); !strings.HasSuffix(got, "\nt.csv: and 2079 more") {
		t.Errorf("got %s", got)
	}
}

// A long cycle is found without recursion and printed in one line.
func TestLongCycle(t *testing.T) {
	const n = 100_000
	var b strings.Builder
	b.WriteString("flow,start_s,bytes,route,after\n")
	for i := range n {
		fmt.Fprintf(&b, "f%d,0,1,l0,f%d\n", i, (i+1)%n)
	}
	_, faults := readFlows("t.csv", strings.NewReader(b.String()), findDigit)
	if got, want := faults.Error(), "t.csv:2:1: after: these wait for each other: f0 -> f1 -> f2 -> f3 -> f4 -> f5 -> f6 -> f7 -> f8 -> f9 -> (99990 more) -> f0"; got != want {
		t.Errorf("got %s", got)
	}
}

func manyFlows(n int) string {
	var b strings.Builder
	b.WriteString("flow,start_s,bytes,route,weight,after\n")
	for i := range n {
		fmt.Fprintf(&b, "f%d,%g,1048576,l0 l1 l2 l3,1,f%d\n", i, float64(i)*1e-6, max(i-1, 0))
	}
	return strings.Replace(b.String(), ",f0\n", ",\n", 1)
}

// A long file is read whole; how fast says BenchmarkReadFlows.
func TestManyFlows(t *testing.T) {
	const n = 200_000
	flows, faults := readFlows("t.csv", strings.NewReader(manyFlows(n)), findDigit)
	if faults != nil {
		t.Fatal(faults)
	}
	if len(flows.Name) != n || len(flows.Route) != 4*n || len(flows.After) != n-1 {
		t.Errorf("got %d flows, %d links, %d waits", len(flows.Name), len(flows.Route), len(flows.After))
	}
}

func BenchmarkReadFlows(b *testing.B) {
	const n = 100_000
	text := manyFlows(n)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, faults := readFlows("t.csv", strings.NewReader(text), findDigit); faults != nil {
			b.Fatal(faults)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "flows/s")
}

func FuzzReadFlows(f *testing.F) {
	f.Add("flow,start_s,bytes,route,weight,after\nf0,0,1e6,l0 l1,1,f2\nf1,0.5,0,l2,2.5,\nf2,1,3,l1,,\"f1 f1\"\n")
	f.Add("flow,start_s,bytes,src,dst\na,0,1,b,c\n")
	f.Add("link,capacity_Bps,latency_s\na,1,0\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		if links, faults := readLinks("t.csv", strings.NewReader(text)); (links == nil) == (faults == nil) {
			t.Errorf("links %v, faults %v", links, faults)
		}
		for _, find := range []func(string) (int32, bool){findDigit, nil} {
			flows, faults := readFlows("t.csv", strings.NewReader(text), find)
			if (flows == nil) == (faults == nil) {
				t.Errorf("flows %v, faults %v", flows, faults)
			}
			if flows != nil && (len(flows.AfterAt) != len(flows.Name)+1 || !slices.IsSorted(flows.AfterAt)) {
				t.Errorf("offsets %v of %d flows", flows.AfterAt, len(flows.Name))
			}
		}
	})
}

func TestReadFromScenario(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("links.csv", "link,capacity_Bps,latency_s\nl0,1,0\n")
	write("flows.csv", "flow,start_s,bytes,route\nf0,0,1,l0\nf1,0,1,l1\n")
	s, faults := Parse(filepath.Join(dir, "case.toml"), []byte("[topology]\nkind = \"links\"\nfile = \"links.csv\"\n[[workload.flows]]\nfile = \"flows.csv\"\n"), nil)
	if faults != nil {
		t.Fatal(faults)
	}
	links, faults := s.ReadLinks()
	if faults != nil {
		t.Fatal(faults)
	}
	_, faults = s.ReadFlows(&s.Workload.Flows[0], links.Find)
	if got, want := faults.Error(), filepath.Join(dir, "flows.csv")+`:3:8: route: there is no link "l1"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
