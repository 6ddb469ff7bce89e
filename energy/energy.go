// Package energy is power as a function of what a machine does, and what follows from
// it over time: energy, emissions of carbon, and what a battery moves from one hour to
// another.
//
// # Model
//
// A [Curve] gives the power that a part draws at a utilization from 0 to 1. The shapes
// are those of the literature on servers: linear between idle and full (Fan, Weber and
// Barroso, "Power Provisioning for a Warehouse-sized Computer", ISCA 2007), its square
// root, square and cube as OpenDC and CloudSim have them, points that were measured,
// and a logistic of the number of requests in a batch, which inference follows.
//
// What varies over time is [Steps], constant between instants: power, or the carbon
// intensity of a grid as its operator publishes it, hour by hour. The integral of one,
// or of the product of two, is exact: a sum over the instants of both.
//
// A [Budget] is a limit that parts share, and [Clock] how far accelerators lower their
// clocks for it.
//
// Left out is what no utilization tells: leakage that grows with temperature, and the
// efficiency of power supplies at part load.
package energy

// JoulesPerKWh is a kilowatt-hour in joules.
const JoulesPerKWh = 3.6e6
