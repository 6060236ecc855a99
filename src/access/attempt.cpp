#include "access/attempt.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace mp {
namespace {

constexpr std::size_t pair = 0, account = 1, network = 2;

// After `failures`, of which at least `rule.free`.
std::chrono::seconds wait_after(const WaitRule& rule, int failures) {
  const int doublings = std::min(failures - rule.free, 20);
  return std::min(rule.longest, std::chrono::seconds(rule.first.count() << doublings));
}

Error must_wait(Time::duration left) {
  Error error(Code::RateLimit, "Too many failed attempts; try again later");
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(left).count();
  error.headers.emplace_back("Retry-After", std::to_string(std::max<std::int64_t>(1, seconds)));
  return error;
}

}  // namespace

Attempts::Attempts(const Clock& clock, std::unique_ptr<FailureCounts> counts, AttemptLimits limits)
    : clock_(clock), limits_(limits), counts_(std::move(counts)) {}

const WaitRule& Attempts::rule(std::size_t kind) const {
  return kind == pair ? limits_.pair : kind == account ? limits_.account : limits_.network;
}

Time Attempts::end_of_wait(std::size_t kind, const FailureCount& count) const {
  if (count.failures < rule(kind).free) return count.last;
  return count.last + wait_after(rule(kind), count.failures);
}

Error Attempts::held_back(Time::duration left) {
  const std::lock_guard lock(mutex_);
  ++figures_.held_back;
  return must_wait(left);
}

Attempts::Attempt Attempts::begin(const Claimant& claimant) {
  const Time now = clock_.now();
  std::vector<std::size_t> kinds{pair};
  if (claimant.familiar == Familiar::No) kinds = {pair, account, network};
  Attempt attempt(
      *this, std::move(kinds),
      {counts_->key_of("pair", claimant.account + '\0' + claimant.network),
       counts_->key_of("account", claimant.account), counts_->key_of("network", claimant.network)},
      now);
  const auto found = counts_->find(attempt.keys_, now);
  Time until = now;
  for (const std::size_t kind : attempt.kinds_) {
    if (found[kind]) until = std::max(until, end_of_wait(kind, *found[kind]));
  }
  if (until > now) throw held_back(until - now);
  claim(attempt, found);
  return attempt;
}

// Who is second here waits as if he had come a moment later.
void Attempts::claim(Attempt& attempt, const FailureCounts::Found& found) {
  for (const std::size_t kind : attempt.kinds_) {
    const auto& seen = found[kind];
    if (!seen || seen->failures < rule(kind).free) continue;
    if (!counts_->claim(kind, attempt.keys_[kind], *seen, attempt.begun_))
      throw held_back(wait_after(rule(kind), seen->failures + 1));
    attempt.claimed_[kind] = seen;
  }
}

void Attempts::withdraw(const Attempt& attempt) {
  for (const std::size_t kind : attempt.kinds_) {
    if (const auto& before = attempt.claimed_[kind])
      counts_->withdraw(kind, attempt.keys_[kind], *before, attempt.begun_);
  }
}

void Attempts::succeed(const Attempt& attempt) {
  withdraw(attempt);
  counts_->forget(pair, attempt.keys_[pair]);
  const std::lock_guard lock(mutex_);
  ++figures_.succeeded;
}

bool Attempts::may_report(Time now) {
  if (now - minute_ >= std::chrono::minutes(1) || now < minute_) {
    minute_ = now;
    reports_ = 0;
  }
  return reports_++ < limits_.reports_per_minute;
}

std::optional<FailureReport> Attempts::fail(const Attempt& attempt) {
  const Time now = clock_.now();
  bool waits = false;
  int failures = 0;
  for (const std::size_t kind : attempt.kinds_) {
    const auto& before = attempt.claimed_[kind];
    const int counted =
        before ? before->failures + 1 : counts_->count(kind, attempt.keys_[kind], now);
    if (kind == pair) failures = counted;
    waits |= counted >= rule(kind).free;
  }
  const std::lock_guard lock(mutex_);
  ++figures_.failed;
  const bool worth_it = failures == 1 || waits;
  if (worth_it && may_report(now)) {
    return FailureReport{.failures = failures, .unlogged = std::exchange(unlogged_, 0)};
  }
  ++unlogged_;
  return std::nullopt;
}

Attempts::Figures Attempts::figures() const {
  const std::int64_t kept = counts_->kept();
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  figures.kept = kept;
  return figures;
}

Attempts::Attempt::Attempt(Attempts& attempts, std::vector<std::size_t> kinds,
                           const FailureCounts::Keys& keys, Time begun)
    : attempts_(&attempts), kinds_(std::move(kinds)), keys_(keys), begun_(begun) {}

Attempts::Attempt::Attempt(Attempt&& other) noexcept
    : attempts_(std::exchange(other.attempts_, nullptr)),
      kinds_(std::move(other.kinds_)),
      keys_(other.keys_),
      begun_(other.begun_),
      claimed_(other.claimed_) {}

Attempts::Attempt::~Attempt() {
  if (!attempts_) return;
  try {
    attempts_->withdraw(*this);
  } catch (const std::exception& fault) {  // without the database it stays a failure
    log::warning("an attempt to sign in stays counted", {{"fault", fault.what()}});
  }
}

void Attempts::Attempt::succeed() { std::exchange(attempts_, nullptr)->succeed(*this); }

std::optional<FailureReport> Attempts::Attempt::fail() {
  return std::exchange(attempts_, nullptr)->fail(*this);
}

}  // namespace mp
