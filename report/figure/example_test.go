package figure_test

import (
	"bytes"
	"fmt"
	"log"
	"regexp"

	"github.com/railyard/railyard/report/figure"
)

// The bus bandwidth of an all-reduce against the message size, beside the
// limit of the link. Printed are the texts of the picture: the title, the
// ticks and labels of both axes, the limit with its value and the legend.
func Example() {
	lines := figure.Lines{
		Title: "Ring all-reduce, 8 ranks",
		X:     figure.Axis{Label: "message size", Unit: figure.Bytes, Log: true},
		Y:     figure.Axis{Label: "bus bandwidth", Unit: figure.BytesPerSecond},
		Series: []figure.Series{
			{Name: "simulated", X: []float64{1 << 10, 1 << 20, 1 << 30}, Y: []float64{0.1e9, 61e9, 275e9}},
			{Name: "measured", Like: "simulated", Points: true, X: []float64{1 << 20, 1 << 30}, Y: []float64{58e9, 281e9}},
		},
		Limits: []figure.Limit{{Name: "NVLink", Value: 300e9}},
	}
	// figure.Save("busbw.png", lines, figure.Options{}) writes a file.
	var svg bytes.Buffer
	if err := figure.Write(&svg, "svg", lines, figure.Options{}); err != nil {
		log.Fatal(err)
	}
	for _, text := range regexp.MustCompile(`>([^<>]+)</text>`).FindAllStringSubmatch(svg.String(), -1) {
		fmt.Println(text[1])
	}
	// Output:
	// Ring all-reduce, 8 ranks
	// 1 KiB
	// 32 KiB
	// 1 MiB
	// 32 MiB
	// 1 GiB
	// message size
	// 0
	// 50
	// 100
	// 150
	// 200
	// 250
	// 300
	// 350
	// bus bandwidth (GB/s)
	// NVLink
	// 300 GB/s
	// simulated
	// measured
}
