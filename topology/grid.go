package topology

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/units"
)

// Shape is how the accelerators along one dimension of a grid are joined.
type Shape uint8

// The shapes. A line is a ring whose ends are not joined.
const (
	ShapeRing Shape = iota
	ShapeLine
	ShapeSwitch
	ShapeMesh
)

// Dimension is one dimension of a grid of accelerators: each line of Size
// accelerators along it is a network of its own, with links as in [Ring],
// [Switch] and [FullMesh].
type Dimension struct {
	Shape     Shape
	Size      int
	Bandwidth units.Rate
	Latency   units.Duration
}

// Multi builds a grid of accelerators, its first dimension that of accelerators
// that follow each other. A message walks one dimension after the other, the
// first one first, by way of the accelerators in the corners (dimension-order
// routing: Dally and Seitz 1987). Half round a ring it goes upwards from even
// places and downwards from odd ones, which loads both directions alike.
func Multi(dimensions []Dimension) (*Topology, error) { return newGrid("multi", dimensions) }

// Torus builds a grid whose dimensions are all rings, or lines where wrap says
// false; a wrap of one entry holds for all dimensions, none is rings. Two
// accelerators along a dimension have one link each way in all.
func Torus(sizes []int, wrap []bool, bandwidth units.Rate, latency units.Duration) (*Topology, error) {
	if len(wrap) > 1 && len(wrap) != len(sizes) {
		return nil, fmt.Errorf("topology: wrap-around of %d dimensions in a torus of %d", len(wrap), len(sizes))
	}
	dimensions := make([]Dimension, len(sizes))
	for d, size := range sizes {
		dimensions[d] = Dimension{ShapeRing, size, bandwidth, latency}
		if len(wrap) > 0 && !wrap[min(d, len(wrap)-1)] {
			dimensions[d].Shape = ShapeLine
		}
	}
	return newGrid("torus", dimensions)
}

func newGrid(kind string, dimensions []Dimension) (*Topology, error) {
	n := 1
	for _, d := range dimensions {
		if d.Size < 1 || d.Size > MaxAccelerators/n {
			return nil, fmt.Errorf("topology: a dimension of %d accelerators; 1 to %d can be built in all", d.Size, MaxAccelerators)
		}
		n *= d.Size
	}
	if len(dimensions) == 0 {
		return nil, fmt.Errorf("topology: a grid without dimensions")
	}
	links := 0
	for _, d := range dimensions {
		links += n / d.Size * d.Shape.links(d.Size)
		if err := checkBare(n, d.Bandwidth, d.Latency, links); err != nil {
			return nil, err
		}
	}
	t := &Topology{Kind: kind, accelerators: n, Links: make([]Link, 0, links)}
	g := grid{}
	stride := 1
	for i, d := range dimensions {
		g.add(t, "dim"+strconv.Itoa(i), n, stride, d.Shape, d.Size, float64(d.Bandwidth), 1, sim.Time(d.Latency))
		stride *= d.Size
	}
	t.router, t.dimensions = g, slices.Clone(dimensions)
	return t, nil
}

// Dimensions are those of a grid of accelerators, nil of other topologies.
func (t *Topology) Dimensions() []Dimension { return t.dimensions }

// links is the number of links of one line.
func (s Shape) links(n int) int {
	switch s {
	case ShapeSwitch:
		return 2 * n
	case ShapeMesh:
		return n * (n - 1)
	}
	return ringLinks(n, s == ShapeLine)
}

// grid walks one dimension after the other.
type grid struct {
	first NodeID
	axes  []axis
}

// axis is one dimension of a grid. The lines along it have their links one line
// after the other.
type axis struct {
	shape        Shape
	size, stride int
	links        LinkID
}

// add joins the lines along a dimension of a grid of n accelerators.
func (g *grid) add(t *Topology, name string, n, stride int, shape Shape, size int, capacity, efficiency float64, latency sim.Time) {
	g.axes = append(g.axes, axis{shape, size, stride, LinkID(len(t.Links))})
	if size == 1 && shape != ShapeSwitch {
		return
	}
	for line := range n / size {
		s := span{g.first + NodeID(line/stride*stride*size+line%stride), stride, size}
		switch shape {
		case ShapeSwitch:
			t.buildStar(name+"/switch"+strconv.Itoa(line), s, capacity, efficiency, latency)
		case ShapeMesh:
			t.buildMesh(s, capacity, efficiency, latency)
		default:
			t.buildRing(s, shape == ShapeLine, capacity, efficiency, latency)
		}
	}
}

func (g grid) route(src, dst NodeID, _ uint64, path []LinkID) []LinkID {
	at, to := int(src-g.first), int(dst-g.first)
	for i := range g.axes {
		a := &g.axes[i]
		from, goal := at/a.stride%a.size, to/a.stride%a.size
		if from == goal {
			continue
		}
		line := at/(a.stride*a.size)*a.stride + at%a.stride
		path = a.route(line, NodeID(from), NodeID(goal), path)
		at += (goal - from) * a.stride
	}
	return path
}

// route is the way along one line.
func (a *axis) route(line int, from, to NodeID, path []LinkID) []LinkID {
	links := a.links + LinkID(line*a.shape.links(a.size))
	switch a.shape {
	case ShapeSwitch:
		return starRouter{0, links}.route(from, to, 0, path)
	case ShapeMesh:
		return meshRouter{0, a.size, links}.route(from, to, 0, path)
	}
	return ringRouter{n: a.size, links: links, open: a.shape == ShapeLine || a.size <= 2, evens: true}.route(from, to, 0, path)
}

// buildHostTorus is the torus within a host. A port has its share of the capacity
// whether its dimension is used or not; of two accelerators both ports lead to
// the other.
func (t *Topology) buildHostTorus(first NodeID, sizes []int, capacity, efficiency float64, latency sim.Time) grid {
	g := grid{first: first}
	n := 1
	for _, s := range sizes {
		n *= s
	}
	port := capacity / float64(2*len(sizes))
	stride := 1
	for _, size := range sizes {
		rate := port
		if size == 2 {
			rate = 2 * port
		}
		g.add(t, "", n, stride, ShapeRing, size, rate, efficiency, latency)
		stride *= size
	}
	return g
}

// nearCube is the sizes, largest first, of the torus of so many dimensions that n
// accelerators fill and whose sides add up to least: 64 in three dimensions are 4
// x 4 x 4, 12 are 3 x 2 x 2, a prime is a ring.
func nearCube(n, dimensions int) []int {
	if dimensions == 1 {
		return []int{n}
	}
	var best []int
	sum := n + dimensions + 1
	for side := 1; side <= n; side++ {
		if n%side != 0 {
			continue
		}
		rest := nearCube(n/side, dimensions-1)
		total := side
		for _, s := range rest {
			total += s
		}
		if total < sum {
			best, sum = append(slices.Clone(rest), side), total
		}
	}
	slices.SortFunc(best, func(a, b int) int { return b - a })
	return best
}
