package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"railyard": main}) }

// TestScripts runs testdata/script/*.txtar: command lines with their output. Two
// commands are added to those of testscript:
//
//	status N COMMAND...      runs it, which must exit with N
//	interrupt N COMMAND...   the same, interrupted as by Ctrl-C after 0.5 s
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":    func(ts *testscript.TestScript, _ bool, args []string) { status(ts, args, 0) },
			"interrupt": func(ts *testscript.TestScript, _ bool, args []string) { status(ts, args, 500*time.Millisecond) },
		},
	})
}

func status(ts *testscript.TestScript, args []string, interruptAfter time.Duration) {
	if len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if interruptAfter == 0 {
		err = ts.Exec(args[1], args[2:]...)
	} else {
		cmd := exec.Command(args[1], args[2:]...)
		cmd.Dir = ts.Getenv("WORK")
		ts.Check(cmd.Start())
		time.Sleep(interruptAfter)
		ts.Check(cmd.Process.Signal(os.Interrupt))
		err = cmd.Wait()
	}
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}
