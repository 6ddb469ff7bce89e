package input

import "strings"

// Host is the part of a node's name that is a host's: "host3" of "host3/acc0", and
// "east/host3" of "east/host3/acc0" where there are several sites. It is "" for what is not
// inside a host.
func Host(name string) string {
	for at := 0; ; {
		part, _, more := strings.Cut(name[at:], "/")
		if !more {
			return ""
		}
		if IsHost(part) {
			return name[:at+len(part)]
		}
		at += len(part) + 1
	}
}

// IsHost says whether a part of a name is a host's.
func IsHost(part string) bool {
	number, ok := strings.CutPrefix(part, "host")
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}
