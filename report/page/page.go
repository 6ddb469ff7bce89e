package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed assets
var assets embed.FS

// scripts in the order in which they need each other; the first has "use strict".
var scripts = []string{
	"format.js", "uplot/uPlot.iife.min.js", "theme.js", "dom.js", "time.js", "lines.js", "rows.js", "bars.js",
	"network.js", "table.js", "sweep.js", "main.js",
}

var (
	script = "/*\n" + asset("uplot/LICENSE") + "*/\n" + asset(scripts...)
	styles = asset("uplot/uPlot.min.css", "page.css")
	layout = template.Must(template.ParseFS(assets, "assets/page.html"))
)

// asset joins files that the page holds.
func asset(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		text, err := assets.ReadFile("assets/" + name)
		if err != nil {
			panic("page: " + err.Error())
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.String()
}

// Objective is a metric by which points of a sweep are better or worse.
type Objective struct {
	Metric string // a path into summary.json
	More   bool   // is better
}

// Write writes the page of a results folder: of a sweep if it has points.csv, else
// of a run. The charts of a sweep begin with the objectives, or with what sweeps are
// most often about. What is wrong with the folder is a *FileError.
func Write(w io.Writer, dir string, objectives ...Objective) error {
	f := &folder{dir: dir}
	var d *document
	var err error
	if f.has("points.csv") {
		d, err = sweepDocument(f, objectives)
	} else {
		d, err = runDocument(f)
	}
	if err != nil {
		return err
	}
	data, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	sum := sha256.Sum256([]byte(script))
	return layout.Execute(w, map[string]any{
		"Title":  d.Title,
		"Policy": fmt.Sprintf("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-%s'", base64.StdEncoding.EncodeToString(sum[:])),
		"Styles": template.CSS(styles),
		"Script": template.JS(script),
		"Data":   json.RawMessage(data),
	})
}
