package sweep_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/railyard/railyard/sweep"
)

// startSlurm starts a Slurm of two nodes on this machine, without systemd and
// cgroups: munged, slurmctld and two slurmd on loopback. It skips the test where
// Slurm is not installed or may not be started.
func startSlurm(t *testing.T) {
	t.Helper()
	for _, name := range []string{"munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("Slurm is not installed: ", err)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("slurmd runs jobs as root only")
	}
	dir, err := os.MkdirTemp("", "slurm") // the path of a socket is limited to 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	host, _, _ = strings.Cut(host, ".")
	for name, mode := range map[string]os.FileMode{"munge": 0o711, "key": 0o700, "state": 0o700} {
		if err := os.Mkdir(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	// The folder itself must be passable for munge's socket.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key", "munge.key"), []byte(strings.Repeat("railyard", 16)), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "slurm.conf")
	port := 20000 + os.Getpid()%20000
	text := strings.NewReplacer("DIR", dir, "HOST", host, "PORT0", fmt.Sprint(port), "PORT1", fmt.Sprint(port+1), "PORT2", fmt.Sprint(port+2)).Replace(`
ClusterName=railyard
SlurmctldHost=HOST(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=DIR/munge/socket
SlurmctldPort=PORT0
SlurmctldPidFile=DIR/slurmctld.pid
SlurmdPidFile=DIR/slurmd-%n.pid
StateSaveLocation=DIR/state
SlurmdSpoolDir=DIR/spool-%n
SlurmctldLogFile=DIR/slurmctld.log
SlurmdLogFile=DIR/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
KillWait=1
MpiDefault=none
ReturnToService=2
NodeName=n[0-1] NodeHostname=HOST NodeAddr=127.0.0.1 Port=[PORT1-PORT2] CPUs=2 RealMemory=100
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLURM_CONF", conf)
	daemon := func(name string, args ...string) {
		t.Helper()
		cmd := exec.Command(name, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	daemon("munged", "--foreground", "--key-file="+in("key/munge.key"), "--socket="+in("munge/socket"),
		"--pid-file="+in("munge/pid"), "--log-file="+in("munge/log"), "--seed-file="+in("key/seed"))
	waitFor(t, "munged", func() bool { _, err := os.Stat(in("munge/socket")); return err == nil })
	daemon("slurmctld", "-D", "-f", conf)
	daemon("slurmd", "-D", "-N", "n0", "-f", conf)
	daemon("slurmd", "-D", "-N", "n1", "-f", conf)
	waitFor(t, "two idle nodes", func() bool {
		out, _ := exec.Command("sinfo", "--noheader", "--format=%T %D").Output()
		return strings.TrimSpace(string(out)) == "idle 2"
	})
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for began := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 30*time.Second {
			t.Fatalf("no %s after 30 s", what)
		}
	}
}

// railyardSweep is a command that does what railyard sweep does: this test, with
// the flags of the script. A task that finds the file "hang" waits to be killed.
func railyardSweep(t *testing.T, dir string) []string {
	t.Helper()
	script := filepath.Join(dir, "railyard.sh")
	text := fmt.Sprintf(`#!/bin/sh
if mkdir %q/"hung-$SLURM_ARRAY_TASK_ID" 2>/dev/null && [ "$SLURM_ARRAY_TASK_ID" = 2 ]; then
	sleep 60
fi
RAILYARD_TEST_SHARD=$SLURM_ARRAY_TASK_ID RAILYARD_TEST_SWEEP=%q exec %q
`, dir, dir, os.Args[0])
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return []string{script}
}

// A sweep of 40 points on two nodes of a real Slurm, of which a task is killed,
// makes the table that one process makes.
func TestSlurm(t *testing.T) {
	startSlurm(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "rings.toml")
	if err := os.WriteFile(path, []byte(rings), 0o666); err != nil {
		t.Fatal(err)
	}
	r := sweep.Request{Vary: []string{"workload.collective.0.sizes=" + sizes}}
	s, err := sweep.Load(path, r)
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 40 {
		t.Fatalf("%d points", s.Len())
	}
	want := run(t, s, sweep.Options{})
	out := filepath.Join(dir, "out")
	var told []string
	e := &sweep.Slurm{
		Command: railyardSweep(t, dir), Tasks: 5, Retries: 1, Poll: 50 * time.Millisecond,
		Tell: func(text string) { told = append(told, text) },
	}
	go func() { // kill task 2 when it runs
		for range 600 {
			time.Sleep(50 * time.Millisecond)
			if _, err := os.Stat(filepath.Join(dir, "hung-2")); err == nil {
				_ = exec.Command("scancel", "--signal=KILL", "--full", "1_2").Run()
				return
			}
		}
	}()
	tally, err := e.Run(t.Context(), s, out, sweep.Options{Workers: 1})
	if err != nil {
		logs, _ := filepath.Glob(filepath.Join(out, "slurm-*.log"))
		for _, log := range logs {
			text, _ := os.ReadFile(log)
			t.Logf("%s: %s", filepath.Base(log), text)
		}
		t.Fatal(err)
	}
	if got := points(t, out); got != want {
		t.Error(cmp.Diff(want, got))
	}
	if tally.Points[sweep.Done] != 40 {
		t.Errorf("tally %+v", tally)
	}
	if len(told) != 2 || !strings.HasSuffix(told[0], ", tasks 0-4") || !strings.HasSuffix(told[1], ", tasks 2") {
		t.Errorf("only the task that was killed runs again, not %q", told)
	}
}

func TestSlurmScript(t *testing.T) {
	s := load(t, rings, sweep.Request{Vary: []string{"sim.seed=1..10"}})
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	e := &sweep.Slurm{
		Command: []string{"/opt/rail yard", "sweep", "it's.toml", "--vary", "sim.seed=1..10"},
		Options: []string{"--partition=long", "--comment=a b"},
	}
	got, err := e.Script(s, "/shared/out", 4)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`#!/bin/sh
#SBATCH --job-name=railyard-sweep
#SBATCH --array=0-49
#SBATCH --cpus-per-task=4
#SBATCH --chdir=HERE
#SBATCH --output=/shared/out/slurm-%A_%a.log
#SBATCH --partition=long
#SBATCH --comment="a b"
exec '/opt/rail yard' sweep 'it'\''s.toml' --vary sim.seed=1..10 --out /shared/out --workers 4 --resume --shard "$SLURM_ARRAY_TASK_ID/50"
`, "HERE", here)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The shell reads its command as it was meant.
	command := strings.Replace(got[strings.Index(got, "exec"):], "exec", "printf '%s|'", 1)
	printed, err := exec.Command("env", "SLURM_ARRAY_TASK_ID=7", "sh", "-c", command).Output()
	if err != nil {
		t.Fatal(err)
	}
	if want := "/opt/rail yard|sweep|it's.toml|--vary|sim.seed=1..10|--out|/shared/out|--workers|4|--resume|--shard|7/50|"; string(printed) != want {
		t.Errorf("%s\nwant %s", printed, want)
	}
}

func TestNoSlurm(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s := load(t, rings, sweep.Request{})
	_, err := (&sweep.Slurm{Command: []string{"railyard"}}).Run(t.Context(), s, t.TempDir(), sweep.Options{})
	if err == nil || !strings.Contains(err.Error(), "there is no sbatch on this machine's PATH") {
		t.Error(err)
	}
}
