package calibrate

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// maxRanks keeps a fit to seconds: each of its steps lays the plans anew.
const maxRanks = 2048

// Network fits the network of a host to logs of nccl-tests: the share of its
// links' rates that is left for payload, within it and between hosts as far as
// logs cross them, and what the software costs at the start and at each step.
// Where all logs take the same number of steps only the sum of these two is
// known, and their ratio stays. Operations are done in the way that is predicted to be
// the fastest, which for all-reduces may be sums in the host's switch.
func Network(base topology.Host, logs []Log) (topology.Host, []Constant, error) {
	if len(logs) == 0 {
		return base, nil, errors.New("there is no log to fit to")
	}
	h := base
	steps := map[int]bool{}
	within, between, sums := false, false, false
	for i := range logs {
		plans, err := logs[i].plans(&h)
		if err != nil {
			return base, nil, err
		}
		steps[plans[0].Steps] = true
		sums = sums || slices.ContainsFunc(plans, func(p *collective.Plan) bool { return p.Algorithm == collective.NVLS })
		hosts := logs[i].hosts(&h)
		within = within || hosts == 1
		between = between || hosts > 1
	}
	overhead := func(key string, value *units.Duration) parameter {
		return parameter{
			keys: []written{{key, func() string { return fmt.Sprintf("%q", *value) }}},
			get:  func() float64 { return math.Log(max(value.Seconds(), 1e-9)) },
			set:  func(x float64) { *value = microseconds(math.Exp(x)) },
		}
	}
	start, step := overhead("collective_overhead", &h.CollectiveOverhead), overhead("step_overhead", &h.StepOverhead)
	parameters := []parameter{start, step}
	if len(steps) == 1 {
		first, each := h.CollectiveOverhead.Seconds(), h.StepOverhead.Seconds()
		parameters = []parameter{{
			keys: append(start.keys, step.keys...),
			get:  func() float64 { return 0 },
			set: func(x float64) {
				h.CollectiveOverhead, h.StepOverhead = microseconds(first*math.Exp(x)), microseconds(each*math.Exp(x))
			},
		}}
	}
	if within {
		parameters = append(parameters, share("scale_up_efficiency", &h.ScaleUpEfficiency))
	}
	if sums {
		parameters = append(parameters, share("nvls_efficiency", &h.NVLSEfficiency))
	}
	if between {
		parameters = append(parameters, share("nic_efficiency", &h.NICEfficiency))
	}
	constants, err := fit(parameters, func() float64 {
		var sum float64
		rows := 0
		for i := range logs {
			for _, d := range logs[i].deviations(&h) {
				sum += math.Abs(d)
				rows++
			}
		}
		return sum / float64(rows)
	})
	if err != nil {
		return base, nil, err
	}
	return h, constants, nil
}

// NetworkResiduals compares a host with logs, a group each.
func NetworkResiduals(h topology.Host, logs []Log) ([]Residual, error) {
	var all []Residual
	for i := range logs {
		if _, err := logs[i].plans(&h); err != nil {
			return nil, err
		}
		group := fmt.Sprintf("%s over %d ranks on %d hosts", logs[i].Op, logs[i].Ranks, logs[i].hosts(&h))
		all = append(all, residual(group, logs[i].deviations(&h)))
	}
	return all, nil
}

// hosts is how many of these hosts the ranks fill, if the log does not say.
func (l *Log) hosts(h *topology.Host) int {
	if l.Hosts > 0 {
		return l.Hosts
	}
	return (l.Ranks + h.Accelerators - 1) / h.Accelerators
}

// plans are the ways to perform the operation over the first ranks of each host.
func (l *Log) plans(h *topology.Host) (collective.Plans, error) {
	hosts := l.hosts(h)
	each := l.Ranks / hosts
	switch {
	case l.Ranks%hosts != 0:
		return nil, fault(l.File, fmt.Sprintf("has %d ranks, which cannot be as many on each of %d hosts", l.Ranks, hosts))
	case each > h.Accelerators:
		return nil, fault(l.File, fmt.Sprintf("has %d ranks on a host; %s has %d accelerators", each, h.Name, h.Accelerators))
	case l.Ranks > maxRanks:
		return nil, fault(l.File, fmt.Sprintf("has %d ranks; a fit takes up to %d", l.Ranks, maxRanks))
	}
	t, err := topology.Rail(topology.Fabric{
		Host: *h, Hosts: hosts, HostsPerRack: hosts, Oversubscription: 1, LinkLatency: h.LinkLatency, SwitchLatency: h.SwitchLatency,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.File, err)
	}
	var ranks []topology.NodeID
	for s := range hosts {
		for i := range each {
			ranks = append(ranks, topology.NodeID(s*h.Accelerators+i))
		}
	}
	plans, err := collective.NewPlanner(t).Plans(l.Op, ranks)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.File, err)
	}
	return plans, nil
}

// deviations are ln(predicted / measured) of every row; of a host that plans
// accepts.
func (l *Log) deviations(h *topology.Host) []float64 {
	plans, err := l.plans(h)
	if err != nil {
		panic("calibrate: plans were laid before: " + err.Error())
	}
	all := make([]float64, len(l.Size))
	for i, size := range l.Size {
		all[i] = math.Log(plans.Fastest(size).Predict(size) / l.Seconds[i])
	}
	return all
}
