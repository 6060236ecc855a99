// What the guided code calls (gcc's -fsanitize-coverage=trace-pc), turned into the counters that
// libFuzzer reads besides its own (its "extra counters": one byte each, cleared for every input).
#include <array>
#include <cstddef>
#include <cstdint>

namespace {

constexpr std::size_t counter_count = 1u << 16;

[[gnu::section("__libfuzzer_extra_counters")]]
std::array<std::uint8_t, counter_count> counters;

}  // namespace

extern "C" {

// Edges, not places: the last place is part of the counter's number.
void __sanitizer_cov_trace_pc() {
  static thread_local std::uintptr_t last = 0;
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  auto& counter = counters[(place ^ (last >> 1)) % counter_count];
  if (counter < 255) ++counter;
  last = place;
}

// gcc reports comparisons of floating point too, which libFuzzer has no use for.
void __sanitizer_cov_trace_cmpf(float, float) {}
void __sanitizer_cov_trace_cmpd(double, double) {}

}  // extern "C"
