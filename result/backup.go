package result

// Backups.
var (
	Backups      = Metric{Name: "backups", Definition: "one record for each backup"}
	BackupCopies = Metric{Name: "copies", Definition: "copies that were due"}
	BackupFit    = Metric{Name: "fitting", Definition: "of them, those made in their window"}
	BackupLate   = Metric{Name: "late", Definition: "those made, but not in their window"}
	BackupMissed = Metric{Name: "missed", Definition: "those not begun, since the one before was still being made"}
	BackupBytes  = Metric{Name: "bytes", Unit: "bytes", Definition: "bytes of the copy, or of all that were made"}
	BackupWindow = Metric{Name: "window_s", Unit: "s", Definition: "time in which a copy has to be made"}
	BackupRate   = Metric{Name: "throughput_Bps", Unit: "B/s", Definition: "bytes copied a second while copies are made"}
	BackupIdle   = Metric{Name: "alone_ratio", Unit: "ratio", Definition: "time that the copies would take on an idle network, of what they took: 1 if nothing was in their way"}

	BackupLongest = Metric{Name: "longest_s", Unit: "s", Definition: "time of the copy that took longest"}
	BackupNumber  = Metric{Name: "copy", Definition: "which copy, from 0"}
	BackupKind    = Metric{Name: "kind", Definition: "full or incremental"}
	BackupStart   = Metric{Name: "start_s", Unit: "s", Definition: "when it was due"}
	BackupFinish  = Metric{Name: "finish_s", Unit: "s", Definition: "when its last byte was written; empty if it was not"}
	BackupUntil   = Metric{Name: "window_end_s", Unit: "s", Definition: "when its window ended"}
	BackupStatus  = Metric{Name: "status", Definition: `"fits" its window; "late"; "missed", not begun; "unfinished" when the run ended`}
)
