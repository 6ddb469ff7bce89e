package sweep_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/sweep"
)

// A process of this test that is to run a sweep and be killed or interrupted over it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RAILYARD_TEST_SWEEP"); dir != "" {
		r, o := request, sweep.Options{Workers: 2, Resume: true}
		if shard := os.Getenv("RAILYARD_TEST_SHARD"); shard != "" { // of TestSlurm
			r.Vary = r.Vary[:1]
			o.Shard.Index, _ = strconv.Atoi(shard)
			o.Shard.Count = 5
		}
		s, err := sweep.Load(filepath.Join(dir, "rings.toml"), r)
		if err == nil {
			ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
			_, err = sweep.Run(ctx, s, filepath.Join(dir, "out"), o)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A ring all-reduce of S bytes over n accelerators takes 2 (n - 1) steps of S / n
// bytes and a latency, and odd counts are refused by halving-doubling.
const rings = `
[topology]
kind = "ring"
accelerators = 4
bandwidth = "1GB/s"
latency = "1us"
[[workload.collective]]
op = "all_reduce"
algorithm = "ring"
sizes = ["1MB"]
[sweep]
objectives = ["collectives.0.time_s", "max collectives.0.busbw_Bps"]
[sweep.vary]
topology.accelerators = "2..32*2"
`

// request varies more keys than the scenario does: 5 x 8 x 3 points.
var request = sweep.Request{
	Vary: []string{"workload.collective.0.sizes=" + sizes, "workload.collective.0.algorithm=ring,direct,hierarchical"},
}

const sizes = `["1MB"],["2MB"],["3MB"],["4MB"],["5MB"],["6MB"],["7MB"],["1B", "8MB"]`

func load(t testing.TB, text string, r sweep.Request) *sweep.Sweep {
	t.Helper()
	s, err := tryLoad(t, text, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tryLoad(t testing.TB, text string, r sweep.Request) (*sweep.Sweep, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rings.toml")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return sweep.Load(path, r)
}

// run runs a sweep and gives its table.
func run(t testing.TB, s *sweep.Sweep, o sweep.Options) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := sweep.Run(t.Context(), s, dir, o); err != nil {
		t.Fatal(err)
	}
	return points(t, dir)
}

func points(t testing.TB, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, sweep.Table))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rows are the cells of a table by the names of its columns.
func rows(t testing.TB, table string) []map[string]string {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// Every row is what the single run finds, under the same run id.
func TestPointIsARun(t *testing.T) {
	s := load(t, rings, request)
	all := rows(t, run(t, s, sweep.Options{}))
	if len(all) != 5*8*3 {
		t.Fatalf("%d points", len(all))
	}
	for i, row := range all {
		if row["point"] != strconv.Itoa(i) {
			t.Fatalf("row %d is point %s", i, row["point"])
		}
		if row["status"] != "done" {
			if row["reason"] == "" || row["makespan_s"] != "" {
				t.Errorf("%v: %v", s.Settings(i), row)
			}
			continue
		}
		n, _ := strconv.ParseFloat(row["topology.accelerators"], 64)
		bytes, _ := strconv.ParseFloat(row["collectives.0.size_bytes"], 64)
		got, _ := strconv.ParseFloat(row["collectives.0.time_s"], 64)
		if row["workload.collective.0.algorithm"] == "ring" {
			if want := 2 * (n - 1) * (bytes/n/1e9 + 1e-6); got < 0.999999*want || got > 1.000001*want {
				t.Errorf("%v: %v s, want %v", s.Settings(i), got, want)
			}
		}
		if i%17 != 0 {
			continue
		}
		single, err := railyard.Parse(filepath.Join(t.TempDir(), "rings.toml"), []byte(rings), s.Settings(i)...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := railyard.Run(t.Context(), single, railyard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for name, cell := range row {
			v, err := r.Summary.Lookup(name)
			if got, isNumber := strconv.ParseFloat(cell, 64); err == nil && (isNumber != nil || got != v) {
				t.Errorf("%v: %s is %s, in a run of its own %v", s.Settings(i), name, cell, v)
			}
		}
	}
}

// The run id of a point is that of `railyard run --set`.
func TestRunID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rings.toml")
	if err := os.WriteFile(path, []byte(rings), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := sweep.Load(path, sweep.Request{})
	if err != nil {
		t.Fatal(err)
	}
	single, err := railyard.Load(path, s.Settings(2)...)
	if err != nil {
		t.Fatal(err)
	}
	f, err := report.Describe(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := report.RunID(single.Resolved(), []report.File{f}, 1, railyard.Version().Version)
	if err != nil {
		t.Fatal(err)
	}
	if got := rows(t, run(t, s, sweep.Options{}))[2]["run"]; got != want {
		t.Errorf("run id %s, want %s", got, want)
	}
}

// The table is the same whoever runs the points, in whatever order.
func TestSameBytes(t *testing.T) {
	s := load(t, rings, request)
	want := run(t, s, sweep.Options{Workers: 1})
	for _, workers := range []int{2, 7} {
		if got := run(t, s, sweep.Options{Workers: workers}); got != want {
			t.Errorf("%d workers: %s", workers, cmp.Diff(want, got))
		}
	}
	t.Run("shards in one folder", func(t *testing.T) {
		dir := t.TempDir()
		for i := range 3 {
			if _, err := sweep.Run(t.Context(), s, dir, sweep.Options{Shard: sweep.Shard{Index: i, Count: 3}}); err != nil {
				t.Fatal(err)
			}
		}
		if err := sweep.Merge(dir, dir); err != nil {
			t.Fatal(err)
		}
		if got := points(t, dir); got != want {
			t.Error(cmp.Diff(want, got))
		}
	})
	t.Run("shards in folders of their own", func(t *testing.T) {
		var dirs []string
		for i := range 4 {
			dir := t.TempDir()
			if _, err := sweep.Run(t.Context(), s, dir, sweep.Options{Shard: sweep.Shard{Index: i, Count: 4}}); err != nil {
				t.Fatal(err)
			}
			dirs = append(dirs, dir)
		}
		out := filepath.Join(t.TempDir(), "new")
		err := sweep.Merge(out, dirs[0], dirs[3], dirs[1])
		if missing, ok := errors.AsType[*sweep.IncompleteError](err); !ok || len(missing.Missing) != 30 || missing.Missing[1] != 6 {
			t.Errorf("without shard 2: %v", err)
		}
		if err := sweep.Merge(out, dirs[2], dirs[3], dirs[1], dirs[0], dirs[0]); err != nil {
			t.Fatal(err)
		}
		if got := points(t, out); got != want {
			t.Error(cmp.Diff(want, got))
		}
	})
	t.Run("interrupted and resumed", func(t *testing.T) {
		dir := t.TempDir()
		for n := range 12 {
			ctx, cancel := context.WithCancel(t.Context())
			o := sweep.Options{Resume: n > 0, Workers: 2, Progress: func(p sweep.Progress) {
				if p.Done-p.Resumed == 10 {
					cancel()
				}
			}}
			_, err := sweep.Run(ctx, s, dir, o)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, sweep.ErrInterrupted) {
				t.Fatal(err)
			}
		}
		if got := points(t, dir); got != want {
			t.Error(cmp.Diff(want, got))
		}
	})
}

// Whenever a sweep is killed or interrupted, what had run is kept, and nothing twice.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rings.toml"), []byte(rings), 0o666); err != nil {
		t.Fatal(err)
	}
	s, err := sweep.Load(filepath.Join(dir, "rings.toml"), request)
	if err != nil {
		t.Fatal(err)
	}
	want := run(t, s, sweep.Options{})
	chance := rand.New(rand.NewPCG(1, 2))
	journal := filepath.Join(dir, "out", "journal-0-of-1.jsonl")
	size := func() int64 {
		info, err := os.Stat(journal)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	killed := 0
	for n := range 20 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "RAILYARD_TEST_SWEEP="+dir)
		before := size()
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// Wait for some of the points, not for so much time: the machine may be slow.
		for limit := before + chance.Int64N(12_000); size() < limit; {
			if _, err := os.Stat(filepath.Join(dir, "out", sweep.Table)); err == nil {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
		end := os.Kill
		if n%2 == 1 {
			end = os.Interrupt
		}
		if child.Process.Signal(end) == nil && child.Wait() != nil {
			killed++
		}
		if now := size(); now < before-2000 {
			t.Fatalf("the journal shrank from %d to %d bytes", before, now)
		}
	}
	// Whatever else a crash leaves behind is half a line.
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"point":3,"status":"do`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := sweep.Run(t.Context(), s, filepath.Join(dir, "out"), sweep.Options{Resume: true}); err != nil {
		t.Fatal(err)
	}
	if got := points(t, filepath.Join(dir, "out")); got != want {
		t.Error(cmp.Diff(want, got))
	}
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines != s.Len()+1 {
		t.Errorf("%d lines in the journal for %d points", lines, s.Len())
	}
	if killed < 5 {
		t.Errorf("only %d processes were killed over their work", killed)
	}
}

// A sweep that is interrupted leaves the points that run, one of which would run for
// hours, and keeps no row of them.
func TestInterruptedAtOnce(t *testing.T) {
	s := load(t, rings, sweep.Request{
		Set:  []string{"sim.fidelity=packet"},
		Vary: []string{"topology.accelerators=4", `workload.collective.0.sizes=["1MB"],["1TB"],["2MB"],["3MB"]`},
	})
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	tally, err := sweep.Run(ctx, s, dir, sweep.Options{Workers: 2, Progress: func(p sweep.Progress) {
		if p.Done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, sweep.ErrInterrupted) || tally.Points[sweep.Done] != 3 || len(tally.Points) != 1 {
		t.Fatalf("%v, %v", tally, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "journal-0-of-1.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(text), "\n"); lines != 4 || strings.Contains(string(text), `"point":1,`) {
		t.Errorf("the journal is\n%s", text)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		r    sweep.Request
		want string
	}{
		{"unknown key", rings, sweep.Request{Vary: []string{"topology.acelerators=1,2"}}, `unknown key "acelerators" in "topology.acelerators" (did you mean "accelerators"?)`},
		{"a table", rings, sweep.Request{Vary: []string{"topology=1"}}, "topology is a table: say which of its keys"},
		{"a list", rings, sweep.Request{Vary: []string{"workload.collective.op=all_reduce"}}, "workload.collective is a list: say which of its entries, as in workload.collective.0"},
		{"too deep", rings, sweep.Request{Vary: []string{"sim.seed.x=1"}}, `sim.seed is a single value: "x" leads nowhere`},
		{"empty range", rings, sweep.Request{Vary: []string{"sim.seed=5..1"}}, "--vary sim.seed: the range 5..1 is empty: it goes from 5 to 1"},
		{"a range without an end", rings, sweep.Request{Vary: []string{"sim.seed=0..8*2"}}, "--vary sim.seed: the range 0..8*2 never ends"},
		{"no values", rings, sweep.Request{Vary: []string{"sim.seed"}}, `--vary "sim.seed": KEY=VALUES was expected`},
		{"nothing varied", strings.Split(rings, "[sweep]")[0], sweep.Request{}, "nothing is varied"},
		{"too many", rings, sweep.Request{Vary: []string{"sim.seed=1..1000000"}}, "the grid has more than 1000000 points"},
		{"no points", rings, sweep.Request{Where: []string{"accelerators > 100"}}, "the constraints leave none"},
		{"unknown name", rings, sweep.Request{Where: []string{"haste > 100"}}, "where: haste is neither varied nor given in the scenario; varied: topology.accelerators"},
		{"no condition", rings, sweep.Request{Where: []string{"accelerators + 1"}}, `where: "accelerators + 1" is 3, not true or false`},
		{"division by zero", rings, sweep.Request{Where: []string{"1 / (accelerators - 2) > 0"}}, "division by zero"},
		{"method", rings, sweep.Request{Method: "guess"}, `"guess" is no method: one of grid, zip, random, latin-hypercube, halton`},
		{"zip of unequal lists", rings, sweep.Request{Method: "zip", Vary: []string{"sim.seed=1,2"}}, "zip goes through the values of all keys in step, but topology.accelerators has 5 and sim.seed has 2"},
		{"objective", rings, sweep.Request{Objectives: []string{"least makespan_s"}}, `objective "least makespan_s": a metric was expected`},
		{"objective of no run", rings, sweep.Request{Objectives: []string{"max training.0.mfu"}}, `objective "max training.0.mfu": summary.json has no metric training.0.mfu`},
		{"objective misspelt", rings, sweep.Request{Objectives: []string{"makespan_s", "min training.12.iterations_s"}}, `(did you mean "training.0.iteration_s"?)`},
		{"seeds twice", rings, sweep.Request{Vary: []string{"sim.seed=1,2"}, Seeds: 3}, "sim.seed is varied: leave out the number of seeds"},
		{"samples without a number", rings, sweep.Request{Method: "halton"}, "the method halton needs a number of points"},
		{"in the scenario", strings.Replace(rings, `"2..32*2"`, `"8..2"`, 1), sweep.Request{}, "rings.toml:14:25: sweep.vary: topology.accelerators: the range 8..2 is empty"},
		{"constraint in the scenario", strings.Replace(rings, "objectives", "where = [\"haste > 1\"]\nobjectives", 1), sweep.Request{}, "rings.toml:12:9: sweep.where: haste is neither varied nor given in the scenario"},
		{"objective in the scenario", strings.Replace(rings, "time_s\"", "tim\"", 1), sweep.Request{}, "rings.toml:12:14: sweep.objectives: objective \"collectives.0.tim\": summary.json has no metric"},
		{"a number of points of a grid", rings, sweep.Request{Points: 3}, "a number of points belongs to the methods that sample: random, latin-hypercube, halton"},
		{"a method of points spelt out", strings.Split(rings, "[sweep]")[0] + "[[sweep.point]]\nsim.seed = 2\n", sweep.Request{Method: "halton"}, "the method halton makes points by varying keys, and they are spelt out"},
		{"unknown key in the scenario", strings.Replace(rings, "topology.acc", "topology.akk", 1), sweep.Request{}, `rings.toml:14:25: sweep.vary: unknown key "akkelerators"`},
		{"a scenario that no point makes right", strings.Replace(rings, "bandwidth", "bandwith", 1), sweep.Request{}, `unknown key "bandwith" in topology (did you mean "bandwidth"?)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := tryLoad(t, c.text, c.r)
			if err == nil {
				t.Fatalf("%d points", s.Len())
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if !errors.As(err, new(railyard.Faults)) && !errors.As(err, new(*sweep.InputError)) {
				t.Errorf("a %T, which is no fault of the input", err)
			}
		})
	}
}

func TestFolders(t *testing.T) {
	s := load(t, rings, sweep.Request{})
	other := load(t, rings, sweep.Request{Vary: []string{"topology.accelerators=2,4"}})
	dir := t.TempDir()
	if err := sweep.Merge(dir, dir); err == nil || !strings.Contains(err.Error(), "holds no sweep") {
		t.Errorf("merge of an empty folder: %v", err)
	}
	if _, err := sweep.Run(t.Context(), s, dir, sweep.Options{Resume: true}); err != nil {
		t.Errorf("resume of what has not begun: %v", err)
	}
	for _, c := range []struct {
		s    *sweep.Sweep
		o    sweep.Options
		want string
	}{
		{s, sweep.Options{}, "holds this sweep already: --resume goes on with it"},
		{other, sweep.Options{}, "holds another sweep"},
		{other, sweep.Options{Resume: true}, "holds another sweep"},
		{other, sweep.Options{Shard: sweep.Shard{Index: 1, Count: 2}}, "holds another sweep"},
		{s, sweep.Options{Shard: sweep.Shard{Index: 2, Count: 2}}, "there is no shard 2 of 2"},
	} {
		_, err := sweep.Run(t.Context(), c.s, dir, c.o)
		if !errors.As(err, new(*sweep.InputError)) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
		}
	}
	journal := filepath.Join(dir, "journal-0-of-1.jsonl")
	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []string{"{}\n", "{\"point\":99}\n", "\n"} {
		if err := os.WriteFile(journal, []byte(string(text)+damage), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := sweep.Merge(dir, dir); err == nil || !strings.Contains(err.Error(), ":7: the journal is damaged") {
			t.Errorf("%q: %v", damage, err)
		}
	}
}

// The front has the points than which no other is better in all respects: of
// rings, time grows with accelerators and so does the bus bandwidth.
func TestBest(t *testing.T) {
	s := load(t, rings, request)
	dir := t.TempDir()
	if _, err := sweep.Run(t.Context(), s, dir, sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	head, front, err := sweep.Best(dir, s.Keys, s.Objectives)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(head[len(head)-2:], " "); got != "collectives.0.time_s collectives.0.busbw_Bps" {
		t.Errorf("head %v", head)
	}
	at := func(row map[string]string, name string) float64 {
		v, err := strconv.ParseFloat(row[name], 64)
		if err != nil {
			return -1
		}
		return v
	}
	var want []string
	all := rows(t, points(t, dir))
	for _, a := range all {
		better := func(b map[string]string) bool {
			ta, tb, ba, bb := at(a, head[4]), at(b, head[4]), at(a, head[5]), at(b, head[5])
			return tb >= 0 && tb <= ta && bb >= ba && (tb < ta || bb > ba)
		}
		if a["status"] == "done" && !slices.ContainsFunc(all, better) {
			want = append(want, a["point"])
		}
	}
	var got []string
	last := 0.0
	for _, row := range front {
		got = append(got, row[0])
		v, _ := strconv.ParseFloat(row[4], 64)
		if v < last {
			t.Errorf("the front is not in order: %v", front)
		}
		last = v
	}
	if len(got) < 2 || !maps.Equal(set(got), set(want)) {
		t.Errorf("front %v, want %v", got, want)
	}
	if _, _, err := sweep.Best(dir, s.Keys, []sweep.Objective{{Metric: "speed"}}); err == nil {
		t.Error("a metric that is not there")
	}
}

func set(all []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range all {
		m[s] = true
	}
	return m
}

// BenchmarkPoint is a point whose simulation is nearly nothing: what a sweep
// adds to each. Wanted: less than 1 ms.
func BenchmarkPoint(b *testing.B) {
	s := load(b, rings, sweep.Request{Vary: []string{"topology.accelerators=2"}, Seeds: b.N})
	b.ResetTimer()
	if _, err := sweep.Run(b.Context(), s, b.TempDir(), sweep.Options{Workers: 1}); err != nil {
		b.Fatal(err)
	}
}

// TestPointIsCheap: what a point costs beside its simulation is mostly what it allocates,
// which no clock need measure. Listing all metrics alone, for one, is 1,000 allocations.
func TestPointIsCheap(t *testing.T) {
	const points, most = 100, 1300
	s := load(t, rings, sweep.Request{Vary: []string{"topology.accelerators=2"}, Seeds: points})
	got := testing.AllocsPerRun(1, func() {
		if _, err := sweep.Run(t.Context(), s, t.TempDir(), sweep.Options{Workers: 1}); err != nil {
			t.Fatal(err)
		}
	}) / points
	if got > most {
		t.Errorf("%.0f allocations a point, more than %d", got, most)
	}
}

func Example() {
	s, err := sweep.Load("../testdata/two_rings.toml", sweep.Request{
		Vary:  []string{"topology.bandwidth=25GB/s..100GB/s*2", "topology.latency=1us,10us"},
		Where: []string{`bandwidth > "30GB/s" || latency < "5us"`},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range s.Len() {
		fmt.Println(i, strings.Join(s.Settings(i), " "))
	}
	// Output:
	// 0 topology.bandwidth=25GB/s topology.latency=1us
	// 1 topology.bandwidth=50GB/s topology.latency=1us
	// 2 topology.bandwidth=50GB/s topology.latency=10us
	// 3 topology.bandwidth=100GB/s topology.latency=1us
	// 4 topology.bandwidth=100GB/s topology.latency=10us
}
