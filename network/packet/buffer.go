package packet

import (
	"github.com/railyard/railyard/sim"
	"github.com/railyard/railyard/topology"
)

// forward admits a packet that came over a link to the buffer there, and puts it
// into the queue of its next link.
func (f *Fabric) forward(n int32, from, to topology.LinkID, now sim.Time) {
	in, out := &f.ports[from], &f.ports[to]
	k := &f.packets[n]
	size := f.size(k)
	in.far = f.whole(in.far)
	at := &f.nodes[in.far]
	switch {
	case f.Transport == NDP:
		if !k.trimmed && out.queued+size > f.Queue*(f.MTU+f.Header) {
			size = f.trim(k)
		}
	case !f.PFC && at.used+size > f.Buffer:
		f.stats.Lost++
		f.drop(n)
		return
	}
	at.used += size
	in.held += size
	if f.PFC && !in.pausing && in.held > f.threshold(at) {
		in.pausing = true
		f.stats.Pauses++
		f.schedule(now.After(in.latency), argPause, int32(from))
	}
	if f.ECN && !k.marked && f.marks(out) {
		k.marked = true
		f.stats.Marked++
	}
	if k.trimmed {
		f.push(&out.headers, n)
	} else {
		out.queued += size
		f.push(&out.queue, n)
	}
	f.start(to, now)
	f.waits(to, out, now)
}

// threshold is how many bytes one link may fill of a node's buffer.
func (f *Fabric) threshold(at *node) int64 {
	t := int64(f.Alpha * float64(max(0, f.Buffer-at.used)))
	if f.Pause > 0 {
		t = min(t, f.Pause)
	}
	return t
}

// release takes bytes that came over a link out of the node at its end, and lets
// the link go on if few enough are left.
func (f *Fabric) release(from topology.LinkID, size int64, now sim.Time) {
	in := &f.ports[from]
	at := &f.nodes[in.far]
	at.used -= size
	in.held -= size
	if in.pausing && (in.held == 0 || in.held < f.threshold(at)-f.Resume) {
		in.pausing = false
		f.schedule(now.After(in.latency), argResume, int32(from))
	}
}

// marks says whether a packet that joins a link's queue is to be marked: figure 5
// of Zhu et al., with thresholds for the link's rate.
func (f *Fabric) marks(out *port) bool {
	scale := float64(sim.Second) / out.perByte / ReferenceRate
	low, high, queued := scale*float64(f.ECNMin), scale*float64(f.ECNMax), float64(out.queued)
	switch {
	case queued <= low:
		return false
	case queued > high:
		return true
	}
	return f.random.Float64() < f.ECNProbability*(queued-low)/(high-low)
}
