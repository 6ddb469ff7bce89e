package sweep

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/samplemv"

	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
)

// The methods that make points of ranges; see the package comment.
const (
	Grid           = "grid"
	Zip            = "zip"
	Random         = "random"
	LatinHypercube = "latin-hypercube"
	Halton         = "halton"
)

// Methods are all of them.
var Methods = []string{Grid, Zip, Random, LatinHypercube, Halton}

// Plan is what a space is made of.
type Plan struct {
	Parameters []Parameter
	Method     string // one of Methods; "" is Grid
	Points     int    // of the sampling methods
	// Seeds, above 1, runs each point with so many seeds from sim.seed on: a key
	// that is varied last.
	Seeds int
	// Where are constraints, such as "tensor * pipeline <= 64": points that
	// break one are left out. See [Constraint].
	Where []string
	// Listed are points spelt out, in place of Parameters.
	Listed [][]scenario.Setting
	Seed   int64 // sim.seed of the scenario
	// Known are the keys that the scenario gives, for constraints.
	Known map[string]string
}

// Space is the points of a sweep.
type Space struct {
	Keys   []string   // varied
	points [][]string // a value for each key, "" where the point does not set it
}

// Len is the number of points.
func (s *Space) Len() int { return len(s.points) }

// Values are the values of a point, one for each key, as --set takes them; ""
// where the point does not set the key.
func (s *Space) Values(i int) []string { return s.points[i] }

// Settings are what a point sets: "key=value".
func (s *Space) Settings(i int) []string {
	var set []string
	for k, value := range s.points[i] {
		if value != "" {
			set = append(set, s.Keys[k]+"="+value)
		}
	}
	return set
}

// sampled says whether a method draws its points, as many as it is told.
func sampled(method string) bool { return method != "" && method != Grid && method != Zip }

// NewSpace makes the points of a plan.
func NewSpace(p Plan) (*Space, error) {
	s := &Space{}
	var err error
	switch {
	case p.Listed != nil && p.Parameters != nil:
		return nil, inputf("points are either made by varying keys or spelt out, not both")
	case p.Points > 0 && (p.Listed != nil || !sampled(p.Method)):
		return nil, inputf("a number of points belongs to the methods that sample: %s", strings.Join(Methods[2:], ", "))
	case p.Listed != nil && sampled(p.Method):
		return nil, inputf("the method %s makes points by varying keys, and they are spelt out", p.Method)
	case p.Listed != nil:
		s.list(p.Listed)
	case p.Parameters == nil && p.Seeds <= 1:
		return nil, inputf("nothing is varied: give --vary KEY=VALUES, as in --vary topology.hosts=16..256*2, or a [sweep] in the scenario")
	default:
		err = s.make(p)
	}
	if err != nil {
		return nil, err
	}
	if err := s.seeds(p.Seed, p.Seeds); err != nil {
		return nil, err
	}
	for _, key := range s.Keys {
		if err := scenario.CheckKey(key); err != nil {
			return nil, &InputError{err}
		}
	}
	for i, text := range p.Where {
		c, err := ParseConstraint(text, s.Keys, p.Known)
		if err != nil {
			return nil, &whereError{i, &InputError{err}}
		}
		kept := s.points[:0]
		for _, values := range s.points {
			holds, err := c.Holds(values)
			if err != nil {
				return nil, &whereError{i, &InputError{err}}
			}
			if holds {
				kept = append(kept, values)
			}
		}
		s.points = kept
	}
	return s, nil
}

// whereError says which constraint of a plan is wrong.
type whereError struct {
	number int
	error
}

func (e *whereError) Unwrap() error { return e.error }

// list takes points that are spelt out. The keys are in the order of their first
// appearance.
func (s *Space) list(points [][]scenario.Setting) {
	for _, p := range points {
		for _, set := range p {
			if !slices.Contains(s.Keys, set.Key) {
				s.Keys = append(s.Keys, set.Key)
			}
		}
	}
	for _, p := range points {
		values := make([]string, len(s.Keys))
		for _, set := range p {
			values[slices.Index(s.Keys, set.Key)] = set.Value
		}
		s.points = append(s.points, values)
	}
}

// make makes points of parameters.
func (s *Space) make(p Plan) error {
	p.Method = cmp.Or(p.Method, Grid)
	if !slices.Contains(Methods, p.Method) {
		return inputf("%q is no method: one of %s", p.Method, strings.Join(Methods, ", "))
	}
	for _, parameter := range p.Parameters {
		if slices.Contains(s.Keys, parameter.Key) {
			return inputf("%s is varied twice", parameter.Key)
		}
		s.Keys = append(s.Keys, parameter.Key)
		if !sampled(p.Method) && parameter.Values == nil {
			return inputf("%s: a range of fractions needs a step, as in %s..%s*2, or one of the methods that sample: %s", parameter.Key,
				number(parameter.span.from), number(parameter.span.to)+parameter.span.unit, strings.Join(Methods[2:], ", "))
		}
	}
	switch {
	case p.Method == Grid:
		return s.grid(p.Parameters)
	case p.Method == Zip:
		return s.zip(p.Parameters)
	case p.Points < 1:
		return inputf("the method %s needs a number of points", p.Method)
	case p.Points > MaxPoints:
		return inputf("a sweep has at most %d points, not %d", MaxPoints, p.Points)
	}
	s.sample(p)
	return nil
}

func (s *Space) grid(parameters []Parameter) error {
	n := 1
	for _, p := range parameters {
		if n *= len(p.Values); n > MaxPoints {
			return inputf("the grid has more than %d points", MaxPoints)
		}
	}
	s.points = make([][]string, n)
	for i := range s.points {
		values, rest := make([]string, len(parameters)), i
		for k := len(parameters) - 1; k >= 0; k-- {
			all := parameters[k].Values
			values[k], rest = all[rest%len(all)], rest/len(all)
		}
		s.points[i] = values
	}
	return nil
}

func (s *Space) zip(parameters []Parameter) error {
	for _, p := range parameters {
		if len(p.Values) != len(parameters[0].Values) {
			return inputf("zip goes through the values of all keys in step, but %s has %d and %s has %d",
				parameters[0].Key, len(parameters[0].Values), p.Key, len(p.Values))
		}
	}
	if len(parameters) == 0 {
		s.points = [][]string{nil}
		return nil
	}
	for i := range parameters[0].Values {
		values := make([]string, len(parameters))
		for k, p := range parameters {
			values[k] = p.Values[i]
		}
		s.points = append(s.points, values)
	}
	return nil
}

// sample draws points of the unit cube and scales them.
func (s *Space) sample(p Plan) {
	if len(p.Parameters) == 0 {
		s.points = [][]string{nil}
		return
	}
	stream := sim.Stream(uint64(p.Seed), "sweep")
	cube := mat.NewDense(p.Points, len(p.Parameters), nil)
	unit := distmv.NewUnitUniform(len(p.Parameters), stream)
	sampler(p.Method, unit, stream).Sample(cube)
	for i := range p.Points {
		values := make([]string, len(p.Parameters))
		for k, parameter := range p.Parameters {
			fraction := min(max(cube.At(i, k), 0), 1-1e-15)
			if parameter.span != nil {
				values[k] = parameter.span.at(fraction)
			} else {
				values[k] = parameter.Values[int(fraction*float64(len(parameter.Values)))]
			}
		}
		s.points = append(s.points, values)
	}
}

func sampler(method string, unit *distmv.Uniform, source rand.Source) samplemv.Sampler {
	switch method {
	case LatinHypercube:
		return samplemv.LatinHypercube{Q: unit, Src: source}
	case Halton:
		return samplemv.Halton{Kind: samplemv.Owen, Q: unit, Src: source}
	}
	return samplemv.IID{Dist: unit}
}

// seeds repeats each point with a number of seeds.
func (s *Space) seeds(first int64, n int) error {
	if n <= 1 {
		return nil
	}
	const key = "sim.seed"
	switch {
	case slices.Contains(s.Keys, key):
		return inputf("%s is varied: leave out the number of seeds", key)
	case n > MaxPoints/max(len(s.points), 1):
		return inputf("%d points with %d seeds each are more than %d", len(s.points), n, MaxPoints)
	}
	s.Keys = append(s.Keys, key)
	repeated := make([][]string, 0, n*len(s.points))
	for _, values := range s.points {
		for i := range n {
			seed := strconv.FormatInt(first+int64(i), 10)
			repeated = append(repeated, append(values[:len(values):len(values)], seed))
		}
	}
	s.points = repeated
	return nil
}
