//go:build !unix

package main

import (
	"runtime"

	"github.com/railyard/railyard/report"
)

func hostResources() report.Host {
	return report.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
}
