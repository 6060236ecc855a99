#include "access/credential.hpp"

#include "access/keys.hpp"

#include <algorithm>
#include <array>

namespace mp {
namespace {

constexpr std::chrono::hours longest_remembered{1};  // of a key that has no end

bool concern(const Nouns& nouns) {
  constexpr std::array nouns_of_callers{"user", "session", "api_key", "cluster"};
  return nouns.empty() || std::ranges::any_of(nouns_of_callers, [&](const char* noun) {
           return nouns.contains(noun);
         });
}

std::shared_ptr<const User> active_user(Reader& db, std::int64_t id) {
  auto user = db.find<User>(id);
  if (!user || !user->is_active) return nullptr;
  user->password_hash.clear();
  return std::make_shared<const User>(*std::move(user));
}

}  // namespace

Credentials::Credentials(Store& store, const Tokens& tokens, const Clock& clock)
    : store_(store),
      tokens_(tokens),
      clock_(clock),
      stale_(store.on_stale([this](const Nouns& nouns) {
        if (concern(nouns)) changed();
      })) {}

void Credentials::changed() {
  const std::lock_guard lock(mutex_);
  ++epoch_;
  remembered_.clear();
}

std::optional<Credentials::Remembered> Credentials::recall(std::string_view credential, Time now) {
  if (!store_.is_current()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.find(credential);
  if (found == remembered_.end()) return std::nullopt;
  if (found->second.until && *found->second.until <= now) return std::nullopt;
  return found->second;
}

void Credentials::remember(std::string_view credential, Remembered found, std::uint64_t epoch) {
  if (!store_.is_current()) return;
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) return;
  if (remembered_.size() >= most_remembered) remembered_.clear();
  remembered_.insert_or_assign(std::string(credential), std::move(found));
}

Caller Credentials::by_token(std::string_view token) {
  const Time now = clock_.now();
  if (auto known = recall(token, now)) return std::move(known->caller);
  const std::uint64_t epoch = epoch_;
  Remembered found = is_api_key(token) ? find_api_key(token, now) : find_session(token, now);
  Caller caller = found.caller;
  if (caller.user) remember(token, std::move(found), epoch);
  return caller;
}

Caller Credentials::again(Reader& db, Caller caller) {
  const bool holds = caller.api_key ? db.find<ApiKey>(caller.api_key->id).has_value()
                                    : db.find<Session>(caller.session_id).has_value();
  caller.user = holds ? active_user(db, caller.user->id) : nullptr;
  return caller;
}

Credentials::Remembered Credentials::find_session(std::string_view token, Time now) {
  Remembered found;
  const auto claims = tokens_.verify(token, TokenType::Access);
  if (!claims) return found;
  store_.read([&](Reader& db) {
    const auto session = db.find<Session>(claims->session_id);
    if (!session || session->user_id != claims->user_id || session->expires_at <= now) return;
    found.caller.user = active_user(db, claims->user_id);
    found.caller.session_id = claims->session_id;
    found.until = std::min(claims->expires_at, session->expires_at);
  });
  return found;
}

Credentials::Remembered Credentials::find_api_key(std::string_view key, Time now) {
  Remembered found;
  if (!is_sound_api_key(key)) return found;
  store_.read([&](Reader& db) {
    auto keys =
        db.select<ApiKey>({.where = "key_hash = :hash", .values = {{"hash", sha256_hex(key)}}});
    if (keys.empty()) return;
    const Time end = keys.front().expires_at.value_or(now + longest_remembered);
    if (end <= now) return;
    found.caller.user = active_user(db, keys.front().user_id);
    found.caller.api_key = std::make_shared<const ApiKey>(std::move(keys.front()));
    found.until = end;
  });
  return found;
}

Caller Credentials::by_cluster_key(std::string_view key) {
  if (auto known = recall(key, clock_.now())) return std::move(known->caller);
  const std::uint64_t epoch = epoch_;
  std::optional<Time> until;
  Caller caller = by_cluster_key(key, until);
  if (caller.cluster) remember(key, {caller, until}, epoch);
  return caller;
}

Caller Credentials::by_cluster_key(std::string_view key, std::optional<Time>& until) {
  Caller caller;
  const std::string hash = sha256_hex(key);
  const Time now = clock_.now();
  store_.read([&](Reader& db) {
    auto found = db.select<Cluster>(
        {.where = "key_hash = :hash OR (previous_key_hash = :hash AND previous_key_until > :now)",
         .values = {{"hash", hash}, {"now", to_milliseconds(now)}}});
    if (found.empty() || !found.front().is_active) return;
    if (found.front().key_hash != hash) until = found.front().previous_key_until;
    caller.cluster = std::make_shared<const Cluster>(std::move(found.front()));
  });
  return caller;
}

}  // namespace mp
