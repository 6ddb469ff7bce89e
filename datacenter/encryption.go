package datacenter

import (
	"math"

	"github.com/railyard/railyard/result"
	"github.com/railyard/railyard/scenario"
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// What protocols add to so many bytes of payload.
const (
	macsecBytes = 32 // SecTAG of 16 with its channel identifier, and the check value (IEEE 802.1AE)
	ipsecBytes  = 54 // outer IPv4 header 20; ESP: header 8, nonce 8, trailer 2, check value 16 (RFC 4303, 4106)
	tlsBytes    = 22 // header 5, type 1, check value 16 (RFC 8446)
	tlsRecord   = 1 << 14
)

// macsecLatency is what MACsec adds to a cable where a scenario does not say.
const macsecLatency = sim.Time(1e5) // 1 us

// encrypt has all that leaves hosts encrypted, if the scenario says so: links between
// hosts keep the part of their payload that headers leave; MACsec adds its latency on
// every cable; and where cores encrypt, a host sends and receives at half of what they
// do each, since it does both.
func (b *builder) encrypt() {
	e := b.scenario.Topology.Encryption
	if e == nil || e.Transit.Value == "none" {
		return
	}
	if b.topology.Bare() {
		b.fault(e.Transit.Pos, e.Path+".transit", "there are no hosts between which to encrypt")
		return
	}
	if !e.Offload.Value && !b.ciphers(e) {
		return
	}
	size, added := float64(e.Frame.Value), 0.0
	var latency sim.Time
	switch e.Transit.Value {
	case "macsec":
		added, latency = macsecBytes, macsecLatency
		if e.Latency.Set {
			latency = sim.Time(e.Latency.Value)
		}
	case "ipsec":
		added = ipsecBytes
	case "tls":
		size, added = tlsRecord, tlsBytes
	}
	t := b.topology
	first := topology.NodeID(t.Accelerators())
	nics := first + topology.NodeID(t.NICs())
	inside := t.InHosts()
	for i := range t.Links {
		l := &t.Links[i]
		if inside(l) {
			continue
		}
		l.Payload *= size / (size + added)
		l.Latency += latency
		for _, end := range []topology.NodeID{l.From, l.To} {
			if !e.Offload.Value && end >= first && end < nics {
				l.Payload = math.Min(l.Payload, b.encrypts(e, t.Server(end))/2/float64(t.Servers[t.Server(end)].Spec.NICs))
			}
		}
	}
}

// ciphers sees to it that all hosts have cores to encrypt.
func (b *builder) ciphers(e *scenario.Encryption) bool {
	for i := range b.topology.Servers {
		if b.encrypts(e, i) == 0 {
			b.fault(e.Rate.Pos, e.Path+".crypto_rate", "on how many cores? The host %s has no cpus: say crypto_cores", b.topology.Servers[i].Spec.Name)
			return false
		}
	}
	return true
}

// encrypts is how many bytes a second the cores of a host encrypt.
func (p *plant) encrypts(e *scenario.Encryption, server int) float64 {
	cores := float64(p.topology.Servers[server].Spec.CPUs)
	if e.Cores.Set {
		cores = float64(e.Cores.Value)
	}
	return cores * float64(e.Rate.Value)
}

// encryptDrives has servers encrypt what they store, if the scenario says so: their
// drives read and write no faster together than the cores do.
func (b *builder) encryptDrives() {
	e := b.scenario.Topology.Encryption
	if e == nil || e.Rest.Value != "host" || b.files == nil || !b.ciphers(e) {
		return
	}
	for _, d := range b.files.Servers {
		for _, l := range []topology.LinkID{d.Read, d.Write} {
			b.topology.Links[l].Payload = math.Min(b.topology.Links[l].Payload, b.encrypts(e, d.Server)/2)
		}
	}
}

// encryptionRecord is what encryption took; nil without any.
func (p *plant) encryptionRecord() *result.Record {
	e := p.scenario.Topology.Encryption
	if e == nil || e.Transit.Value == "none" && e.Rest.Value == "none" && !e.Confidential.Value {
		return nil
	}
	t := p.topology
	first := topology.NodeID(t.Accelerators())
	nics := first + topology.NodeID(t.NICs())
	inside := t.InHosts()
	var transit, rest float64
	for i := range t.Links {
		l := &t.Links[i]
		if e.Transit.Value != "none" && !inside(l) && (l.From >= first && l.From < nics || l.To >= first && l.To < nics) {
			transit += p.cluster.Network.Use(topology.LinkID(i)).Bytes
		}
	}
	if p.files != nil && e.Rest.Value != "none" {
		for _, d := range p.files.Servers {
			rest += p.cluster.Network.Use(d.Read).Bytes + p.cluster.Network.Use(d.Write).Bytes
		}
	}
	var cores float64 // seconds
	if e.Transit.Value != "none" && !e.Offload.Value {
		cores += transit / float64(e.Rate.Value)
	}
	if e.Rest.Value == "host" {
		cores += rest / float64(e.Rate.Value)
	}
	bounced := 0.0
	if e.Confidential.Value {
		bounced = p.bounced()
		cores += bounced / p.bounces(1)
	}
	r := &result.Record{}
	r.Add(result.EncryptionTransit, e.Transit.Value)
	r.Add(result.EncryptionRest, e.Rest.Value)
	r.Add(result.EncryptedTransit, transit)
	r.Add(result.EncryptedRest, rest)
	if e.Confidential.Value {
		r.Add(result.EncryptedBounced, bounced)
	}
	r.Add(result.EncryptionCores, cores)
	return r
}
