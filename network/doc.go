// Package network carries bytes over the links of a topology.
//
// # Model
//
// A transfer moves bytes along a fixed set of directed links. It becomes
// eligible at the later of its start and the end of everything it waits for.
// It then spends its latency, taking no bandwidth. From then on it shares
// bandwidth, and ends when its last byte has drained; no latency is added then.
//
// Rates are weighted max-min fair (Bertsekas and Gallager, "Data Networks",
// 1992, section 6.5.2): of all rate vectors under which no link carries more
// than its capacity, the one whose sorted vector of rate/weight is
// lexicographically largest. The quotient rate/weight is the level of a
// transfer. Equivalently, every transfer has a bottleneck: a saturated link on
// which no other transfer has a higher level. Rates change only when a transfer
// begins to drain, ends, or a link changes, so a transfer drains linearly in
// between.
//
// This is a fluid: no packets, no queues, no losses, perfect and immediate
// fairness. Against packets it errs by 0.2 to 7 % in the makespan of
// all-to-all, ring and incast on RoCE, and by up to 21 % for permutations on
// single paths, where head-of-line blocking matters. [Network.Ship] has a [Carrier]
// take its place: packets, or a fluid with head-of-line blocking.
//
// # Collectives
//
// A bulk-synchronous phase of a collective (all steps of a ring, one exchange
// of halving-doubling) moves at the pace of its slowest hop. It is one
// transfer: Counts says how many hops cross each link, all hops have one rate h,
// and a link carries counts x h. Progressive filling raises h together with all
// other levels, so that each hop gets what a transfer of its own would get. A
// ring over N accelerators costs one arrival and one departure of O(N) links
// instead of 2N(N-1) transfers. Equal transfers that start together are such a
// phase too: their multiplicity is the count.
//
// # Method
//
// Affected-set repair. Every transfer keeps the link that is its bottleneck.
// When one departs, those bottlenecked on its links make up the affected set;
// when one arrives, it does itself. The set is filled with all other rates held
// fixed, as progressive filling does, by a heap of the levels at which links
// saturate. Then the set grows by the outsiders whose bottleneck no longer
// holds them (it is not saturated, or another has more there) and by those that
// have more than a member where it was stopped; and it is filled again, until
// it no longer grows. At that point every transfer has a bottleneck, so the
// rates are exactly the max-min fair ones. A repair costs O(rounds x (S + L log
// L)), S being the link entries and L the links of the affected set, and rounds
// 1 to 3 in practice; it does not depend on how many transfers there are
// elsewhere.
//
// All changes of one instant are one repair. Links that cannot bind, because
// the transfers on them together want less than they have, are left out of the
// filling. Finishes are kept in a heap of the draining transfers, of which only
// those whose rate changed move. Nothing is allocated in steady state.
//
// # Bundles
//
// Of the many links of a phase most are alike: of one capacity, and crossed by the
// same phases with the same counts, so that their state is the same at all times.
// [Network.Bundle] sorts the links of all footprints of a job into such kinds; from
// then on one link stands for each kind, in the solver and in the accounts, and a
// phase costs O(kinds) where it would cost O(links). Bundling takes O(link
// entries), once. What comes later and is not alike (a transfer over some links of
// a kind, another payload rate, another job) splits a kind as far as it must,
// O(transfers on it) a link, without changing anything that can be seen: rates,
// finishes and accounts are those of single links.
//
// # Contention
//
// A transfer wants the rate it would have alone. A link is contended while two
// or more owners have transfers on it that together want more than it has; the
// several transfers of one job do not contend with each other. What an owner loses
// on a link is the time by which its transfers fall behind there, as far as others
// cause it; see [Network.Losses]. It is exact for single transfers that one link
// holds back. What a job loses in all depends on what waits for its transfers: to
// know that, run it alone.
package network
