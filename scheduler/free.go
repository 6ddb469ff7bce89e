package scheduler

import "math/bits"

// Free is a set of accelerators, those that no job holds.
type Free struct {
	words []uint64
	first int // no word before it has any
	count int
}

// NewFree gives the accelerators from 0 to n-1.
func NewFree(n int) *Free {
	f := &Free{words: make([]uint64, (n+63)/64), count: n}
	for i := range f.words {
		f.words[i] = ^uint64(0)
	}
	if n%64 > 0 {
		f.words[n/64] = 1<<(n%64) - 1
	}
	return f
}

// Count is how many there are.
func (f *Free) Count() int { return f.count }

// Has says whether an accelerator is in the set.
func (f *Free) Has(a int32) bool { return f.words[a/64]>>(a%64)&1 == 1 }

// Remove takes an accelerator out that is in the set.
func (f *Free) Remove(a int32) {
	f.words[a/64] &^= 1 << (a % 64)
	f.count--
}

// Put puts an accelerator in that is not in the set.
func (f *Free) Put(a int32) {
	f.words[a/64] |= 1 << (a % 64)
	f.first = min(f.first, int(a/64))
	f.count++
}

// Pack takes out the n with the lowest numbers, of which there must be so many,
// and appends them to list.
func (f *Free) Pack(list []int32, n int) []int32 {
	f.count -= n
	for n > 0 {
		w := f.words[f.first]
		for w != 0 && n > 0 {
			list = append(list, int32(64*f.first+bits.TrailingZeros64(w)))
			w &= w - 1
			n--
		}
		f.words[f.first] = w
		if w == 0 && n > 0 {
			f.first++
		}
	}
	return list
}
