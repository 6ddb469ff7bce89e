// Package bound says what trainings and deployments take at the least, without running
// their scenario: for a search that leaves out what cannot win.
//
// A [Ground] is a data centre on which an iteration of any training is run without
// contention, and so takes no more time than in any run; its [Rates] turn time into energy
// and cost. A [Deployment] serves a model; its [Floor] is what requests take alone on a
// replica, and what work they are for one.
package bound
