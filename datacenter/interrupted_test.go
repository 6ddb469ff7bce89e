package datacenter_test

import (
	"context"
	"errors"
	"testing"

	"github.com/railyard/railyard"
)

// fading is a context that ends when it has been asked so often.
type fading struct {
	context.Context
	left int
}

func (f *fading) Err() error {
	if f.left--; f.left < 0 {
		return context.Canceled
	}
	return nil
}

// Whenever a run is interrupted, also while jobs are run again alone to find what they
// lost to each other, or in the failures of other seeds, it says so: without an error it
// has all that there is.
func TestInterruptedSaysSo(t *testing.T) {
	rings, err := railyard.Load("../scenarios/allreduce-1k.toml")
	if err != nil {
		t.Fatal(err)
	}
	fails, err := load(t, fabric+storage+"[[topology.fault]]\nkind = \"host\"\nmtbf = \"10h\"\nrepair = \"1m\"\n"+
		trains(1e5, "checkpoint_interval = \"auto\"\nfailure_runs = 20"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scenario *railyard.Scenario
		path     string // found at last
	}{
		{rings, "collectives.0.lost_to_others_s"},
		{fails, "training.0.reliability.runs.runs"},
	} {
		whole, err := railyard.Run(t.Context(), c.scenario, railyard.Options{})
		if err != nil {
			t.Fatal(err)
		}
		want := number(t, whole, c.path)
		for asked := 0; ; asked++ {
			r, err := railyard.Run(&fading{t.Context(), asked}, c.scenario, railyard.Options{})
			if err == nil {
				if got := number(t, r, c.path); got != want || asked == 0 {
					t.Errorf("asked %d times: %s is %v, want %v", asked, c.path, got, want)
				}
				break
			}
			if !errors.Is(err, context.Canceled) || asked > 100 {
				t.Fatalf("asked %d times: %v", asked, err)
			}
		}
	}
}
