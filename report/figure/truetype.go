package figure

import (
	"encoding/binary"
	"errors"
	"slices"
)

// trueType is a font file by its tables (ISO/IEC 14496-22), as much of it as a PDF needs.
type trueType struct {
	tables  map[string][]byte
	glyphs  int
	metrics int // entries of hmtx that have a width of their own
	offsets []int
}

func parseTrueType(file []byte) (*trueType, error) {
	bad := errors.New("figure: not a TrueType font")
	if len(file) < 12 {
		return nil, bad
	}
	t := &trueType{tables: map[string][]byte{}}
	for i := range int(binary.BigEndian.Uint16(file[4:])) {
		at := 12 + 16*i
		if len(file) < at+16 {
			return nil, bad
		}
		from, size := binary.BigEndian.Uint32(file[at+8:]), binary.BigEndian.Uint32(file[at+12:])
		if uint64(from)+uint64(size) > uint64(len(file)) {
			return nil, bad
		}
		t.tables[string(file[at:at+4])] = file[from : from+size]
	}
	head, loca := t.tables["head"], t.tables["loca"]
	if len(head) < 54 || len(t.tables["maxp"]) < 6 || len(t.tables["hhea"]) < 36 {
		return nil, bad
	}
	t.glyphs = int(binary.BigEndian.Uint16(t.tables["maxp"][4:]))
	t.metrics = int(binary.BigEndian.Uint16(t.tables["hhea"][34:]))
	short := binary.BigEndian.Uint16(head[50:]) == 0
	width := 4
	if short {
		width = 2
	}
	if len(loca) < width*(t.glyphs+1) || t.metrics < 1 || t.metrics > t.glyphs || len(t.tables["hmtx"]) < 4*t.metrics {
		return nil, bad
	}
	for i := range t.glyphs + 1 {
		if short {
			t.offsets = append(t.offsets, 2*int(binary.BigEndian.Uint16(loca[2*i:])))
		} else {
			t.offsets = append(t.offsets, int(binary.BigEndian.Uint32(loca[4*i:])))
		}
		if n := t.offsets[i]; n > len(t.tables["glyf"]) || i > 0 && n < t.offsets[i-1] {
			return nil, bad
		}
	}
	return t, nil
}

// number is a signed number of a table.
func (t *trueType) number(table string, at int) int {
	return int(int16(binary.BigEndian.Uint16(t.tables[table][at:])))
}

// unitsPerEm is how many units of the font are as long as its size.
func (t *trueType) unitsPerEm() int { return t.number("head", 18) }

// advance is how far a glyph takes the pen, in units of the font.
func (t *trueType) advance(glyph int) int {
	return t.number("hmtx", 4*min(glyph, t.metrics-1))
}

func (t *trueType) outline(glyph int) []byte {
	return t.tables["glyf"][t.offsets[glyph]:t.offsets[glyph+1]]
}

// parts are the glyphs that a glyph is made of, such as a letter and its accent.
func (t *trueType) parts(glyph int) []int {
	const words, more, scale, twoScales, matrix = 1, 1 << 5, 1 << 3, 1 << 6, 1 << 7
	outline := t.outline(glyph)
	if len(outline) < 10 || outline[0]&0x80 == 0 { // a number of contours, negative if there are parts
		return nil
	}
	var all []int
	for at := 10; at+4 <= len(outline); {
		flags := binary.BigEndian.Uint16(outline[at:])
		if part := int(binary.BigEndian.Uint16(outline[at+2:])); part < t.glyphs {
			all = append(all, part)
		}
		at += 6
		for bit, bytes := range map[uint16]int{words: 2, scale: 2, twoScales: 4, matrix: 8} {
			if flags&bit != 0 {
				at += bytes
			}
		}
		if flags&more == 0 {
			break
		}
	}
	return all
}

// subset is a font file with the same numbers of glyphs and the outlines of some only.
func (t *trueType) subset(glyphs []int) []byte {
	keep := map[int]bool{0: true}
	todo := slices.Clone(glyphs)
	for len(todo) > 0 {
		g := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !keep[g] {
			keep[g] = true
			todo = append(todo, t.parts(g)...)
		}
	}
	var glyf, loca []byte
	hmtx := slices.Clone(t.tables["hmtx"])
	for g := range t.glyphs {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		if keep[g] {
			glyf = append(glyf, t.outline(g)...)
			glyf = append(glyf, make([]byte, -len(glyf)&3)...)
		} else if g < t.metrics {
			clear(hmtx[4*g : 4*g+4])
		}
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	head := slices.Clone(t.tables["head"])
	clear(head[8:12]) // the checksum of the whole file, which nobody reads
	binary.BigEndian.PutUint16(head[50:], 1)
	tables := map[string][]byte{"glyf": glyf, "head": head, "hmtx": hmtx, "loca": loca}
	for _, name := range []string{"cvt ", "fpgm", "hhea", "maxp", "prep"} {
		if text := t.tables[name]; text != nil {
			tables[name] = text
		}
	}
	return assemble(tables)
}

// assemble makes a font file of tables.
func assemble(tables map[string][]byte) []byte {
	var names []string
	for name := range tables {
		names = append(names, name)
	}
	slices.Sort(names)
	n := len(names)
	power := 0
	for 2<<power <= n {
		power++
	}
	file := binary.BigEndian.AppendUint32(nil, 0x00010000)
	for _, v := range []int{n, 16 << power, power, 16*n - 16<<power} {
		file = binary.BigEndian.AppendUint16(file, uint16(v))
	}
	at := 12 + 16*n
	for _, name := range names {
		text := tables[name]
		sum := uint32(0)
		for i := 0; i < len(text); i += 4 {
			var word [4]byte
			copy(word[:], text[i:])
			sum += binary.BigEndian.Uint32(word[:])
		}
		file = append(file, name...)
		for _, v := range []uint32{sum, uint32(at), uint32(len(text))} {
			file = binary.BigEndian.AppendUint32(file, v)
		}
		at += (len(text) + 3) &^ 3
	}
	for _, name := range names {
		file = append(file, tables[name]...)
		file = append(file, make([]byte, -len(file)&3)...)
	}
	return file
}
