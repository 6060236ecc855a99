// The stream core against simulated clients, network, edits and time, and who is let in and ended
// against keys that change: ten thousand seeds of each, and those that once failed.
// MARCHPROXY_SIMULATION_SEEDS=FIRST-LAST runs others instead, with the whole trace when it is one
// seed.
#include "tests/simulation/run.hpp"

#include "tests/simulation/client.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <utility>

namespace mp::xds {
namespace {

constexpr std::size_t shown = 60;  // events before the fault
constexpr int most_failures = 5;

std::pair<std::uint64_t, std::uint64_t> seeds(std::uint64_t count) {
  const char* given = std::getenv("MARCHPROXY_SIMULATION_SEEDS");
  if (!given) return {1, count};
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

// What is run with each seed, and the seeds of it that once failed.
struct Kind {
  const char* name;
  void (*run)(std::uint64_t, Trace*);
  std::uint64_t seeds;  // unless others are asked for
  const char* kept;
};

class Simulation : public testing::TestWithParam<Kind> {
 protected:
  bool holds(std::uint64_t seed, std::size_t count = shown) {
    try {
      GetParam().run(seed, nullptr);
      return true;
    } catch (const Complaint& complaint) {
      explain(seed, complaint.what(), count);
      return false;
    }
  }

 private:
  // Runs a seed that failed once more, to tell what happened before.
  void explain(std::uint64_t seed, const std::string& complaint, std::size_t count) {
    Trace trace;
    try {
      GetParam().run(seed, &trace);
    } catch (const Complaint&) {
    }
    ADD_FAILURE() << "seed " << seed << ": " << complaint << "\n"
                  << last_events(trace, count) << "Again, from its first event: "
                  << "MARCHPROXY_SIMULATION_SEEDS=" << seed << " simulation_test --gtest_filter='*/"
                  << GetParam().name << "'\n"
                  << "Keep it: add the line \"" << seed << "  " << complaint << "\" to "
                  << GetParam().kept;
  }
};

TEST_P(Simulation, SeedsThatOnceFailedHold) {
  std::ifstream file{GetParam().kept};
  ASSERT_TRUE(file) << "run it from the project's root";
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') holds(std::stoull(line));
  }
}

TEST_P(Simulation, TheInvariantsHoldForEverySeed) {
  const auto [first, last] = seeds(GetParam().seeds);
  int failures = 0;
  for (auto seed = first; seed <= last && failures < most_failures; ++seed)
    failures += holds(seed, first == last ? std::size_t{100'000} : shown) ? 0 : 1;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Simulation,
    testing::Values(Kind{"Streams", simulate, 3'000, "tests/simulation/seeds.txt"},
                    Kind{"WideStreams", simulate_widely, 7'000, "tests/simulation/wide-seeds.txt"},
                    Kind{"Keys", simulate_keys, 10'000, "tests/simulation/key-seeds.txt"}),
    [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace mp::xds
