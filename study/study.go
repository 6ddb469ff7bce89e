// Package study asks of a scenario what one run of it does not tell.
//
//   - [Why]: what bounds a training. It is run again with 10 % more of each resource, one at
//     a time, and what that gains is set beside the critical path of an iteration.
//   - [Estimate]: how far first-order formulas are off, beside a run.
//   - [CompareFidelity]: how far the fluid model of the network is off, beside packets.
//   - [Topology]: what the fabric is made of, can carry, and costs; nothing runs.
//
// Answers are records, as the summary of a run is one.
package study
