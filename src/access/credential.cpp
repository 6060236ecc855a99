#include "access/credential.hpp"

namespace mp {

Credentials::Credentials(Store& store, const Tokens& tokens, const Clock& clock)
    : store_(store), tokens_(tokens), clock_(clock) {}

void Credentials::changed() {
  const std::lock_guard lock(mutex_);
  ++epoch_;
  remembered_.clear();
}

std::optional<Caller> Credentials::recall(std::string_view token, Time now) {
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.find(token);
  if (found == remembered_.end() || found->second.until <= now) return std::nullopt;
  Caller caller;
  caller.user = found->second.user;
  caller.session_id = found->second.session_id;
  return caller;
}

void Credentials::remember(std::string_view token, const Caller& caller, Time until,
                           std::uint64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) return;  // something changed while we looked
  if (remembered_.size() >= most_remembered) remembered_.clear();
  remembered_.insert_or_assign(std::string(token),
                               Remembered{caller.user, caller.session_id, until});
}

Caller Credentials::by_token(std::string_view token) {
  const Time now = clock_.now();
  const bool remembers = store_.kind() == "sqlite";
  if (remembers) {
    if (auto known = recall(token, now)) return *std::move(known);
  }
  std::uint64_t epoch = 0;
  {
    const std::lock_guard lock(mutex_);
    epoch = epoch_;
  }
  Caller caller;
  const auto claims = tokens_.verify(token, TokenType::Access);
  if (!claims) return caller;
  store_.read([&](Reader& db) {
    const auto session = db.find<Session>(claims->session_id);
    if (!session || session->user_id != claims->user_id || session->expires_at <= now) return;
    auto user = db.find<User>(claims->user_id);
    if (!user || !user->is_active) return;
    user->password_hash.clear();
    caller.user = std::make_shared<const User>(*std::move(user));
    caller.session_id = claims->session_id;
  });
  if (caller.user && remembers) remember(token, caller, claims->expires_at, epoch);
  return caller;
}

Caller Credentials::by_cluster_key(std::string_view key) {
  std::optional<Time> until;
  return by_cluster_key(key, until);
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
