#include "api/sessions.hpp"

#include "api/context.hpp"

#include <filesystem>

namespace mp::api {

Session begin_session(Writer& db, const User& user) {
  Session session{.id = random_text(32),
                  .user_id = user.id,
                  .created_at = db.now(),
                  .expires_at = db.now() + refresh_life};
  db.insert(session, Logged::No);
  db.log("session", session.id.substr(0, 8), Action::Create, std::nullopt,
         {{"event", "login"}, {"user_id", user.id}, {"username", user.username}});
  return session;
}

void end_sessions(Writer& db, std::int64_t user_id, const std::string& kept) {
  const auto ended = db.execute("DELETE FROM sessions WHERE user_id = :user AND id <> :kept",
                                {{"user", user_id}, {"kept", kept}});
  if (ended == 0) return;
  db.log("session", std::to_string(user_id), Action::Delete, std::nullopt,
         {{"event", "sessions_ended"}, {"user_id", user_id}, {"count", ended}});
}

void end_api_keys(Writer& db, std::int64_t user_id) {
  for (const ApiKey& key :
       db.select<ApiKey>({.where = "user_id = :user", .values = {{"user", user_id}}})) {
    db.remove(key, Logged::No);
    log_api_key(db, key, Action::Delete);
  }
}

void log_api_key(Writer& db, const ApiKey& key, Action action) {
  boost::json::object after = to_json(describe<ApiKey>, &key);
  after["event"] = action == Action::Create ? "api_key_created" : "api_key_revoked";
  after["user_id"] = key.user_id;
  after.erase("key");
  db.log("api_key", key.id, action, std::nullopt, after);
}

void forget_initial_password(const Call& call, const User& user) {
  if (user.id != 1) return;
  std::error_code ignored;
  std::filesystem::remove(
      std::filesystem::path(call.context.settings.data_dir) / "initial-admin-password", ignored);
}

void forget_ended_sessions(Store& store, const Clock& clock) {
  store.write({.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""},
              [&](Writer& db) {
                db.execute("DELETE FROM sessions WHERE expires_at <= :now",
                           {{"now", to_milliseconds(clock.now())}});
              });
}

}  // namespace mp::api
