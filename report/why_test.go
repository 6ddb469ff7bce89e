package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/railyard/railyard/result"
)

// A path that is longer than a terminal is cut, and what repeats is told once.
func TestWhyTellsThePath(t *testing.T) {
	job := &result.Record{}
	job.Add(result.Name, "a job")
	job.Add(result.AcceleratorCount, int64(8))
	job.Add(result.IterationTime, 10.0)
	job.Add(result.Verdict, "compute-bound")
	breakdown := &result.Record{}
	breakdown.Add(result.ComputePart, 4.0)
	breakdown.Add(result.BubblePart, 6.0)
	job.Add(result.Breakdown, breakdown)
	job.Add(result.CriticalLength, 10.0)
	job.Add(result.CriticalTotals, &result.Record{})
	var steps []*result.Record
	add := func(cycle, times, shift, count int64, step string) {
		s := &result.Record{}
		s.Add(result.PathCycle, cycle)
		s.Add(result.PathTimes, times)
		s.Add(result.PathShift, shift)
		s.Add(result.PathStep, step)
		s.Add(result.PathCount, count)
		s.Add(result.PathTime, 0.5)
		s.Add(result.PathExposed, 0.25)
		steps = append(steps, s)
	}
	add(0, 1, 0, 1, "once")
	add(1, 3, 0, 6, "in place")
	add(2, 3, 1, 3, "further")
	add(3, 3, -2, 3, "back")
	for i := range 30 {
		add(4, 1, 0, 1, fmt.Sprint("step ", i))
	}
	job.Add(result.CriticalPath, steps)
	r := &result.Record{}
	r.Add(result.Training, []*result.Record{job})
	var out bytes.Buffer
	if err := Why(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"a job: an iteration takes 10.00 s on 8 accelerators\n  compute-bound\n",
		"    compute                ##########..............  40.0 %  4.000 s\n    bubble ",
		"    once                                       500.0 ms   5.0 %  communication 250.0 ms\n",
		"    3 times in turn, all together:\n      in place x 6                             500.0 ms",
		"    3 times in turn, each time a stage further, all together:\n      further x 3 ",
		"    3 times in turn, each time 2 stages back, all together:\n      back x 3 ",
		"    step 19 ",
		"    ... 10 more steps with --json\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "step 20 ") {
		t.Error("the path is not cut")
	}
	if strings.Contains(out.String(), "median") {
		t.Error("an iteration like all others is called the median")
	}
}

// Where iterations differ by chance, it is said whose path is told, and its parts are
// shares of that one.
func TestWhyTellsWhosePath(t *testing.T) {
	job := &result.Record{}
	job.Add(result.IterationTime, 10.0)
	job.Add(result.Breakdown, &result.Record{})
	job.Add(result.CriticalLength, 8.0)
	totals := &result.Record{}
	totals.Add(result.OptimizerPart, 8.0)
	job.Add(result.CriticalTotals, totals)
	r := &result.Record{}
	r.Add(result.Training, []*result.Record{job})
	var out bytes.Buffer
	if err := Why(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"where the time of the critical path goes, in the iteration of median length, 8.000 s\n    optimizer              ########################  100.0 %  8.000 s\n",
		"the critical path, in the iteration of median length, 8.000 s\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("there is no %q in\n%s", want, out.String())
		}
	}
}
