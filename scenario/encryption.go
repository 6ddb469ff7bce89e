package scenario

import "github.com/railyard/railyard/units"

// Encryption is [topology.encryption]: what keeping data secret takes.
type Encryption struct {
	Header
	Transit Key[string]         `key:"transit" default:"\"none\"" enum:"none macsec ipsec tls" doc:"between hosts: macsec, on every cable (IEEE 802.1AE: 32 bytes a frame); ipsec, from host to host (ESP in tunnel mode with AES-GCM, RFC 4303 and 4106: 54 bytes a packet); tls, the same (TLS 1.3, RFC 8446: 22 bytes a record of 16 KiB)"`
	Frame   Key[units.Bytes]    `key:"frame" default:"\"4096B\"" positive:"true" doc:"macsec, ipsec: bytes of a frame or packet that are payload; the largest of RoCE where left out"`
	Latency Key[units.Duration] `key:"latency" most:"1m" doc:"macsec: what it adds to each cable; 1us where left out (vendors state 1 to 3us)"`
	Offload Key[bool]           `key:"offload" default:"true" doc:"NICs encrypt at the rate of the wire; if false the cores of hosts do, which takes crypto_rate"`
	Rest    Key[string]         `key:"rest" default:"\"none\"" enum:"none drive host" doc:"on the drives of [topology.storage]: drive, by the drives themselves at their rate (self-encrypting, TCG Opal); host, by the cores of the servers, which takes crypto_rate"`
	Rate    Key[units.Rate]     `key:"crypto_rate" positive:"true" doc:"what one core encrypts or decrypts a second: for AES-256-GCM the figure of openssl speed -evp aes-256-gcm -bytes 16384"`
	Cores   Key[int64]          `key:"crypto_cores" min:"1" max:"65536" doc:"cores of a host that do nothing else; all where left out"`

	Confidential  Key[bool]           `key:"confidential" default:"false" doc:"accelerators and the memory of their hosts are enclaves, as H100s in confidential mode beside SEV-SNP or TDX: what goes between them, and to NICs, goes by a bounce buffer, encrypted by a core; what is computed, and NVLink, is as without (Zhu et al. 2024)"`
	BounceRate    Key[units.Rate]     `key:"bounce_rate" positive:"true" doc:"confidential: rate of an accelerator's bounce buffer, each way; the 4GB/s that a core encrypts where left out, as NVIDIA says of the H100 (2023, recalled)"`
	BounceLatency Key[units.Duration] `key:"bounce_latency" most:"1m" doc:"confidential: what it adds to each step of inference, which asks and answers by it; 500us where left out, which comes to 7 % of Llama 3.1 8B for one request, the most of Zhu et al. (arXiv:2409.03992)"`
}

func (e *Encryption) check(t *Topology, b *binder) {
	if e.At.Line == 0 && e.At.File == "" {
		return
	}
	software := e.Transit.Value != "none" && !e.Offload.Value || e.Rest.Value == "host"
	for _, k := range []struct {
		name, to string
		set      bool
		at       Position
		does     bool
	}{
		{"frame", `transit = "macsec" or "ipsec"`, e.Frame.Set, e.Frame.Pos, e.Transit.Value == "macsec" || e.Transit.Value == "ipsec"},
		{"latency", `transit = "macsec"`, e.Latency.Set, e.Latency.Pos, e.Transit.Value == "macsec"},
		{"offload", "transit, which is none", e.Offload.Set, e.Offload.Pos, e.Transit.Value != "none"},
		{"rest", "[topology.storage] with a layout, which is missing", e.Rest.Value != "none", e.Rest.Pos, t.Storage.Layout.Set},
		{"crypto_rate", `offload = false or rest = "host"`, e.Rate.Set, e.Rate.Pos, software},
		{"bounce_rate", "confidential = true", e.BounceRate.Set, e.BounceRate.Pos, e.Confidential.Value},
		{"bounce_latency", "confidential = true", e.BounceLatency.Set, e.BounceLatency.Pos, e.Confidential.Value},
		{"crypto_cores", `offload = false or rest = "host"`, e.Cores.Set, e.Cores.Pos, software},
	} {
		if k.set && !k.does {
			b.faultf(k.at, e.Path+"."+k.name, "belongs to %s", k.to)
		}
	}
	if e.Transit.Value == "macsec" && !e.Offload.Value {
		b.faultf(e.Offload.Pos, e.Path+".offload", "macsec is of cables: NICs and switches do it")
	}
	if software && !e.Rate.Set {
		b.faultf(e.At, e.Path, `needs the key "crypto_rate" (what one core encrypts a second)`)
	}
}
