package plan

import (
	"context"
	"testing"
)

func BenchmarkZZ(b *testing.B) {
	for b.Loop() {
		s := Service{Model: "llama-3.1-70b", Rent: true, Demand: Demand{Rate: 50, Input: "1000", Output: "300"}, Objectives: Objectives{First: duration(b, "1s"), Each: duration(b, "50ms")}}
		if _, err := Deploy(context.Background(), s, Options{Workers: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
