package result

// What is read and written on file systems.
var (
	StorageLoads     = Metric{Name: "storage", Definition: "one record for each workload that reads or writes files"}
	StorageOp        = Metric{Name: "op", Definition: "read or write"}
	StorageLayout    = Metric{Name: "layout", Definition: "layout of the file system"}
	StorageServers   = Metric{Name: "servers", Definition: "hosts that serve files"}
	StorageClients   = Metric{Name: "clients", Definition: "accelerators that read or write, all at once"}
	StorageTime      = Metric{Name: "time_s", Unit: "s", Definition: "time until the slowest client had ended, mean over all times"}
	StorageSlowest   = Metric{Name: "slowest_s", Unit: "s", Definition: "the longest of these"}
	StorageIteration = Metric{Name: "iteration", Definition: "which time, from 0"}
	StorageStart     = Metric{Name: "start_s", Unit: "s", Definition: "when all clients began"}
	StorageFinish    = Metric{Name: "finish_s", Unit: "s", Definition: "when the slowest had ended"}
	StorageBytes     = Metric{Name: "bytes", Unit: "bytes", Definition: "bytes of files, of all clients"}
	StorageMoved     = Metric{Name: "moved_bytes", Unit: "bytes", Definition: "bytes that drives read or wrote for them, with copies and parity"}
	StorageRate      = Metric{Name: "throughput_Bps", Unit: "B/s", Definition: "bytes of files a second", Formula: "bytes / time, the slowest client's"}
)
