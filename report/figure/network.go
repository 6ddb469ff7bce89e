package figure

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"
)

// Bounds of a Network, beyond which nothing can be told apart.
const (
	maxTiers     = 16
	maxTierNodes = 64
	maxEdges     = 50_000
)

// Network draws nodes in tiers, the first at the bottom, and the cables between them:
// a data centre's hosts and switches. Cables within a tier are arcs under it.
type Network struct {
	Title, Subtitle string
	Tiers           []NetworkTier
	Edges           []NetworkEdge
	// Bar is the label of the colour bar, which is left out if no edge has a share.
	Bar string
}

// NetworkTier is a row of nodes.
type NetworkTier struct {
	Name  string
	Nodes []string
}

// NetworkEdge joins two nodes.
type NetworkEdge struct {
	From, To [2]int  // tier and node of each end
	Width    float64 // in 0..1 of the thickest
	Share    float64 // in 0..1 by which it is coloured; NaN is none
}

func (n Network) titles() (title, subtitle string) { return n.Title, n.Subtitle }

// Validate reports everything that keeps the picture from being drawn.
func (n Network) Validate() error {
	if len(n.Tiers) == 0 {
		return errors.New("no tiers")
	}
	if len(n.Tiers) > maxTiers || len(n.Edges) > maxEdges {
		return fmt.Errorf("%d tiers and %d cables; at most %d and %d fit one picture", len(n.Tiers), len(n.Edges), maxTiers, maxEdges)
	}
	var errs []error
	for i, t := range n.Tiers {
		if len(t.Nodes) == 0 || len(t.Nodes) > maxTierNodes {
			errs = append(errs, fmt.Errorf("tier %d has %d nodes; 1 to %d fit a row", i, len(t.Nodes), maxTierNodes))
		}
	}
	for i, e := range n.Edges {
		if len(errs) > 20 {
			errs = append(errs, errors.New("and maybe more"))
			break
		}
		for _, end := range [][2]int{e.From, e.To} {
			if end[0] < 0 || end[0] >= len(n.Tiers) || end[1] < 0 || end[1] >= len(n.Tiers[end[0]].Nodes) {
				errs = append(errs, fmt.Errorf("cable %d ends at node %d of tier %d, which there is not", i, end[1], end[0]))
			}
		}
		if err := checkShare(e.Share); err != nil {
			errs = append(errs, fmt.Errorf("the share of cable %d is %v, %w", i, e.Share, err))
		}
		if !(e.Width >= 0 && e.Width <= 1) {
			errs = append(errs, fmt.Errorf("the width of cable %d is %v, not between 0 and 1", i, e.Width))
		}
	}
	return errors.Join(errs...)
}

// Measures of a Network, in points.
const (
	tierPitch  = 86.0
	nodeHeight = 13.0
	arcRoom    = 26.0 // under a tier with cables within
	leastSize  = 5.0  // of a name that else would not fit
	thickest   = 2.5  // cable
	manyEdges  = 80   // from which on cables are thinner
)

func (n Network) size() (width, height float64) {
	height = headerHeight(n.Title, n.Subtitle) + tierPitch*float64(len(n.Tiers)-1) + 2*nodeHeight + 2*margin
	if n.within(0) {
		height += arcRoom
	}
	return 504, max(height, 130)
}

// within says whether there are cables within a tier.
func (n Network) within(tier int) bool {
	return slices.ContainsFunc(n.Edges, func(e NetworkEdge) bool { return e.From[0] == tier && e.To[0] == tier })
}

// coloured says whether edges have shares.
func (n Network) coloured() bool {
	return slices.ContainsFunc(n.Edges, func(e NetworkEdge) bool { return !math.IsNaN(e.Share) })
}

// strains are colours for lines on white, from idle to full: what is used most is
// darkest. None is a colour of the palette, which dark paper treats apart.
var strains = [...]color.NRGBA{rgb(0xd3dae0), rgb(0xa9bccb), rgb(0xe6b34d), rgb(0xd45f02), rgb(0x8a1c00)}

// strain is the colour of a share.
func strain(share float64) color.NRGBA {
	at := min(max(share, 0), 1) * float64(len(strains)-1)
	i := min(int(at), len(strains)-2)
	return mix(strains[i], strains[i+1], at-float64(i))
}

func (n Network) draw(c *canvas) {
	top := c.header(n.Title, n.Subtitle)
	label := face{size: labelSize}
	names := 0.0
	for _, t := range n.Tiers {
		names = max(names, label.width(clean(t.Name)))
	}
	names = min(names, 0.2*c.width)
	f := frame{x0: margin + names + 8, x1: c.width - margin, y0: margin, y1: top}
	if n.coloured() {
		f.x1 -= 58
		n.drawBar(c, frame{f.x1 + 14, f.y0 + 4, f.x1 + 24, f.y1 - 4})
	}
	bottom := f.y0 + nodeHeight/2
	if n.within(0) {
		bottom += arcRoom
	}
	rise := 0.0
	if len(n.Tiers) > 1 {
		rise = (f.y1 - nodeHeight - bottom) / float64(len(n.Tiers)-1)
	}
	at := func(end [2]int) point {
		k := float64(len(n.Tiers[end[0]].Nodes))
		return point{f.x0 + (float64(end[1])+0.5)/k*(f.x1-f.x0), bottom + rise*float64(end[0])}
	}
	n.drawEdges(c, at)
	border := max(0.6, c.pixel) // of which a coarse picture must not lose any
	for i, t := range n.Tiers {
		pitch := (f.x1 - f.x0) / float64(len(t.Nodes))
		half := min(pitch*0.42, 34)
		for k, name := range t.Nodes {
			p := at([2]int{i, k})
			c.rect(axisInk, p.x-half, p.y-nodeHeight/2, p.x+half, p.y+nodeHeight/2)
			c.rect(paper, p.x-half+border, p.y-nodeHeight/2+border, p.x+half-border, p.y+nodeHeight/2-border)
			name = clean(name)
			for size := smallSize; size >= leastSize; size-- {
				if small := (face{size: size}); small.width(name) <= 2*half-2 {
					c.textAt(small, ink, p.x, p.y, centred, name)
					break
				}
			}
		}
		c.textAt(label, dimInk, margin, at([2]int{i, 0}).y, fromLeft, label.elide(t.Name, names))
	}
}

// drawEdges draws the cables, those with the greatest share last.
func (n Network) drawEdges(c *canvas, at func([2]int) point) {
	order := make([]int, len(n.Edges))
	for i := range order {
		order[i] = i
	}
	share := func(e NetworkEdge) float64 {
		if math.IsNaN(e.Share) {
			return -1
		}
		return e.Share
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(share(n.Edges[a]), share(n.Edges[b])) })
	for _, i := range order {
		e := n.Edges[i]
		p := pen{color: grid, width: 0.4 + thickest*e.Width*min(1, manyEdges/float64(len(n.Edges)))}
		switch {
		case !math.IsNaN(e.Share):
			p.color = strain(e.Share)
		case !n.coloured():
			p.color = tint(palette[0], 0.35)
		}
		from, to := at(e.From), at(e.To)
		if e.From[0] != e.To[0] {
			c.stroke(p, []point{from, to})
			continue
		}
		const steps = 16
		depth := min(arcRoom, 8+0.06*math.Abs(to.x-from.x))
		arc := make([]point, steps+1)
		for k := range arc {
			t := float64(k) / steps
			arc[k] = point{from.x + t*(to.x-from.x), from.y - nodeHeight/2 - 4*t*(1-t)*depth}
		}
		c.stroke(p, arc)
	}
}

// drawBar draws the colour bar.
func (n Network) drawBar(c *canvas, f frame) {
	const steps = 50
	step := (f.y1 - f.y0) / steps
	for i := range steps {
		y0 := f.y0 + float64(i)*step
		c.rect(strain((float64(i)+0.5)/steps), f.x0, y0, f.x1, min(y0+step+max(c.pixel, 0.4), f.y1))
	}
	small := face{size: tickSize}
	for _, t := range []struct {
		share float64
		text  string
	}{{0, "0"}, {0.5, "50 %"}, {1, "100 %"}} {
		c.textAt(small, axisInk, f.x1+4, f.y0+t.share*(f.y1-f.y0), fromLeft, t.text)
	}
	name := face{size: labelSize}
	c.textUp(name, ink, f.x0-6, (f.y0+f.y1)/2, name.cut(n.Bar, f.y1-f.y0))
}
