package datacenter_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

// dataCenter runs the scenario that has everything.
func dataCenter(t testing.TB, set ...string) (*railyard.Scenario, *railyard.Result) {
	t.Helper()
	s, err := railyard.Load("../scenarios/ai-datacenter.toml", set...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(context.Background(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

// Two sites with all that a data centre does, one of which is lost, give the same bytes
// however many processors there are.
func TestDataCenterIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	dirs := []string{t.TempDir(), t.TempDir()}
	for i, dir := range dirs {
		runtime.GOMAXPROCS(1 + i)
		s, r := dataCenter(t, "sim.horizon=6m", "topology.fault.0.at=2m", "expect=[]")
		if got := number(t, r, "sites.sites.0.losses"); got != 1 {
			t.Errorf("east was lost %v times", got)
		}
		if err := railyard.Write(dir, s, r, report.Host{}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dirs[0])
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		one, err := os.ReadFile(filepath.Join(dirs[0], f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(dirs[1], f.Name()))
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs: %v", f.Name(), err)
		}
	}
}

// BenchmarkDataCenter is the whole day.
func BenchmarkDataCenter(b *testing.B) {
	for b.Loop() {
		dataCenter(b)
	}
}
