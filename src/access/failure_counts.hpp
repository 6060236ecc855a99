// The counts of failed attempts that Attempts decides by, each by its kind and a keyed hash of what
// is counted. With SQLite in memory; managers on one PostgreSQL share them there, so that none of
// them starts at nothing. Bounded in number; a count is forgotten an hour after its last failure.
// Knows no rule of waiting. Thread-safe.
#pragma once

#include "base/secret.hpp"
#include "store/store.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace mp {

// What is counted: an account from a network, an account, a network.
inline constexpr std::size_t failure_kinds = 3;

struct FailureCount {
  int failures = 0;
  Time last{};  // failure
};

struct CountLimits {
  std::chrono::seconds forgotten_after{3600};
  std::size_t most_kept = 32768;  // of each kind; the oldest go first
};

class FailureCounts {
 public:
  using Key = std::uint64_t;
  using Keys = std::array<Key, failure_kinds>;  // by kind
  using Found = std::array<std::optional<FailureCount>, failure_kinds>;

  virtual ~FailureCounts() = default;
  FailureCounts(const FailureCounts&) = delete;
  FailureCounts& operator=(const FailureCounts&) = delete;

  // Keyed, so that nobody can choose texts that fall together.
  Key key_of(std::string_view kind, std::string_view text) const;

  virtual Found find(const Keys& keys, Time now) = 0;
  // One failure more; how many there are with it.
  virtual int count(std::size_t kind, Key key, Time now) = 0;
  // The same, provided that nobody has counted since `seen`. False: somebody has.
  virtual bool claim(std::size_t kind, Key key, const FailureCount& seen, Time now) = 0;
  // As it was `before` the claim at that time, unless somebody has counted since.
  virtual void withdraw(std::size_t kind, Key key, const FailureCount& before, Time claimed) = 0;
  virtual void forget(std::size_t kind, Key key) = 0;
  // From the background loop.
  virtual void tidy(Time now) = 0;
  // How many there are; for a scrape.
  virtual std::int64_t kept() = 0;

 protected:
  explicit FailureCounts(const Secret& key);

 private:
  Secret key_;
};

std::unique_ptr<FailureCounts> counts_in_memory(CountLimits limits = {});
// In memory too, unless `store` is a PostgreSQL; it throws Unavailable then, without the database.
std::unique_ptr<FailureCounts> counts_of(Store& store, CountLimits limits = {});

}  // namespace mp
