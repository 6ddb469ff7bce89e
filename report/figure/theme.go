package figure

import (
	"image/color"
	"math"
)

// What dark paper and the ink on it have for lightness, by Oklab.
const (
	darkPaper = 0.21
	darkInk   = 0.94
	lightInk  = 0.22 // of ink on white
)

// darkened are the colours whose shade on dark paper is chosen and not worked out: those
// of series and roles, which must stand out as much as on white.
var darkened = map[color.NRGBA]color.NRGBA{
	rgb(0x0072b2): rgb(0x4aa5e0),
	rgb(0xd55e00): rgb(0xf0823a),
	rgb(0x009e73): rgb(0x2fc295),
	rgb(0xcc79a7): rgb(0xdc93bb),
	rgb(0xe69f00): rgb(0xe8ac2c),
	rgb(0x56b4e9): rgb(0x8fd0f5),
}

// intensities are the colours of heat maps, which mean numbers and so never change.
var intensities = func() map[color.NRGBA]bool {
	all := map[color.NRGBA]bool{}
	for i := range levels {
		all[heat(i)] = true
	}
	return all
}()

// shade is a colour on the paper of the picture. On dark paper the lightness of each is
// turned around and its hue kept, so that what stands out from white stands out from
// that, and what is a tint of white is one of that.
func (c *canvas) shade(of color.Color) color.Color {
	n, ok := of.(color.NRGBA)
	if !c.dark || !ok || intensities[n] {
		return of
	}
	if d, ok := darkened[n]; ok {
		return d
	}
	l, a, b := oklab(n)
	l = darkPaper + (1-l)/(1-lightInk)*(darkInk-darkPaper)
	d := fromOklab(l, a, b)
	d.A = n.A
	return d
}

// oklab is a colour in the perceptual space of B. Ottosson, "A perceptual color space for
// image processing", 2020: lightness, and two axes of hue.
func oklab(c color.NRGBA) (l, a, b float64) {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	red, green, blue := linear(c.R), linear(c.G), linear(c.B)
	long := math.Cbrt(0.4122214708*red + 0.5363325363*green + 0.0514459929*blue)
	medium := math.Cbrt(0.2119034982*red + 0.6806995451*green + 0.1073969566*blue)
	short := math.Cbrt(0.0883024619*red + 0.2817188376*green + 0.6299787005*blue)
	return 0.2104542553*long + 0.7936177850*medium - 0.0040720468*short,
		1.9779984951*long - 2.4285922050*medium + 0.4505937099*short,
		0.0259040371*long + 0.7827717662*medium - 0.8086757660*short
}

// fromOklab is the nearest colour that a screen shows.
func fromOklab(l, a, b float64) color.NRGBA {
	cube := func(v float64) float64 { return v * v * v }
	long, medium, short := cube(l+0.3963377774*a+0.2158037573*b), cube(l-0.1055613458*a-0.0638541728*b), cube(l-0.0894841775*a-1.2914855480*b)
	encode := func(x float64) uint8 {
		if x = min(max(x, 0), 1); x <= 0.0031308 {
			x *= 12.92
		} else {
			x = 1.055*math.Pow(x, 1/2.4) - 0.055
		}
		return uint8(math.Round(255 * x))
	}
	return color.NRGBA{
		R: encode(4.0767416621*long - 3.3077115913*medium + 0.2309699292*short),
		G: encode(-1.2684380046*long + 2.6097574011*medium - 0.3413193965*short),
		B: encode(-0.0041960863*long - 0.7034186147*medium + 1.7076147010*short),
		A: 0xff,
	}
}
