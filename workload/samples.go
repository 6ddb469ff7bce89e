package workload

// Samples is what a sample of some kind of data takes before it is trained on.
type Samples struct {
	Name string
	// Bytes is its size in storage, of text that of each of its tokens.
	Bytes    float64
	PerToken bool
	// Seconds of a core prepare it: to decode, crop, resample or tokenise it.
	Seconds float64
	Source  string
}

// SampleProfiles are kinds of samples, with the most common sizes and costs.
var SampleProfiles = []Samples{
	{
		Name: "text", Bytes: 4, PerToken: true,
		Source: "tokens made beforehand, a 32-bit number each, as Megatron-LM's indexed data sets have them; to look them up takes nothing beside the step",
	},
	{
		Name: "image", Bytes: 114660, Seconds: 3.7e-3,
		Source: "ImageNet as MLPerf Storage v1.0 has it for ResNet-50: records of 114,660 B; 24 cores decode and augment 735 MB/s of it (DALI on CPUs, Mohan et al., VLDB 2021, recalled)",
	},
	{
		Name: "speech", Bytes: 213e3, Seconds: 30e-3,
		Source: "LibriSpeech: 60 GB of FLAC in 281,241 utterances of 12.3 s in the mean (recalled); decoding and filter banks at 400 times real time on a core (assumed)",
	},
	{
		Name: "multimodal", Bytes: 41e3, Seconds: 4e-3,
		Source: "pairs of image and text of LAION-5B: 240 TB for 5.85 billion (recalled); an image to decode, as above, and a caption to tokenise (assumed)",
	},
}

// SamplesOf is a profile by its name.
func SamplesOf(name string) (s Samples, ok bool) {
	for _, s := range SampleProfiles {
		if s.Name == name {
			return s, true
		}
	}
	return Samples{}, false
}

// Missed is which part of the samples are not in the memory of their hosts in each pass
// over a data set, when the hosts keep whatever they have read until their cache is full,
// and never give it up (MinIO of Mohan et al., VLDB 2021). A cache holds a part of the
// data set. With shards each host reads the same part of the data set in every pass,
// which then is all that its cache has to hold: after the first pass it has
// min(1, hosts x cache) of it. Without, all samples are dealt anew in each pass: a host
// finds those that it happens to have, and has seen 1 - (1 - 1/hosts)^n of all after n
// passes, of which it keeps no more than its cache. The last holds for all that follow.
func Missed(cache float64, hosts int, shards bool) []float64 {
	if cache == 0 {
		return nil
	}
	missed := []float64{1}
	if shards || hosts == 1 {
		return append(missed, 1-min(1, float64(hosts)*cache))
	}
	const most = 256
	unseen := 1.0
	for len(missed) < most {
		unseen *= 1 - 1/float64(hosts)
		if 1-unseen >= cache {
			return append(missed, 1-min(1, cache))
		}
		missed = append(missed, unseen)
	}
	return missed
}

// StageSeconds is the core time that a stage of a data pipeline takes for a byte of raw
// data, where that is published: to clean text 6.4 us (CCNet, Wenzek et al., LREC 2020,
// recalled: 5,000 cores for 8.5 h and a snapshot of 24 TB; identified languages, removed
// duplicates, scored quality); to tokenise it 0.32 us (Hugging Face's tokenizers: less
// than 20 s for a GB on a server's CPU, 16 cores of it being assumed). To take data in and
// to shuffle it is to move it. known is false of others.
func StageSeconds(kind string) (perByte float64, known bool) {
	switch kind {
	case "clean":
		return 5000 * 8.5 * 3600 / 24e12, true
	case "tokenise":
		return 16 * 20 / 1e9, true
	case "ingest", "shuffle":
		return 0, true
	}
	return 0, false
}
