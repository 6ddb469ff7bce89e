package cluster

import "github.com/railyard/railyard/scheduler"

// deal finds room for a job of which an equal part is to lie at each of some sites, and
// gives its accelerators, of which each has a piece in turn: so whoever has but the first of
// them is at all sites alike. It gives no shares if a site has no room.
func (at *placement) deal(j *Job, r scheduler.Request) (list []int32, shares []scheduler.Share) {
	r.Count /= len(j.Sites)
	parts := make([][]int32, len(j.Sites))
	for i, site := range j.Sites {
		r.Site = int32(site) + 1
		found := at.placer.Place(r)
		if found == nil {
			return nil, nil
		}
		shares = append(shares, found...)
		for _, s := range found {
			for _, a := range s.Accelerators {
				parts[i] = append(parts[i], at.first[s.Host]+a)
			}
		}
	}
	for n := 0; n < r.Count; n += j.Piece {
		for _, part := range parts {
			list = append(list, part[n:n+j.Piece]...)
		}
	}
	return list, shares
}
