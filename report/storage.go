package report

import "github.com/railyard/railyard/result"

// storage writes how fast files were read or written.
func (p *printer) storage(s *result.Record) {
	p.line("")
	p.line("storage %s: %s clients %s files of %s storage on %s hosts", s.Text(result.Name.Name), Count(s.Float(result.StorageClients.Name)),
		s.Text(result.StorageOp.Name), s.Text(result.StorageLayout.Name), Count(s.Float(result.StorageServers.Name)))
	n := s.Float(result.IterationCount.Name)
	if n == 0 {
		p.item("throughput", "none: it has not ended once")
		return
	}
	p.item("throughput", "%s; %s each time", Prefixed(s.Float(result.StorageRate.Name), "B/s"), Prefixed(s.Float(result.StorageBytes.Name)/n, "B"))
	p.item("time", "%s in the mean of %s, the longest %s", Seconds(s.Float(result.StorageTime.Name)), Count(n), Seconds(s.Float(result.StorageSlowest.Name)))
	p.item("on drives", "%s each time", Prefixed(s.Float(result.StorageMoved.Name)/n, "B"))
}
