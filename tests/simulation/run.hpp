// Runs of the simulation. Each throws Complaint when an invariant does not hold. Used by
// simulation_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mp::xds {

// What happened, for whoever looks for the fault; kept only when `trace` is given.
using Trace = std::vector<std::string>;

// The stream core: a seed decides the content and its edits, one to three clients, what the network
// holds back, the time and the end of connections.
void simulate(std::uint64_t seed, Trace* trace = nullptr);

// The same with more: clients without a proxy, contents of hundreds of resources, clients that stop
// reading or ask again, refused responses that are taken in part.
void simulate_widely(std::uint64_t seed, Trace* trace = nullptr);

// Who is let in and who is ended, by the switchboard and its sessions: a seed decides who comes
// with which key, when keys are rotated, clusters deactivated and proxies deleted, in which order
// the jobs run and what happens while one of them waits for the database.
void simulate_keys(std::uint64_t seed, Trace* trace = nullptr);

}  // namespace mp::xds
