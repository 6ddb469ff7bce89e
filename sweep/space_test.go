package sweep

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseValues(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // values separated by "|", or what is wrong
	}{
		{"1", "1"},
		{"1,2,4,8", "1|2|4|8"},
		{"1..4", "1|2|3|4"},
		{"-2..1", "-2|-1|0|1"},
		{"16..256*2", "16|32|64|128|256"},
		{"16..255*2", "16|32|64|128"},
		{"1..100*10,7", "1|10|100|7"},
		{"0..1+0.25", "0|0.25|0.5|0.75|1"},
		{"0.1..0.5+0.1", "0.1|0.2|0.30000000000000004|0.4|0.5"},
		{"1..4*1.5", "1|1.5|2.25|3.375"},
		{"100Gbps..800Gbps*2", "100Gbps|200Gbps|400Gbps|800Gbps"},
		{"1us..3us+1us", "1us|2us|3us"},
		{"1us..2us+0.5", "1us|1.5us|2us"},
		{"1e3..1e5*10", "1000|10000|100000"},
		{"ring, tree", "ring|tree"},
		{`["1MB", "2MB"],"a,b",[[1, 2], 3]`, `["1MB", "2MB"]|"a,b"|[[1, 2], 3]`},
		{"../trace/a.et", "../trace/a.et"},
		{"1../trace", `"1../trace" is no range`},
		{"5..1", "the range 5..1 is empty"},
		{"1..8*1", "never ends"},
		{"0..8*2", "never ends"},
		{"1..8+0", "never ends"},
		{"1..8+-1", "never ends"},
		{"1GB..8MB*2", "has two units"},
		{"1GB..8GB*2GB", `"2GB" is no step`},
		{"1..10000000", "has more than 1000000 values"},
		{"1..2+1e-9", "has more than 1000000 values"},
		{"0.5..1,2", "needs a step beside other values"},
		{"1,,2", "has an empty value"},
		{"", "has an empty value"},
	} {
		p, err := ParseValues("key", c.text)
		got := strings.Join(p.Values, "|")
		if err != nil {
			if got = err.Error(); strings.Contains(got, c.want) {
				continue
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func FuzzParseVary(f *testing.F) {
	for _, seed := range []string{"a=1..8*2", "b=1GB..8GB+1GB", `c="x,y",[1,2]`, "d=0.1..1e300*1.0000001", "e=..", "f=1..2+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseVary(text)
		if err == nil && p.Values == nil && p.span == nil || len(p.Values) > MaxPoints+1 && err == nil {
			t.Errorf("%q: %+v", text, p)
		}
	})
}

func TestConstraint(t *testing.T) {
	varied := []string{"workload.training.0.tensor", "topology.bandwidth", "workload.training.1.zero", "workload.training.0.zero"}
	known := map[string]string{"workload.training.0.pipeline": "4", "topology.hosts": "16", "name": "x", "workload.collective.0.op": "all_reduce"}
	values := []string{"8", "400Gbps", "1", "2"}
	for _, c := range []struct{ text, want string }{
		{"tensor * pipeline <= 32", "true"},
		{"tensor * pipeline < 32", "false"},
		{"training.tensor == 8 && workload.training[0].tensor != 7", "true"},
		{"training[1].zero + 1 == training[0].zero", "true"},
		{`bandwidth >= "50GB/s"`, "true"},
		{`bandwidth > "50GB/s"`, "false"},
		{`collective.op == "all_reduce" || false`, "true"},
		{"hosts * 8 % tensor == 0 && !(hosts > 20)", "true"},
		{"hosts / 3 * 3 == hosts", "true"}, // exact
		{"-tensor < 0", "true"},
		{"micro_batch == 1", "true"}, // by default
		{"zero == 1", "where: zero may be workload.training.1.zero or workload.training.0.zero: write more of it"},
		{"haste == 1", "where: haste is neither varied nor given in the scenario"},
		{"tensor", `where: "tensor" is 8, not true or false`},
		{`tensor == "a"`, `8 == "a" has no meaning`},
		{"bandwidth >= 100", "5e+10 >= 100 has no meaning: the first is in B/s, the second in a bare number"},
		{"bandwidth == 400", "no meaning"},
		{`tensor < "8s"`, "no meaning"},
		{`bandwidth + "1s" > "1s"`, "the first is in B/s, the second in s"},
		{"bandwidth > 0 && 0 < bandwidth", "true"}, // nothing is nothing in any unit
		{"bandwidth / tensor * pipeline == bandwidth / 2", "true"},
		{`bandwidth * "2s" == "100GB" && bandwidth / "25GB/s" == 2`, "true"},
		{`0 - bandwidth < "1B/s"`, "true"},
		{`"7200USD/h" * "30m" == "3600USD" && "10kW" * "1h" == "10kWh"`, "true"},
		{`"0.1USD/kWh" * "1MWh" > "99USD" && "0.1USD/kWh" * "1MWh" < "101USD"`, "true"},
		{`"1s" / "1B" / "1s" == 1`, "the first is in 1/B, the second in a bare number"},
		{"tensor && true", "8 && true has no meaning"},
		{"tensor % 2.5 == 0", "8 % 2.5 has no meaning"},
		{"tensor / 0 == 0", "division by zero"},
		{"f(tensor) == 1", "more than keys, numbers, strings and operators"},
		{"tensor <", "cannot be read"},
	} {
		got := ""
		k, err := ParseConstraint(c.text, varied, known)
		if err == nil {
			var holds bool
			holds, err = k.Holds(values)
			got = strconv.FormatBool(holds)
		}
		if err != nil {
			if got = err.Error(); strings.Contains(got, c.want) {
				continue
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func FuzzConstraint(f *testing.F) {
	for _, seed := range []string{"a*b <= 64", `a == "1GB"`, "1/(a-1) > 0", "a[0].b % 3 == 1", "!(a < 1e400)", "-a << 3 == 1"} {
		f.Add(seed, "1")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		if len(text) > 1000 {
			return
		}
		if c, err := ParseConstraint(text, []string{"t.a", "t.b"}, nil); err == nil {
			_, _ = c.Holds([]string{value, "2"})
		}
	})
}

func space(t *testing.T, p Plan, vary ...string) *Space {
	t.Helper()
	for _, v := range vary {
		parameter, err := ParseVary(v)
		if err != nil {
			t.Fatal(err)
		}
		p.Parameters = append(p.Parameters, parameter)
	}
	s, err := NewSpace(p)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSpace(t *testing.T) {
	all := func(s *Space) string {
		var points []string
		for i := range s.Len() {
			points = append(points, strings.Join(s.Values(i), " "))
		}
		return strings.Join(points, ", ")
	}
	for _, c := range []struct {
		name string
		got  *Space
		want string
	}{
		{"grid", space(t, Plan{}, "topology.hosts=1,2", "topology.k=4,8,16"), "1 4, 1 8, 1 16, 2 4, 2 8, 2 16"},
		{"zip", space(t, Plan{Method: Zip}, "topology.hosts=1,2", "topology.k=4,8"), "1 4, 2 8"},
		{"seeds", space(t, Plan{Seeds: 2, Seed: 7}, "topology.hosts=1,2"), "1 7, 1 8, 2 7, 2 8"},
		{"seeds alone", space(t, Plan{Seeds: 3, Seed: 1}), "1, 2, 3"},
		{"where", space(t, Plan{Where: []string{"hosts <= k", "hosts != 2"}}, "topology.hosts=1..4", "topology.k=2,4"), "1 2, 1 4, 3 4, 4 4"},
	} {
		if got := all(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// Samples keep to their ranges, and the same seed draws the same.
func TestSamples(t *testing.T) {
	vary := []string{"topology.oversubscription=1.5..2.5", "topology.hosts=1..10", "topology.routing=ecmp,adaptive,spray"}
	for _, method := range []string{Random, LatinHypercube, Halton} {
		const n = 300
		s := space(t, Plan{Method: method, Points: n, Seed: 3}, vary...)
		if diff := cmp.Diff(s, space(t, Plan{Method: method, Points: n, Seed: 3}, vary...), cmp.AllowUnexported(Space{})); diff != "" {
			t.Errorf("%s is not deterministic: %s", method, diff)
		}
		strata := make([]int, n)
		counts := map[string]int{}
		for i := range n {
			v := s.Values(i)
			x, err := strconv.ParseFloat(v[0], 64)
			if err != nil || x < 1.5 || x >= 2.5 {
				t.Fatalf("%s: %v", method, v)
			}
			strata[int((x-1.5)*n)]++
			counts[v[1]]++
			counts[v[2]]++
		}
		// Each of the 10 hosts has 30 in the mean and 5.2 of deviation by chance;
		// each routing 100 and 8.2.
		for _, c := range []struct {
			values []string
			mean   int
		}{{strings.Fields("1 2 3 4 5 6 7 8 9 10"), 30}, {strings.Fields("ecmp adaptive spray"), 100}} {
			for _, v := range c.values {
				if got := counts[v]; got < c.mean*2/5 || got > c.mean*8/5 {
					t.Errorf("%s drew %s %d times, in the mean %d", method, v, got, c.mean)
				}
			}
		}
		if method == LatinHypercube && (slices.Min(strata) != 1 || slices.Max(strata) != 1) {
			t.Errorf("a latin hypercube draws once from each stratum: %v", strata)
		}
	}
}

// A grid has every combination once.
func TestGridProperty(t *testing.T) {
	keys := []string{"topology.hosts", "topology.k", "sim.seed", "topology.hosts_per_rack"}
	rapid.Check(t, func(t *rapid.T) {
		var p Plan
		want := 1
		for _, key := range keys[:rapid.IntRange(1, 4).Draw(t, "keys")] {
			values := rapid.SliceOfNDistinct(rapid.StringMatching("[1-9][0-9]?"), 1, 5, rapid.ID).Draw(t, key)
			p.Parameters = append(p.Parameters, Parameter{Key: key, Values: values})
			want *= len(values)
		}
		s, err := NewSpace(p)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for i := range s.Len() {
			seen[strings.Join(s.Values(i), " ")] = true
		}
		if len(seen) != want || s.Len() != want {
			t.Fatalf("%d points, %d different, want %d", s.Len(), len(seen), want)
		}
	})
}

func TestShard(t *testing.T) {
	for _, c := range []struct{ environment, want string }{
		{"", "0/1"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=7", "3/8"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=8 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=8", "2/8"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=4", "3/4"},
		{"SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=9", "leave gaps: give --shard I/N"},
		{"SLURM_ARRAY_TASK_ID=9 SLURM_ARRAY_TASK_COUNT=4", "there is no shard 9 of 4"},
		{"SLURM_ARRAY_TASK_ID=9", `SLURM_ARRAY_TASK_COUNT is "", not a number`},
		{"JOB_COMPLETION_INDEX=2 JOB_COMPLETIONS=3", "2/3"},
		{"JOB_COMPLETION_INDEX=2", `JOB_COMPLETIONS is "", not a number`},
	} {
		environment := map[string]string{}
		for _, set := range strings.Fields(c.environment) {
			name, value, _ := strings.Cut(set, "=")
			environment[name] = value
		}
		s, err := ShardOf(func(name string) string { return environment[name] })
		got := s.String()
		if err != nil {
			if got = err.Error(); strings.Contains(got, c.want) {
				continue
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.environment, got, c.want)
		}
	}
	for _, text := range []string{"", "1", "a/b", "0/0", "-1/2", "2/2", "1/2/3"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}

// fullDisk takes so many bytes and then a part of what it is given.
type fullDisk struct {
	text []byte
	room int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	n := min(len(p), d.room-len(d.text))
	d.text = append(d.text, p[:n]...)
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

func (d *fullDisk) Truncate(size int64) error { d.text = d.text[:size]; return nil }
func (d *fullDisk) Sync() error               { return nil }
func (d *fullDisk) Close() error              { return nil }

// On a full disk the line that does not fit is taken away again.
func TestFullDisk(t *testing.T) {
	disk := &fullDisk{room: 120}
	j := &journal{file: disk}
	for i := range 3 {
		err := j.write(row{Point: i, Status: Done, Values: []string{"1"}})
		if i == 2 != errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("line %d: %v", i, err)
		}
	}
	const want = `{"point":0,"status":"done","values":["1"]}` + "\n" + `{"point":1,"status":"done","values":["1"]}` + "\n"
	if string(disk.text) != want {
		t.Errorf("%q, want %q", disk.text, want)
	}
}
