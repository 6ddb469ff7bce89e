package railyard

import (
	"runtime"
	"runtime/debug"
)

// Build says which Railyard this is.
type Build struct {
	Version  string `json:"version"` // of the module: "v0.3.0", or "(devel)" from a checkout
	Commit   string `json:"commit"`  // of the checkout it was built in, if any
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
}

// Version reads the build from the binary itself.
func Version() Build {
	b := Build{Version: "(devel)", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
