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
// lost to each other, it says so: without an error it has all that there is.
func TestInterruptedSaysSo(t *testing.T) {
	s, err := railyard.Load("../scenarios/allreduce-1k.toml")
	if err != nil {
		t.Fatal(err)
	}
	const lost = "collectives.0.lost_to_others_s"
	whole, err := railyard.Run(t.Context(), s, railyard.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := number(t, whole, lost)
	for asked := 0; ; asked++ {
		r, err := railyard.Run(&fading{t.Context(), asked}, s, railyard.Options{})
		if err == nil {
			if got := number(t, r, lost); got != want || asked == 0 {
				t.Errorf("asked %d times: %v s are lost, want %v", asked, got, want)
			}
			break
		}
		if !errors.Is(err, context.Canceled) || asked > 100 {
			t.Fatalf("asked %d times: %v", asked, err)
		}
	}
}
