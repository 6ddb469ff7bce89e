package packet

import (
	"errors"
	"fmt"
)

// Transport is how hosts send.
type Transport uint8

// The transports.
const (
	RoCE Transport = iota // one path, in order, no window
	NDP                   // sprayed, pulled by the receiver
)

// Options are how packets are sent and kept. Bytes are whole numbers.
type Options struct {
	MTU    int64 // payload of a full packet, bytes
	Header int64 // beside the payload of every packet, bytes

	Buffer int64   // shared by all packets in a node, bytes
	PFC    bool    // pause links whose packets fill a buffer, rather than lose packets
	Alpha  float64 // share of the free buffer that one link may fill before it is paused
	Pause  int64   // most that one link may fill, bytes; 0: no other bound than Alpha
	Resume int64   // how far below that it goes on, bytes

	// ECN marks packets by the bytes queued before them. The thresholds are those
	// of a link of ReferenceRate and grow with the rate of the link.
	ECN            bool
	ECNMin, ECNMax int64
	ECNProbability float64 // at ECNMax

	Transport Transport
	DCQCN     bool  // with RoCE: senders slow down when marks arrive
	Window    int64 // of NDP: packets of a message sent unasked; 0: what its path holds
	Queue     int64 // of NDP: packets of a queue
	Paths     int   // of NDP: most paths that a message is sprayed over

	// AwaitAcknowledge has a message end when its sender has the last
	// acknowledgement, not when its last byte has arrived.
	AwaitAcknowledge bool

	Seed uint64
}

// ReferenceRate is the link rate, in B/s, of the network that the ECN thresholds
// and DCQCN's steps were published for: 40 Gbit/s (Zhu et al. 2015, section 5).
const ReferenceRate = 5e9

// Default gives sourced values: an MTU of 4096 bytes, the largest that InfiniBand
// and RoCE have; the 64 MB of a switch with 32 ports of 400 Gbit/s (Broadcom
// Tomahawk 3); flow control on, at 11 % of the free buffer (HPCC, section 5.1), on
// again two packets below (Zhu et al., section 4: 2 MTU); marking between 5 kB and
// 200 kB at 40 Gbit/s by up to 1 % (ibid., figure 14); for NDP queues of 8 packets
// (Handley et al., section 3) and at most 128 paths. The header is 0, because the
// payload rate of a link already leaves it out.
func Default() Options {
	return Options{
		MTU: 4096, Buffer: 64e6, PFC: true, Alpha: 0.11, Resume: 2 * 4096,
		ECNMin: 5e3, ECNMax: 200e3, ECNProbability: 0.01,
		Queue: 8, Paths: 128,
	}
}

// Validate reports everything that is wrong with the options.
func (o *Options) Validate() error {
	var wrong []error
	check := func(holds bool, format string, args ...any) {
		if !holds {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	check(o.MTU >= 64 && o.MTU <= 1<<20, "an MTU of %d bytes; 64 to %d can be", o.MTU, 1<<20)
	check(o.Transport != NDP || o.MTU >= 4*signalSize, "an MTU of %d bytes; NDP cuts packets down to %d, and needs them larger than that, at least %d", o.MTU, signalSize, 4*signalSize)
	check(o.Header >= 0 && o.Header <= 1<<16, "a header of %d bytes; 0 to %d can be", o.Header, 1<<16)
	check(o.Buffer >= o.MTU+o.Header, "a buffer of %d bytes holds no packet of %d", o.Buffer, o.MTU+o.Header)
	check(o.Buffer <= 1<<50 && o.Pause <= 1<<50 && o.ECNMax <= 1<<50, "a buffer, pause or ECN threshold beyond a petabyte")
	check(o.Alpha > 0 && o.Alpha <= 1000, "a pause threshold of %v of the free buffer", o.Alpha)
	check(o.Pause >= 0 && o.Resume >= 0, "a pause threshold of %d bytes and a resume gap of %d", o.Pause, o.Resume)
	check(o.Pause == 0 || o.Resume <= o.Pause, "a resume gap of %d bytes is more than the pause threshold, %d", o.Resume, o.Pause)
	check(0 <= o.ECNMin && o.ECNMin <= o.ECNMax, "ECN thresholds of %d and %d bytes", o.ECNMin, o.ECNMax)
	check(o.ECNProbability >= 0 && o.ECNProbability <= 1, "an ECN probability of %v", o.ECNProbability)
	check(o.Window >= 0 && o.Queue >= 1 && o.Paths >= 1, "a window of %d packets, queues of %d and %d paths", o.Window, o.Queue, o.Paths)
	return errors.Join(wrong...)
}
