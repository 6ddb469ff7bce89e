package scheduler_test

import (
	"slices"
	"testing"

	"github.com/railyard/railyard/scheduler"
)

// What a rule names comes first; of equals the nearest, then the least number.
func TestSiteRules(t *testing.T) {
	sites := []scheduler.Site{
		{Number: 0, Latency: 30, Load: 0.1, Fetch: 9, Price: 0.05, Carbon: 400},
		{Number: 1, Latency: 10, Load: 0.9, Fetch: 0, Price: 0.05, Carbon: 500},
		{Number: 2, Latency: 20, Load: 0.5, Fetch: 0, Price: 0.02, Carbon: 400},
		{Number: 3, Latency: 20, Load: 0.5, Fetch: 9, Price: 0.09, Carbon: 300},
	}
	for name, want := range map[string][]int{
		"nearest": {1, 2, 3, 0}, "load": {0, 2, 3, 1}, "data": {1, 2, 3, 0}, "price": {2, 1, 0, 3}, "carbon": {3, 2, 0, 1},
	} {
		rule, err := scheduler.ParseSiteRule(name)
		if err != nil || rule.String() != name {
			t.Fatal(rule, err)
		}
		all := slices.Clone(sites)
		rule.Order(all)
		var got []int
		for _, s := range all {
			got = append(got, s.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if _, err := scheduler.ParseSiteRule("moon"); err == nil {
		t.Error("there is a rule of that name")
	}
}
