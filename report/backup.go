package report

import "github.com/railyard/railyard/result"

// backup writes whether copies fit their window.
func (p *printer) backup(s *result.Record) {
	p.line("")
	p.line("backup %s: %s copies, %s in their window of %s, %s late, %s missed", s.Text(result.Name.Name), Count(s.Float(result.BackupCopies.Name)),
		Count(s.Float(result.BackupFit.Name)), Seconds(s.Float(result.BackupWindow.Name)), Count(s.Float(result.BackupLate.Name)), Count(s.Float(result.BackupMissed.Name)))
	p.item("the longest", "%s, %s of the window", Seconds(s.Float(result.BackupLongest.Name)), Percent(s.Float(result.BackupLongest.Name)/s.Float(result.BackupWindow.Name)))
	p.item("throughput", "%s, %s of what an idle network allows", Prefixed(s.Float(result.BackupRate.Name), "B/s"), Percent(s.Float(result.BackupIdle.Name)))
}
