package datacenter_test

import (
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// What takes longer than the clock goes is found to in no time, and said.
func TestBeyondTheClock(t *testing.T) {
	const host = "[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n"
	for name, toml := range map[string]string{
		"a training of a billion iterations": host + "[[workload.training]]\nmodel = \"bert-large\"\nglobal_batch = 6400\niterations = 1000000000\n",
		"a collective of so many":            host + "[[workload.collective]]\nop = \"all_reduce\"\nsizes = [\"1TB\"]\niterations = 1000000000\n",
	} {
		s, err := load(t, toml, nil)
		if err == nil {
			_, err = railyard.Run(t.Context(), s, railyard.Options{})
		}
		if err == nil || !strings.Contains(err.Error(), "the clock ends at 9.22337e+07s") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Hosts that fail faster than jobs get on leave a series up to the end of the clock.
func TestJobsToTheEndOfTheClock(t *testing.T) {
	r := run(t, "[sim]\nhorizon = \"92233720s\"\n[topology]\nkind = \"pool\"\naccelerators = 2\n[[workload.jobs]]\nfile = \"jobs.csv\"\n",
		map[string]string{"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,1,92233719\nb,5,1,100\n"})
	running := column(t, r, "job_series", "running")
	if last := running[len(running)-1]; last < 0.99 || last > 1 {
		t.Errorf("%v jobs run at last, want 1", last)
	}
}
