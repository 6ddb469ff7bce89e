package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file: line and column count from 1, columns in
// bytes. Line 0 means the whole file. For a value that came from the command
// line File is the flag, as in "--set topology.hosts".
type Position struct {
	File      string
	Line, Col int
}

// String is "file:line:col", or the file alone.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Or is the place of a key, or where that is left out another, as that of its table.
func (p Position) Or(table Position) Position {
	if p.Line == 0 && p.File == "" {
		return table
	}
	return p
}

// Faultf is a fault at this position. The key is the dotted path of what is
// wrong, as in "workload.training[0].tensor"; it may be empty.
func (p Position) Faultf(key, format string, args ...any) Fault {
	return Fault{File: p.File, Line: p.Line, Col: p.Col, Key: key, Message: fmt.Sprintf(format, args...)}
}

// Fault is one thing wrong with a scenario or a file that it names, with the
// place to go and mend it.
type Fault struct {
	File      string
	Line, Col int    // from 1; Line 0 means the file as a whole
	Key       string // dotted path of the key at fault, or empty
	Message   string
}

// Error is "file:line:col: message", the form that editors jump on.
func (f Fault) Error() string {
	return Position{f.File, f.Line, f.Col}.String() + ": " + f.Message
}

// Faults is everything wrong at once, as one error with a line for each.
// A function that returns Faults returns nil where all is well; use Err where
// an error is wanted.
type Faults []Fault

// Error prints one fault a line, in the order of [Faults.Sort].
func (f Faults) Error() string {
	sorted := slices.Clone(f)
	sorted.Sort()
	var b strings.Builder
	for i, fault := range sorted {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(fault.Error())
	}
	return b.String()
}

// Err is f as an error, nil where there is no fault.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// Sort orders faults by file, line and column; those without a line go last.
func (f Faults) Sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		if (a.Line == 0) != (b.Line == 0) {
			return cmp.Compare(b.Line, a.Line)
		}
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// limited collects faults up to a bound and counts the rest, so that a hostile
// or hopeless file costs a page of messages and no more.
type limited struct {
	faults Faults
	most   int
	more   int
}

// full reports that another fault would only be counted: callers that work
// hard for a message can spare themselves the work.
func (l *limited) full() bool { return len(l.faults) >= l.most }

// add notes a fault, once: two workloads that name a wrong model find the same.
func (l *limited) add(fault Fault) {
	switch {
	case l.full():
		l.more++
	case !slices.Contains(l.faults, fault):
		l.faults = append(l.faults, fault)
	}
}

// all is what was collected, sorted, and a last line that counts what was not.
func (l *limited) all() Faults {
	l.faults.Sort()
	if l.more > 0 {
		l.faults = append(l.faults, Fault{File: l.faults[0].File, Message: fmt.Sprintf("and %d more", l.more)})
	}
	return l.faults
}

// shown is a name as a message prints it, cut where it is long.
func shown(name string) string {
	const longest = 60
	if len(name) > longest {
		return name[:longest] + "..."
	}
	return name
}

// Nearest is the candidate that name was most likely meant to be, or "" where
// none is near: only capitals differ, or one letter, or it begins with the name as its
// first words, or at most a third of its letters differ.
func Nearest(name string, candidates []string) string {
	for _, c := range candidates {
		if strings.EqualFold(name, c) {
			return c
		}
	}
	best, least := "", max(1, len(name)/3)+1
	for _, c := range candidates {
		if d := distance(name, c, least); d < least {
			best, least = c, d
		}
	}
	if best != "" && least <= 1 || name == "" {
		return best
	}
	for _, c := range candidates {
		if strings.HasPrefix(c, name+"-") {
			return c
		}
	}
	return best
}

// distance is the edit distance (Levenshtein 1966) between two names, or
// enough where it is at least that. It takes O(len(a) len(b)), and looks only
// at names whose lengths can be that near.
func distance(a, b string, enough int) int {
	if diff := len(a) - len(b); max(diff, -diff) >= enough {
		return enough
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// meant is " (did you mean ...?)" where a candidate is near, else nothing.
func meant(name string, candidates []string) string {
	if near := Nearest(name, candidates); near != "" {
		return fmt.Sprintf(" (did you mean %q?)", near)
	}
	return ""
}
