package main

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPackets runs the flows of the htsim runs anew, if they are there, and holds the
// file that docs/validation.md is made of to what comes of it; and that to how far
// each model may be off.
func TestPackets(t *testing.T) {
	const reference = "../../../shared/reference/network/packets"
	if _, err := os.Stat(reference); err != nil {
		t.Skip("no runs of htsim")
	}
	runs, err := readHtsim(reference)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := comparePackets(runs)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := csv.NewReader(strings.NewReader(read(t, "../../testdata/published/"+packetsFile))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if fresh := slices.Insert(slices.Clone(rows), 0, packetColumns); !slices.EqualFunc(fresh, kept, slices.Equal) {
		t.Errorf("testdata/published/%s is stale: go run ./internal/validate -packets ../shared/reference/network/packets, then without\n%v\n%v", packetsFile, kept, fresh)
	}
	for _, row := range rows {
		value := func(column string) float64 {
			v, err := strconv.ParseFloat(row[slices.Index(packetColumns, column)], 64)
			if err != nil {
				t.Fatalf("%s: %v", row[0], err)
			}
			return v
		}
		if strings.HasPrefix(row[0], "roce_") {
			flows := 0.15
			if strings.Contains(row[0], "incast") {
				flows = 0.25
			}
			if m, f := value("packet_makespan"), value("packet_flows"); math.Abs(m) > 0.10 || f > flows {
				t.Errorf("%s: packets are off by %.3f in the makespan and %.3f in the flows", row[0], m, f)
			}
		}
		if m := value("option_makespan"); strings.Contains(row[0], "_perm") && math.Abs(m) > 0.12 {
			t.Errorf("%s: the fluid with its option is off by %.3f", row[0], m)
		}
	}
}
