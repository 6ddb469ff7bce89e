package figure

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Figure is a picture: [Lines], [Panels], [Parity], [Stack], [HeatMap], [Gantt] or [Network].
type Figure interface {
	// Validate reports everything that keeps the picture from being drawn.
	Validate() error

	size() (width, height float64) // by default, in points
	titles() (title, subtitle string)
	draw(*canvas) // called only if Validate finds nothing
}

func (l Lines) titles() (title, subtitle string)   { return l.Title, l.Subtitle }
func (s Stack) titles() (title, subtitle string)   { return s.Title, s.Subtitle }
func (h HeatMap) titles() (title, subtitle string) { return h.Title, h.Subtitle }

// Formats are those that a picture can be written in.
var Formats = []string{"png", "svg", "pdf"}

// Options are the size and the resolution of a picture. The zero value is a
// good choice.
type Options struct {
	// Width and Height in points, 1/72 inch. Zero is the size the picture
	// chooses: 504 wide (7 inches, the text width of a page), and as high as
	// its kind and its rows ask for. From 160 by 100 to 4000 by 4000.
	Width, Height float64
	// DPI is the number of pixels per inch of a PNG: 192 by default, from 36
	// to 1200. At most 100 million pixels.
	DPI int
	// Dark draws for dark paper, as a screen at night has: the colours of series are
	// lighter, heat maps stay as they are.
	Dark bool
}

// Validate says what is wrong with the options for any picture.
func (o Options) Validate() error {
	var errs []error
	for _, side := range []struct {
		name         string
		value, least float64
	}{{"width", o.Width, 160}, {"height", o.Height, 100}} {
		// Not "value < least": NaN is to fail, too.
		if side.value != 0 && !(side.value >= side.least && side.value <= 4000) {
			errs = append(errs, fmt.Errorf("%s %g points: want %g to 4000", side.name, side.value, side.least))
		}
	}
	if o.DPI != 0 && (o.DPI < 36 || o.DPI > 1200) {
		errs = append(errs, fmt.Errorf("resolution %d dpi: want 36 to 1200", o.DPI))
	}
	return errors.Join(errs...)
}

// Save draws a picture into a file, in the format that the extension of its
// name says, .png, .svg or .pdf. A figure with errors leaves the file untouched.
func Save(path string, f Figure, opt Options) error {
	format := strings.TrimPrefix(filepath.Ext(path), ".")
	var b bytes.Buffer
	if err := Write(&b, format, f, opt); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

// Write draws a picture in one of the Formats. An SVG has real text, in Liberation Sans
// or what the viewer has instead, and its width and height in points; a PDF has real
// text, too, and brings the glyphs.
func Write(w io.Writer, format string, f Figure, opt Options) (err error) {
	if f == nil {
		return errors.New("figure: no figure")
	}
	// The drawing libraries report by panicking; a report must not die of a
	// picture.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("figure: cannot draw: %v", r)
		}
	}()
	data, err := render(format, f, opt)
	if err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

func render(format string, f Figure, opt Options) ([]byte, error) {
	format = strings.ToLower(format)
	if !slices.Contains(Formats, format) {
		return nil, fmt.Errorf("unknown format %q: want one of %s", format, strings.Join(Formats, ", "))
	}
	if err := errors.Join(f.Validate(), opt.Validate()); err != nil {
		return nil, err
	}
	width, height := f.size()
	if opt.Width != 0 {
		width = opt.Width
	}
	if opt.Height != 0 {
		height = opt.Height
	}
	if opt.DPI == 0 {
		opt.DPI = 192
	}
	switch format {
	case "svg":
		return renderSVG(f, width, height, opt.Dark)
	case "pdf":
		return renderPDF(f, width, height, opt.Dark)
	}
	return renderPNG(f, width, height, opt.DPI, opt.Dark)
}

func renderPNG(f Figure, width, height float64, dpi int, dark bool) ([]byte, error) {
	pixel := 72 / float64(dpi)
	// A whole number of pixels, so that the origin is on the border of one.
	columns, rows := math.Round(width/pixel), math.Round(height/pixel)
	if columns*rows > 100e6 {
		return nil, fmt.Errorf("%.0f by %.0f pixels: more than 100 million", columns, rows)
	}
	width, height = columns*pixel, rows*pixel
	c := &canvas{width: width, height: height, pixel: pixel, dark: dark}
	img := vgimg.NewWith(vgimg.UseWH(vg.Length(width), vg.Length(height)), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(c.shade(paper)))
	c.vg = img
	f.draw(c)
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: img}).WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func renderPDF(f Figure, width, height float64, dark bool) ([]byte, error) {
	sheet := newPDF()
	c := &canvas{vg: sheet, width: width, height: height, dark: dark}
	c.rect(paper, 0, 0, width, height)
	f.draw(c)
	title, subtitle := f.titles()
	return sheet.file(width, height, clean(title+". "+subtitle))
}

func renderSVG(f Figure, width, height float64, dark bool) ([]byte, error) {
	img := vgsvg.New(vg.Length(width), vg.Length(height))
	c := &canvas{vg: img, width: width, height: height, dark: dark, anchors: true}
	c.rect(paper, 0, 0, width, height)
	f.draw(c)
	var b bytes.Buffer
	if _, err := img.WriteTo(&b); err != nil {
		return nil, err
	}
	title, subtitle := f.titles()
	return finish(b.Bytes(), c.texts, clean(title+". "+subtitle)), nil
}

// finish adds to an SVG what the library has no call for: round joins (mitred
// ones draw spikes at the turns of a curve); a name for screen readers; and for
// viewers without Liberation Sans the names of similar fonts, the alignment of
// each text and the length it is to have. The strings looked for contain < or ",
// which are escaped in names of the caller.
func finish(svg []byte, texts []textBox, name string) []byte {
	svg = bytes.Replace(svg, []byte("<svg "),
		[]byte(`<svg role="img" aria-label="`+html.EscapeString(name)+`" stroke-linejoin="round" `), 1)
	svg = bytes.ReplaceAll(svg, []byte(`style="font-family:Liberation Sans;font-variant:normal;`),
		[]byte(`style="font-family:'Liberation Sans',Arial,Helvetica,sans-serif;`))
	tag := []byte("<text ")
	parts := bytes.Split(svg, tag)
	var b bytes.Buffer
	b.Write(parts[0])
	for i, part := range parts[1:] {
		b.Write(tag)
		switch texts[i].align {
		case centred:
			b.WriteString(`text-anchor="middle" `)
		case fromRight:
			b.WriteString(`text-anchor="end" `)
		}
		fmt.Fprintf(&b, `textLength="%.2f" lengthAdjust="spacingAndGlyphs" `, texts[i].width)
		b.Write(part)
	}
	return b.Bytes()
}
