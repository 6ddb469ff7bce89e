package sweep_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/railyard/railyard/sweep"
)

// Jobs of 30, 10 and 20 s that come at once to one accelerator, under fifo in that order,
// under sjf the shortest first: what each waits and takes, alike in one folder and merged
// from shards.
func TestDistributionsOfPoints(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"jobs.csv": "job,submit_s,accelerators,duration_s\na,0,1,30\nb,0,1,10\nc,0,1,20\n",
		"q.toml":   "[topology]\nkind = \"pool\"\naccelerators = 1\n[[workload.jobs]]\nfile = \"jobs.csv\"\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s, err := sweep.Load(filepath.Join(dir, "q.toml"), sweep.Request{Vary: []string{"scheduler.policy=fifo,sjf"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "point,metric,share,value\n"
	for point, c := range [][]string{{"30 40 60", "0 30 40"}, {"10 30 60", "0 10 30"}} {
		for k, metric := range []string{"jobs.jct_s", "jobs.wait_s"} {
			for i, v := range strings.Fields(c[k]) {
				want += fmt.Sprintf("%d,%s,%s,%s\n", point, metric, []string{"0.3333333333333333", "0.6666666666666666", "1"}[i], v)
			}
		}
	}
	read := func(out string) string {
		text, err := os.ReadFile(filepath.Join(out, sweep.SpreadTable))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	whole := filepath.Join(dir, "whole")
	if _, err := sweep.Run(t.Context(), s, whole, sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	if got := read(whole); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var shards []string
	for i := range 2 {
		shards = append(shards, filepath.Join(dir, fmt.Sprint(i)))
		if _, err := sweep.Run(t.Context(), s, shards[i], sweep.Options{Shard: sweep.Shard{Index: i, Count: 2}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep.Merge(filepath.Join(dir, "merged"), shards...); err != nil {
		t.Fatal(err)
	}
	if got := read(filepath.Join(dir, "merged")); got != want {
		t.Errorf("merged: %s", got)
	}
	// A sweep without jobs has none, and takes away what was there.
	if _, err := sweep.Run(t.Context(), load(t, rings, sweep.Request{}), filepath.Join(dir, "rings"), sweep.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := sweep.Merge(filepath.Join(dir, "merged"), filepath.Join(dir, "rings")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "merged", sweep.SpreadTable)); !os.IsNotExist(err) {
		t.Errorf("distributions of another sweep: %v", err)
	}
}
