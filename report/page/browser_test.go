package page_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is a real Chromium, one for all tests, each of which has a tab of its own.
type browser struct {
	first context.Context // tabs are opened beside its own
	stop  func()
}

func newBrowser(t *testing.T) *browser {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium on PATH: pages are not opened")
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))...)
	first, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Run(first); err != nil {
		cancel()
		stop()
		t.Fatalf("cannot start %s: %v", path, err)
	}
	return &browser{first, func() {
		if err := chromedp.Cancel(first); err != nil { // waits for its end
			t.Error(err)
		}
		stop()
	}}
}

// tab is a page that has been opened, and what went wrong in it.
type tab struct {
	context.Context
	t *testing.T

	mu       sync.Mutex
	problems []string
}

// open opens the page of a results folder from a file and wants it drawn.
func (b *browser) open(t *testing.T, dir string, before ...chromedp.Action) *tab {
	t.Helper()
	file := filepath.Join(dir, "report.html")
	html := write(t, dir)
	if len(html) > 5e6 {
		t.Errorf("the page has %d bytes", len(html))
	}
	if err := os.WriteFile(file, []byte(html), 0o666); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: file}).String()
	ctx, cancel := chromedp.NewContext(b.first)
	t.Cleanup(cancel)
	p := &tab{Context: ctx, t: t}
	chromedp.ListenTarget(ctx, func(event any) {
		problem := ""
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			problem = "exception: " + e.ExceptionDetails.Error()
		case *runtime.EventConsoleAPICalled:
			problem = fmt.Sprintf("console %s: %s", e.Type, e.Args[0].Value)
		case *log.EventEntryAdded:
			if !strings.Contains(e.Entry.Text, "willReadFrequently") { // the tests read pixels
				problem = "log: " + e.Entry.Text
			}
		case *network.EventRequestWillBeSent:
			if to := e.Request.URL; to != address && !strings.HasPrefix(to, "data:") && !strings.HasPrefix(to, "blob:") {
				problem = "request: " + to
			}
		}
		if problem != "" {
			p.mu.Lock()
			p.problems = append(p.problems, problem)
			p.mu.Unlock()
		}
	})
	p.run(network.Enable(), log.Enable())
	p.run(before...)
	p.run(chromedp.Navigate(address), chromedp.WaitReady(`html[data-ready="true"]`, chromedp.ByQuery))
	p.settle()
	return p
}

func (p *tab) run(actions ...chromedp.Action) {
	p.t.Helper()
	if err := chromedp.Run(p, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// settle waits until what sizes and clicks have set off is drawn.
func (p *tab) settle() {
	p.t.Helper()
	p.run(chromedp.Evaluate(`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, nil,
		func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
}

// eval evaluates an expression.
func eval[T any](p *tab, expression string) (v T) {
	p.t.Helper()
	p.run(chromedp.Evaluate(expression, &v))
	return v
}

// sound wants that nothing has gone wrong.
func (p *tab) sound() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Error(problem)
	}
}

// blank counts charts without a drawing: a canvas of one colour, a picture without a
// line.
const blank = `[...document.querySelectorAll("canvas")].filter(c => {
	const d = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer);
	return new Set(d.filter((_, i) => i % 13 === 0)).size < 3;
}).length + [...document.querySelectorAll(".chart svg")].filter(s => s.querySelectorAll("path").length === 0).length`

// prints sums up the pixels of every canvas but those that have a time of their own:
// another sum is another picture.
const prints = `[...document.querySelectorAll("section:not(#iteration) canvas")].map(c => {
	const d = new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer);
	let s = 7;
	for (let i = 0; i < d.length; i += 13) s = (s * 31 + d[i]) | 0;
	return s;
})`

func sweepResults(t *testing.T) string {
	var b strings.Builder
	b.WriteString("point,topology.hosts,workload.training.0.recompute,status,run,name,training.0.iteration_s,training.0.memory_per_accelerator_bytes,training.0.mfu_ratio,reason\n")
	for i, n := 0, 1; n <= 64; n *= 2 {
		for k, recompute := range []string{"full", "none", "selective"} {
			fmt.Fprintf(&b, "%d,%d,%s,done,r%d,scaling,%v,%v,%v,\n", i, n, recompute, i, (8+float64(3-k))/float64(n), (20+float64(20*k))*1e9/math.Sqrt(float64(n)), 0.5-0.01*float64(i))
			i++
		}
	}
	return files(t, map[string]string{"points.csv": b.String()})
}

// TestBrowser opens pages in Chromium, and uses them.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	b := newBrowser(t)
	defer b.stop()

	t.Run("draws", func(t *testing.T) {
		for _, c := range []struct {
			name   string
			dir    string
			charts int // at least
		}{
			{"training", results(t, "quickstart"), 5},
			{"16,384 accelerators", results(t, "llama-405b-16k"), 5},
			{"jobs", results(t, "queue"), 5},
			{"serving", results(t, "serving-70b", "workload.serving.0.count=200"), 6},
			{"sweep", sweepResults(t), 3},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := b.open(t, c.dir)
				t.Logf("drawn %.2f s after it was asked for", eval[float64](p, `performance.getEntriesByName("ready")[0].startTime`)/1e3)
				if n := eval[int](p, `document.querySelectorAll(".chart").length`); n < c.charts {
					t.Errorf("%d charts, not %d", n, c.charts)
				}
				if n := eval[int](p, blank); n > 0 {
					t.Errorf("%d charts are blank", n)
				}
				if lost := eval[string](p, `[...document.querySelectorAll("nav a")].map(a => a.hash.slice(1)).filter(id => !document.getElementById(id)).join()`); lost != "" {
					t.Errorf("no section %s", lost)
				}
				if text := eval[string](p, `document.body.innerText`); strings.Contains(text, "NaN") || strings.Contains(text, "undefined") || strings.Contains(text, "[object") {
					t.Error("the page says NaN, undefined or [object")
				}
				p.run(emulation.SetDeviceMetricsOverride(390, 800, 1, true))
				p.settle()
				if wide := eval[int](p, `document.documentElement.scrollWidth - innerWidth`); wide > 0 {
					t.Errorf("on a narrow screen the page is %d pixels too wide", wide)
				}
				p.sound()
			})
		}
	})

	t.Run("names are text", func(t *testing.T) {
		const name = `</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>`
		p := b.open(t, files(t, map[string]string{
			"summary.json":  fmt.Sprintf(`{"name": %q, "makespan_s": 10, "cluster": {"accelerators": 8, "hosts": 1}}`, name),
			"stretches.csv": "job,start_s,finish_s,placement\n" + name + ",0,10,0-3\n",
			"jobs.csv":      "job,submit_s,finish_s,wait_s\n" + name + ",0,10,0\n",
		}))
		if eval[bool](p, `window.pwned !== undefined || document.images.length > 0`) {
			t.Error("a name was run")
		}
		if got := eval[string](p, `document.querySelector("h1").firstChild.data`); got != name {
			t.Errorf("the heading is %q", got)
		}
		p.sound()
	})

	t.Run("zoom", func(t *testing.T) {
		p := b.open(t, results(t, "quickstart"))
		// Charts over the time of the run show the same part of it, by the keyboard, ...
		const charts = `[...document.querySelectorAll("#over-time .chart, #network .chart")].filter(c => c.tabIndex === 0)`
		shown := func() string { return eval[string](p, `[runTime.from, runTime.to].join()`) }
		if n := eval[int](p, charts+`.length`); n != 2 {
			t.Fatalf("%d charts over time, not accelerators and links", n)
		}
		whole, before := shown(), eval[[]int](p, prints)
		p.run(chromedp.Evaluate(charts+`[0].focus()`, nil), chromedp.KeyEvent("+"))
		p.settle()
		zoomed, after := shown(), eval[[]int](p, prints)
		if zoomed == whole || after[0] == before[0] || after[1] == before[1] {
			t.Errorf("+ does not zoom both: %s to %s", whole, zoomed)
		}
		p.run(chromedp.KeyEvent(kb.ArrowRight))
		p.settle()
		if shown() == zoomed {
			t.Error("an arrow does not pan")
		}
		p.run(chromedp.KeyEvent("0"))
		p.settle()
		if shown() != whole || fmt.Sprint(eval[[]int](p, prints)) != fmt.Sprint(before) {
			t.Error("0 does not show all again")
		}
		// ... and by the mouse, on either.
		for _, canvas := range []string{"#over-time .u-over", "#network canvas"} {
			p.drag(canvas, 0.4, 0.6)
			from, to := eval[float64](p, `runTime.from`), eval[float64](p, `runTime.to`)
			if all := eval[float64](p, `runTime.full[1]`); !(from > 0.2*all && to < 0.8*all && to > from) {
				t.Errorf("%s dragged from 40 to 60 %% of %v: %v to %v", canvas, all, from, to)
			}
			p.run(chromedp.Evaluate(`document.querySelector("#over-time .tools button:last-child").click()`, nil))
			if shown() != whole {
				t.Error("the button does not show all again")
			}
		}
		p.sound()
	})

	t.Run("tables", func(t *testing.T) {
		dir := results(t, "queue")
		p := b.open(t, dir)
		const table = `[...document.querySelectorAll("#tables figure")].find(f => f.querySelector("h3").textContent === "Jobs")`
		column := func(name string) string {
			return fmt.Sprintf(`[...%s.querySelectorAll("th")].find(h => h.textContent.startsWith(%q))`, table, name)
		}
		cells := func(name string) []string {
			return eval[[]string](p, fmt.Sprintf(`(() => { const k = [...%s.querySelectorAll("th")].indexOf(%s); return [...%s.querySelectorAll("tbody tr")].map(r => r.cells[k].title || r.cells[k].textContent); })()`, table, column(name), table))
		}
		sorted := func(values []string, descending bool) bool {
			before := math.Inf(-1)
			for _, v := range values {
				n, err := strconv.ParseFloat(v, 64)
				if descending {
					n = -n
				}
				if err != nil || n < before {
					return false
				}
				before = n
			}
			return len(values) > 20
		}
		p.run(chromedp.Evaluate(column("run_s")+`.querySelector("button").focus()`, nil), chromedp.KeyEvent(kb.Enter))
		if got := cells("run_s"); !sorted(got, true) || eval[string](p, column("run_s")+`.getAttribute("aria-sort")`) != "descending" {
			t.Errorf("sorted by run_s: %v", got)
		}
		p.run(chromedp.KeyEvent(" "))
		if got := cells("run_s"); !sorted(got, false) || eval[string](p, column("run_s")+`.getAttribute("aria-sort")`) != "ascending" {
			t.Errorf("sorted by run_s again: %v", got)
		}
		// Export has all rows, in the order that is shown, as the file has them.
		p.run(chromedp.Evaluate(`URL.createObjectURL = b => { window.saved = b; return "data:,"; }; `+table+`.querySelector(".export").click()`, nil))
		var text string
		p.run(chromedp.Evaluate(`window.saved.text()`, &text, func(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }))
		exported, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		original, err := os.Open(filepath.Join(dir, "jobs.csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer original.Close()
		rows, err := csv.NewReader(original).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		jobs := map[string][]string{}
		for _, r := range rows {
			jobs[r[0]] = r
		}
		if len(exported) != len(rows) {
			t.Fatalf("%d rows exported of %d", len(exported), len(rows))
		}
		for _, r := range exported {
			for i, v := range r {
				want := jobs[r[0]][i]
				a, err1 := strconv.ParseFloat(v, 64)
				b, err2 := strconv.ParseFloat(want, 64)
				if v != want && !(err1 == nil && err2 == nil && a == b) {
					t.Fatalf("job %s: %s exported, the file has %s", r[0], v, want)
				}
			}
		}
		// A filter leaves the rows that have the text.
		p.run(chromedp.Evaluate(`(() => { const i = `+table+`.querySelector("input"); i.value = "cho-2"; i.dispatchEvent(new Event("input")); })()`, nil))
		for _, job := range cells("job") {
			if !strings.Contains(job, "cho-2") {
				t.Errorf("filtered by cho-2: %s", job)
			}
		}
		p.sound()
	})

	t.Run("light, dark and paper", func(t *testing.T) {
		p := b.open(t, results(t, "quickstart"))
		scheme := func(name string) {
			p.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}))
			p.settle()
		}
		paper := func() string { return eval[string](p, `getComputedStyle(document.body).backgroundColor`) }
		scheme("light")
		light, drawn := paper(), eval[[]int](p, prints)
		scheme("dark")
		dark, drawnDark := paper(), eval[[]int](p, prints)
		if light == dark {
			t.Errorf("light and dark are both %s", light)
		}
		for i := range drawn {
			if drawn[i] == drawnDark[i] {
				t.Errorf("canvas %d is drawn the same in light and dark", i)
			}
		}
		// Contrast of text, at least 4.5 (WCAG 2.1, 1.4.3), in both.
		for _, name := range []string{"dark", "light"} {
			scheme(name)
			if c := eval[float64](p, contrast); c < 4.5 {
				t.Errorf("%s: contrast of faint text %.2f", name, c)
			}
		}
		// A page in the dark is printed light, with nothing that only a screen needs.
		scheme("dark")
		p.run(chromedp.Evaluate(`addEventListener("beforeprint", () => { window.printed = document.documentElement.dataset.theme + getComputedStyle(document.querySelector("nav")).position; })`, nil))
		var pdf []byte
		p.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			pdf, _, err = cdppage.PrintToPDF().WithPrintBackground(false).Do(ctx)
			return err
		}))
		if len(pdf) < 20_000 || !strings.HasPrefix(string(pdf), "%PDF-") {
			t.Errorf("%d bytes of PDF", len(pdf))
		}
		if got := eval[string](p, `window.printed || ""`); !strings.HasPrefix(got, "light") {
			t.Errorf("printed %q, not light", got)
		}
		p.settle()
		if paper() != dark {
			t.Error("the page stays light after it was printed")
		}
		// The button chooses against the system.
		p.run(chromedp.Evaluate(`document.querySelector("header button").click()`, nil))
		if paper() != light {
			t.Error("the button does not choose light")
		}
		p.sound()
	})

	t.Run("sweep", func(t *testing.T) {
		p := b.open(t, sweepResults(t))
		rings := func() int {
			return eval[int](p, `document.querySelectorAll("#sweep figure:first-of-type circle[r='6']").length`)
		}
		// Hosts cost nothing in iteration_s and memory: at 64 hosts each way to recompute
		// trades one for the other, and nothing else is on the front.
		if n := rings(); n != 3 {
			t.Errorf("%d points on the front, not 3", n)
		}
		// More memory and less time is best in one point.
		p.run(chromedp.Evaluate(`[...document.querySelectorAll("#sweep button")].find(b => b.textContent.startsWith("y:")).click()`, nil))
		if eval[string](p, `[...document.querySelectorAll("#sweep button")].find(b => b.textContent.startsWith("y:")).textContent`) != "y: more is better" {
			t.Error("the button does not turn y around")
		}
		if n := rings(); n < 1 {
			t.Error("no front")
		}
		p.run(chromedp.Evaluate(`(() => { const s = [...document.querySelectorAll("#sweep select")].find(s => s.value === "topology.hosts"); s.value = "workload.training.0.recompute"; s.dispatchEvent(new Event("change")); })()`, nil))
		p.settle()
		if n := eval[int](p, blank); n > 0 {
			t.Errorf("%d charts are blank", n)
		}
		p.sound()
	})
}

// contrast is that of faint text on its card, by relative luminance.
const contrast = `(() => {
	const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
	const luminance = c => { const [r, g, b] = [1, 3, 5].map(i => channel(parseInt(c.slice(i, i + 2), 16))); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const a = luminance(theme.faint), b = luminance(theme.card);
	return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})()`

// drag draws the mouse across an element, between two parts of its width.
func (p *tab) drag(selector string, from, to float64) {
	p.t.Helper()
	p.run(chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q).scrollIntoView({block: "center", behavior: "instant"})`, selector), nil))
	p.settle() // the chart hears of the scrolling a frame later
	box := eval[[]float64](p, fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()`, selector))
	y := box[1] + box[3]/2
	x := func(share float64) float64 { return box[0] + share*box[2] }
	p.run(
		chromedp.MouseEvent("mouseMoved", x(from), y),
		chromedp.MouseEvent("mousePressed", x(from), y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent("mouseMoved", x((from+to)/2), y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseMoved", x(to), y, chromedp.ButtonLeft),
		chromedp.MouseEvent("mouseReleased", x(to), y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
	)
	p.settle()
}
