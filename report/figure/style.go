package figure

import (
	"image/color"
	"math"
)

// Sizes of the house style, in points.
const (
	titleSize    = 11.0
	subtitleSize = 8.5
	labelSize    = 8.5 // axis labels, legend
	tickSize     = 8.0
	smallSize    = 7.0 // rows of dense heat maps, secondary numbers

	margin   = 12.0 // around everything
	tickMark = 3.0  // length of a tick; minor ticks are shorter
	swatch   = 16.0 // width of a legend key
	pitch    = 14.0 // between lines of the legend
	stripGap = 14.0 // between the axes and the strip at their right
)

var (
	ink     = rgb(0x1a1a1a) // title, row names
	dimInk  = rgb(0x595959) // subtitle, secondary numbers; 7:1 against white
	axisInk = rgb(0x4d4d4d)
	grid    = rgb(0xe3e3e3)
	paper   = rgb(0xffffff)
	noData  = rgb(0xf4f4f4)
	bandInk = rgb(0xf0f0f0) // of what is within a tolerance
	hatch   = rgb(0xc4c4c4)
)

// Okabe and Ito's colours, the darker ones first. Their yellow is left out.
var palette = [...]color.NRGBA{
	rgb(0x0072b2), // blue
	rgb(0xd55e00), // vermilion
	rgb(0x009e73), // bluish green
	rgb(0xcc79a7), // reddish purple
	rgb(0xe69f00), // orange
	rgb(0x56b4e9), // sky blue
	rgb(0x000000),
}

// dashes tell the series of the second and later rounds of the palette apart.
var dashes = [...][]float64{nil, {6, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}}

// dashed is the pattern of a Series.Dashed and of a Limit.
var dashed = []float64{4, 2.5}

// anchors of the intensity map, at equal distances.
var anchors = [...]color.NRGBA{
	rgb(0x440154), rgb(0x472d7b), rgb(0x3b528b), rgb(0x2c728e), rgb(0x21918c),
	rgb(0x28ae80), rgb(0x5ec962), rgb(0xaddc30), rgb(0xfde725),
}

// levels is the number of colours of a heat map: one for each whole percent.
const levels = 101

// level returns the colour index of an intensity in 0..1.
func level(v float64) int {
	return int(math.Round(min(max(v, 0), 1) * (levels - 1)))
}

// heat returns the colour of a level.
func heat(level int) color.NRGBA {
	at := float64(level) / (levels - 1) * float64(len(anchors)-1)
	i := min(int(at), len(anchors)-2)
	return mix(anchors[i], anchors[i+1], at-float64(i))
}

// tint moves a colour towards white.
func tint(c color.NRGBA, by float64) color.NRGBA { return mix(c, paper, by) }

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	f := func(a, b uint8) uint8 {
		return uint8(math.Round(float64(a) + t*(float64(b)-float64(a))))
	}
	return color.NRGBA{R: f(a.R, b.R), G: f(a.G, b.G), B: f(a.B, b.B), A: 0xff}
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}
