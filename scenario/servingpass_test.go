package scenario

import (
	"strings"
	"testing"
)

func TestSinglePassKeys(t *testing.T) {
	const demand = "rate = 2.0\ncount = 10\n"
	texts := demand + "input = 100\n"
	for _, c := range []struct{ name, model, text, want string }{
		{"texts", "bert-large", texts + "max_batch = 8\nmax_queue_delay = \"1ms\"\npadding = false\npass_overhead = \"50us\"\nquantization = \"int8\"\nsparsity = \"2:4\"\npruning = 0.5\noutput = 1\n", ""},
		{"texts of no length", "bert-large", demand, `needs the key "input" with rate`},
		{"images", "resnet-50", demand, ""},
		{"candidates", "dlrm", texts, ""},
		{"utterances", "rnnt", texts, ""},
		{"volumes", "unet3d", texts, ""},
		{"window of tokens", "llama-2-7b", texts + "output = 1\nmax_queue_delay = \"1ms\"\n", "max_queue_delay: belongs to models that answer in one forward pass"},
		{"tensor", "bert-large", texts + "tensor = 2\n", "tensor: belongs to models that answer token by token; one of the family bert does so in one forward pass"},
		{"engine", "bert-large", texts + "engine = \"vllm\"\n", "engine: belongs to models that answer token by token"},
		{"output", "bert-large", texts + "output = 2\n", "output: belongs to models that answer token by token"},
		{"output of a tenant", "bert-large", texts + "[[workload.serving.tenant]]\nname = \"a\"\noutput = 2\n", "tenant[0].output: belongs to models that answer token by token"},
		{"guesses", "bert-large", texts + "[workload.serving.speculative]\ntokens = 2\nacceptance = 0.5\n", "speculative: belongs to models that answer token by token"},
		{"scaling by a cache", "bert-large", texts + "[workload.serving.autoscale]\ntarget = 0.5\nmetric = \"kv\"\n", "autoscale.metric: a model of the family bert has no cache of keys and values"},
		{"scaling by prompts", "bert-large", texts + "[workload.serving.autoscale]\ntarget = 0.5\nmetric = \"prompt-tokens\"\n", "autoscale.metric: a model of the family bert computes no prompts"},
		{"padding of images", "resnet-50", demand + "padding = true\n", "padding: belongs to models whose requests have lengths"},
		{"pruning of images", "resnet-50", demand + "pruning = 0.5\n", "pruning: belongs to models with feed-forward layers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse("case.toml", []byte("[topology]\nkind = \"single-host\"\nhost = \"dgx-h100\"\n\n[[workload.serving]]\nmodel = \""+c.model+"\"\n"+c.text), nil)
			switch {
			case c.want == "" && faults != nil:
				t.Error(faults)
			case c.want != "" && !strings.Contains(faults.Error(), c.want):
				t.Errorf("got %v\nwant %s", faults, c.want)
			}
		})
	}
}
