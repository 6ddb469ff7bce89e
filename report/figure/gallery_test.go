package figure

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

var (
	pictures = flag.String("pictures", "", "write the gallery as PNG and SVG into this `folder`, to look at")
	update   = flag.Bool("update", false, "rewrite the golden files in testdata")
)

// gallery is one of each kind of picture that reports contain, made of invented
// numbers. Tests share it; -pictures shows it.
func gallery() map[string]Figure {
	return map[string]Figure{
		"accelerators": accelerators(240),
		"links8":       links(8, 128),
		"links16":      links(16, 128),
		"links64":      links(64, 128),
		"links300":     links(300, 256),
		"busbw":        busbw(),
		"latency":      latency(),
		"queue":        queue(),
		"day":          day(),
		"gantt4":       gantt(4, 8, 40),
		"gantt32":      gantt(32, 8, 600),
		"slowdown":     slowdown(),
		"recovery":     recovery(),
		"compared":     compared(),
		"crowded":      crowded(),
		"pareto":       pareto(),
		"parity":       parity(),
		"categories":   categories(),
		"network":      clos(8, 4, 4),
		"fabric":       clos(16, 16, 16),
		"single":       Lines{Series: []Series{{X: []float64{3}, Y: []float64{0.25}, Points: true}}, Y: Axis{Unit: Ratio, Label: "utilization"}},
	}
}

// pareto is a cloud of points and those than which none is better in both.
func pareto() Lines {
	random := rand.New(rand.NewPCG(1, 2))
	all := Series{Name: "all points", Like: "Pareto front", Points: true, Faint: true}
	front := Series{Name: "Pareto front", Points: true}
	best := 0.0
	for i := range 60 {
		x := 10 + float64(i) + random.Float64()
		y := 90 * (1 - math.Exp(-x/20)) * (0.5 + 0.5*random.Float64())
		all.X, all.Y = append(all.X, x), append(all.Y, y)
		if y > best {
			best = y
			front.X, front.Y = append(front.X, x), append(front.Y, y)
			front.Labels = append(front.Labels, fmt.Sprintf("tensor %d, pipeline %d", 1<<(i%4), 1<<(i/16)))
		}
	}
	line := front
	line.Name, line.Like, line.Points, line.Step, line.Labels = "", front.Name, false, true, nil
	return Lines{
		Title: "Twice the speed costs six times as much", Subtitle: "60 points",
		X: Axis{Label: "cost (USD/h)"}, Y: Axis{Label: "tokens per second"}, Series: []Series{front, line, all},
	}
}

// parity is predictions of three families, one too fast, with the range over seeds.
func parity() Parity {
	random := rand.New(rand.NewPCG(1, 2))
	p := Parity{
		Title: "Two models of three are within 10 %", Subtitle: "36 pairs; median error 6.2 %",
		X: Axis{Label: "measured", Unit: Seconds, Log: true}, Label: "predicted", Within: 0.1,
	}
	for k, name := range []string{"bert", "gpt", "resnet"} {
		s := Series{Name: name, Points: true}
		for i := range 12 {
			x := 0.01 * math.Pow(2, float64(i)/2+float64(k))
			y := x * (0.93 + 0.12*random.Float64() - 0.1*float64(k/2))
			s.X, s.Y, s.Low, s.High = append(s.X, x), append(s.Y, y), append(s.Low, 0.96*y), append(s.High, 1.04*y)
			s.Labels = append(s.Labels, "")
		}
		s.Labels[3*k] = name + " on 8"
		p.Series = append(p.Series, s)
	}
	return p
}

// categories are bandwidths of algorithms, one with a name that has no room.
func categories() Lines {
	names := []string{"ring", "tree", "halving-doubling with a name that is long", "hierarchical", "nvls"}
	l := Lines{Title: "Switches that reduce are the fastest", X: Axis{Label: "algorithm", Names: names}, Y: Axis{Label: "bus bandwidth", Unit: BytesPerSecond}}
	for k := range 3 {
		s := Series{Name: fmt.Sprintf("%d hosts", 2<<k), Points: true}
		for i := range names {
			s.X, s.Y = append(s.X, float64(i)), append(s.Y, 1e11*(1+0.4*float64(i)-0.2*float64(k)))
		}
		l.Series = append(l.Series, s)
	}
	return l
}

// clos is hosts, leaves and spines, and a ring of the spines.
func clos(hosts, leaves, spines int) Network {
	random := rand.New(rand.NewPCG(1, 2))
	n := Network{Title: "One up-link of leaf 0 carries all that it can", Subtitle: "leaf-spine, an all-reduce of 1 GiB", Bar: "utilization"}
	for _, t := range []struct {
		name  string
		nodes int
	}{{"host", hosts}, {"leaf", leaves}, {"spine", spines}} {
		tier := NetworkTier{Name: fmt.Sprintf("%d × %s", t.nodes, t.name)}
		for i := range t.nodes {
			tier.Nodes = append(tier.Nodes, fmt.Sprintf("%s%d", t.name, i))
		}
		n.Tiers = append(n.Tiers, tier)
	}
	for i := range hosts {
		n.Edges = append(n.Edges, NetworkEdge{From: [2]int{0, i}, To: [2]int{1, i * leaves / hosts}, Width: 1, Share: 0.3 * random.Float64()})
	}
	for i := range leaves {
		for k := range spines {
			n.Edges = append(n.Edges, NetworkEdge{From: [2]int{1, i}, To: [2]int{2, k}, Width: 0.5, Share: 0.2 + 0.3*random.Float64()})
		}
	}
	n.Edges[hosts].Share = 1
	for k := 1; k < spines; k++ {
		n.Edges = append(n.Edges, NetworkEdge{From: [2]int{2, k - 1}, To: [2]int{2, k}, Width: 0.2, Share: math.NaN()})
	}
	return n
}

func edges(n int, end float64) []float64 {
	e := make([]float64, n+1)
	for i := range e {
		e[i] = end * float64(i) / float64(n)
	}
	return e
}

// accelerators is training: steps of compute with communication at their end.
func accelerators(bins int) Stack {
	random := rand.New(rand.NewPCG(1, 2))
	var compute, exposed, idle []float64
	for i := range bins {
		phase := float64(i%20) / 20
		busy := 0.93 - 0.03*random.Float64()
		if phase > 0.7 {
			busy = 0.35 + 0.1*random.Float64()
		}
		waiting := (1 - busy) * (0.75 + 0.1*random.Float64())
		if i < 8 {
			busy, waiting = 0, 0.05
		}
		compute, exposed, idle = append(compute, busy), append(exposed, waiting), append(idle, 1-busy-waiting)
	}
	return Stack{
		Title:    "A third of every step waits for gradients",
		Subtitle: "64 A100 in 8 hosts, two leaves at 4:1; data parallel, ring all-reduce of 2.6 GB; seed 1",
		X:        Axis{Label: "time", Unit: Seconds},
		Edges:    edges(bins, 2.4),
		Layers: []Layer{
			{"compute", compute, Useful},
			{"exposed communication", exposed, Overhead},
			{"idle", idle, Idle},
		},
	}
}

func links(rows, bins int) HeatMap {
	random := rand.New(rand.NewPCG(uint64(rows), 2))
	h := HeatMap{
		Title:     "Uplinks of leaf 1 saturate while those of leaf 2 idle",
		Subtitle:  "mean utilization per 10 ms, sorted by switch",
		X:         Axis{Label: "time", Unit: Seconds},
		Edges:     edges(bins, 1.28),
		NotesHead: "mean",
	}
	for r := range rows {
		name := fmt.Sprintf("dgx-a100.%d/nic.%d>leaf.%d", r/8+1, r%8, r%2+1)
		if r%5 == 4 {
			name = fmt.Sprintf("leaf.%d>spine.%d", r%2+1, r/5)
		}
		load := 0.15 + 0.8*float64(r%7)/6
		values := make([]float64, bins)
		sum := 0.0
		for b := range values {
			on := math.Sin(float64(b)/9+float64(r%4)) > -0.2
			v := 0.02
			if on {
				v = min(load*(0.9+0.2*random.Float64()), 1)
			}
			values[b] = v
			sum += v
			if r%11 == 3 && b > bins/2 && b < bins*3/5 {
				values[b] = math.NaN()
			}
		}
		h.Rows = append(h.Rows, name)
		h.Values = append(h.Values, values)
		h.Notes = append(h.Notes, fmt.Sprintf("%.0f %%", 100*sum/float64(bins)))
	}
	return h
}

// busbw is a latency-bandwidth curve for three numbers of ranks.
func busbw() Lines {
	l := Lines{
		Title:    "All-reduce reaches 92 % of the NVLink limit from 64 MiB on",
		Subtitle: "ring, A100, 12 NVLinks; lines simulated, markers measured with nccl-tests",
		X:        Axis{Label: "message size", Unit: Bytes, Log: true},
		Y:        Axis{Label: "bus bandwidth", Unit: BytesPerSecond},
		Limits:   []Limit{{"NVLink limit", 300e9}, {"4 × 200 Gbit/s", 100e9}},
	}
	for _, c := range []struct {
		ranks int
		alpha float64
		peak  float64
	}{{8, 14e-6, 276e9}, {16, 32e-6, 94e9}, {64, 140e-6, 90e9}} {
		s := Series{Name: fmt.Sprintf("%d ranks", c.ranks)}
		m := Series{Like: s.Name, Points: true}
		for e := 10.0; e <= 33; e++ {
			size := math.Exp2(e)
			bw := size / (c.alpha + size/c.peak)
			s.X, s.Y = append(s.X, size), append(s.Y, bw)
			if int(e)%3 == 0 {
				off := 1 + 0.04*math.Sin(e*float64(c.ranks))
				m.X, m.Y = append(m.X, size), append(m.Y, bw*off)
				m.Low, m.High = append(m.Low, bw*off*0.95), append(m.High, bw*off*1.05)
			}
		}
		l.Series = append(l.Series, s, m)
	}
	return l
}

func latency() Lines {
	l := busbw()
	l.Title, l.Subtitle = "Small messages cost their latency", ""
	l.Y = Axis{Label: "time", Unit: Seconds, Log: true}
	l.Limits = nil
	for i, s := range l.Series {
		y := make([]float64, len(s.Y))
		for j := range y {
			y[j] = s.X[j] / s.Y[j]
		}
		l.Series[i].Y, l.Series[i].Low, l.Series[i].High = y, nil, nil
	}
	return l
}

func queue() Lines {
	random := rand.New(rand.NewPCG(7, 2))
	var x, y []float64
	depth := 0.0
	for i := range 300 {
		depth = max(depth+math.Round(random.NormFloat64()*300), 0)
		x, y = append(x, float64(i)*400), append(y, depth)
	}
	for i := 150; i < 170; i++ {
		y[i] = math.NaN()
	}
	return Lines{
		Title:  "Jobs wait longest at noon",
		X:      Axis{Label: "time", Unit: Seconds},
		Y:      Axis{Label: "jobs in the queue"},
		Series: []Series{{X: x, Y: y, Step: true}},
		Limits: []Limit{{"", 9000}},
	}
}

// day is the queue over the utilization that goes with it.
func day() Panels {
	q := queue()
	used := make([]float64, len(q.Series[0].X))
	for i, depth := range q.Series[0].Y {
		used[i] = 1 - math.Exp(-depth/1500)
	}
	return Panels{
		Title: "The cluster is full while jobs wait", X: q.X,
		Panels: []Panel{
			{Y: q.Y, Series: q.Series, Limits: q.Limits},
			{Y: Axis{Label: "allocated", Unit: Ratio}, Series: []Series{{Name: "allocated", X: q.Series[0].X, Y: used, Step: true}}},
		},
	}
}

// gantt is jobs of one to all accelerators of a host, one after another.
func gantt(hosts, accelerators, jobs int) Gantt {
	random := rand.New(rand.NewPCG(11, 2))
	free := make([]float64, hosts) // since when
	g := Gantt{Title: "Wide jobs leave gaps", Subtitle: "first come, first served", X: Axis{Label: "time", Unit: Seconds}}
	for i := range hosts {
		g.Rows = append(g.Rows, fmt.Sprintf("host%d", i))
	}
	for i := range jobs {
		h := i % hosts
		low, length := random.IntN(accelerators), 1000*random.ExpFloat64()
		g.Bars = append(g.Bars, Bar{
			Row: h, Low: float64(low) / float64(accelerators), High: 1, From: free[h], To: free[h] + length, Name: fmt.Sprint(i), Hue: i,
		})
		free[h] += length
	}
	return g
}

// slowdown is two distributions on a logarithmic axis of ratios.
func slowdown() Lines {
	var x, fifo, fair, old []float64
	for i := range 200 {
		v := math.Pow(10, float64(i)/200*1.7)
		x = append(x, v)
		fifo, fair = append(fifo, 1-math.Pow(v, -0.8)), append(fair, 1-math.Pow(v, -2.1))
		old = append(old, 1-math.Pow(v, -1.5))
	}
	return Lines{
		Title:    "Fair sharing cuts the tail of the slowdown",
		Subtitle: "completion time of flows over that in an empty network",
		X:        Axis{Label: "slowdown", Log: true},
		Y:        Axis{Label: "flows", Unit: Ratio},
		Series:   []Series{{Name: "first come, first served", X: x, Y: fifo}, {Name: "fair", X: x, Y: fair}, {Name: "fair, version 0.1", X: x, Y: old, Dashed: true, Like: "fair"}},
	}
}

// compared is one measure of things against another, with lines of equality and
// of 10 % more and less.
func compared() Lines {
	random := rand.New(rand.NewPCG(11, 2))
	l := Lines{
		Title: "Simulated times are within 10 % of measured ones",
		X:     Axis{Label: "measured", Unit: Seconds, Log: true},
		Y:     Axis{Label: "simulated", Unit: Seconds, Log: true},
	}
	for k := range 9 {
		s := Series{Name: fmt.Sprintf("source %d", k), Points: true}
		for range 10 {
			x := math.Pow(10, 3*random.Float64()-1)
			s.X, s.Y = append(s.X, x), append(s.Y, x*(0.88+0.2*random.Float64()))
		}
		l.Series = append(l.Series, s)
	}
	ends := []float64{0.1, 100}
	l.Series = append(l.Series,
		Series{Name: "equal, ±10 %", X: ends, Y: ends, Dashed: true},
		Series{X: ends, Y: []float64{0.09, 90}, Dashed: true, Like: "equal, ±10 %"},
		Series{X: ends, Y: []float64{0.11, 110}, Dashed: true, Like: "equal, ±10 %"})
	return l
}

func recovery() Stack {
	s := accelerators(48)
	s.Title, s.Subtitle = "One failed host costs eleven hours", "512 H100 for two weeks; checkpoints each hour"
	s.Edges = edges(48, 14*86400)
	lost := make([]float64, 48)
	for i := range lost {
		if i > 20 && i < 26 {
			lost[i] = 0.6
			for k := range s.Layers {
				s.Layers[k].Values[i] *= 0.4
			}
		}
		if i == 40 || i == 41 {
			lost[i] = math.NaN()
		}
	}
	s.Layers = append(s.Layers[:2:2], Layer{"checkpoint", make([]float64, 48), Waiting}, Layer{"repeated work", lost, Failed}, s.Layers[2])
	for i := range 48 {
		s.Layers[2].Values[i] = s.Layers[4].Values[i] * 0.7
		s.Layers[4].Values[i] *= 0.3
	}
	return s
}

func crowded() Lines {
	l := Lines{
		Title: "Twenty policies, more names than fit beside the axes and a title that is longer than the paper is wide, much longer",
		X:     Axis{Label: "load", Unit: Ratio}, Y: Axis{Label: "median completion time of all jobs of the trace", Unit: Seconds},
		Limits: []Limit{{"deadline", 5000}, {"deadline of the others, with a long name", 5100}, {"p99", 4950}},
	}
	for i := range 20 {
		s := Series{Name: fmt.Sprintf("policy-with-a-long-name-%d/of the θ-family №%d", i, i)}
		for x := 0.0; x < 0.95; x += 0.05 {
			s.X, s.Y = append(s.X, x), append(s.Y, (100+10*float64(i))/(1-x))
		}
		l.Series = append(l.Series, s)
	}
	return l
}

func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("no -pictures")
	}
	for name, f := range gallery() {
		for _, format := range Formats {
			if err := Save(filepath.Join(*pictures, name+"."+format), f, Options{}); err != nil {
				t.Error(err)
			}
		}
		if err := Save(filepath.Join(*pictures, name+"-dark.png"), f, Options{Dark: true}); err != nil {
			t.Error(err)
		}
	}
	if files, err := os.ReadDir(*pictures); err == nil {
		for _, f := range files {
			info, _ := f.Info()
			t.Logf("%8d %s", info.Size(), f.Name())
		}
	}
}
