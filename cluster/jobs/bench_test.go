//go:build unix

package jobs_test

import (
	"context"
	"encoding/csv"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/jobs"
	"github.com/railyard/railyard/scheduler"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// philly is the first 21,000 jobs of the Philly trace that take no more than 512
// accelerators; see ../shared/reference/scheduling/traces.
func philly(b *testing.B) (all []job) {
	f, err := os.Open("../../../shared/reference/scheduling/traces/philly2017_sia82k.csv")
	if err != nil {
		b.Skip("no ../shared/reference/scheduling/traces")
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		b.Fatal(err)
	}
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	first := number(rows[1][1])
	for _, row := range rows[1:] {
		j := job{start: sim.Time(number(row[1])-first) * s, duration: sim.Time(number(row[3])) * s, gang: int(number(row[2]))}
		if j.gang <= 512 && len(all) < 21000 {
			all = append(all, j)
		}
	}
	return all
}

// BenchmarkPhilly is a whole run but for reading the trace: jobs are made and
// submitted, and run to their end.
func BenchmarkPhilly(b *testing.B) { benchmark(b, philly(b), scheduler.Policies()) }

// BenchmarkBacklog has 100,000 jobs come at once under the policies that give leases,
// whose order changes with time.
func BenchmarkBacklog(b *testing.B) {
	all := make([]job, 100_000)
	for i := range all {
		all[i] = job{duration: sim.Time(60+i*7919%3600) * s, gang: 1 << (i % 4)}
	}
	benchmark(b, all, slices.DeleteFunc(scheduler.Policies(), func(name string) bool { return !scheduler.Leases(name) }))
}

// benchmark runs jobs under each policy on 512 accelerators.
func benchmark(b *testing.B, all []job, policies []string) {
	durations := make([]sim.Time, len(all))
	for i, j := range all {
		durations[i] = j.duration
	}
	for _, name := range policies {
		b.Run(name, func(b *testing.B) {
			topo, _ := topology.Pool(512)
			policy := scheduler.Policy{Name: name, LASLimits: []float64{3250, 7200}, Lease: 1200 * units.Duration(s)}
			for _, j := range all {
				policy.Services = append(policy.Services, j.duration.Seconds()*float64(j.gang))
			}
			began := cpuSeconds(b)
			for b.Loop() {
				c := cluster.NewScheduled(sim.New(), topo, 0, policy)
				queued, pointers := make([]cluster.Job, len(all)), make([]*cluster.Job, len(all))
				for i, program := range jobs.New(c).Programs(durations, jobs.Recovery{}) {
					queued[i] = cluster.Job{Start: all[i].start, Count: all[i].gang, Estimate: all[i].duration, Program: program}
					pointers[i] = &queued[i]
				}
				c.Submit(pointers...)
				if err := c.Engine.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(all))*float64(b.N)/(cpuSeconds(b)-began), "jobs/CPU-s")
		})
	}
}

func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
