package jobs

import (
	"fmt"
	"strings"

	"github.com/railyard/railyard/units"
)

// Bounds of a speed, and of how many types a job names.
const (
	leastSpeed = 1e-6
	mostSpeed  = 1e6
	mostTypes  = 64
)

// Speed is how fast a job runs on a type of accelerator, as a multiple of that for which
// its duration is given.
type Speed struct {
	Type  string
	Speed float64
}

// ParseSpeeds reads speeds like "v100=1 k80=0.25".
func ParseSpeeds(text string) (all []Speed, err error) {
	for part := range strings.FieldsSeq(text) {
		name, number, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("%.40q is not of the form type=speed", part)
		}
		v, err := units.ParseNumber(number)
		if err != nil || !(v >= leastSpeed && v <= mostSpeed) {
			return nil, fmt.Errorf("the speed on %.40q must be from %g to %g, not %.40q", name, leastSpeed, mostSpeed, number)
		}
		for _, s := range all {
			if s.Type == name {
				return nil, fmt.Errorf("%.40q is there twice", name)
			}
		}
		if len(all) == mostTypes {
			return nil, fmt.Errorf("more than %d types", mostTypes)
		}
		all = append(all, Speed{name, v})
	}
	return all, nil
}
