package result

// What watching the hosts takes.
var (
	Monitoring      = Metric{Name: "monitoring", Definition: "with [topology.monitoring], what watching the hosts takes all the time"}
	MonitoringRate  = Metric{Name: "rate_Bps", Unit: "B/s", Definition: "what the collector receives, which the links on the way lack", Formula: "hosts x scrape / interval"}
	MonitoringCores = Metric{Name: "cores", Definition: "cores of all hosts together that scrapes take in the mean", Formula: "hosts x cpu / interval"}
)
