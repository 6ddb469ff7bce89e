package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"
)

// Manifest says where results come from. It alone may differ between two runs
// of the same scenario, and what differs is in Host.
type Manifest struct {
	Run      string         `json:"run"` // UUIDv5 over scenario, inputs, seed and version
	Name     string         `json:"name"`
	Status   string         `json:"status"`
	Version  string         `json:"version"`
	Seed     int64          `json:"seed"`
	Scenario map[string]any `json:"scenario"` // resolved: the file's keys with those of the command line
	Inputs   []File         `json:"inputs"`   // the scenario and the files that it names
	Outputs  []File         `json:"outputs"`
	Warnings []string       `json:"warnings,omitempty"` // what in the inputs was mended or left out
	Host     Host           `json:"host"`
}

// File is a file with its checksum.
type File struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Host is what depends on where and when a run was made.
type Host struct {
	Name       string   `json:"name"`
	OS         string   `json:"os"`
	Arch       string   `json:"arch"`
	Cores      int      `json:"cores"`
	Go         string   `json:"go"`
	Command    []string `json:"command"`
	Started    string   `json:"started"`
	WallTime   float64  `json:"wall_time_s"`
	CPUTime    float64  `json:"cpu_time_s"`
	PeakMemory int64    `json:"peak_memory_bytes"`
	EventsPerS float64  `json:"events_per_s"`
}

// runSpace is the name space of run ids: the UUIDv5 of this package's address
// in the URL name space.
var runSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/railyard/railyard"))

// RunID is the id of a run: a UUIDv5 (RFC 9562) over the resolved scenario, the
// checksums of its inputs, the seed and the version.
func RunID(scenario map[string]any, inputs []File, seed int64, version string) (string, error) {
	type input struct{ SHA256 string }
	var sums []input
	for _, f := range inputs {
		sums = append(sums, input{f.SHA256})
	}
	text, err := json.Marshal([]any{scenario, sums, seed, version}) // maps in order of their keys
	if err != nil {
		return "", fmt.Errorf("report: run id: %w", err)
	}
	return uuid.NewSHA1(runSpace, text).String(), nil
}

// Describe gives a file's size and checksum.
func Describe(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return File{Path: filepath.ToSlash(path), Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

// WriteManifest writes manifest.json into a folder.
func WriteManifest(dir string, m *Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, "manifest.json"), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
}
