package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func draws(seed uint64, name string) (d [8]uint64) {
	r := Stream(seed, name)
	for i := range d {
		d[i] = r.Uint64()
	}
	return d
}

// The first draws of some streams, fixed: results quoted for a seed must be
// found again by later versions. They were computed apart from this code, from
// SHA-256 and the published PCG-DXSM step.
func TestStreamGolden(t *testing.T) {
	for _, c := range []struct {
		seed uint64
		name string
		want [2]uint64
	}{
		{1, "arrivals", [2]uint64{0x57acaf9f836010a5, 0xe0495d85c4cc140a}},
		{1, "", [2]uint64{0xd724b410a47ce8c2, 0x40a324d415220eb0}},
		{2, "arrivals", [2]uint64{0x9cafc68a610137ae, 0x1d60c20aa8ea5ff5}},
		{18446744073709551615, "ecmp", [2]uint64{0x984305552253cb0c, 0x8fbb3925bbf68bc5}},
	} {
		r := Stream(c.seed, c.name)
		if got := [2]uint64{r.Uint64(), r.Uint64()}; got != c.want {
			t.Errorf("stream %q of seed %d begins %#x, want %#x", c.name, c.seed, got, c.want)
		}
	}
}

func TestStreamDefinition(t *testing.T) {
	sum := sha256.Sum256([]byte("\x01\x00\x00\x00\x00\x00\x00\x00arrivals"))
	want := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])))
	got := Stream(1, "arrivals")
	for i := range 100 {
		if g, w := got.Uint64(), want.Uint64(); g != w {
			t.Fatalf("draw %d is %#x, want %#x", i, g, w)
		}
	}
}

func TestStreamsAreIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed, other := rapid.Uint64().Draw(t, "seed"), rapid.Uint64().Draw(t, "other seed")
		name, another := rapid.String().Draw(t, "name"), rapid.String().Draw(t, "another name")
		first := draws(seed, name)
		if seed != other && draws(other, name) == first {
			t.Errorf("seeds %d and %d draw the same for %q", seed, other, name)
		}
		if name != another && draws(seed, another) == first {
			t.Errorf("%q and %q draw the same", name, another)
		}
		// Another owner's stream, drawn from in between, moves nothing.
		r, s := Stream(seed, name), Stream(seed, another)
		var again [8]uint64
		for i := range again {
			s.Uint64()
			again[i] = r.Uint64()
			s.Float64()
		}
		if again != first {
			t.Errorf("%q draws %x beside another, %x alone", name, again, first)
		}
	})
}
