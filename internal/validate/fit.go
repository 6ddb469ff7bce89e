package main

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// problem is constants to fit, and what published measurements say of them.
type problem struct {
	constants []constant
	// evaluate is, for each source, ln(simulated / published) of each
	// configuration with the given values of the constants. It must not depend
	// on anything else, and have the same shape for all values.
	evaluate func(values []float64) [][]float64

	known map[string][][]float64 // evaluations done
}

// at is evaluate, which is called once for the same values.
func (p *problem) at(values []float64) [][]float64 {
	key := fmt.Sprint(values)
	logs, ok := p.known[key]
	if !ok {
		if p.known == nil {
			p.known = map[string][][]float64{}
		}
		logs = p.evaluate(values)
		p.known[key] = logs
	}
	return logs
}

const (
	rounds = 3    // of a fit, at most
	enough = 5e-4 // what a round has to gain
	nudge  = 0.05 // of a constant, relative, to see what it does
	reach  = 0.25 // how far a round may move a constant, as a logarithm
	anchor = 0.02 // what moving a constant by a factor of e costs, squared
)

// fit fits the constants to all sources but one; without -1 to all. It minimises
// the mean over the sources of the mean of |ln(simulated / published)|, so that a
// source counts once however many rows it has, and an outlier does not decide.
//
// A simulation of all rows takes seconds, so the simplex of Nelder and Mead
// (1965) does not call it. The logarithm of a time is taken to be linear in those
// of the constants, with slopes from one simulation for each constant, the same
// for all fits. Each round minimises that from where the last one ended, and keeps
// the result if the simulation agrees that it is better, else half the step. A
// constant that the rows say nothing of stays, since moving it costs.
func (p *problem) fit(without int) []float64 {
	values := shipped(p.constants)
	slopes := p.slopes()
	for range rounds {
		here := p.at(values)
		linear := func(x []float64) float64 {
			logs := clone(here)
			for k, d := range p.within(values, x) {
				for s := range logs {
					for i := range logs[s] {
						logs[s][i] += d * slopes[k][s][i]
					}
				}
			}
			cost := loss(logs, without)
			for _, d := range x { // also beyond the bounds, to lead back
				cost += anchor * d * d
			}
			return cost
		}
		step := p.within(values, minimise(linear, len(values)))
		next, found := p.better(values, step, without)
		if !found {
			break
		}
		values = next
	}
	return values
}

// slopes is, for each constant, by how much ln(simulated) of each configuration
// rises with the constant's logarithm, where the constants are as shipped.
func (p *problem) slopes() [][][]float64 {
	values := shipped(p.constants)
	here := p.at(values)
	slopes := make([][][]float64, len(values))
	for k, c := range p.constants {
		moved := slices.Clone(values)
		if moved[k] *= 1 + nudge; moved[k] > c.high {
			moved[k] = values[k] / (1 + nudge)
		}
		step := math.Log(moved[k] / values[k])
		slopes[k] = clone(p.at(moved))
		for s := range here {
			for i := range here[s] {
				slopes[k][s][i] = (slopes[k][s][i] - here[s][i]) / step
			}
		}
	}
	return slopes
}

// better takes a step of the constants' logarithms, or the half of it: the
// longer after which the simulation is closer to what was published.
func (p *problem) better(values, step []float64, without int) (next []float64, found bool) {
	before := loss(p.at(values), without)
	for _, part := range []float64{1, 0.5} {
		next = make([]float64, len(values))
		for k := range values {
			next[k] = values[k] * math.Exp(part*step[k])
		}
		if loss(p.at(next), without) < before-enough {
			return next, true
		}
	}
	return nil, false
}

// within cuts a step of the logarithms to the reach of a round and to the bounds
// of the constants.
func (p *problem) within(values, x []float64) []float64 {
	step := make([]float64, len(x))
	for k, c := range p.constants {
		step[k] = min(max(x[k], -reach, math.Log(c.low/values[k])), reach, math.Log(c.high/values[k]))
	}
	return step
}

// minimise finds a minimum from the origin.
func minimise(f func(x []float64) float64, n int) []float64 {
	result, err := optimize.Minimize(optimize.Problem{Func: f}, make([]float64, n),
		&optimize.Settings{FuncEvaluations: 4000, Converger: &optimize.FunctionConverge{Absolute: 1e-7, Iterations: 200}},
		&optimize.NelderMead{SimplexSize: 0.05})
	if err != nil || result == nil {
		return make([]float64, n)
	}
	return result.X
}

// loss is the mean over the sources but one of their mean |ln(simulated / published)|.
func loss(logs [][]float64, without int) float64 {
	var sum, sources float64
	for s, of := range logs {
		if s == without || len(of) == 0 {
			continue
		}
		for _, l := range of {
			sum += math.Abs(l) / float64(len(of))
		}
		sources++
	}
	return sum / sources
}

func clone(logs [][]float64) [][]float64 {
	c := make([][]float64, len(logs))
	for s := range logs {
		c[s] = slices.Clone(logs[s])
	}
	return c
}
