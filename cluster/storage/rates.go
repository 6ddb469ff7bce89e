package storage

import (
	"github.com/railyard/railyard/topology"
	"github.com/railyard/railyard/units"
)

// Rates are what the parts of a file system do a second. Drives have two: a drive that
// reads so many bytes a second in large pieces reads small ones no faster than it starts
// them, and with requests of q bytes it reads min(Read, q x ReadRequests), the two roofs
// of every data sheet. Of requests and opens 0 is no bound.
type Rates struct {
	Read, Write                 units.Rate // of all drives of a server together
	ReadRequests, WriteRequests float64    // of all drives of a server together
	ServerRequests              float64    // that a server serves, read or written
	ClientRequests              float64    // that a host makes
	Opens                       float64    // files that the metadata server opens
	ClientOpens                 float64    // files that a host opens
}

// Scaled are the rates times a factor.
func (r Rates) Scaled(by float64) Rates {
	rate := units.Rate(by)
	return Rates{
		r.Read * rate, r.Write * rate, r.ReadRequests * by, r.WriteRequests * by,
		r.ServerRequests * by, r.ClientRequests * by, r.Opens * by, r.ClientOpens * by,
	}
}

// RequestBytes is what a request, or an open, counts for on the links that bound their
// number: the size with which data sheets measure them. A link of 1,000 requests a
// second has 4.096 MB/s, and each takes 4,096 B of it whatever it carries.
const RequestBytes = 4096

// unbounded is the link of a service that there is not.
const unbounded topology.LinkID = -1

// Drives are the links of a host that serves, one for whatever its drives read and one
// for whatever they write, and those of requests.
type Drives struct {
	Server      int // number of the host
	Read, Write topology.LinkID

	reads, writes, requests topology.LinkID
}

// client is the links of a host that reads and writes.
type client struct{ requests, opens topology.LinkID }

// serve adds the links of the file system to its topology.
func (s *System) serve() error {
	var services []topology.Service
	add := func(rate units.Rate, name string) topology.LinkID {
		services = append(services, topology.Service{Name: name, Rate: rate})
		return topology.LinkID(len(s.t.Links) + len(services) - 1)
	}
	requests := func(rate float64, name string) topology.LinkID {
		if rate == 0 {
			return unbounded
		}
		return add(units.Rate(rate*RequestBytes), name)
	}
	r := &s.Rates
	for _, h := range s.Hosts {
		name := s.t.ServerName(h)
		s.server[h] = len(s.Servers)
		s.Servers = append(s.Servers, Drives{
			Server: h,
			Read:   add(r.Read, name+"/drives/read"),
			Write:  add(r.Write, name+"/drives/write"),
			reads:  requests(r.ReadRequests, name+"/drives/read-requests"), writes: requests(r.WriteRequests, name+"/drives/write-requests"),
			requests: requests(r.ServerRequests, name+"/files/requests"),
		})
	}
	s.clients = make([]client, len(s.t.Servers))
	for h := range s.clients {
		name := s.t.ServerName(h)
		s.clients[h] = client{requests(r.ClientRequests, name+"/client/requests"), requests(r.ClientOpens, name+"/client/opens")}
	}
	s.opens = requests(r.Opens, "metadata/opens")
	with, _, err := s.t.WithServices(services)
	s.t = with
	return err
}
