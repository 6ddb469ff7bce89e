package report

import "github.com/railyard/railyard/result"

// monitoring writes what watching the hosts takes.
func (p *printer) monitoring(m *result.Record) {
	if m == nil {
		return
	}
	p.line("")
	p.line("monitoring: %s to the collector, %s cores", Prefixed(m.Float(result.MonitoringRate.Name), "B/s"), Count(m.Float(result.MonitoringCores.Name)))
}

// encryption writes what keeping data secret took.
func (p *printer) encryption(e *result.Record) {
	if e == nil {
		return
	}
	p.line("")
	p.line("encryption")
	for _, k := range []struct {
		name           string
		how, encrypted result.Metric
	}{{"in transit", result.EncryptionTransit, result.EncryptedTransit}, {"at rest", result.EncryptionRest, result.EncryptedRest}} {
		if how := e.Text(k.how.Name); how != "none" {
			p.item(k.name, "%s: %s", how, Prefixed(e.Float(k.encrypted.Name), "B"))
		}
	}
	if e.Get(result.EncryptedBounced.Name) != nil {
		p.item("confidential", "%s by bounce buffers", Prefixed(e.Float(result.EncryptedBounced.Name), "B"))
	}
	if cores := e.Float(result.EncryptionCores.Name); cores > 0 {
		p.item("cores", "%s of one core", Seconds(cores))
	}
}
