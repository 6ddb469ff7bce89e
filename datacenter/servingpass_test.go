package datacenter_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/result"
)

// A model that answers in one pass has its first token with its last, and an answer of
// one token; passes are no faster than the arithmetic of BERT-large: 302 million
// multiply-adds a token in its layers, at 1979 TOPS.
func TestSinglePass(t *testing.T) {
	r := run(t, servingOn("h100-sxm-80gb", 1, "model = \"bert-large\"\nquantization = \"int8\"\nconcurrency = 64\nmax_batch = 64\ncount = 640\ninput = 256\n"), nil)
	s := r.Summary.List("serving")[0]
	for _, at := range []string{"mean", "p50", "p90", "p99"} {
		if first, whole := s.Record("ttft_s").Float(at), s.Record("e2e_s").Float(at); first != whole || whole == 0 {
			t.Errorf("%s: first token after %v s, all after %v", at, first, whole)
		}
	}
	i := slices.IndexFunc(r.Tables, func(t *result.Table) bool { return t.Name == "requests" })
	requests := r.Tables[i]
	if !slices.Equal(requests.Column("first_token_s").Numbers, requests.Column("finish_s").Numbers) || slices.Max(requests.Column("output_tokens").Integers) != 1 {
		t.Error("requests.csv has more than one token of an answer")
	}
	least := 64 * 256 * 2 * 302e6 / 1979e12
	if got := s.Record("e2e_s").Float("mean"); got < least || got > 4*least {
		t.Errorf("a pass takes %v s, its arithmetic %v", got, least)
	}
	if got, want := s.Float("requests_per_s"), 64/s.Record("e2e_s").Float("mean"); math.Abs(got/want-1) > 1e-6 {
		t.Errorf("%v requests a second, want %v", got, want)
	}
}

// More in a pass takes longer, and is more a second; a longer text, a wider format and a
// slower accelerator take longer.
func TestSinglePassOrders(t *testing.T) {
	pass := func(accelerator, model string, batch, input int, more string) (seconds, each float64) {
		keys := fmt.Sprintf("model = %q\nconcurrency = %d\nmax_batch = %d\ncount = %d\ninput = %d\n%s", model, batch, batch, batch, input, more)
		s := run(t, servingOn(accelerator, 1, keys), nil).Summary.List("serving")[0]
		seconds = s.Record("e2e_s").Float("mean")
		return seconds, seconds / float64(batch)
	}
	for _, c := range []struct {
		model string
		input int
	}{{"bert-large", 128}, {"resnet-50", 1}, {"dlrm", 200}, {"rnnt", 100}, {"unet3d", 8}} {
		one, oneEach := pass("h100-sxm-80gb", c.model, 1, c.input, "")
		four, fourEach := pass("h100-sxm-80gb", c.model, 4, c.input, "")
		if four <= one || fourEach > oneEach*(1+1e-9) {
			t.Errorf("%s: one takes %v s, four %v s", c.model, one, four)
		}
		if longer, _ := pass("h100-sxm-80gb", c.model, 4, 2*c.input, ""); longer <= four {
			t.Errorf("%s: %v s, twice as much %v s", c.model, four, longer)
		}
		if narrow, _ := pass("h100-sxm-80gb", c.model, 4, c.input, "quantization = \"int8\""); narrow >= four {
			t.Errorf("%s: %v s, in int8 %v s", c.model, four, narrow)
		}
		if older, _ := pass("a100-sxm-80gb", c.model, 4, c.input, ""); older <= four {
			t.Errorf("%s: %v s, on an A100 %v s", c.model, four, older)
		}
	}
}

// A text beyond the table of positions is rejected, the tokens of answers that a file has
// are not looked at, and what does not fit says so.
func TestSinglePassInput(t *testing.T) {
	r := run(t, servingOn("h100-sxm-80gb", 1, "model = \"bert-large\"\nrequests = \"r.csv\"\n"),
		map[string]string{"r.csv": "request,arrival_s,input_tokens,output_tokens\na,0,512,9\nb,0,513,1\n"})
	s := r.Summary.List("serving")[0]
	if s.Float("requests") != 1 || s.Float("rejected") != 1 {
		t.Errorf("%v answered, %v rejected", s.Float("requests"), s.Float("rejected"))
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "output_tokens are not looked at") }) {
		t.Errorf("warnings: %q", r.Warnings)
	}
	for _, c := range []struct{ keys, want string }{
		{"model = \"dlrm\"\nrate = 1.0\ncount = 2\ninput = 100000\n", "that can be counted: lower max_batch"},
		{"model = \"unet3d\"\nrate = 1.0\ncount = 2\ninput = 500\n", "it does not fit"},
	} {
		if got := refused(t, servingOn("h100-sxm-80gb", 1, c.keys), nil); !strings.Contains(got, c.want) {
			t.Errorf("%s\ngot %s, want %s", c.keys, got, c.want)
		}
	}
}

// What narrow weights, sparsity and a student do: to memory and speed by the model, to
// quality by the table.
func TestQuality(t *testing.T) {
	files := map[string]string{"q.csv": "model,quantization,sparsity,score\nllama-3.1-70b,fp8,,0.86\nllama-3.1-70b,fp8,2:4,0.83\nllama-3.1-8b,none,,0.73\n"}
	serve := func(keys string) *result.Record {
		text := servingOn("h100-sxm-80gb", 4, keys+"quality = \"q.csv\"\nconcurrency = 8\ncount = 32\ninput = 500\noutput = 50\n")
		return run(t, text, files).Summary.List("serving")[0]
	}
	teacher := serve("model = \"llama-3.1-70b\"\ntensor = 4\nquantization = \"fp8\"\n")
	sparse := serve("model = \"llama-3.1-70b\"\ntensor = 4\nquantization = \"fp8\"\nsparsity = \"2:4\"\n")
	student := serve("model = \"llama-3.1-8b\"\ntensor = 4\n")
	for i, s := range []*result.Record{teacher, sparse, student} {
		if got, want := s.Float("quality_score"), []float64{0.86, 0.83, 0.73}[i]; got != want {
			t.Errorf("a score of %v, the table has %v", got, want)
		}
	}
	for _, pair := range [][2]*result.Record{{sparse, teacher}, {student, sparse}} {
		a, b := pair[0], pair[1]
		if a.Float("weights_bytes") >= b.Float("weights_bytes") || a.Record("tpot_s").Float("mean") >= b.Record("tpot_s").Float("mean") {
			t.Errorf("%v bytes and %v s a token are no less than %v and %v", a.Float("weights_bytes"), a.Record("tpot_s").Float("mean"), b.Float("weights_bytes"), b.Record("tpot_s").Float("mean"))
		}
	}
	text := servingOn("h100-sxm-80gb", 4, "model = \"llama-3.1-8b\"\nquantization = \"int4\"\nquality = \"q.csv\"\nrate = 1.0\ncount = 1\ninput = 5\noutput = 5\n")
	if got := refused(t, text, files); !strings.Contains(got, "q.csv has no score of llama-3.1-8b with quantization int4, sparsity none") {
		t.Error(got)
	}
}
