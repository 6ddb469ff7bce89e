package units_test

import (
	"fmt"

	"github.com/railyard/railyard/units"
)

func Example() {
	rate, err := units.ParseRate("400Gbps")
	fmt.Println(float64(rate), "B/s,", rate, err)

	_, err = units.ParseRate("400gbps")
	fmt.Println(err)

	latency, _ := units.DurationOf(1.5e-6)
	fmt.Println(latency, "is", int64(latency), "ticks")
	// Output:
	// 5e+10 B/s, 400Gbps <nil>
	// "400gbps" has the unknown unit "gbps" (did you mean "Gbps"?); a rate was expected: bps, kbps, Mbps, Gbps, Tbps, B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s
	// 1.5us is 150000 ticks
}
