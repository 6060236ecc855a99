// How often somebody may try to prove who he is: counts failed attempts and makes those who fail
// wait, longer each time. Used wherever a password or a code is checked. Keeps names and addresses
// as keyed hashes alone, in a bounded number, in memory. Thread-safe.
//
// An attempt counts for its account from its network. One from a network that the account is not
// known to have signed in from counts for the account as well, and for the network: so whoever
// guesses elsewhere makes strangers wait, and not the owner where he is at home.
#pragma once

#include "base/outside.hpp"

#include <array>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mp {

// `free` failures cost nothing; from then on each is followed by a wait, which doubles.
struct WaitRule {
  int free = 5;
  std::chrono::seconds first{1};
  std::chrono::seconds longest{15 * 60};
};

struct AttemptLimits {
  WaitRule pair{.free = 5};      // an account from a network
  WaitRule account{.free = 20};  // an account from networks that it is not known from
  WaitRule network{.free = 50};  // a network, whatever the account
  std::chrono::seconds forgotten_after{3600};
  std::size_t most_kept = 32768;  // of each of the three; the oldest go first
  int reports_per_minute = 30;
};

enum class Familiar { No, Yes };

struct Claimant {
  std::string account;  // the name as it was given: what exists must not show
  std::string network;
  Familiar familiar = Familiar::No;  // the account has signed in from this network before
};

// What the change log may say about a failure.
struct FailureReport {
  int failures = 0;           // of this account from this network
  std::int64_t unlogged = 0;  // failures since the last report, whoever's, that got none
};

class Attempts {
 public:
  explicit Attempts(const Clock& clock, AttemptLimits limits = {});
  ~Attempts();

  // One attempt, between begin and outcome. Without an outcome it is as if it had not been.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept;
    ~Attempt();
    // Proved in full: the account's failures from this network are forgotten.
    void succeed();
    // A report at the first failure and at each that is followed by a wait, but only so many a
    // minute: what strangers can make the log grow by is bounded.
    std::optional<FailureReport> fail();

   private:
    friend class Attempts;
    Attempt(Attempts& attempts, std::vector<std::size_t> kinds, std::array<std::uint64_t, 3> keys);
    Attempts* attempts_;
    std::vector<std::size_t> kinds_;       // of the three that count here
    std::array<std::uint64_t, 3> keys_{};  // by kind
    std::array<bool, 3> claimed_{};        // counted already, as a wait has just ended
  };

  // Throws RateLimit with Retry-After while somebody must wait. Once a wait is over it lets one
  // through and the next wait begins: many at once gain nothing.
  Attempt begin(const Claimant& claimant);

  struct Figures {
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t held_back = 0;
    std::int64_t kept = 0;
  };
  Figures figures() const;

 private:
  struct Entry {
    std::uint64_t key = 0;
    int failures = 0;
    Time until{};  // of the wait
    Time last{};   // failure
  };
  // The entries of one kind, the most recent failure first.
  struct Table {
    std::list<Entry> entries;
    std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_key;
  };
  const WaitRule& rule(std::size_t kind) const;
  std::uint64_t key_of(std::string_view kind, std::string_view text) const;
  Entry* find(std::size_t kind, std::uint64_t key, Time now);
  Entry& count(std::size_t kind, std::uint64_t key, Time now);
  void forget(std::size_t kind, std::uint64_t key);
  bool may_report(Time now);
  void succeed(const Attempt& attempt);
  std::optional<FailureReport> fail(const Attempt& attempt);
  void withdraw(const Attempt& attempt);

  const Clock& clock_;
  const AttemptLimits limits_;
  std::array<unsigned char, 16> secret_{};  // of the hashes
  mutable std::mutex mutex_;
  std::array<Table, 3> tables_;
  Time minute_{};  // that reports are counted in
  int reports_ = 0;
  std::int64_t unlogged_ = 0;
  Figures figures_;
};

}  // namespace mp
