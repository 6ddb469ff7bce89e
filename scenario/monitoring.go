package scenario

import "github.com/railyard/railyard/units"

// Monitoring is [topology.monitoring]: what watching the hosts takes. The defaults are of a
// Prometheus that scrapes node exporter and DCGM exporter of a host of eight GPUs (recalled):
// some 1,500 series of about 100 bytes of text, sent as they are, and what collecting them
// takes of a core.
type Monitoring struct {
	Header
	Collector Key[string]         `key:"collector" required:"true" doc:"the host that collects, as in \"host14\""`
	Interval  Key[units.Duration] `key:"interval" default:"\"15s\"" positive:"true" doc:"time between two scrapes of a host"`
	Scrape    Key[units.Bytes]    `key:"scrape" default:"\"150kB\"" positive:"true" doc:"bytes that a host sends each time"`
	CPU       Key[units.Duration] `key:"cpu" default:"\"50ms\"" doc:"time of one core that a scrape takes on the host"`
}
