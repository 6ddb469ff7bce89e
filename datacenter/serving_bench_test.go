//go:build linux

package datacenter_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/railyard/railyard"
)

// The Azure conversation trace of 2023 (Patel et al., Splitwise, ISCA 2024) on 16
// replicas of Llama-2-70B, two A100 each, least loaded. With GOMAXPROCS=1 the processor's
// seconds are those of one core.
func BenchmarkServingAzure(b *testing.B) {
	var text strings.Builder
	text.WriteString("request,arrival_s,input_tokens,output_tokens\n")
	var start time.Time
	rows := measured(b, "traces/AzureLLMInferenceTrace_conv.csv")
	for i, r := range rows {
		at, err := time.Parse("2006-01-02 15:04:05.9999999", r[0])
		if err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			start = at
		}
		fmt.Fprintf(&text, "%d,%v,%s,%s\n", i, at.Sub(start).Seconds(), r[1], r[2])
	}
	s, err := load(b, "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-a100\"\nhosts = 4\n\n[[workload.serving]]\nmodel = \"llama-2-70b\"\ntensor = 2\nrouter = \"least-loaded\"\nrequests = \"r.csv\"\n",
		map[string]string{"r.csv": text.String()})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var steps float64
	before := usage(b)
	for b.Loop() {
		r, err := railyard.Run(b.Context(), s, railyard.Options{})
		if err != nil {
			b.Fatal(err)
		}
		steps = r.Summary.List("serving")[0].Float("steps")
	}
	after := usage(b)
	spent := float64(after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano()) / 1e9
	b.ReportMetric(float64(len(rows)*b.N)/spent, "requests/CPU-s")
	b.ReportMetric(steps*float64(b.N)/spent, "steps/CPU-s")
	b.ReportMetric(float64(after.Maxrss)/1e3, "MB-peak") // KB on Linux
}

func usage(b *testing.B) (u syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u
}
