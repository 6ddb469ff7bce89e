// Package calibrate fits the constants of an accelerator or of a host's network
// to what a user has measured: a table of kernels, logs of nccl-tests, or one
// iteration of training.
//
// A fit starts from an entry of the catalogue and changes only the constants
// that say what of the data sheet is reached: never a peak, a rate or a size. It
// minimizes the mean of |ln(predicted / measured)| over the rows by the simplex of
// Nelder and Mead (1965), so that a row counts by its relative error and a few
// outliers do not decide. A constant that the rows say nothing of, since nothing measured is
// bound by it, stays as it was.
//
// What comes out is an override of the catalogue: TOML that a scenario may hold,
// with the residuals as comments. The catalogue's own constants were fitted in
// this way.
//
// Left out: the constants that hold for all accelerators (package cluster), and
// those of kernels that the table cannot describe.
package calibrate
