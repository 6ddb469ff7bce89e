package page

import (
	"encoding/json"

	"github.com/railyard/railyard/result"
)

// document is what a page shows: Go chooses and explains, the page's script draws.
// Every string in it may come from a scenario and is text to the script.
type document struct {
	Title    string    `json:"title"`
	Subtitle []any     `json:"subtitle"`
	Status   string    `json:"status,omitempty"`
	Sections []section `json:"sections"`
}

// section is a heading, what it is about in a sentence, and its parts.
type section struct {
	ID    string `json:"id"` // of its anchor
	Title string `json:"title"`
	Text  []any  `json:"text,omitempty"` // strings and quantities by turns
	Parts []any  `json:"parts"`
}

// quantity is a number within a text.
type quantity struct {
	Value number `json:"v"`
	Unit  string `json:"u,omitempty"`
}

func amount(v float64, unit string) quantity { return quantity{number(v), unit} }
func count(v float64) quantity               { return quantity{Value: number(v)} }

// caption heads a part.
type caption struct {
	Kind  string `json:"kind"` // which function of the script draws it
	Title string `json:"title,omitempty"`
	Text  []any  `json:"text,omitempty"`
}

// figures are single values, each with its meaning.
type figures struct {
	caption
	Figures []single `json:"figures"`
}

type single struct {
	Label      string  `json:"label"`
	Value      float64 `json:"value"`
	Unit       string  `json:"unit,omitempty"`
	Definition string  `json:"text,omitempty"`
	Formula    string  `json:"formula,omitempty"`
	Note       []any   `json:"note,omitempty"` // where or how it came about
	Path       string  `json:"path,omitempty"` // in summary.json
}

// bars are the parts of a whole, one stacked bar and a list.
type bars struct {
	caption
	Unit string `json:"unit"`
	Bars []bar  `json:"bars"`
}

type bar struct {
	Name       string  `json:"name"`
	Value      float64 `json:"value"`
	Definition string  `json:"text,omitempty"`
	Parts      []bar   `json:"parts,omitempty"` // of which it is the sum, or nearly
}

// axis is what a chart has at its foot or side.
type axis struct {
	Label string  `json:"label"`
	Unit  string  `json:"unit,omitempty"`
	Log   int     `json:"log,omitempty"`  // base of a logarithmic axis
	Max   float64 `json:"max,omitempty"`  // 0: from the values
	Time  bool    `json:"time,omitempty"` // time of the run, which all charts with it zoom together
}

// lines are values over a common x, or each over its own.
type lines struct {
	caption
	X       axis    `json:"x"`
	Y       axis    `json:"y"`
	Stacked bool    `json:"stacked,omitempty"`
	Step    bool    `json:"step,omitempty"` // a value holds until the next
	At      numbers `json:"at,omitempty"`
	Lines   []line  `json:"lines"`
}

type line struct {
	Name       string  `json:"name"`
	Definition string  `json:"text,omitempty"`
	At         numbers `json:"at,omitempty"` // where it has an x of its own
	Values     numbers `json:"values"`
	Dashed     bool    `json:"dashed,omitempty"`
	Points     bool    `json:"points,omitempty"` // no line between them
	Hue        int     `json:"hue,omitempty"`    // from 1: that of another line
	// Marks are the median, the 99th percentile and the greatest of a distribution.
	Marks []quantity `json:"marks,omitempty"`
}

// heat is a value of each row in intervals of time.
type heat struct {
	caption
	X      axis     `json:"x"`
	At     numbers  `json:"at"` // edges, one more than intervals
	Rows   []string `json:"rows"`
	Layers []layer  `json:"layers"`
}

// layer is one of the values that a heat map can show.
type layer struct {
	Name   string    `json:"name"`
	Text   string    `json:"text,omitempty"`
	Values []numbers `json:"values"` // of each row
}

// gantt is bars in rows over time.
type gantt struct {
	caption
	X     axis     `json:"x"`
	End   float64  `json:"end"`
	Rows  []string `json:"rows"`
	Names []string `json:"names"`          // of what the bars are
	Hues  []string `json:"hues,omitempty"` // names of the colours; without, each name has one
	Row   []int    `json:"row"`            // of each bar
	From  numbers  `json:"from"`
	To    numbers  `json:"to"`
	Low   numbers  `json:"low,omitempty"` // part of the row's height, from its top
	High  numbers  `json:"high,omitempty"`
	Name  []int    `json:"name"`          // place in Names
	Hue   []int    `json:"hue,omitempty"` // place in Hues
}

// network is nodes in tiers with the cables between them.
type network struct {
	caption
	Tiers []tier `json:"tiers"`
	Edges []edge `json:"edges"`
}

type tier struct {
	Name  string   `json:"name"`
	Nodes []string `json:"nodes"`
}

// edge is all links between two nodes, or groups of nodes, of a picture.
type edge struct {
	From        [2]int  `json:"from"` // tier and node
	To          [2]int  `json:"to"`
	Utilization float64 `json:"utilization"` // of the busiest
	Width       float64 `json:"width"`       // by their rates together, up to 1
	Links       int     `json:"links"`
	Busiest     string  `json:"busiest"`
	Contended   float64 `json:"contended,omitempty"` // seconds, of the longest
	Lost        float64 `json:"lost,omitempty"`      // seconds, the most
	Who         []any   `json:"who,omitempty"`       // who contends there
}

// table is rows of a file, or of the page's own.
type table struct {
	caption
	File    string  `json:"file,omitempty"` // where all rows are
	Total   int     `json:"total"`          // rows that there are
	Sort    string  `json:"sort,omitempty"` // column whose greatest are first
	Columns []cells `json:"columns"`
}

// cells are a column of a table.
type cells struct {
	Name       string `json:"name"`
	Unit       string `json:"unit,omitempty"`
	Definition string `json:"text,omitempty"`
	Values     any    `json:"values"` // []string, exact, or []any
}

// exact are numbers as a file has them, "" where there is none.
type exact []string

func (e exact) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, text := range e {
		if i > 0 {
			out = append(out, ',')
		}
		if text == "" {
			text = "null"
		}
		out = append(out, text...)
	}
	return append(out, ']'), nil
}

// columnOf declares a column of values, as numbers if all of them are.
func columnOf(m result.Metric, values []string) cells {
	c := cells{Name: m.Name, Unit: m.Unit, Definition: m.Definition, Values: values}
	some := false
	for _, v := range values {
		if v != "" && (v[0] != '-' && (v[0] < '0' || v[0] > '9') || !json.Valid([]byte(v))) {
			return c
		}
		some = some || v != ""
	}
	if some {
		c.Values = exact(values)
	}
	return c
}

// studies are the points of a sweep, for the charts that compare them.
type studies struct {
	caption
	Columns []study `json:"columns"`
	X       string  `json:"x"` // what the first chart shows, by name of its column
	Y       string  `json:"y"`
}

type study struct {
	Name       string `json:"name"`
	Unit       string `json:"unit,omitempty"`
	Definition string `json:"text,omitempty"`
	Key        bool   `json:"key,omitempty"`  // varied, not found
	More       bool   `json:"more,omitempty"` // is better
	Values     any    `json:"values"`
}
