package training

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/railyard/railyard/sim"
)

// Stragglers are what makes some ranks slower than others. Those who train
// synchronously wait for the slowest.
//
// Of an iteration's jitter it is what lasts: each rank draws one factor an iteration
// for all that it computes (clocks that throttle, neighbours on the host, pauses of
// the garbage collector), from a log-normal distribution of mean 1, since delays
// multiply and none makes time run back. The factors of n ranks that meet once an
// iteration cost the mean of their maximum.
type Stragglers struct {
	Jitter float64 // coefficient of variation of a rank's computation
	Seed   uint64  // of the ranks' random streams

	Hosts    []int   // indices of the topology's servers whose accelerators are slow, ascending
	Slowdown float64 // factor by which these compute longer
}

// any reports whether ranks differ.
func (s Stragglers) any() bool { return s.Jitter > 0 || len(s.Hosts) > 0 }

// pace is how much longer than the roofline says a rank computes.
type pace struct {
	lasting float64 // of its host
	sigma   float64 // of the logarithm of the iteration's factor
	stream  *rand.Rand
	now     float64
	sum     float64 // of the iterations that have ended
}

// pace is that of a rank.
func (j *Job) pace(rank int) pace {
	s, job := j.Stragglers, j.c.Jobs[j.job]
	p := pace{lasting: 1, now: 1}
	if _, slow := slices.BinarySearch(s.Hosts, j.c.Topology.Server(job.Accelerators[rank])); slow {
		p.lasting, p.now = s.Slowdown, s.Slowdown
	}
	if s.Jitter > 0 {
		p.sigma = math.Sqrt(math.Log1p(s.Jitter * s.Jitter))
		p.stream = sim.Stream(s.Seed, "training "+job.Name+" rank "+strconv.Itoa(rank))
	}
	return p
}

// draw makes the factor of the next iteration.
func (p *pace) draw() {
	if p.stream != nil {
		p.now = p.lasting * math.Exp(p.sigma*p.stream.NormFloat64()-p.sigma*p.sigma/2)
	}
}

// mean is what the pace was in the mean of so many iterations that have ended.
func (p *pace) mean(iterations int64) float64 {
	if p.stream == nil || iterations == 0 {
		return p.lasting
	}
	return p.sum / float64(iterations)
}

// of is how long a computation takes at this pace.
func (p *pace) of(work sim.Time) sim.Time {
	if p.now == 1 {
		return work
	}
	return sim.Time(float64(work)*p.now + 0.5)
}
