package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/result"
)

// trail is an audit of so many decisions.
func trail(t interface{ Fatal(...any) }, n int) []byte {
	x := &result.Table{Name: "decisions", Lines: true, Columns: []result.Column{
		{Metric: result.DecisionTime, Numbers: make([]float64, n)}, {Metric: result.JobID, Text: make([]string, n)},
	}}
	for i := range n {
		x.Columns[0].Numbers[i], x.Columns[1].Text[i] = float64(i), fmt.Sprintf("job \"%d\" <é>", i)
	}
	var w bytes.Buffer
	if err := report.WriteLines(&w, x); err != nil {
		t.Fatal(err)
	}
	return w.Bytes()
}

// A trail as it was written is intact, and every change of a byte in it is found: at the
// line that it is in, or at the one behind where the line is no longer one.
func TestAuditTrail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "lines")
		text := trail(t, n)
		lines, last, err := report.VerifyAudit(bytes.NewReader(text))
		if err != nil || lines != n || len(last) != 64 || !strings.HasSuffix(string(text), last+"\"}\n") {
			t.Fatalf("%d lines, last %s, %v", lines, last, err)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "byte")
		changed := bytes.Clone(text)
		changed[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
		if _, _, err := report.VerifyAudit(bytes.NewReader(changed)); err == nil {
			t.Errorf("a change of byte %d is not found", at)
		}
		all := bytes.SplitAfter(text, []byte("\n"))
		if n > 1 { // a line out, but for the last
			out := rapid.IntRange(0, n-2).Draw(t, "out")
			if _, _, err := report.VerifyAudit(bytes.NewReader(bytes.Join(append(append([][]byte{}, all[:out]...), all[out+1:]...), nil))); err == nil {
				t.Errorf("it is not found that line %d is missing", out+1)
			}
		}
	})
	if lines, last, err := report.VerifyAudit(strings.NewReader("")); lines != 0 || last != strings.Repeat("0", 64) || err != nil {
		t.Errorf("an empty trail: %d lines, %s, %v", lines, last, err)
	}
}

func FuzzVerifyAudit(f *testing.F) {
	f.Add(trail(f, 3))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if lines, _, err := report.VerifyAudit(bytes.NewReader(text)); err == nil && lines != bytes.Count(text, []byte("\n")) {
			t.Errorf("%d lines", lines)
		}
	})
}
