package study_test

// bert is four DGX-A100 whose up-links are oversubscribed.
const bert = `[topology]
kind = "leaf-spine"
host = "dgx-a100"
hosts = 4
hosts_per_rack = 2
oversubscription = 2.0

[[workload.training]]
model = "bert-large"
micro_batch = 32
global_batch = 1024
sequence = 128
precision = "fp16"
`
