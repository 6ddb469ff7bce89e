package figure

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf16"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// pdfCanvas is a sheet of a PDF (ISO 32000), on which libraries that know vg can draw. Text is
// text, in fonts that the file holds the used glyphs of, so that it can be searched and
// looks the same everywhere. There is no date in the file: the same picture is the same
// bytes.
type pdfCanvas struct {
	page   bytes.Buffer
	color  color.NRGBA
	stack  []color.NRGBA
	alphas map[uint8]bool
	used   [2]map[int]string // glyphs of the regular and the bold font, with what they stand for
}

// sans are the fonts by weight.
var sans = sync.OnceValues(func() ([2]*trueType, error) {
	var fonts [2]*trueType
	for i, file := range [][]byte{liberationsansregular.TTF, liberationsansbold.TTF} {
		t, err := parseTrueType(file)
		if err != nil {
			return fonts, err
		}
		fonts[i] = t
	}
	return fonts, nil
})

func newPDF() *pdfCanvas {
	p := &pdfCanvas{alphas: map[uint8]bool{}, used: [2]map[int]string{{}, {}}}
	p.page.WriteString("1 j\n") // round joins: mitred ones draw spikes at the turns of a curve
	return p
}

// op writes an operator behind its operands.
func (p *pdfCanvas) op(name string, operands ...float64) {
	for _, v := range operands {
		p.page.WriteString(pdfNumber(v))
		p.page.WriteByte(' ')
	}
	p.page.WriteString(name)
	p.page.WriteByte('\n')
}

// pdfNumber writes a number to a thousandth of a point.
func pdfNumber(v float64) string {
	s := strconv.FormatFloat(v, 'f', 3, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

func (p *pdfCanvas) SetLineWidth(w vg.Length) { p.op("w", float64(w)) }

func (p *pdfCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	p.page.WriteByte('[')
	for i, d := range pattern {
		if i > 0 {
			p.page.WriteByte(' ')
		}
		p.page.WriteString(pdfNumber(float64(d)))
	}
	p.page.WriteString("] ")
	p.op("d", float64(offset))
}

func (p *pdfCanvas) SetColor(c color.Color) {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	r, g, b := float64(n.R)/255, float64(n.G)/255, float64(n.B)/255
	p.op("rg", r, g, b)
	p.op("RG", r, g, b)
	if n.A != p.color.A || !p.alphas[n.A] {
		p.alphas[n.A] = true
		fmt.Fprintf(&p.page, "/A%d gs\n", n.A)
	}
	p.color = n
}

func (p *pdfCanvas) Rotate(rad float64) {
	sin, cos := math.Sincos(rad)
	p.op("cm", cos, sin, -sin, cos, 0, 0)
}

func (p *pdfCanvas) Translate(to vg.Point) {
	p.op("cm", 1, 0, 0, 1, float64(to.X), float64(to.Y))
}
func (p *pdfCanvas) Scale(x, y float64) { p.op("cm", x, 0, 0, y, 0, 0) }

func (p *pdfCanvas) Push() {
	p.stack = append(p.stack, p.color)
	p.op("q")
}

func (p *pdfCanvas) Pop() {
	last := len(p.stack) - 1
	p.color, p.stack = p.stack[last], p.stack[:last]
	p.op("Q")
}

func (p *pdfCanvas) Stroke(path vg.Path) { p.path(path, "S") }
func (p *pdfCanvas) Fill(path vg.Path)   { p.path(path, "f") }

func (p *pdfCanvas) path(path vg.Path, paint string) {
	for _, c := range path {
		switch x, y := float64(c.Pos.X), float64(c.Pos.Y); c.Type {
		case vg.MoveComp:
			p.op("m", x, y)
		case vg.LineComp:
			p.op("l", x, y)
		case vg.CloseComp:
			p.op("h")
		default:
			panic("figure: a PDF has straight lines only")
		}
	}
	p.op(paint)
}

func (p *pdfCanvas) DrawImage(vg.Rectangle, image.Image) { panic("figure: a PDF has no images") }

// FillString draws a line of text. The glyphs take the width that the line has in
// pictures of other formats, which is that with kerning, by equal spaces between them.
func (p *pdfCanvas) FillString(f font.Face, at vg.Point, text string) {
	fonts, err := sans()
	if err != nil {
		panic(err)
	}
	weight := 0
	if f.Font.Weight != 0 {
		weight = 1
	}
	t := fonts[weight]
	var glyphs strings.Builder
	natural, n := 0.0, 0
	for _, r := range text {
		index, err := f.Face.GlyphIndex(nil, r)
		if err != nil {
			panic(fmt.Errorf("figure: %w", err))
		}
		g := int(index)
		p.used[weight][g] = string(r)
		fmt.Fprintf(&glyphs, "%04X", g)
		natural += float64(t.advance(g)) / float64(t.unitsPerEm()) * float64(f.Font.Size)
		n++
	}
	if n == 0 {
		return
	}
	p.op("BT")
	fmt.Fprintf(&p.page, "/F%d %s Tf\n", weight, pdfNumber(float64(f.Font.Size)))
	p.page.WriteString(strconv.FormatFloat((float64(f.Width(text))-natural)/float64(n), 'f', 4, 64) + " Tc\n")
	p.op("Td", float64(at.X), float64(at.Y))
	fmt.Fprintf(&p.page, "<%s> Tj\nET\n", glyphs.String())
}

// file is the PDF of a sheet of that size.
func (p *pdfCanvas) file(width, height float64, title string) ([]byte, error) {
	fonts, err := sans()
	if err != nil {
		return nil, err
	}
	w := &pdfWriter{}
	w.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	catalog, pages, page := w.reserve(), w.reserve(), w.reserve()
	resources := ""
	for weight, name := range []string{"LiberationSans", "LiberationSans-Bold"} {
		if len(p.used[weight]) > 0 {
			resources += fmt.Sprintf("/F%d %d 0 R ", weight, w.font(fonts[weight], name, p.used[weight]))
		}
	}
	states := ""
	for _, a := range slices.Sorted(maps.Keys(p.alphas)) {
		v := pdfNumber(float64(a) / 255)
		states += fmt.Sprintf("/A%d << /CA %s /ca %s >> ", a, v, v)
	}
	content := w.stream("", p.page.Bytes())
	info := w.object("<< /Producer (railyard) /Title %s >>", pdfText(title))
	w.define(catalog, "<< /Type /Catalog /Pages %d 0 R >>", pages)
	w.define(pages, "<< /Type /Pages /Kids [%d 0 R] /Count 1 >>", page)
	w.define(page, "<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %s %s] /Contents %d 0 R /Resources << /Font << %s>> /ExtGState << %s>> >> >>",
		pages, pdfNumber(width), pdfNumber(height), content, resources, states)
	return w.finish(catalog, info), nil
}

// pdfText is a string for the reader's eyes.
func pdfText(s string) string {
	var b strings.Builder
	b.WriteString("<FEFF")
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return b.String() + ">"
}

// pdfWriter is a file of numbered objects.
type pdfWriter struct {
	bytes.Buffer
	at []int // where each object begins, from number 1 on
}

// reserve is a number for an object that is defined later.
func (w *pdfWriter) reserve() int {
	w.at = append(w.at, 0)
	return len(w.at)
}

func (w *pdfWriter) define(number int, format string, args ...any) {
	w.at[number-1] = w.Len()
	fmt.Fprintf(w, "%d 0 obj\n", number)
	fmt.Fprintf(w, format, args...)
	w.WriteString("\nendobj\n")
}

func (w *pdfWriter) object(format string, args ...any) int {
	n := w.reserve()
	w.define(n, format, args...)
	return n
}

// stream is an object of bytes, compressed.
func (w *pdfWriter) stream(more string, data []byte) int {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(data) // into memory
	_ = z.Close()
	return w.object("<< /Filter /FlateDecode /Length %d %s>>\nstream\n%s\nendstream", packed.Len(), more, packed.Bytes())
}

// font writes a font with the glyphs that are used, and what they stand for.
func (w *pdfWriter) font(t *trueType, name string, used map[int]string) int {
	glyphs := slices.Sorted(maps.Keys(used))
	file := t.subset(glyphs)
	em := float64(t.unitsPerEm())
	thousandths := func(v int) string { return pdfNumber(float64(v) / em * 1000) }
	var widths, means strings.Builder
	for i, g := range glyphs {
		fmt.Fprintf(&widths, "%d [%s] ", g, thousandths(t.advance(g)))
		if i%100 == 0 { // no more in one block
			if i > 0 {
				means.WriteString("endbfchar\n")
			}
			fmt.Fprintf(&means, "%d beginbfchar\n", min(100, len(glyphs)-i))
		}
		fmt.Fprintf(&means, "<%04X> <%s>\n", g, strings.Trim(pdfText(used[g])[5:], ">"))
	}
	means.WriteString("endbfchar\n")
	unicode := w.stream("", []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CMapName /U def\n/CMapType 2 def\n"+
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"+means.String()+"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"))
	// Parts of one font in several files are told apart by six letters.
	tag, sum := [6]byte{}, crc32.ChecksumIEEE(file)
	for i := range tag {
		tag[i] = 'A' + byte(sum%26)
		sum /= 26
	}
	name = string(tag[:]) + "+" + name
	embedded := w.stream(fmt.Sprintf("/Length1 %d ", len(file)), file)
	const nonSymbolic = 1 << 5
	descriptor := w.object("<< /Type /FontDescriptor /FontName /%s /Flags %d /FontBBox [%s %s %s %s] /ItalicAngle 0 /Ascent %s /Descent %s /CapHeight %s /StemV 80 /FontFile2 %d 0 R >>",
		name, nonSymbolic, thousandths(t.number("head", 36)), thousandths(t.number("head", 38)), thousandths(t.number("head", 40)), thousandths(t.number("head", 42)),
		thousandths(t.number("hhea", 4)), thousandths(t.number("hhea", 6)), thousandths(t.number("hhea", 4)*3/4), embedded)
	descendant := w.object("<< /Type /Font /Subtype /CIDFontType2 /BaseFont /%s /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor %d 0 R /CIDToGIDMap /Identity /W [%s] >>",
		name, descriptor, widths.String())
	return w.object("<< /Type /Font /Subtype /Type0 /BaseFont /%s /Encoding /Identity-H /DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>", name, descendant, unicode)
}

// finish writes where the objects are.
func (w *pdfWriter) finish(catalog, info int) []byte {
	table := w.Len()
	fmt.Fprintf(w, "xref\n0 %d\n0000000000 65535 f \n", len(w.at)+1)
	for _, at := range w.at {
		fmt.Fprintf(w, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(w, "trailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(w.at)+1, catalog, info, table)
	return w.Bytes()
}
