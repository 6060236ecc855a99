// The stream core against simulated clients, network, edits and time: ten thousand seeds, and those
// that once failed (seeds.txt). MARCHPROXY_SIMULATION_SEEDS=FIRST-LAST runs others instead, with
// the whole trace when it is one seed.
#include "tests/simulation/run.hpp"

#include "tests/simulation/client.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::pair<std::uint64_t, std::uint64_t> default_seeds{1, 10'000};
constexpr std::size_t shown = 60;  // events before the fault
constexpr int most_failures = 5;

std::pair<std::uint64_t, std::uint64_t> seeds() {
  const char* given = std::getenv("MARCHPROXY_SIMULATION_SEEDS");
  if (!given) return default_seeds;
  const std::string text = given;
  const auto dash = text.find('-');
  const auto first = std::stoull(text);
  return {first, dash == text.npos ? first : std::stoull(text.substr(dash + 1))};
}

std::string last_events(const Trace& trace, std::size_t count) {
  std::string text;
  for (std::size_t n = trace.size() > count ? trace.size() - count : 0; n < trace.size(); ++n)
    text += trace[n] + "\n";
  return text;
}

// Runs a seed that failed once more, to tell what happened before.
void explain(std::uint64_t seed, const std::string& complaint, std::size_t count) {
  Trace trace;
  try {
    simulate(seed, &trace);
  } catch (const Complaint&) {
  }
  ADD_FAILURE() << "seed " << seed << ": " << complaint << "\n"
                << last_events(trace, count) << "Again, from its first event: "
                << "MARCHPROXY_SIMULATION_SEEDS=" << seed << " simulation_test\n"
                << "Keep it: add the line \"" << seed << "  " << complaint
                << "\" to tests/simulation/seeds.txt";
}

bool holds(std::uint64_t seed, std::size_t count = shown) {
  try {
    simulate(seed);
    return true;
  } catch (const Complaint& complaint) {
    explain(seed, complaint.what(), count);
    return false;
  }
}

TEST(Simulation, SeedsThatOnceFailedHold) {
  std::ifstream file{"tests/simulation/seeds.txt"};
  ASSERT_TRUE(file) << "run it from the project's root";
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') holds(std::stoull(line));
  }
}

TEST(Simulation, TheInvariantsHoldForEverySeed) {
  const auto [first, last] = seeds();
  int failures = 0;
  for (auto seed = first; seed <= last && failures < most_failures; ++seed)
    failures += holds(seed, first == last ? std::size_t{100'000} : shown) ? 0 : 1;
}

}  // namespace
}  // namespace mp::xds
