// Counts requests by key in windows: a window opens with a key's first request and closes a unit
// later. Fixed slots of 24 bytes in open addressing, by a keyed hash that callers cannot aim at;
// the number of keys is bounded. At the bound a newcomer takes the slot of the key that used least,
// and everybody who is new then begins with what that key had used, until its window would have
// closed: nobody gets a fresh window by pushing himself out. Knows no clock and no category.
// Thread-safe.
#pragma once

#include "base/time.hpp"
#include "model/quota.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace mp {

// The answer to one request. `reset` is when the window closes.
struct Verdict {
  bool allowed = true;
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  Time reset;
};

class Limiter {
 public:
  // Keeps at most about `most_keys` live keys (a multiple of a thousand); 1 million are 24 MiB.
  explicit Limiter(Quota quota, std::size_t most_keys = std::size_t{1} << 20);
  ~Limiter();
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  // Counts one request of the key, unless it is over its quota.
  Verdict take(std::string_view key, Time now);
  // The refusal of a key that is known to be over its quota; counts nothing.
  std::optional<Verdict> refused(std::string_view key, Time now);
  // The key is over its quota until then: somebody else counted.
  void close(std::string_view key, Time until, Time now);

  const Quota& quota() const { return quota_; }
  // Keys whose window is open. Looks at every slot: for a scrape.
  std::size_t live(Time now) const;
  std::size_t bytes() const;

 private:
  struct Shard;
  static constexpr std::size_t shard_count = 32;

  std::uint64_t tag_of(std::string_view key) const;
  Shard& shard_of(std::uint64_t tag) const;
  Verdict refusal(Time reset) const { return {false, quota_.requests, 0, reset}; }

  const Quota quota_;
  std::array<unsigned char, 16> secret_{};
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace mp
