package scenario

import (
	"errors"
	"testing"
)

func TestFaults(t *testing.T) {
	faults := Faults{
		{File: "case.toml", Message: "no place"},
		{File: "case.toml", Line: 4, Col: 2, Message: "b"},
		{File: "case.toml", Line: 4, Col: 1, Message: "a"},
		{File: "--set x", Message: "flag"},
		{File: "a.csv", Line: 9, Col: 9, Message: "c"},
	}
	const want = "a.csv:9:9: c\ncase.toml:4:1: a\ncase.toml:4:2: b\n--set x: flag\ncase.toml: no place"
	if got := faults.Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if Faults(nil).Err() != nil {
		t.Error("no faults are an error")
	}
	if _, ok := errors.AsType[Faults](faults.Err()); !ok {
		t.Error("faults are no error")
	}
}

func TestNearest(t *testing.T) {
	candidates := []string{"bandwidth", "latency", "k", "hosts", "hosts_per_rack"}
	for _, c := range []struct{ name, want string }{
		{"bandwith", "bandwidth"},
		{"Latency", "latency"},
		{"host", "hosts"},
		{"hostperrack", "hosts_per_rack"},
		{"zzz", ""},
		{"", "k"},
	} {
		if got := Nearest(c.name, candidates); got != c.want {
			t.Errorf("%q: got %q, want %q", c.name, got, c.want)
		}
	}
}
