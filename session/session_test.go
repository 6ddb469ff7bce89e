package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const ring = `[topology]
kind = "ring"
accelerators = 4
bandwidth = "1GB/s"
latency = "1us"
[[workload.collective]]
op = "all_reduce"
algorithm = "ring"
sizes = ["4MB"]
`

// ask gives the answers to requests.
func ask(t testing.TB, requests ...string) []map[string]any {
	t.Helper()
	var out bytes.Buffer
	if err := Serve(context.Background(), strings.NewReader(strings.Join(requests, "\n")), &out); err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for line := range strings.Lines(out.String()) {
		var a map[string]any
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, a)
	}
	return all
}

func request1(scenario, more string) string {
	text, _ := json.Marshal(scenario)
	return fmt.Sprintf(`{"id":7,"scenario":%s%s}`, text, more)
}

func Example() {
	in := strings.NewReader(`{"id": 1, "do": "check", "scenario": "[topology]\nkind = \"rin\""}`)
	var out bytes.Buffer
	_ = Serve(context.Background(), in, &out)
	var a struct{ Error struct{ Code int } }
	_ = json.Unmarshal(out.Bytes(), &a)
	fmt.Println("error", a.Error.Code)
	// Output: error 3
}

// A request has the answer that its scenario has: 2 x 3/4 of 4 MB over a link of 1 GB/s
// and six latencies; one that is asked again has the same.
func TestRun(t *testing.T) {
	got := ask(t, request1(ring, ""), request1(ring, `,"tables":["collectives"]`), request1(ring, `,"set":["topology.bandwidth=2GB/s"]`), request1(ring, ""))
	for i, want := range []float64{0.006006, 0.006006, 0.003006, 0.006006} {
		if id := got[i]["id"]; id != 7.0 {
			t.Errorf("answer %d has the id %v", i, id)
		}
		if at := got[i]["summary"].(map[string]any)["makespan_s"].(float64); at < want*(1-1e-9) || at > want*(1+1e-9) {
			t.Errorf("answer %d ends at %v, want %v", i, at, want)
		}
	}
	table := got[1]["tables"].(map[string]any)["collectives"].(map[string]any)
	if sizes := table["size_bytes"].([]any); len(sizes) != 1 || sizes[0] != 4e6 || table["op"].([]any)[0] != "all_reduce" {
		t.Errorf("collectives.csv is %v", table)
	}
}

// A file that has changed is another scenario.
func TestFilesAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring.toml")
	write := func(bandwidth string) {
		if err := os.WriteFile(path, []byte(strings.Replace(ring, "1GB/s", bandwidth, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	go func() { out.CloseWithError(Serve(context.Background(), in, out)) }()
	lines := bufio.NewReader(answers)
	var took []string
	for _, bandwidth := range []string{"1GB/s", "2GB/s", "1GB/s"} {
		write(bandwidth)
		fmt.Fprintf(requests, "{\"file\":%q}\n", path)
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, line)
	}
	requests.Close()
	if took[0] != took[2] || took[0] == took[1] {
		t.Errorf("answers %q", took)
	}
}

// What is wrong is an object, with a code and a place, and the next request is answered.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		request, message string
		code             float64
		line             float64
	}{
		{request1(strings.Replace(ring, "ring", "rin", 1), ""), `(did you mean "ring"?)`, 3, 2},
		{request1("[topology", ""), "", 3, 1},
		{`{"file":"no/such.toml"}`, "cannot read the scenario", 3, 0},
		{`{}`, "file, a path, or scenario, a text", 2, 0},
		{`{"do":"dance","scenario":"x"}`, `there is no "dance" to do`, 2, 0},
		{`{"file":"-"}`, "standard input has requests", 2, 0},
		{`{"fil":"x"}`, `unknown field "fil"`, 2, 0},
		{`[1]`, "no request", 2, 0},
		{`{"do":"version"} {}`, "more than one request", 2, 0},
		{request1(ring, `,"tables":["links","nope"]`), `no table "nope"; it has`, 2, 0},
		{strings.Repeat("x", MaxRequest+1), "a request of more than", 2, 0},
	} {
		got := ask(t, c.request, `{"id":"next","do":"version"}`)
		if len(got) != 2 || got[1]["id"] != "next" || got[1]["version"] == "" {
			t.Fatalf("%.60s: answers %.300v", c.request, got)
		}
		e, _ := got[0]["error"].(map[string]any)
		if e["code"] != c.code || !strings.Contains(fmt.Sprint(e["message"]), c.message) {
			t.Errorf("%.60s: %v, want %v: %s", c.request, e, c.code, c.message)
		}
		if c.line > 0 {
			if at := e["where"].([]any)[0].(map[string]any)["line"]; at != c.line {
				t.Errorf("%.60s: line %v, want %v", c.request, at, c.line)
			}
		}
	}
}

// A session that waits for a request ends with its context.
func TestIdleEnds(t *testing.T) {
	in, requests := io.Pipe()
	defer requests.Close()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- Serve(ctx, in, io.Discard) }()
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("it ends with %v", err)
	}
}

// Old answers make room for new ones.
func TestKept(t *testing.T) {
	s := &session{kept: map[string][]byte{}}
	for i := range 100 {
		s.keep(fmt.Sprint(i), make([]byte, maxKept/10))
	}
	if len(s.kept) != 10 || len(s.order) != 10 || s.size != 10*(maxKept/10) || s.kept["99"] == nil {
		t.Errorf("%d answers of %d bytes are kept", len(s.kept), s.size)
	}
}

// FuzzServe: whatever comes in, each line that is not blank has one answer, an object with
// an id.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{"{}", `{"id":1}` + "\n\n" + `{"id":{"a":[]},"do":"x"}`, "[", "\"", `{"id":1}{"id":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if err := serve(context.Background(), bytes.NewReader(in), &out, func(context.Context, *request) []byte { return []byte(`{"ok":true}`) }); err != nil {
			t.Fatal(err)
		}
		want := 0
		for line := range bytes.Lines(in) {
			if len(bytes.TrimSpace(line)) > 0 {
				want++
			}
		}
		for line := range bytes.Lines(out.Bytes()) {
			var a map[string]json.RawMessage
			if err := json.Unmarshal(line, &a); err != nil || a["id"] == nil {
				t.Fatalf("%q to %q: %v", line, in, err)
			}
			want--
		}
		if want != 0 {
			t.Errorf("%d answers are missing to %q", want, in)
		}
	})
}

// BenchmarkKept is a small scenario that was asked for before; its file is read again.
func BenchmarkKept(b *testing.B) {
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	go func() { out.CloseWithError(Serve(context.Background(), in, out)) }()
	lines := bufio.NewReaderSize(answers, 1<<20)
	for b.Loop() {
		fmt.Fprintln(requests, `{"file":"../scenarios/quickstart.toml"}`)
		if _, err := lines.ReadBytes('\n'); err != nil {
			b.Fatal(err)
		}
	}
	requests.Close()
}
