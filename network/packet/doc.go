// Package packet carries messages over links packet by packet, to check the
// fluid model of package network by.
//
// # Model
//
// A message is cut into packets of MTU bytes behind a header. Nodes store and
// forward: a packet waits in the queue of its next link, takes (bytes + header) /
// rate to leave, and the link's latency later has arrived as a whole. Alone over n
// equal links of rate r a message of S bytes so takes
//
//	sum of latencies + S/r + (n-1) MTU/r
//
// A link serves what it is to forward first come, first served, whichever link it
// came by; messages that begin at the link take turns with each other, and all of
// them with what is forwarded. A message behind another of its queue pair begins when
// the last packet of that one has left. A message that has arrived leaves the network at
// once: hosts read as fast as their links are.
//
// Acknowledgements, pause frames and other signals have a class of their own. They
// take the latency of the way back and the time of 64 bytes a hop, wait for
// nothing, and use no bandwidth.
//
// # Buffers
//
// All packets in a node share its buffer of B bytes, of which s are used. Every
// link into the node is held to account for what came by it and is still there:
//
//   - With priority flow control (IEEE 802.1Qbb) a link that has more than
//     T = min(pause, alpha (B - s)) there is told to stop, and to go on when it has
//     fallen below T by the resume gap. The threshold follows the free buffer, as
//     in HPCC (Li et al., SIGCOMM 2019, section 5.1: alpha 0.11). What is on its
//     way until the frame is heard goes into headroom beside the buffer: two
//     latencies and two packets of the link's rate. So nothing is ever lost, and
//     what shares a link with a blocked packet is blocked as well: head-of-line
//     blocking, and trees of it. Routes that form a circle can lock up, as they do in
//     real networks (Guo et al., "RDMA over commodity Ethernet at scale", SIGCOMM 2016,
//     section 4.2); the run then ends with a deadlock.
//   - Without, a packet that finds the buffer full is lost. Its receiver takes
//     packets in order only and asks for the lost one; the sender goes back to it.
//
// Packets that find more than the ECN thresholds in the queue of their next link
// are marked, with a probability that rises from 0 at the lower to a maximum at
// the upper, and always above.
//
// # Transports
//
// RoCE sends at line rate along one path. With DCQCN (Zhu et al., "Congestion
// control for large-scale RDMA deployments", SIGCOMM 2015) a message has a rate,
// which falls when its receiver has seen marks and recovers with time and bytes;
// see dcqcn.go.
//
// NDP (Handley et al., "Re-architecting datacenter networks and stacks for low
// latency and high performance", SIGCOMM 2017) sprays the packets of a message
// over all shortest paths, keeps queues at a few packets, cuts what does not fit
// down to its header, and has the receiver pull at the pace of its link; see
// ndp.go. The bound of the queues takes the place of that of the buffer, and of flow
// control.
//
// # What is left out
//
// Classes of service (all data is in one), cut-through switching, losses by bit
// errors, queue pairs whose rate outlives a message, and the bandwidth of signals.
// Weights of transfers have no meaning here.
//
// # Cost
//
// Two events for every packet and link, O(1) each, and no allocation once the
// buffers have been full. Memory is that of the packets under way, which with flow
// control are those that the buffers hold.
package packet
