package main

import (
	"strings"
	"testing"
)

// docs/validation.md holds the throughputs that the binary simulates; half of those that
// count are within 15 %, without a constant fitted to them.
func TestInference(t *testing.T) {
	page := read(t, "../../docs/validation.md")
	all, err := readInference("../../testdata/published")
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if err := a.simulate(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(page, a.line()) {
			t.Errorf("docs/validation.md is stale: go run ./internal/validate. It lacks\n%s", a.line())
		}
	}
	if s := summarize(inferenceErrors(all)); len(all) != 12 || s.median > 0.15 {
		t.Errorf("%d rows, median error %.3f", len(all), s.median)
	}
}
