package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Stream gives the random stream of a named owner: a PCG (O'Neill 2014, as in
// math/rand/v2, whose sequence Go's compatibility promise fixes) seeded with
// the first 128 bits of SHA-256 over seed and name. Streams of different names
// are independent, so that a new owner does not move anyone else's draws.
func Stream(seed uint64, name string) *rand.Rand {
	h := sha256.New()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	h.Write([]byte(name))
	sum := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])))
}
