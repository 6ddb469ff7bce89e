package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// packetsFile holds how the models of the network compare with runs of htsim, which
// are not part of the repository: `validate -packets FOLDER` writes it.
const packetsFile = "packets.csv"

var packetColumns = []string{
	"run", "hosts", "flows", "transport", "makespan_us", "packet_makespan", "packet_flows", "fluid_makespan", "fluid_flows", "option_makespan", "option_flows",
}

// comparePackets runs the flows of htsim's runs by each model: a row each. HPCC's
// congestion control is not modelled, so that run has the fluids alone.
func comparePackets(runs []*htsimRun) ([][]string, error) {
	var rows [][]string
	for _, r := range runs {
		last := 0.0
		for _, f := range r.Flows {
			last = max(last, f.Finish)
		}
		name, _, _ := strings.Cut(r.Transport, " ")
		row := []string{r.Name, strconv.Itoa(r.Topology.Hosts), strconv.Itoa(len(r.Flows)), name, fmt.Sprint(last)}
		add := func(ends []float64, err error) error {
			if err == nil {
				makespan, flows := r.off(ends)
				row = append(row, fmt.Sprintf("%.4f", makespan), fmt.Sprintf("%.4f", flows))
			}
			return err
		}
		var err error
		if name == "HPCC" {
			row = append(row, "", "")
		} else {
			err = add(r.packets())
		}
		for _, option := range []bool{false, true} {
			err = errors.Join(err, add(r.fluid(option)))
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// writePackets compares with the runs in a folder and keeps what comes of it.
func writePackets(dir string) error {
	runs, err := readHtsim(dir)
	if err != nil {
		return err
	}
	rows, err := comparePackets(runs)
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join("testdata", "published", packetsFile))
	if err != nil {
		return err
	}
	return errors.Join(csv.NewWriter(file).WriteAll(slices.Insert(rows, 0, packetColumns)), file.Close())
}

const packetIntroduction = `
## Packets

Six runs of the packet simulator htsim (csg-htsim 841d9e7; NDP: Handley et al.,
SIGCOMM 2017) on fat trees of 400 Gbit/s links and 1 us a hop, packets of 9,000 bytes
behind 64. RoCE: lossless by PFC at 15 packets, no congestion control, one ECMP path a
flow, the same here. A time is that of the last acknowledgement at the sender. Of an
incast the ends are compared in order, since who is starved is a matter of
arbitration.

- packets: ` + "`fidelity = \"packet\"`" + ` with the switches of those runs: in [topology.packet]
  mtu = "9000B", header = "64B", pause = "135kB", resume_gap = "27kB", pause_share = 1.0,
  buffer = "1GB", completion = "acknowledgement". NDP deals packets
  out evenly over all paths where htsim hashes path numbers onto them, which is
  probably why it ends earlier here. HPCC's congestion control is not modelled.
- max-min: ` + "`fidelity = \"fluid\"`" + `. Sprayed flows are limited by the links of hosts alone.
- with its option: ` + "`blocking = true`" + ` for single paths, ` + "`spray_efficiency = 0.85`" + ` for NDP.
  The constant of blocking is from eight permutations of our own, packet by packet:
  their makespans are off by 6 % in the mean with it, by 14 % without
  (network/blocking).

Each pair is the error of the makespan and the mean error of the flows' ends. The file
testdata/published/packets.csv has the figures; ` + "`go run ./internal/validate -packets FOLDER`" + `
writes it from the runs.

| run | hosts | flows | transport | makespan there | packets | max-min | with its option |
|---|--:|--:|---|--:|--:|--:|--:|
`

// packetSection is the part of docs/validation.md about packets, from the file.
func packetSection(dir string) (string, error) {
	var b strings.Builder
	b.WriteString(packetIntroduction)
	err := readCSV(filepath.Join(dir, packetsFile), packetColumns, func(cell map[string]string) error {
		pair := func(model string) (string, error) {
			if cell[model+"_makespan"] == "" {
				return "not modelled", nil
			}
			makespan, err := strconv.ParseFloat(cell[model+"_makespan"], 64)
			flows, err2 := strconv.ParseFloat(cell[model+"_flows"], 64)
			return fmt.Sprintf("%s, %s", signed(makespan), percent(flows)), errors.Join(err, err2)
		}
		packets, err := pair("packet")
		fluid, err2 := pair("fluid")
		option, err3 := pair("option")
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s us | %s | %s | %s |\n", cell["run"], cell["hosts"], cell["flows"], cell["transport"],
			cell["makespan_us"], packets, fluid, option)
		return errors.Join(err, err2, err3)
	})
	return b.String(), err
}
