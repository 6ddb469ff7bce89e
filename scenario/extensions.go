package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/railyard/railyard/collective"
	"github.com/railyard/railyard/scheduler"
)

// Extensions are policies and collectives of a program's own, by the names by which its
// scenarios call them. There is no registry: a scenario knows those that it was loaded
// with.
type Extensions struct {
	Policies    map[string]scheduler.Decider            // for scheduler.policy
	Collectives map[collective.Algorithm]collective.Own // for algorithm
}

// Load reads a scenario, which may use the extensions, from a file, or from standard
// input if path is "-". Each override is a "key=value". What is wrong is returned as
// Faults.
func (x Extensions) Load(path string, overrides ...string) (*Scenario, error) {
	text, err := ReadText(path)
	if err != nil {
		return nil, err
	}
	return x.Parse(path, text, overrides...)
}

// Parse is Load with the text at hand. Paths in it are relative to the folder of path.
func (x Extensions) Parse(path string, text []byte, overrides ...string) (*Scenario, error) {
	s, faults := x.parse(path, text, overrides)
	return s, faults.Err()
}

func (x Extensions) parse(file string, text []byte, overrides []string) (*Scenario, Faults) {
	root, faults := tree(file, text, overrides)
	if faults != nil {
		return nil, faults
	}
	return judge(file, root, x, false)
}

// ReadText reads the text of a scenario from a file, or from standard input if path is
// "-".
func ReadText(path string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, unreadable(path, err)
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, MaxText+1))
	if err != nil {
		return nil, unreadable(path, err)
	}
	return text, nil
}

func unreadable(path string, err error) Faults {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		err = e.Err
	}
	return Faults{{File: path, Message: "cannot read the scenario: " + err.Error()}}
}

// names are the additional values of keys, by what the tag "extend" of a key says.
func (x Extensions) names() map[string][]string {
	var collectives []string
	for a := range x.Collectives {
		collectives = append(collectives, string(a))
	}
	slices.Sort(collectives)
	return map[string][]string{"policies": sortedNames(x.Policies), "collectives": collectives}
}

// check refuses names that a key has already, or that no scenario could say.
func (x Extensions) check(b *binder) {
	refuse := func(kind string, names, taken []string) {
		for _, name := range names {
			if name == "" || slices.Contains(taken, name) {
				b.add(Fault{Message: fmt.Sprintf("a %s of the program's own cannot be called %q: it must have a name, and not one of %s", kind, name, strings.Join(taken, ", "))})
			}
		}
	}
	names := x.names()
	refuse("policy", names["policies"], scheduler.Policies())
	refuse("collective", names["collectives"], collective.Algorithms())
}
