package result

// What fidelity = "packet" counts.
var (
	Packets        = Metric{Name: "packets", Definition: "with fidelity = \"packet\", what happened to packets"}
	PacketsSent    = Metric{Name: "sent", Definition: "packets, counted on every link that they cross, those sent again included"}
	PacketsMarked  = Metric{Name: "marked", Definition: "packets that were marked for congestion"}
	PacketsLost    = Metric{Name: "lost", Definition: "packets that found a full buffer"}
	PacketsTrimmed = Metric{Name: "trimmed", Definition: "packets that were cut down to their header"}
	Pauses         = Metric{Name: "pauses", Definition: "frames that told a link to stop"}
)

// packets are the metrics of a summary's packets.
var packets = []Metric{PacketsSent, PacketsMarked, PacketsLost, PacketsTrimmed, Pauses}
