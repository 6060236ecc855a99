// The stream core against simulated clients, network, edits and time, and who is let in and ended
// against keys that change: ten thousand seeds of each, and those that once failed.
// MARCHPROXY_SIMULATION_SEEDS=FIRST-LAST runs others instead, with the whole trace when it is one
// seed.
#include "tests/simulation/run.hpp"

#include "tests/simulation/client.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <stdexcept>
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

std::set<std::uint64_t> kept_seeds(const std::string& name) {
  std::ifstream file{name};
  if (!file) throw std::runtime_error("no " + name + ": run it from the project's root");
  std::set<std::uint64_t> seeds;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line.front() != '#') seeds.insert(std::stoull(line));
  return seeds;
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
    EXPECT_THROW(GetParam().run(seed, &trace), Complaint) << "not the second time";
    ADD_FAILURE() << "seed " << seed << ": " << complaint << "\n"
                  << last_events(trace, count) << "Again, from its first event: "
                  << "MARCHPROXY_SIMULATION_SEEDS=" << seed << " simulation_test --gtest_filter='*/"
                  << GetParam().name << "'\n"
                  << keep(seed, complaint);
  }

  // From now on it is run every time.
  static std::string keep(std::uint64_t seed, const std::string& complaint) {
    const std::string line =
        std::to_string(seed) + "  " + complaint.substr(0, complaint.find('\n'));
    const std::string file = GetParam().kept;
    if (kept_seeds(file).contains(seed)) return "It is kept in " + file;
    if (std::ofstream(file, std::ios::app) << line << std::endl) return "Kept in " + file;
    return "Keep it: add the line \"" + line + "\" to " + file;
  }
};

TEST_P(Simulation, SeedsThatOnceFailedHold) {
  for (const std::uint64_t seed : kept_seeds(GetParam().kept)) holds(seed);
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
