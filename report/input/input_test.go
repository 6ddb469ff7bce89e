package input_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/railyard/railyard/report/input"
	"github.com/railyard/railyard/result"
)

func Example() {
	dir, err := os.MkdirTemp("", "results")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "links.csv")
	if err := os.WriteFile(path, []byte("link,bytes\na>b,12\nb>a,7\n"), 0o666); err != nil {
		fmt.Println(err)
		return
	}
	r, err := input.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	at, err := r.Columns([]result.Metric{result.LinkBytes, result.Link}, []result.Metric{result.Contended})
	fmt.Println(at, err)
	for r.Next() {
		fmt.Println(r.Row[at[1]], "carried", r.Row[at[0]])
	}
	fmt.Println(r.Err())
	// Output:
	// [1 0 -1] <nil>
	// a>b carried 12
	// b>a carried 7
	// <nil>
}

// What is wrong with a table has its line.
func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "t.csv:1: no header"},
		{"no column", "a,b\n1,2\n", `t.csv:1: no column "link"; there are a, b`},
		{"cut off", "link,b\n1,2\n3\n", "t.csv:3: wrong number of fields"},
		{"a quote", "link,b\n1,2\n\"3,4\n", "t.csv:3: extraneous or missing"},
		{"a long row", "link,b\n1,\"" + strings.Repeat("x\n", 1<<20), "t.csv:2: a row of more than 1048576 bytes"},
		{"the caller's", "link,b\n\"x\ny\",2\n", "t.csv:3: no good"},
	} {
		path := filepath.Join(t.TempDir(), "t.csv")
		if err := os.WriteFile(path, []byte(c.text), 0o666); err != nil {
			t.Fatal(err)
		}
		err := func() error {
			r, err := input.Open(path)
			if err != nil {
				return err
			}
			defer r.Close()
			if _, err := r.Columns([]result.Metric{result.Link}, nil); err != nil {
				return err
			}
			for r.Next() {
				if c.name == "the caller's" {
					return r.Fault(1, errors.New("no good"))
				}
			}
			return r.Err()
		}()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if _, ok := errors.AsType[*result.FileError](err); !ok {
			t.Errorf("%s: a %T", c.name, err)
		}
	}
	if _, err := input.Open("absent.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if _, err := input.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestHost(t *testing.T) {
	for name, want := range map[string]string{
		"host3/acc0": "host3", "east/host3/nic1": "east/host3", "east/rack0/leaf0": "", "host3": "", "host/acc0": "",
		"hostess/acc0": "", "acc0": "", "": "", "a/b/host12/switch": "a/b/host12",
	} {
		if got := input.Host(name); got != want {
			t.Errorf("%q is in the host %q, want %q", name, got, want)
		}
	}
}

// FuzzReader: any text is rows as long as its header, or an error with its line.
func FuzzReader(f *testing.F) {
	f.Add("a,b\n1,2\n")
	f.Add("a\n\"x\ny\"\n\"")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "t.csv")
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := input.Open(path)
		if err == nil {
			defer r.Close()
			for r.Next() {
				if len(r.Row) != len(r.Header) {
					t.Fatalf("a row of %d under a header of %d", len(r.Row), len(r.Header))
				}
			}
			err = r.Err()
		}
		if fault, ok := errors.AsType[*result.FileError](err); err != nil && (!ok || fault.Line < 1) {
			t.Fatalf("%v", err)
		}
	})
}
