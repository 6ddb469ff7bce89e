package packet

import "github.com/railyard/railyard/sim"

// Constants of DCQCN as published (Zhu et al. 2015, figure 14), but
// for the additive step: theirs is 40 Mbit/s on links of 40 Gbit/s.
const (
	notifyInterval  = 50 * sim.Microsecond // between notifications of a receiver
	alphaInterval   = 55 * sim.Microsecond // without one, after which alpha falls
	raiseInterval   = 55 * sim.Microsecond // between increases by time
	raiseBytes      = 10_000_000           // between increases by bytes
	alphaGain       = 1.0 / 256
	recoverySteps   = 5         // of fast recovery
	additiveShare   = 1.0 / 1e3 // of the line rate
	leastRateShare  = 1.0 / 1e3 // of the line rate; below, a sender would stand still
	unlimitedTarget = 1.0
)

// dcqcn is the reaction point of one message, and the time of its receiver's last
// notification. Rates are shares of the line rate. Timers are not events: what they
// would have done by then is done when the next packet leaves or a notification
// comes.
type dcqcn struct {
	perTick      float64 // bytes at line rate
	rate, target float64
	alpha        float64

	alphaAt  sim.Time // alpha falls next
	raiseAt  sim.Time // rate rises next by time
	bytes    int64    // since it last rose by bytes
	byTime   int32    // increases since the last cut
	byBytes  int32
	limited  bool
	notified sim.Time // the receiver may notify again
}

func (d *dcqcn) begin(perTick float64, now sim.Time) {
	*d = dcqcn{perTick: perTick, rate: 1, target: unlimitedTarget, alpha: 1, notified: now}
}

// notify says whether a receiver that has got a mark tells the sender now.
func (d *dcqcn) notify(now sim.Time) bool {
	if now < d.notified {
		return false
	}
	d.notified = now + notifyInterval
	return true
}

// cut is the reaction to a notification: equation 1 of the paper.
func (d *dcqcn) cut(now sim.Time) {
	d.pass(now)
	d.target = d.rate
	d.rate = max(d.rate*(1-d.alpha/2), leastRateShare)
	d.alpha = (1-alphaGain)*d.alpha + alphaGain
	d.alphaAt, d.raiseAt = now+alphaInterval, now+raiseInterval
	d.bytes, d.byTime, d.byBytes = 0, 0, 0
	d.limited = true
}

// sent notes that a packet begins to leave, and gives the time from then until the
// next may.
func (d *dcqcn) sent(size int64, now sim.Time) sim.Time {
	d.pass(now)
	if d.limited {
		if d.bytes += size; d.bytes >= raiseBytes {
			d.bytes -= raiseBytes
			d.byBytes++
			d.raise()
		}
	}
	return sim.Time(float64(size) / (d.perTick * d.rate))
}

// pass does what the timers would have done by now: equation 2 and the increases by
// time.
func (d *dcqcn) pass(now sim.Time) {
	for d.limited && min(d.alphaAt, d.raiseAt) <= now {
		if d.alphaAt <= d.raiseAt {
			d.alpha *= 1 - alphaGain
			d.alphaAt += alphaInterval
			continue
		}
		d.raiseAt += raiseInterval
		d.byTime++
		d.raise()
	}
}

// raise is one increase: half of the way back to the target, which itself rises once
// either counter has left fast recovery (equations 3 and 4). Hyper increase, for
// flows that have long been alone, is left out.
func (d *dcqcn) raise() {
	if max(d.byTime, d.byBytes) > recoverySteps {
		d.target = min(d.target+additiveShare, 1)
	}
	d.rate = (d.rate + d.target) / 2
	if d.rate > 1-additiveShare/2 {
		d.rate, d.target, d.limited = 1, 1, false
	}
}
