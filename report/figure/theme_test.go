package figure

import (
	"math"
	"testing"
)

// luminance is that of WCAG 2.1, relative to white.
func luminance(t *testing.T, c *canvas, hex uint32) float64 {
	t.Helper()
	r, g, b, _ := c.shade(rgb(hex)).RGBA()
	linear := func(v uint32) float64 {
		x := float64(v) / 0xffff
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// On dark paper, too, text has the contrast of WCAG's level AA, 4.5, and what is drawn 3.
func TestContrast(t *testing.T) {
	c := &canvas{dark: true}
	ground := luminance(t, c, 0xffffff)
	if ground > 0.02 {
		t.Errorf("the paper has a luminance of %v", ground)
	}
	for hex, least := range map[uint32]float64{
		0x1a1a1a: 12, 0x595959: 4.5, 0x4d4d4d: 4.5,
		0x0072b2: 3, 0xd55e00: 3, 0x009e73: 3, 0xcc79a7: 3, 0xe69f00: 3, 0x56b4e9: 3, 0x000000: 3,
	} {
		if got := (luminance(t, c, hex) + 0.05) / (ground + 0.05); got < least {
			t.Errorf("#%06x stands out by %.1f, want %v", hex, got, least)
		}
	}
	// Heat maps mean numbers by their colours.
	for i := range levels {
		if c.shade(heat(i)) != heat(i) {
			t.Errorf("level %d has another colour on dark paper", i)
		}
	}
}

// There and back is the same colour.
func TestOklab(t *testing.T) {
	for _, hex := range []uint32{0, 0xffffff, 0xd55e00, 0x56b4e9, 0x123456} {
		if got := fromOklab(oklab(rgb(hex))); got != rgb(hex) {
			t.Errorf("#%06x becomes %v", hex, got)
		}
	}
}
