package calibrate

import (
	"errors"
	"strings"
	"testing"

	"github.com/railyard/railyard/topology"
)

// An iteration of 1 s of products at the whole peak, and 0.5 s of other things.
func TestIteration(t *testing.T) {
	base := stock(t, "dgx-h100").Accelerator
	simulate := func(a topology.Accelerator) (float64, error) { return 0.5 + 1/a.MatrixEfficiency, nil }
	got, constants, err := Iteration(base, 2.5, simulate)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "matrix", got.MatrixEfficiency, 0.5, 1e-3)
	within(t, "FP8", got.FP8Efficiency, base.FP8Efficiency*0.5/base.MatrixEfficiency, 1e-3)
	within(t, "flash", got.FlashEfficiency, base.FlashEfficiency*0.5/base.MatrixEfficiency, 1e-3)
	if got.FP4Efficiency != 0 || len(constants) != 3 {
		t.Errorf("an H100 has no FP4: %+v", constants)
	}

	// At the whole peak it takes 1.5 s.
	if _, _, err := Iteration(base, 1.4, simulate); err == nil || !strings.Contains(err.Error(), "1.5 to") {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken")
	if _, _, err := Iteration(base, 2, func(topology.Accelerator) (float64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
