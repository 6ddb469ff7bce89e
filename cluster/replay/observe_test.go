package replay_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/cluster"
	"github.com/railyard/railyard/cluster/replay"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/workload/trace"
)

// observer writes down what it is told, times in us.
type observer struct{ lines []string }

func (o *observer) Observe(a cluster.Activity) { o.lines = append(o.lines, said(a)) }

func (o *observer) Message(send, receive cluster.Activity) {
	o.lines = append(o.lines, said(send)+" -> "+said(receive))
}

func said(a cluster.Activity) string {
	us := func(t sim.Time) string { return strings.TrimSuffix(t.String(), "us") }
	if a.From == 0 {
		return a.Name + " until " + us(a.To)
	}
	return a.Name + " " + us(a.From) + " to " + us(a.To)
}

// What an observer is told of the messages of TestMessages: a receive lasts from when it
// waits until the message has come, and no time if that is there.
func TestObserved(t *testing.T) {
	for _, c := range []struct {
		name string
		a, b []string
		want []string
	}{
		{"received at once", []string{send(1, 1, 0, 1e6)}, []string{receive(1, 0, 0, 1e6)}, []string{"send until 21 -> receive until 21"}},
		{"received late", []string{send(1, 1, 0, 1e6)}, []string{compute(1, 50), receive(2, 0, 0, 1e6, 1)}, []string{"compute until 50", "send until 21 -> receive 50 to 50"}},
		{"sent late", []string{compute(1, 50), send(2, 1, 0, 1e6, 1)}, []string{receive(1, 0, 0, 1e6)}, []string{"compute until 50", "send 50 to 71 -> receive until 71"}},
		{
			"by tag",
			[]string{send(1, 1, 7, 1e6), send(2, 1, 8, 2e6, 1)},
			[]string{receive(1, 0, 8, 2e6), receive(2, 0, 7, 1e6)},
			[]string{"send until 21 -> receive until 21", "send 21 to 62 -> receive until 62"},
		},
		{
			"two before the first is asked for",
			[]string{send(1, 1, 0, 1e6), send(2, 1, 0, 2e6, 1)},
			[]string{compute(1, 100), receive(2, 0, 0, 1e6, 1), receive(3, 0, 0, 2e6, 2)},
			[]string{"compute until 100", "send until 21 -> receive 100 to 100", "send 21 to 62 -> receive 100 to 100"},
		},
	} {
		o := &observer{}
		engine := sim.New()
		cl := cluster.New(engine, around(t, 2), 16)
		cl.Observer = o
		cl.Submit(&cluster.Job{Name: "job", Count: 2, Program: &replay.Job{Ranks: 2, Traces: []*trace.Trace{read(t, c.a...), read(t, c.b...)}}})
		if err := engine.Run(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(o.lines, c.want) {
			t.Errorf("%s: %q, want %q", c.name, o.lines, c.want)
		}
	}
}
