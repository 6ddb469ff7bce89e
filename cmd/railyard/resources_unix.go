//go:build unix

package main

import (
	"runtime"
	"syscall"

	"github.com/railyard/railyard/report"
)

// hostResources reads what this process has used from the operating system.
func hostResources() report.Host {
	h := report.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
		h.CPUTime = seconds(u.Utime) + seconds(u.Stime)
		h.PeakMemory = int64(u.Maxrss)
		if runtime.GOOS == "linux" { // kB there, bytes elsewhere
			h.PeakMemory *= 1024
		}
	}
	return h
}
