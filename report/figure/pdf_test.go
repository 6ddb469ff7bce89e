package figure

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A PDF is the same bytes each time, and its table says where its objects are.
func TestPDF(t *testing.T) {
	for name, f := range map[string]Figure{"lines": busbw(), "stack": recovery(), "map": links(8, 16), "network": clos(4, 2, 2)} {
		file := mustRender(t, "pdf", f, Options{})
		if !bytes.Equal(file, mustRender(t, "pdf", f, Options{})) {
			t.Errorf("%s: two of one picture differ", name)
		}
		start := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(file)
		if start == nil {
			t.Fatalf("%s ends without startxref", name)
		}
		at, _ := strconv.Atoi(string(start[1]))
		rows := strings.Split(string(file[at:]), "\n")
		if rows[0] != "xref" {
			t.Fatalf("%s: at %d is %q, no xref", name, at, rows[0])
		}
		for i, row := range rows[3:] {
			if !strings.HasSuffix(row, " n ") {
				break
			}
			offset, _ := strconv.Atoi(row[:10])
			if want := fmt.Sprintf("%d 0 obj\n", i+1); !bytes.HasPrefix(file[offset:], []byte(want)) {
				t.Errorf("%s: object %d is not at %d", name, i+1, offset)
			}
		}
	}
}

// What another program reads in a PDF: all texts, and fonts that are in the file.
func TestPDFText(t *testing.T) {
	for _, tool := range []string{"pdftotext", "pdffonts"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	path := filepath.Join(t.TempDir(), "busbw.pdf")
	l := busbw()
	l.X.Label = "größe, размер, μέγεθος (4 × µs)"
	if err := Save(path, l, Options{}); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command("pdftotext", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{l.Title, l.Subtitle, l.X.Label, "bus bandwidth (GB/s)", "64 ranks", "32 KiB", "4 × 200 Gbit/s"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %q in %q", want, text)
		}
	}
	fonts, err := exec.Command("pdffonts", path).Output()
	if err != nil || strings.Count(string(fonts), "yes yes yes") != 2 {
		t.Errorf("fonts that are not in the file, or not as subsets that can be searched: %s %v", fonts, err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 40<<10 {
		t.Errorf("the file has %d bytes", info.Size())
	}
}

// A subset has the outlines of the glyphs that are asked for and of what these are made
// of, the same widths, and nothing else.
func TestSubset(t *testing.T) {
	fonts, err := sans()
	if err != nil {
		t.Fatal(err)
	}
	f := face{size: 8}.font()
	glyph := func(r rune) int {
		g, err := f.Face.GlyphIndex(nil, r)
		if err != nil || g == 0 {
			t.Fatalf("no %c: %v", r, err)
		}
		return int(g)
	}
	whole := fonts[0]
	part, err := parseTrueType(whole.subset([]int{glyph('A'), glyph('Ä')}))
	if err != nil {
		t.Fatal(err)
	}
	if len(whole.parts(glyph('Ä'))) < 2 {
		t.Error("an umlaut has no parts in this font: take another letter")
	}
	for _, g := range append(whole.parts(glyph('Ä')), glyph('A'), glyph('Ä')) {
		if !bytes.Equal(bytes.TrimRight(part.outline(g), "\x00"), bytes.TrimRight(whole.outline(g), "\x00")) || len(part.outline(g)) == 0 {
			t.Errorf("glyph %d has another outline", g)
		}
	}
	if part.advance(glyph('A')) != whole.advance(glyph('A')) {
		t.Error("A has another width")
	}
	if len(part.outline(glyph('B'))) > 0 {
		t.Error("B is still there")
	}
	for _, broken := range [][]byte{nil, whole.subset(nil)[:200], make([]byte, 12)} {
		if _, err := parseTrueType(broken); err == nil {
			t.Error("half a font is taken for one")
		}
	}
}
