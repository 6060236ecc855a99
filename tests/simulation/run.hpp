// One run of the simulation: a seed decides the content and its edits, one to three clients, what
// the network holds back, the time and the end of connections. Throws Complaint when an invariant
// does not hold. Used by simulation_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mp::xds {

// What happened, for whoever looks for the fault; kept only when `trace` is given.
using Trace = std::vector<std::string>;

void simulate(std::uint64_t seed, Trace* trace = nullptr);

}  // namespace mp::xds
