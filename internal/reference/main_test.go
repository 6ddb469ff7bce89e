package main

import (
	"bytes"
	"os"
	"testing"
)

// TestFresh holds docs/reference.md to the declarations it is generated from.
func TestFresh(t *testing.T) {
	want, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	write(&got)
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/reference.md is stale: go run ./internal/reference > docs/reference.md")
	}
}
