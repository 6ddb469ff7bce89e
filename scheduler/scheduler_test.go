package scheduler_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/railyard/railyard/scheduler"
)

// free has a 1 for every accelerator without a job.
func free(text string) []bool {
	f := make([]bool, len(text))
	for i, c := range text {
		f[i] = c == '1'
	}
	return f
}

func TestFIFO(t *testing.T) {
	type start = scheduler.Start
	for _, c := range []struct {
		name  string
		free  string
		queue []scheduler.Job
		want  []start
	}{
		{"nobody waits", "1111", nil, nil},
		{"lowest numbers first", "1011", []scheduler.Job{{ID: 7, Count: 2}}, []start{{7, []int32{0, 2}}}},
		{"one after another", "1111", []scheduler.Job{{ID: 1, Count: 1}, {ID: 2, Count: 3}}, []start{{1, []int32{0}}, {2, []int32{1, 2, 3}}}},
		{"the first that does not fit blocks", "1111", []scheduler.Job{{ID: 1, Count: 3}, {ID: 2, Count: 2}, {ID: 3, Count: 1}}, []start{{1, []int32{0, 1, 2}}}},
		{"a list is taken as it stands", "1111", []scheduler.Job{{ID: 1, List: []int32{3, 0}}}, []start{{1, []int32{3, 0}}}},
		{"a list that is not free blocks", "1101", []scheduler.Job{{ID: 1, List: []int32{1, 2}}, {ID: 2, Count: 1}}, nil},
		{"a list after a count", "1111", []scheduler.Job{{ID: 1, Count: 2}, {ID: 2, List: []int32{1}}}, []start{{1, []int32{0, 1}}}},
		{"a count around a list", "1111", []scheduler.Job{{ID: 1, List: []int32{1}}, {ID: 2, Count: 2}}, []start{{1, []int32{1}}, {2, []int32{0, 2}}}},
		{
			"shared takes what is used, and leaves it", "0011",
			[]scheduler.Job{{ID: 1, Count: 4, Shared: true}, {ID: 2, Count: 2}},
			[]start{{1, []int32{0, 1, 2, 3}}, {2, []int32{2, 3}}},
		},
		{"shared more than there are", "11", []scheduler.Job{{ID: 1, Count: 3, Shared: true}}, nil},
		{
			"shared beside what was taken before it", "11",
			[]scheduler.Job{{ID: 1, Count: 2}, {ID: 2, Count: 1, Shared: true}, {ID: 3, Count: 1}},
			[]start{{1, []int32{0, 1}}, {2, []int32{0}}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, scheduler.FIFO(c.queue, free(c.free))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FIFO starts a prefix of the queue, each job on as many accelerators as it
// wants, that are free and nobody else's; the first that is left did not fit; and
// it changes nothing.
func TestFIFOProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SliceOfN(rapid.Bool(), 1, 12).Draw(t, "free")
		was := slices.Clone(f)
		var queue []scheduler.Job
		for i := range rapid.IntRange(0, 6).Draw(t, "jobs") {
			queue = append(queue, scheduler.Job{ID: i, Count: rapid.IntRange(1, len(f)).Draw(t, "count")})
		}
		starts := scheduler.FIFO(queue, f)
		if !slices.Equal(f, was) {
			t.Fatal("the state was changed")
		}
		left := 0
		for _, x := range f {
			if x {
				left++
			}
		}
		taken := map[int32]bool{}
		for i, s := range starts {
			if s.ID != queue[i].ID || len(s.Accelerators) != queue[i].Count {
				t.Fatalf("start %d is %+v of %+v", i, s, queue[i])
			}
			for _, a := range s.Accelerators {
				if !f[a] || taken[a] {
					t.Fatalf("job %d gets accelerator %d", s.ID, a)
				}
				taken[a] = true
			}
			left -= len(s.Accelerators)
		}
		if n := len(starts); n < len(queue) && queue[n].Count <= left {
			t.Fatalf("job %d waits for %d accelerators while %d are free", n, queue[n].Count, left)
		}
	})
}

func ExampleFIFO() {
	queue := []scheduler.Job{{ID: 1, Count: 2}, {ID: 2, Count: 4}, {ID: 3, Count: 1}}
	free := []bool{false, true, true, true}
	for _, s := range scheduler.FIFO(queue, free) {
		fmt.Println("job", s.ID, "starts on", s.Accelerators)
	}
	// Output:
	// job 1 starts on [1 2]
}
