package collective

import (
	"cmp"
	"math/bits"
	"slices"
)

// treeRounds is an all-reduce over double binary trees (Sanders, Speck, Träff,
// "Two-tree algorithms for full bandwidth broadcast, reduction and scan", 2009), as
// NCCL builds them: hosts are the nodes of two binary trees, each for half of the
// data, in which no host has children in both; inside a host the ranks are a chain
// whose head joins the tree. There is a pair of trees for every channel, with the
// head at another NIC. Chunks go up and down at once: one pipelined round, in which
// every rank is passed twice.
//
// A host's links carry the data up and down once each, so that the trees between
// hosts are as good as rings, with 2 log2(hosts) steps in place of 2 (hosts - 1).
func treeRounds(op Op, l layout) ([]round, error) {
	if op != AllReduce {
		return nil, unsupported(op, Tree, AllReduce)
	}
	share := 0.5 / float64(len(l.channels))
	both := func(yield func(from, to int) bool) {
		for _, chains := range l.channels {
			for tree := range 2 {
				if !treeSends(chains, tree, yield) {
					return
				}
			}
		}
	}
	return []round{{share: share, repeat: 1, chain: true, lanes: 2 * len(l.channels), sends: both}}, nil
}

// treeSends yields the messages of one tree over chains of ranks, the first of each
// its head: up from the leaves, then down again, each after those that it needs.
func treeSends(chains [][]int, tree int, yield func(from, to int) bool) bool {
	order := treeOrder(len(chains), tree)
	for _, h := range slices.Backward(order) {
		chain := chains[h]
		for i := len(chain) - 1; i > 0; i-- {
			if !yield(chain[i], chain[i-1]) {
				return false
			}
		}
		if up := treeParent(h, len(chains), tree); up >= 0 && !yield(chain[0], chains[up][0]) {
			return false
		}
	}
	for _, h := range order {
		chain := chains[h]
		if up := treeParent(h, len(chains), tree); up >= 0 && !yield(chains[up][0], chain[0]) {
			return false
		}
		for i := 1; i < len(chain); i++ {
			if !yield(chain[i-1], chain[i]) {
				return false
			}
		}
	}
	return true
}

// treeParent is the parent of node i of n in the first or the second tree, -1 at its
// root. In the first tree, node 0 is the root, and the lowest set bit of any other
// says how far from the leaves it is. The second is the first one mirrored or, over
// an odd number, shifted by one, so that leaves become inner nodes (NCCL,
// src/graph/trees.cc).
func treeParent(i, n, tree int) int {
	if tree == 1 {
		other := func(i int) int { return n - 1 - i }
		back := other
		if n%2 == 1 {
			other = func(i int) int { return (i - 1 + n) % n }
			back = func(i int) int { return (i + 1) % n }
		}
		if p := treeParent(other(i), n, 0); p >= 0 {
			return back(p)
		}
		return -1
	}
	if i == 0 {
		return -1
	}
	bit := 1 << bits.TrailingZeros(uint(i))
	if up := (i ^ bit) | bit<<1; up < n {
		return up
	}
	return i ^ bit
}

// treeOrder is the nodes of a tree, each after its parent.
func treeOrder(n, tree int) []int {
	order, depth := make([]int, n), make([]int, n)
	for i := range order {
		order[i] = i
		for p := treeParent(i, n, tree); p >= 0; p = treeParent(p, n, tree) {
			depth[i]++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(depth[a], depth[b]) })
	return order
}
