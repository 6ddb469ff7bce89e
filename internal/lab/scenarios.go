package lab

// TwoStages is a pipeline of two stages with tensor parallelism over two hosts, whose
// four replicas are alike.
const TwoStages = `
[topology]
kind = "leaf-spine"
host = "dgx-h100"
hosts = 2

[[workload.training]]
name = "job"
model = "llama-3.1-8b"
tensor = 2
pipeline = 2
data = 4
global_batch = 16
iterations = 20
`

// Fabric is four hosts under two leaves, which eight spines join.
const Fabric = `
[hosts.small]
accelerator = "h100-sxm-80gb"
accelerators = 4
nics = 4
nic_bandwidth = "400Gbps"
[topology]
kind = "leaf-spine"
host = "small"
hosts = 4
hosts_per_rack = 2
oversubscription = 1.0
`
