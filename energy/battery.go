package energy

import "math"

// Battery is storage beside a load, which follows the carbon intensity of the grid as
// OpenDC's policy of a single threshold does: below it the battery charges, at or above
// it the battery carries the load while it lasts. It loses nothing.
type Battery struct {
	Capacity  float64 // J
	Charge    float64 // W while it charges; discharging it gives whatever the load draws
	Threshold float64 // g/kWh
	Initial   float64 // J at the beginning
}

// Grid is the power that the grid delivers to load and battery from 0 to an end, and
// what the battery then holds, in J. Where the battery becomes full or empty there is an
// instant of its own, so the result is exact. It takes a time proportional to the steps.
func (b Battery) Grid(load, intensity Steps, end float64) (grid Steps, left float64) {
	left = b.Initial
	i, k := load.index(0), intensity.index(0)
	draw := func(at, power float64) {
		if n := len(grid.Values); n > 0 && grid.Values[n-1] == power {
			return
		}
		grid.At, grid.Values = append(grid.At, at), append(grid.Values, power)
	}
	for at := 0.0; at < end; {
		until := min(load.next(i), intensity.next(k), end)
		power := load.Values[i]
		// The battery takes so many W; negative it gives them.
		var takes float64
		filled := math.Inf(1) // s until it is full or empty
		switch low := intensity.Values[k] < b.Threshold; {
		case low && left < b.Capacity && b.Charge > 0:
			takes = b.Charge
			filled = (b.Capacity - left) / takes
		case !low && left > 0 && power > 0:
			takes = -power
			filled = left / power
		}
		draw(at, power+takes)
		if at+filled <= until {
			until = at + filled
			left = 0
			if takes > 0 {
				left = b.Capacity
			}
		} else {
			left += takes * (until - at)
		}
		if load.next(i) <= until {
			i++
		}
		if intensity.next(k) <= until {
			k++
		}
		at = until
	}
	return grid, left
}
