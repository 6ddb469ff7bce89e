package railyard

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/timeline"
	"github.com/railyard/railyard/result"
)

// Write writes results into a folder: summary.json, a table for each kind of
// thing that was simulated, a timeline if it belongs there, and manifest.json, which
// says where they come from.
// What an earlier run wrote there goes. host is what the manifest says of this machine and
// moment; also are formats of tables beside CSV.
func Write(dir string, s *Scenario, r *Result, host report.Host, also ...report.TableFormat) error {
	earlier := report.Outputs(dir)
	files, err := report.Write(dir, &r.Results, also...)
	if err == nil && r.TimelineInFolder {
		path := filepath.Join(dir, "timeline.json.gz")
		files, err = append(files, path), writeTimeline(path, r.Timeline)
	}
	if err == nil {
		err = report.RemoveOutputs(dir, earlier, files)
	}
	if err != nil {
		return fmt.Errorf("cannot write the results: %w", err)
	}
	m := &report.Manifest{
		Name: s.Name.Value, Status: r.Summary.Text(result.Status.Name), Version: Version().Version,
		Seed: s.Sim.Seed.Value, Scenario: s.Resolved(), Warnings: r.Warnings, Host: host,
	}
	for _, path := range s.Files() {
		f, err := report.Describe(path)
		if err != nil {
			return fmt.Errorf("cannot read an input again for its checksum: %w", err)
		}
		m.Inputs = append(m.Inputs, f)
	}
	for _, path := range files {
		f, err := report.Describe(path)
		if err != nil {
			return err
		}
		f.Path = filepath.Base(path)
		m.Outputs = append(m.Outputs, f)
	}
	if m.Run, err = report.RunID(m.Scenario, m.Inputs, m.Seed, m.Version); err != nil {
		return err
	}
	return report.WriteManifest(dir, m)
}

func writeTimeline(path string, t *result.Timeline) error {
	write, err := timeline.FormatOf(path)
	if err != nil {
		return err
	}
	return report.WriteFile(path, func(w io.Writer) error { return write(w, t) })
}
