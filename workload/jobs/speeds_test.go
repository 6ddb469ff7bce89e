package jobs_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/workload/jobs"
)

// Speeds are read as they are written, and survive the table.
func TestSpeeds(t *testing.T) {
	const text = "v100=1 k80=0.25"
	got, err := jobs.ParseSpeeds(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]jobs.Speed{{Type: "v100", Speed: 1}, {Type: "k80", Speed: 0.25}}, got); diff != "" {
		t.Error(diff)
	}
	var table strings.Builder
	if err := jobs.Write(&table, []jobs.Job{{ID: "a", Accelerators: 1, Duration: 1, Speeds: text}}); err != nil {
		t.Fatal(err)
	}
	if want := "job,submit_s,accelerators,duration_s,speeds\na,0,1,1," + text + "\n"; table.String() != want {
		t.Errorf("%q, want %q", table.String(), want)
	}
	all, report, err := jobs.Read("t.csv", strings.NewReader(table.String()+"b,0,1,1,k80\n"), jobs.CSV)
	if err != nil || len(all) != 1 || all[0].Speeds != text {
		t.Errorf("%+v, %v", all, err)
	}
	if want := "1 bad row left out\n  t.csv:3: speeds: \"k80\" is not of the form type=speed"; report.String() != want {
		t.Errorf("%s, want %s", report, want)
	}
}

func FuzzParseSpeeds(f *testing.F) {
	f.Add("v100=1 k80=0.25")
	f.Add("=1 a= b=1e999 c=nan c")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := jobs.ParseSpeeds(text)
		for _, s := range all {
			if err != nil || s.Type == "" || !(s.Speed > 0) {
				t.Errorf("%q: %+v, %v", text, s, err)
			}
		}
	})
}
