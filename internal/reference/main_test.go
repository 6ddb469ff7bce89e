package main

import (
	"bytes"
	"io"
	"os"
	"testing"
)

// TestFresh holds the generated pages to the declarations.
func TestFresh(t *testing.T) {
	for _, c := range []struct {
		file, command string
		write         func(io.Writer)
	}{
		{"docs/reference.md", "go run ./internal/reference", write},
		{"docs/results.md", "go run ./internal/reference results", writeResults},
	} {
		want, err := os.ReadFile("../../" + c.file)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		c.write(&got)
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s is stale: %s > %s", c.file, c.command, c.file)
		}
	}
}
