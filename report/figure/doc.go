// Package figure draws the pictures of a report: curves, stacked shares, heat
// maps and networks, as PNG, SVG or PDF, in one house style. It knows plain numbers and
// names, nothing of what they mean.
//
// A picture is a value. Fill in [Lines], [Parity], [Stack], [HeatMap], [Gantt] or [Network], hand it to
// [Save] or [Write]; everything wrong with it comes back as one error. The
// same value gives the same bytes, always, so that pictures can be compared
// with a checksum and committed beside the text that cites them.
//
// # The style and why
//
// Reader first. The title is left-aligned and bold and should state what is
// seen; the subtitle, lighter, says for which system and which run. Both start
// at the left border, where reading starts, not centred over the axes.
//
// Nothing over the data. Names of series, limits, the colour bar and the notes
// of rows stand in a strip at the right of the axes. A legend inside the axes
// is always over some data sooner or later. The strip keeps the order in which
// things are stacked, so that the eye travels horizontally.
//
// Quantities, not numbers. An axis has a [Unit]. Linear axes choose one prefix
// and name it in the label, "time (ms)"; percent and counts carry it at each
// tick, "80 %", "20 k"; logarithmic axes span many prefixes, so each tick says
// its own, "32 KiB", "10 µs". Steps are 1, 2 or 5 times a power of ten, message
// sizes step by powers of two, and an axis has at least four ticks where they
// have room. There is no "1e+09" and no "-0".
//
// Honest shapes. A linear y axis of non-negative values starts at zero. Heat
// map cells are rectangles with hard edges, never interpolated: a smoothed
// picture of 16 links shows traffic on links that do not exist. Missing data
// is a gap in a curve and a hatched cell in a heat map, never a zero. Where
// bins are narrower than a pixel they are averaged, weighted with their
// length, not overdrawn. Measured values are markers, simulated ones are
// lines, so that a reader can see which is which without the legend.
//
// Colours for every reader. Series use the colours of Okabe and Ito (Color
// Universal Design, 2008), distinguishable with the common colour-vision
// deficiencies; yellow is left out because it vanishes on white, and markers
// differ in shape as well. Intensities use one sequential map of steadily
// rising lightness, after the viridis of S. van der Walt and N. Smith (2015),
// with 0 to 100 % on a labelled bar as tall as the rows; it survives a
// black-and-white printer. It resolves one percent. Cables of a [Network], lines
// on white, are the darker and the warmer the more they are used.
//
// Paper sizes. Sizes are in points (1/72 inch) and fonts are 7 to 11 pt at
// that size: the default width of 504 pt is the text width of a page, so the
// picture is printed at 100 % beside 10 pt text. All of it fits inside the
// borders; long names lose their middle, "dgx-a100…leaf.1", because host names
// differ at both ends; rows that are too dense keep every second, fifth, ...
// name.
//
// # What it leaves out
//
// Interaction, animation, twin axes (two scales in one picture mislead), pie
// charts, three dimensions. Scripts outside Latin, Greek and Cyrillic have no
// glyphs in the built-in font (Liberation Sans): a PNG shows boxes for them; an
// SVG leaves the choice of font to the viewer.
package figure
