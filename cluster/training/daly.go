package training

import "math"

// Interval is the work between checkpoints that loses least, where one takes so long
// and failures come at a mean time between each other, all in seconds: Daly's estimate
// of higher order (J. T. Daly, FGCS 2006, equation 37),
//
//	sqrt(2 d M) (1 + sqrt(d / 2M) / 3 + (d / 2M) / 9) - d    for d < 2M, else M,
//
// whose first term is Young's (CACM 1974).
func Interval(checkpoint, between float64) float64 {
	if checkpoint >= 2*between {
		return between
	}
	x := checkpoint / (2 * between)
	return math.Sqrt(2*checkpoint*between)*(1+math.Sqrt(x)/3+x/9) - checkpoint
}
