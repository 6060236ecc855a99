#include "access/attempt.hpp"

#include "base/error.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace mp {
namespace {

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);

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

Attempts::Attempts(const Clock& clock, AttemptLimits limits) : clock_(clock), limits_(limits) {
  crypto_shorthash_keygen(secret_.data());
}

Attempts::~Attempts() { sodium_memzero(secret_.data(), secret_.size()); }

const WaitRule& Attempts::rule(std::size_t kind) const {
  return kind == pair ? limits_.pair : kind == account ? limits_.account : limits_.network;
}

// Keyed, so that nobody can choose names that fall together.
std::uint64_t Attempts::key_of(std::string_view kind, std::string_view text) const {
  std::string whole(kind);
  whole.append(1, '\0').append(text);
  std::array<unsigned char, 8> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                   secret_.data());
  std::uint64_t key = 0;
  for (const unsigned char byte : hash) key = key << 8 | byte;
  return key;
}

Attempts::Entry* Attempts::find(std::size_t kind, std::uint64_t key, Time now) {
  const auto found = tables_[kind].by_key.find(key);
  if (found == tables_[kind].by_key.end()) return nullptr;
  const Entry& entry = *found->second;
  if (now < std::max(entry.last, entry.until) + limits_.forgotten_after) return &*found->second;
  forget(kind, key);
  return nullptr;
}

Attempts::Entry& Attempts::count(std::size_t kind, std::uint64_t key, Time now) {
  Table& table = tables_[kind];
  if (find(kind, key, now)) {
    table.entries.splice(table.entries.begin(), table.entries, table.by_key.at(key));
  } else {
    if (table.entries.size() >= limits_.most_kept) forget(kind, table.entries.back().key);
    table.entries.push_front({.key = key});
    table.by_key[key] = table.entries.begin();
  }
  Entry& entry = table.entries.front();
  entry.last = now;
  ++entry.failures;
  if (entry.failures >= rule(kind).free) entry.until = now + wait_after(rule(kind), entry.failures);
  return entry;
}

void Attempts::forget(std::size_t kind, std::uint64_t key) {
  Table& table = tables_[kind];
  const auto found = table.by_key.find(key);
  if (found == table.by_key.end()) return;
  table.entries.erase(found->second);
  table.by_key.erase(found);
}

Attempts::Attempt Attempts::begin(const Claimant& claimant) {
  const Time now = clock_.now();
  std::vector<std::size_t> kinds{pair};
  if (claimant.familiar == Familiar::No) kinds = {pair, account, network};
  Attempt attempt(*this, std::move(kinds),
                  {key_of("pair", claimant.account + '\0' + claimant.network),
                   key_of("account", claimant.account), key_of("network", claimant.network)});
  const std::lock_guard lock(mutex_);
  Time until = now;
  for (const std::size_t kind : attempt.kinds_) {
    const Entry* entry = find(kind, attempt.keys_[kind], now);
    if (entry) until = std::max(until, entry->until);
  }
  if (until > now) {
    ++figures_.held_back;
    attempt.attempts_ = nullptr;
    throw must_wait(until - now);
  }
  for (const std::size_t kind : attempt.kinds_) {
    const Entry* entry = find(kind, attempt.keys_[kind], now);
    if (!entry || entry->failures < rule(kind).free) continue;
    count(kind, attempt.keys_[kind], now);
    attempt.claimed_[kind] = true;
  }
  return attempt;
}

void Attempts::withdraw(const Attempt& attempt) {
  const Time now = clock_.now();
  const std::lock_guard lock(mutex_);
  for (const std::size_t kind : attempt.kinds_) {
    Entry* entry = attempt.claimed_[kind] ? find(kind, attempt.keys_[kind], now) : nullptr;
    if (!entry) continue;
    --entry->failures;
    entry->until = now;
  }
}

void Attempts::succeed(const Attempt& attempt) {
  withdraw(attempt);
  const std::lock_guard lock(mutex_);
  forget(pair, attempt.keys_[pair]);
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
  const std::lock_guard lock(mutex_);
  ++figures_.failed;
  bool waits = false;
  int failures = 0;
  for (const std::size_t kind : attempt.kinds_) {
    const std::uint64_t key = attempt.keys_[kind];
    const Entry* claimed = attempt.claimed_[kind] ? find(kind, key, now) : nullptr;
    const Entry& entry = claimed ? *claimed : count(kind, key, now);
    if (kind == pair) failures = entry.failures;
    waits |= entry.until > now;
  }
  const bool worth_it = failures == 1 || waits;
  if (worth_it && may_report(now)) {
    return FailureReport{.failures = failures, .unlogged = std::exchange(unlogged_, 0)};
  }
  ++unlogged_;
  return std::nullopt;
}

Attempts::Figures Attempts::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures = figures_;
  for (const Table& table : tables_)
    figures.kept += static_cast<std::int64_t>(table.entries.size());
  return figures;
}

Attempts::Attempt::Attempt(Attempts& attempts, std::vector<std::size_t> kinds,
                           std::array<std::uint64_t, 3> keys)
    : attempts_(&attempts), kinds_(std::move(kinds)), keys_(keys) {}

Attempts::Attempt::Attempt(Attempt&& other) noexcept
    : attempts_(std::exchange(other.attempts_, nullptr)),
      kinds_(std::move(other.kinds_)),
      keys_(other.keys_),
      claimed_(other.claimed_) {}

Attempts::Attempt::~Attempt() {
  if (attempts_) attempts_->withdraw(*this);
}

void Attempts::Attempt::succeed() { std::exchange(attempts_, nullptr)->succeed(*this); }

std::optional<FailureReport> Attempts::Attempt::fail() {
  return std::exchange(attempts_, nullptr)->fail(*this);
}

}  // namespace mp
