// Command validate compares simulated training and collectives with published
// measurements, and writes what it finds: docs/validation.md, docs/pictures/validation.svg
// and busbw.svg, and the summary in README.md.
//
//	go run ./internal/validate                  from the root of the checkout
//	go run ./internal/validate -leave-one-out   docs/leave-one-out.md
//	go run ./internal/validate -packets FOLDER  testdata/published/packets.csv
//
// The measurements are in testdata/published: training.csv has a row for each,
// with the figure as printed, and sources.csv says who published it; collectives.csv
// and collective-sources.csv are the same for bus bandwidths. packets.csv is how the
// models of the network compare with a packet simulator. inference.csv is MLPerf's
// throughputs of models that answer in one forward pass.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/railyard/railyard/report/figure"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("validate: ")
	leave := flag.Bool("leave-one-out", false, "fit the constants without one source at a time, and write docs/leave-one-out.md")
	packets := flag.String("packets", "", "compare the models of the network with the htsim runs in a folder, and write testdata/published/packets.csv")
	flag.Parse()
	if *packets != "" {
		if err := writePackets(*packets); err != nil {
			log.Fatal(err)
		}
		return
	}
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	sources, err := readTable("testdata/published")
	if err == nil {
		if *leave {
			err = writeLeaveOneOut(sources)
		} else {
			var benches []*bench
			if benches, err = readBenches("testdata/published"); err == nil {
				err = writeValidation(sources, benches)
			}
		}
	}
	if err != nil {
		log.Fatal(err)
	}
}

func writeValidation(sources []*source, benches []*bench) error {
	if err := simulateBenches(benches); err != nil {
		return err
	}
	v := validate(sources)
	v.benches = benches
	var page bytes.Buffer
	if err := v.write(&page); err != nil {
		return err
	}
	packets, err := packetSection("testdata/published")
	if err != nil {
		return err
	}
	page.WriteString(packets)
	inference, err := inferenceSection("testdata/published")
	if err != nil {
		return err
	}
	page.WriteString(inference)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		return err
	}
	if readme, err = replaceSummary(readme, v.summary()); err != nil {
		return fmt.Errorf("README.md: %w", err)
	}
	return errors.Join(
		os.WriteFile(filepath.Join("docs", "validation.md"), page.Bytes(), 0o644),
		figure.Save(filepath.Join("docs", "pictures", "validation.svg"), v.picture(), figure.Options{}),
		figure.Save(filepath.Join("docs", "pictures", "busbw.svg"), collectivePicture(benches), figure.Options{Height: 340}),
		os.WriteFile("README.md", readme, 0o644),
	)
}

// The summary in the README stands between these lines.
const (
	summaryBegins = "<!-- summary of docs/validation.md: go run ./internal/validate -->\n"
	summaryEnds   = "<!-- end of the summary -->\n"
)

// replaceSummary replaces what stands between the marks.
func replaceSummary(text []byte, summary string) ([]byte, error) {
	before, rest, begins := bytes.Cut(text, []byte(summaryBegins))
	_, after, ends := bytes.Cut(rest, []byte(summaryEnds))
	if !begins || !ends {
		return nil, fmt.Errorf("lacks the lines %q and %q", summaryBegins, summaryEnds)
	}
	return bytes.Join([][]byte{before, []byte(summaryBegins), []byte(summary), []byte(summaryEnds), after}, nil), nil
}
