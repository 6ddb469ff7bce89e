package result

// Alerts.
var (
	Alerts        = Metric{Name: "alerts", Definition: "one record for each [[alert]]"}
	AlertName     = Metric{Name: "alert", Definition: "name of the alert"}
	AlertSeverity = Metric{Name: "severity", Definition: "info, warning or critical"}
	AlertRule     = Metric{Name: "rule", Definition: "what is amiss, and for how long before it fires"}
	AlertTimes    = Metric{Name: "fired", Definition: "how often it fired, each series by itself"}
	AlertFirst    = Metric{Name: "first_s", Unit: "s", Definition: "when it fired first; left out if it did not"}
	AlertLasted   = Metric{Name: "firing_s", Unit: "s", Definition: "time for which it fired, summed over series"}

	AlertOf       = Metric{Name: "of", Definition: "link or workload whose series it is; empty where there is one series"}
	AlertAmiss    = Metric{Name: "pending_s", Unit: "s", Definition: "since when it was amiss"}
	AlertFired    = Metric{Name: "fired_s", Unit: "s", Definition: "when the alert fired"}
	AlertResolved = Metric{Name: "resolved_s", Unit: "s", Definition: "when it was no longer amiss; empty if the run ended before"}
	AlertWorst    = Metric{Name: "worst", Definition: "the value farthest from what is wanted, in the metric's unit"}
)
