package result

// Several sites: what was lost, copied and sent between them.
var (
	Sites         = Metric{Name: "sites", Definition: "with several sites, what became of each, and what was sent between them"}
	SiteList      = Metric{Name: "sites", Definition: "a record for each"}
	SiteLosses    = Metric{Name: "losses", Definition: "how often it was lost"}
	SiteDown      = Metric{Name: "down_s", Unit: "s", Definition: "for how long"}
	SiteAnswered  = Metric{Name: "answered", Definition: "requests that its replicas answered"}
	SiteAsked     = Metric{Name: "asked", Definition: "of the requests of clients near it, those that were answered"}
	SiteEnergy    = Metric{Name: "energy_J", Unit: "J", Definition: "energy that it took, its overhead (pue) included"}
	SitePrice     = Metric{Name: "energy_USD", Unit: "USD", Definition: "that energy at the site's tariff over time; with a battery, its part of what the grid gave"}
	WANTotal      = Metric{Name: "wan_bytes", Unit: "bytes", Definition: "bytes that crossed cables between sites, counted on each cable"}
	WANCost       = Metric{Name: "wan_USD", Unit: "USD", Definition: "what they cost, by the price of each cable"}
	Replications  = Metric{Name: "replication", Definition: "a record for each dataset with copies, and the checkpoints of each file of jobs"}
	ReplicaKind   = Metric{Name: "kind", Definition: "dataset, checkpoints (of jobs: job), or requests (of a serving workload)"}
	ReplicaMode   = Metric{Name: "replication", Definition: "synchronous, asynchronous or none"}
	ReplicaCount  = Metric{Name: "copies", Definition: "copies that came: of a dataset, how often one was brought up to date"}
	ReplicaBytes  = Metric{Name: "bytes", Unit: "bytes", Definition: "that they had"}
	ReplicaTime   = Metric{Name: "copy_s", Unit: "s", Definition: "from the state that a copy stands for until it had come, in the mean"}
	ReplicaWorst  = Metric{Name: "slowest_copy_s", Unit: "s", Definition: "the longest of these"}
	CommitCount   = Metric{Name: "commits", Definition: "commits that were acknowledged"}
	CommitTime    = Metric{Name: "commit_s", Unit: "s", Definition: "from a commit until it was acknowledged, in the mean; 0 asynchronously"}
	CommitSlowest = Metric{Name: "slowest_commit_s", Unit: "s", Definition: "the longest of these"}
	FailoverCount = Metric{Name: "failovers", Definition: "times that it was on a site that was lost"}
	RPOMost       = Metric{Name: "rpo_s", Unit: "s", Definition: "recovery point, the worst: how old the state was, at the time of the loss, from which it went on; 0 if nothing that counted was lost"}
	RTOMost       = Metric{Name: "rto_s", Unit: "s", Definition: "recovery time, the worst: from the loss until it went on, waiting for accelerators included"}

	FailoverKind    = Metric{Name: "kind", Definition: "dataset; job; or requests, those of a serving workload that were at the site"}
	FailoverSite    = Metric{Name: "site", Definition: "site that was lost"}
	FailoverAt      = Metric{Name: "at_s", Unit: "s", Definition: "when"}
	FailoverTo      = Metric{Name: "to", Definition: "site at which it went on; empty if at none, or requests at several"}
	FailoverRPO     = Metric{Name: "rpo_s", Unit: "s", Definition: "how old the state was, then, from which it went on: of a job, work since is done again, all of it if there was none; of a dataset, 0 if all that was acknowledged was there; of requests 0, since none is lost"}
	FailoverBytes   = Metric{Name: "lost_bytes", Unit: "bytes", Definition: "of a dataset, what had been acknowledged and was not there"}
	FailoverResumed = Metric{Name: "resumed_s", Unit: "s", Definition: "when it went on: of a job, when it computed again; of requests, when the last of them had its next token; empty if it has not"}
	FailoverRTO     = Metric{Name: "rto_s", Unit: "s", Definition: "recovery time", Formula: "resumed_s - at_s"}

	WANFrom  = Metric{Name: "from", Definition: "site at one end of the cable"}
	WANTo    = Metric{Name: "to", Definition: "site at the other, to which the bytes went"}
	WANBytes = Metric{Name: "bytes", Unit: "bytes", Definition: "bytes that crossed it in this direction, of everything"}
	WANPrice = Metric{Name: "price_USD", Unit: "USD", Definition: "what they cost"}
)
