// Package network carries bytes over the links of a topology.
//
// # Model
//
// A transfer moves bytes along a fixed set of directed links. It becomes
// eligible at the later of its start and the end of everything it waits for.
// It then spends its latency, taking no bandwidth. From then on it shares
// bandwidth, and ends when its last byte has drained; no latency is added then.
// Behind others, it has its latency and then waits for the last of them to drain:
// messages of one queue pair, which leave in order.
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
// Every link has a level, at which it stops transfers: that at which it is full
// while those that other links stop below it keep theirs; +Inf if it is not full. A
// transfer's level is the least of those of its links, and the rates are the max-min
// fair ones as soon as both hold everywhere: every transfer then has a bottleneck.
//
// Repair. When transfers come, go, or a link changes, only the links that they use
// are out of order. Each of these finds its level anew, and gives it to the transfers
// that it stops, or catches from others; by that it puts out of order those of their
// links whose level hangs on them. Links are taken in the order of the level that
// they will have if every transfer keeps its bottleneck: what a link depends on lies
// below it, and is settled when it comes. It is the principle of dynamic shortest
// paths (Ramalingam and Reps, "An incremental algorithm for a generalization of the
// shortest-path problem", 1996) on what Ros-Giralt and others call the bottleneck
// structure ("On the bottleneck structure of congestion-controlled networks", 2019).
// Where transfers change their bottleneck a link may come again: links are looked at
// 1.1 times in the mean in all traffic below. The mean number of transfers whose rate
// changes is 5 to 12 of 2,000 that drain in sparse traffic, a third of all in dense.
//
// All changes of one instant are one repair. Links that do not bind, because what
// they carry is less than they have, are not looked at. A link's transfers come in
// two parts, those that it stops and the others, so that a look at them seldom
// branches. The first finish is found by a tournament of the draining transfers, in
// which only those that have become faster are played again. Nothing is allocated in
// steady state.
//
// # Growth
//
//	begin, end of a transfer      O(its links)
//	repair                        O(S + L log L): S transfers on the L links whose
//	                              level changes, not those elsewhere
//	finish of a changed transfer  O(log transfers), as a rule O(1)
//	bundling                      O(link entries), once; then O(kinds of links) a phase
//	repetition of a period        O(links), however often
//
// Some 300 bytes are kept of a link, but only of those that are used: what is kept of
// the others is all zero, which a system backs with memory once it is written.
//
// CPU times on one thread of a shared Xeon, November 2026, adding the transfers
// included, without series (go test -bench . ./network). A Poisson process of flows of
// 1 MB between random hosts of a fat tree:
//
//	  hosts  load      flows  CPU time  flows/s
//	     16   0.5        160    0.6 ms  280,000
//	    128   0.5      1,280      6 ms  230,000
//	  1,024   0.5      1,000      5 ms  220,000
//	  1,024   0.5     10,000     62 ms  160,000
//	  1,024   0.5    100,000    0.81 s  120,000
//	  1,024   0.5  1,000,000     8.9 s  110,000
//	  8,192   0.5     81,920    0.98 s   83,000
//	101,306   0.5  1,013,060      24 s   42,000
//	  1,024   0.2     10,000     28 ms  360,000
//	  1,024   0.8     10,000    0.11 s   91,000
//	    128   0.8     10,000    0.28 s   36,000
//
// A flow costs more while the network fills up, and then no more, for 1e5 flows as for
// 1e6; more hosts cost the caches of the processor. What matters is the load, for it
// is how far a change reaches.
//
// Every host of a switch sends every other a message of random size, so that each end
// changes a third of all rates: 16 hosts 1 ms, 64 hosts 0.18 s, 128 hosts 3.3 s, which
// is quadratic in the messages.
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
