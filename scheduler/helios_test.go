package scheduler

import (
	"cmp"
	"encoding/json"
	"slices"
	"testing"
)

// Jobs of a virtual cluster of Philly on 8 hosts of 8, by the simulator of the
// Helios paper with its placer "consolidate": first start and finish of each.
// Under srtf that simulator notices an end a second late and charges 7, 30 or
// 60 s to a job that it preempts, by its accelerators.
func TestHelios(t *testing.T) {
	var c struct {
		Nodes, GPUsPerNode int
		Jobs               []heliosRow
		Expected           map[string]struct{ Schedule []heliosRow }
	}
	data := reference(t, "placement", "given_helios_consolidate_103959.json")
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	for _, policy := range []string{"fifo", "sjf", "srtf"} {
		t.Run(policy, func(t *testing.T) {
			var jobs []*heliosJob
			byName := map[string]*heliosJob{}
			for _, row := range c.Jobs {
				j := &heliosJob{name: row.name, submit: row.n[0], wants: Request{Count: row.n[1]}, left: row.n[2], first: -1}
				j.duration = j.left
				jobs = append(jobs, j)
				byName[j.name] = j
			}
			hosts := slices.Repeat([]Host{{Accelerators: 8}}, c.Nodes)
			p := NewPlacer(hosts, Placing{Rule: BestFit, Consolidate: true})
			if policy == "srtf" {
				runShortest(p, jobs)
			} else {
				runInOrder(p, jobs, policy == "sjf")
			}
			for _, row := range c.Expected[policy].Schedule {
				if j := byName[row.name]; j.first != row.n[0] || j.end != row.n[1] {
					t.Fatalf("%s of %d: %d to %d, should be %d to %d", j.name, j.wants.Count, j.first, j.end, row.n[0], row.n[1])
				}
			}
		})
	}
}

// heliosRow is a row of the reference: ["j5765", 26143, 1, 348].
type heliosRow struct {
	name string
	n    []int
}

func (r *heliosRow) UnmarshalJSON(data []byte) error {
	var row []json.RawMessage
	if err := json.Unmarshal(data, &row); err != nil {
		return err
	}
	r.n = make([]int, len(row)-1)
	for i := range r.n {
		if err := json.Unmarshal(row[i+1], &r.n[i]); err != nil {
			return err
		}
	}
	return json.Unmarshal(row[0], &r.name)
}

type heliosJob struct {
	name             string
	submit, duration int
	left             int // as of since
	since            int
	first, end       int
	wants            Request
	has              []Share
}

func (j *heliosJob) start(p *Placer, now int) bool {
	if j.has = p.Place(j.wants); j.has == nil {
		return false
	}
	p.Take(j.wants, j.has)
	j.since = now
	if j.first < 0 {
		j.first = now
	}
	return true
}

// nextInstant goes to the next instant at which something arrives or ends, and moves
// the jobs that arrive to the queue.
func nextInstant(now int, queue, running, later []*heliosJob) (int, []*heliosJob, []*heliosJob) {
	next := -1
	for _, j := range running {
		if next < 0 || j.end < next {
			next = j.end
		}
	}
	if len(later) > 0 && (next < 0 || later[0].submit < next) {
		next = later[0].submit
	}
	for len(later) > 0 && later[0].submit == next {
		queue, later = append(queue, later[0]), later[1:]
	}
	return next, queue, later
}

// runInOrder starts jobs in the order of arrival or of duration, until the first
// that does not fit.
func runInOrder(p *Placer, later []*heliosJob, shortest bool) {
	var queue, running []*heliosJob
	for now := 0; len(later)+len(queue)+len(running) > 0; {
		now, queue, later = nextInstant(now, queue, running, later)
		running = slices.DeleteFunc(running, func(j *heliosJob) bool {
			if j.end == now {
				p.Give(j.wants, j.has)
			}
			return j.end == now
		})
		if shortest {
			slices.SortStableFunc(queue, func(a, b *heliosJob) int { return cmp.Compare(a.duration, b.duration) })
		}
		for len(queue) > 0 && queue[0].start(p, now) {
			queue[0].end = now + queue[0].duration
			running, queue = append(running, queue[0]), queue[1:]
		}
	}
}

// runShortest gives all accelerators to the jobs with least left, then places
// those that are not running.
func runShortest(p *Placer, later []*heliosJob) {
	var queue, running []*heliosJob
	for now := 0; len(later)+len(queue)+len(running) > 0; {
		now, queue, later = nextInstant(now, queue, running, later)
		running = slices.DeleteFunc(running, func(j *heliosJob) bool {
			if j.end == now {
				p.Give(j.wants, j.has)
				return true
			}
			j.left -= now - j.since
			j.since = now
			return false
		})
		ranked := slices.Concat(queue, running)
		slices.SortStableFunc(ranked, func(a, b *heliosJob) int { return cmp.Compare(a.left, b.left) })
		quota := 8 * len(p.hosts)
		var start []*heliosJob
		for _, j := range ranked {
			switch {
			case j.wants.Count <= quota:
				quota -= j.wants.Count
				if j.has == nil {
					start = append(start, j)
				}
			case j.has != nil:
				p.Give(j.wants, j.has)
				j.has = nil
				switch {
				case j.wants.Count == 1:
					j.left += 7
				case j.wants.Count <= 8:
					j.left += 30
				default:
					j.left += 60
				}
				running = slices.DeleteFunc(running, func(other *heliosJob) bool { return other == j })
				queue = append(queue, j)
			}
		}
		for _, j := range start {
			if j.start(p, now) {
				j.end = now + j.left + 1
				queue = slices.DeleteFunc(queue, func(other *heliosJob) bool { return other == j })
				running = append(running, j)
			}
		}
	}
}
