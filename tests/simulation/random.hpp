// The randomness of the simulation: one seed, the same run on any machine. Used by all parts of a
// run, in the order of its events; std::uniform_int_distribution may differ between libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace mp::xds {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {  // SplitMix64
    std::uint64_t value = state_ += 0x9e3779b97f4a7c15U;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
  }
  std::size_t below(std::size_t limit) { return next() % limit; }
  bool chance(std::size_t percent) { return below(100) < percent; }
  // An element of what is not empty.
  template <class Range>
  auto& pick(Range& range) {
    return *std::next(range.begin(), static_cast<std::ptrdiff_t>(below(range.size())));
  }

 private:
  std::uint64_t state_;
};

// Of texts, whatever hash the program takes: a seed means the same with any. FNV-1a, its bits mixed
// as MurmurHash3 does at the end.
inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 1099511628211U;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
  return hash ^ (hash >> 33);
}

}  // namespace mp::xds
