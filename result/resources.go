package result

// The resource model: what workloads demand, are allocated and use, and what sites have.
var (
	Resources         = Metric{Name: "resources", Definition: "one record for each site and resource, as in the last rows of resources.csv; not in sweeps"}
	ResourceSite      = Metric{Name: "site", Definition: "site that the resource is at"}
	ResourceKind      = Metric{Name: "resource", Definition: "accelerators; cpu_cores; memory_bytes, of hosts; disk_bytes, on drives, with copies and parity; nodes, which are hosts, of each the part whose accelerators or cores it is"}
	ResourceFrom      = Metric{Name: "from_s", Unit: "s", Definition: "beginning of the time of which the amounts are the mean: when the workload was submitted, of a site 0"}
	ResourceTo        = Metric{Name: "to_s", Unit: "s", Definition: "its end: when the workload ended, of a site the end of the run"}
	ResourceCapacity  = Metric{Name: "capacity", Definition: "what the site has in all, 0 where nobody says"}
	ResourceDemanded  = Metric{Name: "demanded", Definition: "what is asked for, from submission on: accelerators; of cores what samples and stages of pipelines are said to take, or a row of a queue; of memory caches of samples, or such a row; what is stored; the part of hosts that goes with the accelerators"}
	ResourceAllocated = Metric{Name: "allocated", Definition: "what is held: accelerators, the part of their hosts' cores and memory that goes with them unless the row of a queue says how much, workers of pipelines, what is stored, hosts"}
	ResourceUsed      = Metric{Name: "used", Definition: "what is at work: accelerators that compute, cores that prepare samples or work in pipelines, memory that caches have filled by the end, what is stored, hosts held; of a job of a trace all that it is allocated"}
)
