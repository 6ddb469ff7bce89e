package jobs_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/workload/jobs"
)

type job = jobs.Job

// unix is a date of the test data in seconds.
const (
	october7 = 1507334400 // 2017-10-07 00:00 UTC
	june9    = 1591660800 // 2020-06-09
	february = 1677600000 // 2023-02-28 16:00 UTC, 2023-03-01 00:00 at +08:00
	may17    = 1684281600 // 2023-05-17
	march1   = 1709251200 // 2024-03-01
)

const GiB = 1 << 30

// Each file of testdata is a few rows in the form of its source, some of them
// broken. What they mean is worked out beside.
var files = []struct {
	file   string
	format jobs.Format
	want   []job
	report string
}{
	{
		"jobs.csv", jobs.CSV,
		[]job{
			{ID: "a", Accelerators: 8, Duration: 3600, User: "ann", Group: "nlp", Type: "training", Priority: 3, Model: "gpt3-175b", Estimate: 7200, Line: 2},
			{ID: "b", Submit: 1.5, Accelerators: 1, Duration: 0.25, User: "bob", Group: "vis", Line: 3},
		},
		`4 bad rows left out
  jobs.csv:4: job "b" is there twice
  jobs.csv:5: accelerators: -1 is not a whole number from 0 to 1048576
  jobs.csv:6: it ran for -1 s
  jobs.csv:7: 6 fields where the header has 10`,
	},
	{
		"philly.json", jobs.Philly,
		[]job{
			// Attempts of 60 s on three GPUs and of 3,600 s on two; the third has no end.
			{ID: "app_1", Submit: october7 + 3600 + 11*60 + 39, Accelerators: 3, Duration: 3660, User: "u1", Group: "a1", Status: "Pass", Line: 2},
			{ID: "app_4", Submit: october7 + 3600 + 11*60 + 40, Accelerators: 1, Duration: 10, User: "u1", Group: "b2", Status: "Pass", Line: 8},
		},
		`1 bad row left out
  philly.json:7: submitted_time: "None" is not a time
1 job left out: never ran`,
	},
	{
		"helios.csv", jobs.Helios,
		[]job{
			{ID: "11", Submit: june9 + 18*3600 + 41*60 + 1, Accelerators: 8, CPU: 64000, Duration: 3600, User: "ua", Group: "vc1", Status: "COMPLETED", Line: 2},
			{ID: "12", Submit: june9 + 18*3600 + 41*60 + 27, CPU: 16000, Duration: 249, User: "ub", Group: "vc2", Status: "FAILED", Line: 3},
		},
		`2 bad rows left out
  helios.csv:5: gpu_num: "one" is not a number
  helios.csv:6: end_time: is before start_time
1 job left out: never ran`,
	},
	{
		"seren.csv", jobs.Acme,
		[]job{{ID: "21", Submit: february + 18*60 + 22, Accelerators: 8, CPU: 128000, Duration: 117, User: "u1", Type: "Evaluation", Status: "COMPLETED", Line: 2}},
		`1 bad row left out
  seren.csv:3: submit_time: "2023-03-32 00:18:22+08:00" is not a time`,
	},
	{
		"kalos.csv", jobs.Acme,
		[]job{{ID: "dlc1", Submit: may17 + 11*3600 + 58, Accelerators: 64, CPU: 960000, Duration: 8, User: "u1", Type: "Pretrain", Status: "FAILED", Line: 2}},
		"",
	},
	{
		"pai_task_table.csv", jobs.PAI,
		[]job{
			// A server with 6 cores and 10 GB, two workers with 4 cores, 20 GB and half a GPU.
			{ID: "j1", Submit: 1000, Duration: 600, Accelerators: 2, Milli: 500, CPU: 14000, Memory: 50 * GiB, Accelerator: "T4", Status: "Terminated", Line: 1},
			{ID: "j2", Submit: 900, Duration: 10, Accelerators: 2, CPU: 6000, Memory: 29.296875 * GiB, Accelerator: "V100", Status: "Terminated", Line: 3},
			// 1 + 3 x 0.5 GPUs, in whole ones.
			{ID: "j5", Submit: 940, Duration: 20, Accelerators: 3, CPU: 4000, Memory: 4 * GiB, Accelerator: "P100", Status: "Terminated", Line: 6},
		},
		`1 bad row left out
  pai_task_table.csv:5: inst_num: "x" is not a number
1 job left out: never ran`,
	},
	{
		"pai_jobs.csv", jobs.PAI,
		[]job{
			{ID: "7", Submit: 100, Duration: 3600, Accelerators: 2, Milli: 250, CPU: 12000, Accelerator: "T4", User: "ab", Status: "Terminated", Line: 2},
			{ID: "8", Submit: 200.5, Duration: 10, Accelerators: 2, CPU: 12000, Accelerator: "V100", User: "ab", Status: "Failed", Line: 3},
		},
		`1 bad row left out
  pai_jobs.csv:4: it was submitted at -3 s`,
	},
	{
		"openb_pods.csv", jobs.Openb,
		[]job{
			{ID: "pod-0", Accelerators: 1, Duration: 990, CPU: 12000, Memory: 16 * GiB, Type: "LS", Status: "Running", Line: 2},
			{ID: "pod-1", Submit: 100, Accelerators: 1, Milli: 460, Duration: 200, CPU: 6000, Memory: 12 * GiB, Accelerator: "V100M16|V100M32", Type: "BE", Status: "Succeeded", Line: 3},
			{ID: "pod-2", Submit: 200, Duration: 300, CPU: 20000, Memory: 64 * GiB, Type: "LS", Status: "Running", Line: 4},
		},
		`2 bad rows left out
  openb_pods.csv:5: gpu_milli: 1460 is not a whole number from 0 to 1000
  openb_pods.csv:7: it was submitted at -5 s
1 job left out: never ran`,
	},
	{
		"sacct.txt", jobs.Slurm,
		[]job{
			{
				ID: "100", Submit: march1 + 10*3600, Duration: 25*3600 + 1, Estimate: 48 * 3600, Accelerators: 8, CPU: 64000, Memory: 512 * GiB,
				Accelerator: "a100", User: "ann", Group: "nlp", Type: "gpu", Status: "COMPLETED", Priority: 4000, Line: 2,
			},
			{
				ID: "101_7", Submit: march1 + 10*3600 + 30, Duration: 45, Accelerators: 1, CPU: 4000, Memory: 32000 << 20,
				User: "bob", Group: "vis", Type: "gpu", Status: "CANCELLED", Line: 4,
			},
		},
		`1 bad row left out
  sacct.txt:6: Elapsed: "1:2:3:4" is not [days-][hours:]minutes:seconds
1 job left out: never ran`,
	},
	{
		"log.swf", jobs.SWF,
		[]job{
			{ID: "1", Duration: 100, Estimate: 200, Accelerators: 4, User: "3", Group: "1", Model: "7", Type: "1", Status: "completed", Line: 3},
			{ID: "3", Submit: 20, Duration: 50, Accelerators: 16, User: "4", Group: "1", Type: "2", Status: "failed", Line: 5},
		},
		`1 bad row left out
  log.swf:7: 4 fields, where a job has 18
1 job left out: never ran
1 job left out: a part of another job`,
	},
}

func TestRead(t *testing.T) {
	for _, c := range files {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", c.file))
			if err != nil {
				t.Fatal(err)
			}
			if f, ok := jobs.Guess(c.file, text); !ok || f != c.format {
				t.Errorf("taken for %v (%t), it is %v", f, ok, c.format)
			}
			all, report, err := jobs.Read(c.file, bytes.NewReader(text), c.format)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, all); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.report, report.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is written reads back the same.
func TestWrite(t *testing.T) {
	for _, c := range files {
		var b bytes.Buffer
		if err := jobs.Write(&b, c.want); err != nil {
			t.Fatal(err)
		}
		if f, ok := jobs.Guess("x", b.Bytes()); !ok || f != jobs.CSV {
			t.Errorf("%s: what was written is taken for %v", c.file, f)
		}
		all, report, err := jobs.Read(c.file, &b, jobs.CSV)
		if err != nil || report.String() != "" {
			t.Fatalf("%s: %v, %v", c.file, err, report)
		}
		want := append([]job{}, c.want...)
		for i := range want {
			want[i].Line = i + 2
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("%s: %s", c.file, diff)
		}
	}
}

// No field of a job is lost.
func TestWriteAll(t *testing.T) {
	want := job{
		ID: "a, b", Submit: 0.1, Duration: 2.5, Estimate: 3, Accelerators: 4, Least: 2, Most: 8, Milli: 500, CPU: 1, Memory: 2,
		Accelerator: "t4|a100", Speeds: "t4=0.5", User: `"u"`, Group: "g", Type: "t", Model: "m", Priority: -3, Status: "done", Line: 2,
	}
	for v, i := reflect.ValueOf(want), 0; i < v.NumField(); i++ {
		switch name := v.Type().Field(i).Name; {
		case name == "Site" || name == "Dataset": // numbers that a scenario gives, not the trace
		case v.Field(i).IsZero():
			t.Errorf("the test does not set %s", v.Type().Field(i).Name)
		}
	}
	var b bytes.Buffer
	if err := jobs.Write(&b, []job{want}); err != nil {
		t.Fatal(err)
	}
	got, report, err := jobs.Read("t.csv", &b, jobs.CSV)
	if err != nil || report.String() != "" {
		t.Fatalf("%v, %v", report, err)
	}
	if diff := cmp.Diff([]job{want}, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		name, text string
		format     jobs.Format
		want       string
	}{
		{"empty", "", jobs.CSV, "f: the file is empty; its first row must name the columns job, submit_s, accelerators, duration_s"},
		{"a column missing", "job,submit_s\n", jobs.CSV, "f:1: there is no column accelerators; this format has job, submit_s, accelerators, duration_s"},
		{"a column twice", "job,job\n", jobs.CSV, `f:1: the column "job" is there twice`},
		{"an open quote", "\"job\n", jobs.CSV, `f:1: column 5: extraneous or missing " in quoted-field`},
		{"a line without end", "job," + strings.Repeat("x", 1<<20), jobs.CSV, "f:1: a line of more than 1048576 bytes"},
		{"no list", "{}", jobs.Philly, "f: a trace of Philly is a JSON list of jobs"},
		{"cut short", "[\n{\"jobid\": 1},\n", jobs.Philly, "f: the file ends within the list; is it cut short?"},
		{"broken JSON", "[\n{\"jobid\": \"1\"},\n{]", jobs.Philly, "f:3: the job that begins here: invalid character ']' looking for beginning of object key string"},
		{"a job without end", "[\"" + strings.Repeat("x", 1<<25), jobs.Philly, "f: a job of more than 16777216 bytes"},
		{"no resources", "JobID|Submit|Elapsed\n", jobs.Slurm, "f:1: there is no column AllocTRES or ReqTRES: sacct --parsable2 --format JobID,Submit,Start,End,AllocTRES,..."},
		{"no duration", "JobID|Submit|AllocTRES\n", jobs.Slurm, "f:1: there is no column ElapsedRaw, Elapsed, or Start and End"},
		{"another table", "a,b,c\n", jobs.PAI, "f:1: 3 columns, where pai_task_table has job_name, task_name, inst_num, status, start_time, end_time, plan_cpu, plan_mem, plan_gpu, gpu_type"},
	} {
		_, _, err := jobs.Read("f", strings.NewReader(c.text), c.format)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

// Forms of one field, an hour and a half or eight accelerators each.
func TestSlurmForms(t *testing.T) {
	for _, c := range []struct{ header, fields string }{
		{"ElapsedRaw|AllocTRES", "5400|gres/gpu=8"},
		{"Elapsed|AllocTRES", "01:30:00|gres/gpu:h100=8"},
		{"Elapsed|AllocTRES", "90:00|gres/gpu:a100=4,gres/gpu:h100=4,cpu=1.50K"},
		{"Elapsed|AllocTRES", "0-01:30:00.000|billing=1,cpu=8,gres/gpu=8,gres/gpu:h100=8,mem=1T,node=2"},
		{"Start|End|AllocTRES", "2024-03-01T10:00:00|2024-03-01T11:30:00|gres/gpu=8"},
		{"Start|End|AllocTRES", "1709287200|1709292600|gres/gpu=8"},
		{"Elapsed|ReqTRES|", "01:30:00|cpu=8,gres/gpu=8,mem=100Gc|"},
	} {
		all, report, err := jobs.Read("f", strings.NewReader("JobID|Submit|"+c.header+"\n1|2024-03-01T10:00:00|"+c.fields+"\n"), jobs.Slurm)
		if err != nil || len(all) != 1 || all[0].Duration != 5400 || all[0].Accelerators != 8 {
			t.Errorf("%s %s: %+v, %v, %v", c.header, c.fields, all, report, err)
		}
	}
	for limit, want := range map[string]float64{"1-02": 26 * 3600, "1-02:03": 26*3600 + 180, "10:00": 600, "Partition_Limit": 0, "UNLIMITED": 0} {
		all, report, err := jobs.Read("f", strings.NewReader("JobID|Submit|ElapsedRaw|Timelimit|AllocTRES\n1|5|1|"+limit+"|\n"), jobs.Slurm)
		if err != nil || len(all) != 1 || all[0].Estimate != want {
			t.Errorf("%s: %+v, %v, %v, want %v s", limit, all, report, err, want)
		}
	}
}

// The clock reaches 2.9 years.
func TestSpan(t *testing.T) {
	const year = 365 * 86400
	if err := jobs.Span([]job{{ID: "a", Submit: 2 * year, Duration: year / 2}}); err != nil {
		t.Error(err)
	}
	err := jobs.Span([]job{{ID: "a"}, {ID: "b", Submit: 2.5 * year, Duration: year}})
	want := `job "b" would end 3.5 years after the first is submitted: the clock counts int64 of 10 ps, 2.9 years`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestInspect(t *testing.T) {
	var b bytes.Buffer
	all, report, err := jobs.Read("jobs.csv", strings.NewReader("job,submit_s,accelerators,duration_s,user,status\na,0,16,3600,u,done\nb,5,2,60,u,failed\nc,86400,16,90,v,done\n"), jobs.CSV)
	if err != nil {
		t.Fatal(err)
	}
	if err := jobs.Inspect(jobs.CSV, all, report).Write(&b); err != nil {
		t.Fatal(err)
	}
	// 16 + 2/60 + 16/40 hours.
	want := `format     csv
jobs       3, submitted over 1d
sizes      1 x 2
           2 x 16
durations  median 90s, longest 1h
demand     16.4333 accelerator-hours
users      2 in 0 groups
statuses   2 x done
           1 x failed
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

// Whatever the bytes, there is an answer, and jobs that came through are sound:
// they are written and read back.
func fuzz(f *testing.F, format jobs.Format) {
	for _, c := range files {
		if c.format == format {
			text, err := os.ReadFile(filepath.Join("testdata", c.file))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		jobs.Guess("f", text)
		all, report, err := jobs.Read("f", bytes.NewReader(text), format)
		if err != nil {
			if all != nil {
				t.Fatalf("jobs beside %v", err)
			}
			return
		}
		if report.Jobs != len(all) {
			t.Fatalf("%d jobs, reported are %d", len(all), report.Jobs)
		}
		if err := jobs.Inspect(format, all, report).Write(&bytes.Buffer{}); err != nil {
			t.Fatal(err)
		}
		jobs.Rebase(all)
		var b bytes.Buffer
		if err := jobs.Write(&b, all); err != nil {
			t.Fatal(err)
		}
		again, report, err := jobs.Read("f", &b, jobs.CSV)
		if err != nil || report.Bad > 0 || len(again) != len(all) {
			t.Fatalf("%d jobs, read back %d: %v, %v", len(all), len(again), err, report)
		}
		for i := range all {
			all[i].Line = again[i].Line
			if again[i] != all[i] {
				t.Fatalf("%+v reads back as %+v", all[i], again[i])
			}
		}
	})
}

func FuzzCSV(f *testing.F)    { fuzz(f, jobs.CSV) }
func FuzzPhilly(f *testing.F) { fuzz(f, jobs.Philly) }
func FuzzHelios(f *testing.F) { fuzz(f, jobs.Helios) }
func FuzzAcme(f *testing.F)   { fuzz(f, jobs.Acme) }
func FuzzPAI(f *testing.F)    { fuzz(f, jobs.PAI) }
func FuzzOpenb(f *testing.F)  { fuzz(f, jobs.Openb) }
func FuzzSlurm(f *testing.F)  { fuzz(f, jobs.Slurm) }
func FuzzSWF(f *testing.F)    { fuzz(f, jobs.SWF) }

func ExampleRead() {
	text := `JobID|Submit|Start|End|AllocTRES
7|2024-03-01T10:00:00|2024-03-01T10:05:00|2024-03-01T11:05:00|cpu=64,gres/gpu=8
8|2024-03-01T10:00:30|2024-03-01T10:06:00|2024-03-01T10:07:00|cpu=8,gres/gpu=1
`
	f, _ := jobs.Guess("sacct.txt", []byte(text))
	all, _, err := jobs.Read("sacct.txt", strings.NewReader(text), f)
	if err != nil {
		fmt.Println(err)
	}
	jobs.Rebase(all)
	jobs.Write(os.Stdout, all)
	// Output:
	// job,submit_s,accelerators,duration_s,cpu_milli
	// 7,0,8,3600,64000
	// 8,30,1,60,8000
}
