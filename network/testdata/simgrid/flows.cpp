// Plays flows on links under SimGrid's max-min sharing: what simgrid_test.go
// compares the solver with. Standard input holds the numbers of hosts, links and
// flows; the capacity of each link in B/s; then each flow, in order of start: start
// in s, bytes, source, destination, how many links, and these. Standard output gets
// the last finish in s and the CPU time of the simulation in s, reading left out.
//
//   g++ -O2 -std=c++17 flows.cpp -lsimgrid
#include <simgrid/kernel/Timer.hpp>
#include <simgrid/s4u.hpp>

#include <cstdio>
#include <ctime>
#include <iostream>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sg = simgrid::s4u;

struct Flow {
  double start, bytes;
  size_t from, to;
};

static std::vector<Flow> flows;
static std::vector<sg::Host*> hosts;
static size_t started = 0, ended = 0;
static double last = 0;

// begin starts the flows that are due, and itself again for the next.
static void begin() {
  for (; started < flows.size() && flows[started].start <= sg::Engine::get_clock(); started++) {
    const Flow& f = flows[started];
    auto comm = sg::Comm::sendto_init(hosts[f.from], hosts[f.to]);
    comm->set_payload_size(static_cast<uint64_t>(f.bytes));
    comm->start();
    intrusive_ptr_add_ref(comm.get()); // nobody waits for it
  }
  if (started < flows.size())
    simgrid::kernel::timer::Timer::set(flows[started].start, begin);
}

int main(int argc, char** argv) {
  sg::Engine engine(&argc, argv);
  auto* zone = sg::create_full_zone("all");
  size_t hostCount, linkCount, flowCount;
  std::cin >> hostCount >> linkCount >> flowCount;
  std::vector<sg::Link*> links(linkCount);
  for (size_t i = 0; i < linkCount; i++) {
    double capacity;
    std::cin >> capacity;
    links[i] = zone->create_link("link" + std::to_string(i), capacity)->set_latency(0)->seal();
  }
  for (size_t i = 0; i < hostCount; i++)
    hosts.push_back(zone->create_host("host" + std::to_string(i), 1)->seal());
  std::set<std::pair<size_t, size_t>> routed;
  flows.resize(flowCount);
  for (auto& f : flows) {
    size_t hops;
    std::cin >> f.start >> f.bytes >> f.from >> f.to >> hops;
    std::vector<sg::LinkInRoute> route;
    for (size_t i = 0; i < hops; i++) {
      size_t l;
      std::cin >> l;
      route.emplace_back(links[l]);
    }
    if (routed.insert({f.from, f.to}).second)
      zone->add_route(hosts[f.from]->get_netpoint(), hosts[f.to]->get_netpoint(), nullptr, nullptr, route, false);
  }
  zone->seal();
  sg::Activity::on_completion_cb([](sg::Activity const&) {
    ended++;
    last = sg::Engine::get_clock();
  });
  const clock_t before = clock();
  begin();
  engine.run();
  std::printf("%.9f %.6f\n", last, double(clock() - before) / CLOCKS_PER_SEC);
  std::fflush(stdout);
  _exit(ended == flowCount ? 0 : 1); // tearing it down takes longer than the run
}
