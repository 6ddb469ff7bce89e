package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/railyard/railyard/report/page"
)

// A folder with a summary is enough for a page.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "results-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	summary := `{"name": "demo", "status": "done", "makespan_s": 2.5}`
	if err := os.WriteFile(filepath.Join(dir, "summary.json"), []byte(summary), 0o666); err != nil {
		fmt.Println(err)
		return
	}
	var html strings.Builder
	if err := page.Write(&html, dir); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(html.String(), "<title>demo · Railyard</title>"))
	// Output: true
}
