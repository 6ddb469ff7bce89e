package datacenter_test

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/railyard/railyard"
)

// one is a single A100 of 80 GB.
const one = "[topology]\nkind = \"single-host\"\nhost = \"one\"\n[hosts.one]\nbase = \"dgx-a100\"\naccelerators = 1\n\n[[workload.training]]\n"

// recompute = "auto" is the least that fits: it runs, and the less that it does not
// take is refused.
func TestRecomputeAuto(t *testing.T) {
	const llama = one + "model = \"mpt-3b\"\nsequence = 2048\nattention = \"unfused\"\nglobal_batch = 16\nmicro_batch = %d\nrecompute = %q\n"
	seen := map[string]bool{}
	for _, micro := range []int{1, 2, 4, 8} {
		r := run(t, fmt.Sprintf(llama, micro, "auto"), nil)
		took := r.Summary.List("training")[0].Text("recompute")
		seen[took] = true
		for _, less := range []string{"none", "selective", "full"} {
			if less == took {
				break
			}
			if message := refused(t, fmt.Sprintf(llama, micro, less), nil); !strings.Contains(message, "does not fit in memory") {
				t.Errorf("micro-batch %d: %q was taken, but %q gives %q", micro, took, less, message)
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("only %v were taken", seen)
	}
}

// micro_batch = "auto" is the fastest that fits: none of the others is faster.
func TestMicroBatchAuto(t *testing.T) {
	const mpt = one + "model = \"mpt-1b\"\nsequence = 2048\nglobal_batch = 48\nmicro_batch = %s\n"
	auto := run(t, fmt.Sprintf(mpt, `"auto"`), nil)
	best := number(t, auto, "training.0.iteration_s")
	taken := number(t, auto, "training.0.micro_batch")
	fitting := 0
	for _, micro := range []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 48} {
		r := run(t, fmt.Sprintf(mpt, fmt.Sprint(micro))+"allow_oversubscribed = true\n", nil)
		if number(t, r, "training.0.memory_per_accelerator_bytes") > 80e9 {
			continue
		}
		fitting++
		if took := number(t, r, "training.0.iteration_s"); took < best {
			t.Errorf("micro-batch %d takes %v s, %v, which was taken, %v", micro, took, taken, best)
		}
	}
	if fitting < 2 || fitting == 10 {
		t.Errorf("%d of ten fit", fitting)
	}
}

// What interleaving does not take is passed over, not the end of the search.
func TestMicroBatchAutoInterleaved(t *testing.T) {
	r := run(t, "[topology]\nkind = \"single-host\"\nhost = \"dgx-a100\"\n\n[[workload.training]]\nmodel = \"mpt-125m\"\nglobal_batch = 48\n"+
		"pipeline = 4\nvirtual_stages = 2\ntensor = 2\nmicro_batch = \"auto\"\n", nil)
	if n := number(t, r, "training.0.accumulation"); math.Mod(n, 4) != 0 {
		t.Errorf("%v micro-batches on four interleaved stages", n)
	}
}

// Who asks for too much is told by how much, and what would fit: each of which
// does.
func TestTooMuch(t *testing.T) {
	const much = "[topology]\nkind = \"single-host\"\nhost = \"dgx-a100\"\n\n[[workload.training]]\nmodel = \"mpt-3b\"\nglobal_batch = 64\nmicro_batch = 8\n"
	message := refused(t, much, nil)
	var need, has, over float64
	at := strings.Index(message, "memory: ") + len("memory: ")
	if _, err := fmt.Sscanf(message[at:], "%f GB of the %f GB of", &need, &has); err != nil {
		t.Fatalf("%v in %q", err, message)
	}
	if _, err := fmt.Sscanf(message[strings.Index(message, " GB too much")-5:], "%f", &over); err != nil || math.Abs(need-has-over) > 0.11 {
		t.Errorf("%v GB of %v GB are %v GB too much?", need, has, over)
	}
	if got := number(t, run(t, much+"allow_oversubscribed = true\n", nil), "training.0.memory_per_accelerator_bytes"); math.Abs(got/1e9-need) > 0.06 {
		t.Errorf("%v GB are reported, the error says %v", got/1e9, need)
	}
	_, would, ok := strings.Cut(message, "would fit: ")
	if !ok {
		t.Fatal(message)
	}
	would, _, _ = strings.Cut(would, ";")
	suggestions := strings.Split(would, ", or ")
	if len(suggestions) < 2 {
		t.Errorf("only %q would fit", suggestions)
	}
	key := regexp.MustCompile(`(\w+) = ("?\w+"?)`)
	for _, s := range suggestions {
		var sets []string
		for _, m := range key.FindAllStringSubmatch(s, -1) {
			sets = append(sets, "workload.training.0."+m[1]+"="+strings.Trim(m[2], `"`))
		}
		if r := run(t, much, nil, sets...); number(t, r, "training.0.memory_per_accelerator_bytes") > 80e9 {
			t.Errorf("%s does not fit", s)
		}
	}
}

// Llama 2 70B is fine-tuned on one host of eight A100 with LoRA, and not without.
func TestTuning(t *testing.T) {
	s, err := railyard.Load("../scenarios/lora-70b.toml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := railyard.Run(t.Context(), s, railyard.Options{})
	if err != nil || len(r.Missed) > 0 {
		t.Fatal(err, r.Missed)
	}
	full, err := railyard.Load("../scenarios/lora-70b.toml", "workload.training.0.tuning=full")
	if err != nil {
		t.Fatal(err)
	}
	if err := railyard.Check(full); err == nil || !strings.Contains(err.Error(), "does not fit in memory") {
		t.Errorf("full tuning: %v", err)
	}
	const lora = one + "model = \"mpt-1b\"\nglobal_batch = 1\n"
	for keys, want := range map[string]string{
		"lora_rank = 8\n":                    `case.toml:11:13: workload.training[0].lora_rank: belongs to tuning = "lora"; tuning is "full"`,
		"tuning = \"lora\"\nlora_rank = 0\n": "case.toml:12:13: workload.training[0].lora_rank: must be from 1 to 65536, not 0",
	} {
		if got := refused(t, lora+keys, nil); !strings.HasSuffix(got, "/"+want) {
			t.Errorf("%s:\ngot  %s\nwant %s", keys, got, want)
		}
	}
	if got := refused(t, strings.Replace(lora, "mpt-1b", "resnet-50", 1)+"tuning = \"lora\"\n", nil); !strings.Contains(got, "case.toml:11:10: workload.training[0]: tuning \"lora\": adapters are built for") {
		t.Error(got)
	}
}

// Compressed gradients are fewer bytes; what contradicts is refused at its place.
func TestGradientCompression(t *testing.T) {
	const job = "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-a100\"\nhosts = 2\n\n[[workload.training]]\nmodel = \"mpt-125m\"\nglobal_batch = 16\n"
	r := run(t, job+"gradient_compression = \"top-k\"\ngradient_density = 0.001\n", nil)
	whole, sent := number(t, r, "training.0.gradient_bytes"), number(t, r, "training.0.compressed_gradient_bytes")
	if !near(sent, whole/4*0.001*8, 1e-5) {
		t.Errorf("%v bytes of gradients are compressed to %v", whole, sent)
	}
	for keys, want := range map[string]string{
		"gradient_density = 0.1\n":                     `case.toml:9:20: workload.training[0].gradient_density: belongs to gradient_compression = "top-k"; gradient_compression is "none"`,
		"zero = 3\ngradient_compression = \"8-bit\"\n": `case.toml:10:24: workload.training[0]: gradient_compression "8-bit": with zero = 3 gradients are reduced as they are, of every micro-batch; 0 or 1`,
	} {
		if got := refused(t, job+keys, nil); !strings.HasSuffix(got, "/"+want) {
			t.Errorf("%s:\ngot  %s\nwant %s", keys, got, want)
		}
	}
}

// Epochs are iterations over the data set; evaluations count in the time to train,
// and leave the iteration as it is.
func TestEpochsAndEvaluation(t *testing.T) {
	const job = "[topology]\nkind = \"single-host\"\nhost = \"dgx-a100\"\n\n[[workload.training]]\nmodel = \"resnet-50\"\nmicro_batch = 128\nglobal_batch = 1024\n"
	const every = "evaluate_every = 1000\nevaluation_samples = 50000\n" // ImageNet's
	plain := run(t, job, nil)
	r := run(t, job+"epochs = 2.5\ndataset = 1281167\n"+every, nil)
	iterations := math.Ceil(2.5 * 1281167 / 1024)
	if got := number(t, r, "training.0.iterations"); got != iterations {
		t.Errorf("%v iterations, want %v", got, iterations)
	}
	iteration, evaluation := number(t, r, "training.0.iteration_s"), number(t, r, "training.0.evaluation_s")
	if want := number(t, plain, "training.0.iteration_s"); iteration != want {
		t.Errorf("an iteration takes %v s, %v s without evaluation", iteration, want)
	}
	if got := number(t, r, "training.0.evaluations"); got != math.Floor(iterations/1000) {
		t.Errorf("%v evaluations", got)
	}
	if got, want := number(t, r, "training.0.time_to_train_s"), iterations*iteration+math.Floor(iterations/1000)*evaluation; !near(got, want, 1e-9) {
		t.Errorf("the time to train is %v s, want %v", got, want)
	}
	// 49 micro-batches forward, of which an iteration has one and its backward pass.
	if share := evaluation / 49 / iteration; share < 0.25 || share > 0.4 {
		t.Errorf("a forward pass takes %v of an iteration", share)
	}
	if got := number(t, r, "training.0.breakdown_s.compute"); got != number(t, plain, "training.0.breakdown_s.compute") {
		t.Errorf("the breakdown is no longer that of an iteration: compute %v s", got)
	}
	for keys, want := range map[string]string{
		"epochs = 2\n":     "case.toml:9:10: workload.training[0].epochs: of what? dataset is missing: the number of its samples",
		"dataset = 1000\n": "case.toml:9:11: workload.training[0].dataset: belongs to epochs, which is missing",
		"epochs = 1e9\ndataset = 100000000000000\n": "case.toml:9:10: workload.training[0].epochs: 1e+09 passes over 100000000000000 samples are more samples than can be counted",
		"evaluate_every = 10\n":                     "case.toml:9:18: workload.training[0].evaluate_every: on how many samples? evaluation_samples is missing",
		"evaluation_samples = 10\n":                 "case.toml:9:22: workload.training[0].evaluation_samples: how often? evaluate_every is missing",
		"epochs = 2\ndataset = 9\nsamples = 5\n":    "case.toml:11:11: workload.training[0].samples: contradicts epochs: give one of iterations, epochs, samples and tokens",
	} {
		if got := refused(t, job+keys, nil); !strings.HasSuffix(got, "/"+want) {
			t.Errorf("%s:\ngot  %s\nwant %s", keys, got, want)
		}
	}
	small := strings.Replace(job, "128", "1", 1)
	if got := refused(t, small+"evaluate_every = 1\nevaluation_samples = 100000000\n", nil); !strings.Contains(got, "case.toml:10:22: workload.training[0].evaluation_samples: makes 12500000 micro-batches, more than can be scheduled") {
		t.Error(got)
	}
}

// everyWay is a training in all dimensions.
const everyWay = "[topology]\nkind = \"rail\"\nhost = \"dgx-a100\"\nhosts = 4\n\n[[workload.training]]\nmodel = \"case\"\nglobal_batch = 16\n" +
	"tensor = 2\npipeline = 4\ncontext = 2\ndata = 2\nexpert = 4\nsequence_parallel = true\nzero = 1\nschedule = \"zero-bubble\"\n" +
	"[models.case]\nlayers = 8\nhidden = 512\nheads = 8\nvocab = 32000\nsequence = 1024\nactivation = \"swiglu\"\nexperts = 8\nexperts_per_token = 2\n"

// The same scenario gives the same bytes on one processor and on two; with every
// rank on its own an iteration takes as long.
func TestEveryWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	first := written(t, run(t, everyWay, nil))
	runtime.GOMAXPROCS(2)
	if !maps.Equal(first, written(t, run(t, everyWay, nil))) {
		t.Error("one processor gives another result than two")
	}
	folded, expanded := run(t, everyWay, nil), run(t, everyWay, nil, "workload.training.0.expand=true")
	for _, metric := range []string{"iteration_s", "time_to_train_s", "breakdown_s.compute", "breakdown_s.bubble", "breakdown_s.exposed_communication"} {
		if a, b := number(t, folded, "training.0."+metric), number(t, expanded, "training.0."+metric); !near(a, b, 1e-9) {
			t.Errorf("%s: folded %v, on their own %v", metric, a, b)
		}
	}
}

// stragglers is a small training on three hosts.
const stragglers = "[topology]\nkind = \"leaf-spine\"\nhost = \"dgx-a100\"\nhosts = 3\n\n[[workload.training]]\nmodel = \"mpt-125m\"\nglobal_batch = 48\niterations = 4\n"

// One slow host slows a synchronous job down by its slowdown, less the
// communication, wherever it is; and those who wait compute no longer.
func TestSlowHost(t *testing.T) {
	const alone = "overlap = false\ncuda_graphs = \"full\"\n" // else ranks wait for their hosts, slow ones less
	without := run(t, stragglers+alone, nil)
	compute := number(t, without, "training.0.breakdown_s.compute") + number(t, without, "training.0.breakdown_s.optimizer")
	for _, host := range []int{0, 2} {
		r := run(t, stragglers+fmt.Sprintf("slow_hosts = [%d]\nslowdown = 1.5\n", host)+alone, nil)
		mean := number(t, r, "training.0.breakdown_s.compute") + number(t, r, "training.0.breakdown_s.optimizer")
		if want := compute * (2 + 1.5) / 3; !near(mean, want, 1e-6) {
			t.Errorf("host %d: the mean rank computes %v s, want %v", host, mean, want)
		}
		if got, want := number(t, r, "training.0.iteration_s"), number(t, without, "training.0.iteration_s")+0.5*compute; !near(got, want, 1e-6) {
			t.Errorf("host %d: an iteration takes %v s, want %v", host, got, want)
		}
	}
}

// Jitter is the seed's: the same gives the same bytes, on one processor or more,
// another gives others.
func TestJitterIsTheSeeds(t *testing.T) {
	all := func(sets ...string) map[string]string {
		return written(t, run(t, stragglers+"jitter = 0.1\n", nil, sets...))
	}
	first := all()
	was := runtime.GOMAXPROCS(1)
	second := all()
	runtime.GOMAXPROCS(was)
	if !maps.Equal(first, second) {
		t.Error("the same seed gives another result")
	}
	if maps.Equal(first, all("sim.seed=2")) {
		t.Error("another seed gives the same result")
	}
}

// What contradicts is refused at its place.
func TestStragglersRefused(t *testing.T) {
	for keys, want := range map[string]string{
		"slow_hosts = [1]\n":                 "case.toml:10:14: workload.training[0].slow_hosts: by how much? slowdown is missing",
		"slowdown = 2.0\n":                   "case.toml:10:12: workload.training[0].slowdown: of which hosts? slow_hosts is missing",
		"slow_hosts = [3]\nslowdown = 2.0\n": "case.toml:10:14: workload.training[0].slow_hosts: there is no host 3: hosts are 0 to 2",
		"slow_hosts = [1]\nslowdown = 0.5\n": "case.toml:11:12: workload.training[0].slowdown: must be from 1 to 1000, not 0.5",
		"jitter = -1.0\n":                    "case.toml:10:10: workload.training[0].jitter: must be from 0 to 10, not -1",
	} {
		if got := refused(t, stragglers+keys, nil); !strings.HasSuffix(got, "/"+want) {
			t.Errorf("%s:\ngot  %s\nwant %s", keys, got, want)
		}
	}
	big := strings.Replace(strings.Replace(stragglers, "48", "24000000", 1), "hosts = 3", "hosts = 3\noversubscription = 1.0", 1)
	if got := refused(t, big+"jitter = 0.1\n", nil); !strings.Contains(got, "jitter: 24 ranks of 1000000 micro-batches are more than can be simulated one by one") {
		t.Error(got)
	}
}
