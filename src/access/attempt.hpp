// How often somebody may try to prove who he is: counts failed attempts and makes those who fail
// wait, longer each time. Used wherever a password or a code is checked. Names and addresses are
// kept as keyed hashes alone, where FailureCounts keeps them. Thread-safe.
//
// An attempt counts for its account from its network. One from a network that the account is not
// known to have signed in from counts for the account as well, and for the network: so whoever
// guesses elsewhere makes strangers wait, and not the owner where he is at home.
#pragma once

#include "access/failure_counts.hpp"
#include "base/outside.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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
  Attempts(const Clock& clock, std::unique_ptr<FailureCounts> counts, AttemptLimits limits = {});

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
    Attempt(Attempts& attempts, std::vector<std::size_t> kinds, const FailureCounts::Keys& keys,
            Time begun);
    Attempts* attempts_;
    std::vector<std::size_t> kinds_;  // of the three that count here
    FailureCounts::Keys keys_{};      // by kind
    Time begun_;
    // What was counted before this was counted already, as a wait has just ended.
    FailureCounts::Found claimed_{};
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
  // From the background loop.
  void tidy() { counts_->tidy(clock_.now()); }

 private:
  const WaitRule& rule(std::size_t kind) const;
  // When whoever has failed so may try again; the time of the failure while he need not wait.
  Time end_of_wait(std::size_t kind, const FailureCount& count) const;
  Error held_back(Time::duration left);
  void claim(Attempt& attempt, const FailureCounts::Found& found);
  bool may_report(Time now);
  void succeed(const Attempt& attempt);
  std::optional<FailureReport> fail(const Attempt& attempt);
  void withdraw(const Attempt& attempt);

  const Clock& clock_;
  const AttemptLimits limits_;
  const std::unique_ptr<FailureCounts> counts_;
  mutable std::mutex mutex_;
  Time minute_{};  // that reports are counted in
  int reports_ = 0;
  std::int64_t unlogged_ = 0;
  Figures figures_;
};

}  // namespace mp
