package datacenter_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/railyard/railyard/cluster/serving"
)

// Prompts of 2,000 tokens of which the first 1,600 are the same: the first request computes
// them, the 39 after it do not, and their first token comes sooner, but for what the front
// end takes. Nothing of that where the cache is off.
func TestSharedPrefix(t *testing.T) {
	each := func(more string) (hits, first float64) {
		s := run(t, servingOn("h100-sxm-80gb", 1, "model = \"llama-3.1-8b\"\nconcurrency = 1\ncount = 40\ninput = 2000\noutput = 8\n"+more), nil).Summary.List("serving")[0]
		return s.Float("prefix_hit_ratio"), s.Record("ttft_s").Float("p50")
	}
	hits, with := each("shared_prefix = 1600\n")
	if want := 39 * 1600.0 / (40 * 2000); math.Abs(hits-want) > 1e-9 {
		t.Errorf("%v of the prompts were there, want %v", hits, want)
	}
	none, without := each("shared_prefix = 1600\nprefix_cache = false\n")
	intake := (serving.FrontEnd.Request + 2000*serving.FrontEnd.Token).Seconds()
	if none != 0 || with-intake > 0.3*(without-intake) {
		t.Errorf("first token after %v s, after %v s without; %v there", with, without, none)
	}
}

// Eight conversations of ten turns, each a prompt longer, over four replicas: both the
// session and the prefix lead back to the replica that has the turns before; round-robin
// finds them every fourth time at best.
func TestSessions(t *testing.T) {
	var text strings.Builder
	for turn := range 10 {
		for chat := range 8 {
			var names []string
			for n := range 8 * (turn + 1) {
				names = append(names, fmt.Sprint(1000*chat+n))
			}
			id, parent := 100*turn+chat, 100*(turn-1)+chat
			if turn == 0 {
				parent = -1
			}
			fmt.Fprintf(&text, "{\"chat_id\": %d, \"parent_chat_id\": %d, \"timestamp\": %v, \"input_length\": %d, \"output_length\": 8, \"hash_ids\": [%s]}\n",
				id, parent, 10*turn+chat, 128*(turn+1)+1, strings.Join(names, ","))
		}
	}
	hits := map[string]float64{}
	for _, router := range []string{"round-robin", "random", "power-of-two", "session-affine", "prefix-aware"} {
		s := run(t, servingOn("h100-sxm-80gb", 4, "model = \"llama-3.1-8b\"\nformat = \"qwen\"\nrequests = \"q.jsonl\"\nrouter = \""+router+"\"\n"), map[string]string{"q.jsonl": text.String()}).Summary.List("serving")[0]
		hits[router] = s.Float("prefix_hit_ratio")
	}
	// Of 128 (1 + ... + 10) + 10 tokens of a conversation 128 (1 + ... + 9) are there.
	want := 128 * 45 / (128*55 + 10.0)
	if math.Abs(hits["session-affine"]-want) > 1e-9 || math.Abs(hits["prefix-aware"]-want) > 1e-9 {
		t.Errorf("%v, want %v for both that know", hits, want)
	}
	if hits["random"] > want-0.1 {
		t.Errorf("random finds %v", hits["random"])
	}
}
