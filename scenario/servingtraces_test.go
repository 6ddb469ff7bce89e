package scenario

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/railyard/railyard/workload/serving"
)

func traceOf(format, text string) (RequestTrace, Faults) {
	w := Serving{Format: Key[string]{Value: format}}
	return w.readTrace("trace", strings.NewReader(text))
}

// Rows in the form of each trace: times are from the first on, in seconds; what has no
// answer is left out; of hashes the whole blocks are kept.
func TestRequestTraces(t *testing.T) {
	for _, c := range []struct {
		format, text string
		left         int
		want         []serving.Request
	}{
		{
			"azure", "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109\r\n", 0,
			[]serving.Request{{ID: "0", Input: 374, Output: 44, Line: 2}, {ID: "1", Arrival: 4.314579, Input: 396, Output: 109, Line: 3}},
		},
		{
			"burstgpt", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,Conversation log\n118,GPT-4,417,276,693,API log\n", 1,
			[]serving.Request{{ID: "0", Input: 472, Output: 18, Line: 2}, {ID: "1", Arrival: 113, Input: 417, Output: 276, Line: 4}},
		},
		{
			"burstgpt", "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n0,a,1,x,1,1,2,y\n1,b,1,x,1,1,2,y\n2,a,1,x,1,1,2,y\n", 0,
			[]serving.Request{{ID: "0", Input: 1, Output: 1, Line: 2, Session: 1}, {ID: "1", Arrival: 1, Input: 1, Output: 1, Line: 3, Session: 2}, {ID: "2", Arrival: 2, Input: 1, Output: 1, Line: 4, Session: 1}},
		},
		{
			"mooncake", "{\"timestamp\": 0, \"input_length\": 1100, \"output_length\": 52, \"hash_ids\": [46, 47, 48]}\n{\"timestamp\": 1500, \"input_length\": 10, \"output_length\": 1, \"hash_ids\": [46]}\n", 0,
			[]serving.Request{{ID: "0", Input: 1100, Output: 52, Line: 1, Prefix: []uint64{46, 47}}, {ID: "1", Arrival: 1.5, Input: 10, Output: 1, Line: 2, Prefix: []uint64{}}},
		},
		{
			"qwen", "{\"chat_id\": 159, \"parent_chat_id\": -1, \"timestamp\": 61.1, \"input_length\": 32, \"output_length\": 12, \"type\": \"text\", \"turn\": 1, \"hash_ids\": [1, 2]}\n{\"chat_id\": 160, \"parent_chat_id\": 159, \"timestamp\": 62.1, \"input_length\": 16, \"output_length\": 1, \"type\": \"text\", \"turn\": 2, \"hash_ids\": [1]}\n", 0,
			[]serving.Request{{ID: "0", Input: 32, Output: 12, Line: 1, Session: 1, Prefix: []uint64{1, 2}}, {ID: "1", Arrival: 1, Input: 16, Output: 1, Line: 2, Session: 1, Prefix: []uint64{1}}},
		},
	} {
		got, faults := traceOf(c.format, c.text)
		same := slices.EqualFunc(got.Requests, c.want, func(a, b serving.Request) bool {
			near := math.Abs(a.Arrival-b.Arrival) < 1e-9
			a.Arrival = b.Arrival
			return near && slices.Equal(a.Prefix, b.Prefix) && a.ID == b.ID && a.Input == b.Input && a.Output == b.Output && a.Line == b.Line && a.Session == b.Session
		})
		if faults != nil || !same || got.Left != c.left {
			t.Errorf("%s: %+v, %d left, %v\nwant %+v", c.format, got.Requests, got.Left, faults, c.want)
		}
	}
	for _, c := range []struct{ format, text, want string }{
		{"azure", "TIMESTAMP,ContextTokens,GeneratedTokens\nnow,1,1\n", `trace:2:1: TIMESTAMP: "now" is no time`},
		{"azure", "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n2023-11-16 18:15:45,1,1\n", "trace:3:1: TIMESTAMP: it comes before the request above"},
		{"burstgpt", "Timestamp,Request tokens\n", "there is no column Response tokens"},
		{"mooncake", "{\"timestamp\": 0}\n", "trace:1:1: timestamp, input_length and output_length are needed"},
		{"mooncake", "{\"timestamp\": 0, \"input_length\": -1, \"output_length\": 1}\n", "trace:1:1: tokens must be from 0"},
		{"qwen", "nothing\n", "trace:1:1: invalid character"},
		{"qwen", "", "there are no requests in it"},
	} {
		if _, faults := traceOf(c.format, c.text); !strings.Contains(faults.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.format, faults, c.want)
		}
	}
}

// The published traces: how many requests there are, the coefficients of variation of
// the gaps (1.09 and 13.2), and what prompts share if all is kept (36.6 %).
func TestPublishedTraces(t *testing.T) {
	const folder = "../../shared/reference/serving/traces/"
	for _, c := range []struct {
		name, format string
		requests     int
		cv           float64
	}{
		{"AzureLLMInferenceTrace_conv.csv", "azure", 19366, 1.09},
		{"AzureLLMInferenceTrace_code.csv", "azure", 8819, 13.2},
		{"conversation_trace.jsonl", "mooncake", 12031, 0},
	} {
		text, err := os.ReadFile(folder + c.name)
		if err != nil {
			t.Skip("no reference data here")
		}
		got, faults := traceOf(c.format, string(text))
		if faults != nil || len(got.Requests)+got.Left != c.requests {
			t.Errorf("%s: %d requests, %d left out, want %d; %v", c.name, len(got.Requests), got.Left, c.requests, faults)
			continue
		}
		if c.cv > 0 {
			var sum, squares float64
			for i := 1; i < len(got.Requests); i++ {
				gap := got.Requests[i].Arrival - got.Requests[i-1].Arrival
				sum, squares = sum+gap, squares+gap*gap
			}
			mean := sum / float64(len(got.Requests)-1)
			if cv := math.Sqrt(squares/float64(len(got.Requests)-1)-mean*mean) / mean; math.Abs(cv/c.cv-1) > 0.01 {
				t.Errorf("%s: gaps have a coefficient of variation of %.3f, want %.3f", c.name, cv, c.cv)
			}
			continue
		}
		seen := map[uint64]bool{}
		var shared, all int
		for _, r := range got.Requests {
			for _, name := range r.Prefix {
				if seen[name] {
					shared++
				}
				seen[name] = true
			}
			all += (r.Input + got.Piece - 1) / got.Piece
		}
		t.Logf("%s: %d of %d blocks are there", c.name, shared, all)
		if ratio := float64(shared) / float64(all); math.Abs(ratio-0.366) > 0.005 {
			t.Errorf("%s: %.4f of the blocks are there, want 0.366", c.name, ratio)
		}
	}
}

func FuzzRequestTraces(f *testing.F) {
	f.Add("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n")
	f.Add("Timestamp,Request tokens,Response tokens\n5,472,18\n")
	f.Add("{\"timestamp\": 1e300, \"input_length\": 1100, \"output_length\": 52, \"hash_ids\": [46, 47, 48]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []string{"azure", "burstgpt", "mooncake", "qwen"} {
			got, faults := traceOf(format, text)
			if (got.Requests == nil) == (faults == nil) {
				t.Errorf("%s: %d requests and faults %v", format, len(got.Requests), faults)
			}
		}
	})
}
