package report

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/railyard/railyard/report/input"
)

// checkFolder refuses the folder of a sweep: whoever looks at it later would not see a run.
func checkFolder(dir string) error {
	if isSweep(dir) {
		return &FileError{File: dir, Err: errors.New("holds a sweep (points.csv): take another folder for a run")}
	}
	return nil
}

// Outputs are the files that an earlier run has left in a folder, as its manifest lists
// them; none if there is no manifest that can be read.
func Outputs(dir string) []File {
	f, err := input.OpenFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSummary))
	if err != nil {
		return nil
	}
	var m Manifest
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	return m.Outputs
}

// RemoveOutputs removes files that an earlier run has left in a folder and that are still
// as it wrote them, but for those in kept, so that no table of another run is taken for one
// of this.
func RemoveOutputs(dir string, earlier []File, kept []string) error {
	for _, f := range earlier {
		path := filepath.Join(dir, f.Path)
		if f.Path != filepath.Base(f.Path) || slices.Contains(kept, path) {
			continue
		}
		if now, err := Describe(path); err != nil || now.SHA256 != f.SHA256 {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
