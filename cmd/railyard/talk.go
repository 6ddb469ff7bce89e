package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/railyard/railyard"
	"github.com/railyard/railyard/report"
)

// talk shows the progress of a run that takes over a second, on one line of a
// terminal. Where standard error is not a terminal it says nothing.
type talk struct {
	w     io.Writer
	began time.Time
	last  time.Time
	quiet bool
	on    bool
	shown bool
}

func newTalk(w io.Writer, quiet bool) *talk {
	f, isFile := w.(*os.File)
	on := !quiet && isFile && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	now := time.Now()
	return &talk{w: w, began: now, last: now.Add(time.Second), quiet: quiet, on: on}
}

// line redraws the line at most ten times a second.
func (t *talk) line(format string, args ...any) {
	now := time.Now()
	if !t.on || now.Sub(t.last) < 100*time.Millisecond {
		return
	}
	t.last, t.shown = now, true
	fmt.Fprintf(t.w, "\r\x1b[K"+format, args...)
}

// progress shows how far a run has come.
func (t *talk) progress(p railyard.Progress) {
	rate := float64(p.Events) / time.Since(t.began).Seconds()
	t.line("simulated %s, %s events, %s pending, %s events/s", report.Seconds(p.Now.Seconds()),
		report.Count(float64(p.Events)), report.Count(float64(p.Pending)), report.Prefixed(rate, ""))
}

// warn prints what was mended or left out.
func (t *talk) warn(text string) {
	if !t.quiet {
		t.clear()
		fmt.Fprintln(t.w, "warning: "+text)
	}
}

// note prints what happens.
func (t *talk) note(text string) {
	if !t.quiet {
		t.clear()
		fmt.Fprintln(t.w, text)
	}
}

// clear removes the line.
func (t *talk) clear() {
	if t.shown {
		fmt.Fprint(t.w, "\r\x1b[K")
		t.shown = false
	}
}
