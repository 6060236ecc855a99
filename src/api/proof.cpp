#include "api/proof.hpp"

#include "access/client.hpp"
#include "access/totp.hpp"
#include "api/context.hpp"
#include "api/selection.hpp"
#include "base/utf8.hpp"
#include "model/second_factor.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::api {
namespace {

constexpr std::chrono::hours familiar_for{90 * 24};
constexpr std::int64_t most_networks = 16;  // of one user; the latest are kept

bool is_familiar(Call& call, std::int64_t user_id, const std::string& network) {
  bool known = false;
  call.read([&](Reader& db) {
    const auto since = to_milliseconds(call.context.clock.now() - familiar_for);
    known = !db.query(
                   "SELECT seen_at FROM sign_in_addresses WHERE user_id = :user AND "
                   "address = :address AND seen_at > :since",
                   {{"user", user_id}, {"address", network}, {"since", since}}, {Column::Integer})
                 .empty();
  });
  return known;
}

bool is_totp(std::string_view code) {
  return code.size() == 6 &&
         std::ranges::all_of(code, [](char letter) { return letter >= '0' && letter <= '9'; });
}

}  // namespace

Attempts::Attempt begin_attempt(Call& call, const std::string& name,
                                const std::optional<User>& user) {
  const std::string network = client_network(call.caller.address);
  // Asked for nobody too: the time must not tell whether there is such a user.
  const bool familiar = is_familiar(call, user ? user->id : 0, network);
  return call.context.attempts.begin({.account = ascii_lower(name),
                                      .network = network,
                                      .familiar = familiar ? Familiar::Yes : Familiar::No});
}

// A name that nobody has may be a password typed into the wrong place: it is not logged.
void fail_attempt(Call& call, Attempts::Attempt& attempt, const std::optional<User>& user,
                  std::string_view reason) {
  const auto report = attempt.fail();
  if (!report) return;
  boost::json::object after{{"event", call.caller.user ? "confirmation_failed" : "login_failed"},
                            {"reason", user ? reason : "user"},
                            {"failures", report->failures},
                            {"unlogged", report->unlogged}};
  if (user) {
    after["user_id"] = user->id;
    after["username"] = user->username;
  }
  call.context.store.write(call.actor(), [&](Writer& db) {
    db.log("sign_in", std::to_string(user ? user->id : 0), Action::Create, std::nullopt, after);
  });
}

void confirm_password(Call& call, const User& user, const Secret& password,
                      const std::string& field) {
  auto attempt = begin_attempt(call, user.username, user);
  if (call.context.hashes.verify(user.password_hash, password)) return;
  fail_attempt(call, attempt, user, "password");
  throw invalid(field, "Is not the current password");
}

void keep_network(Writer& db, const User& user, const std::string& address) {
  const std::string network = client_network(address);
  db.execute(
      "INSERT INTO sign_in_addresses (user_id, address, seen_at) "
      "VALUES (:user, :address, :now) "
      "ON CONFLICT (user_id, address) DO UPDATE SET seen_at = :now",
      {{"user", user.id}, {"address", network}, {"now", to_milliseconds(db.now())}});
  db.execute(
      "DELETE FROM sign_in_addresses WHERE user_id = :user AND address NOT IN "
      "(SELECT address FROM sign_in_addresses WHERE user_id = :user "
      "ORDER BY seen_at DESC, address LIMIT :most)",
      {{"user", user.id}, {"most", most_networks}});
}

bool take_code(Writer& db, const User& user, std::string_view code) {
  auto factor = db.find<SecondFactor>(user.id);
  if (!factor) return false;
  if (is_totp(code)) {
    if (!take_totp_code(factor->secret, code, db.now(), factor->used_steps)) return false;
    db.update(*factor, Logged::No);
    return true;
  }
  if (!take_backup_code(code, factor->backup_codes)) return false;
  db.update(*factor, Logged::No);
  log_credential(db, "second_factor", Action::Update, user, "backup_code_used");
  return true;
}

void end_second_factor(Writer& db, const User& user) {
  db.execute("DELETE FROM second_factors WHERE id = :user", {{"user", user.id}});
  log_credential(db, "second_factor", Action::Delete, user, "2fa_disabled");
}

void log_credential(Writer& db, std::string_view resource, Action action, const User& user,
                    std::string_view event) {
  db.log(resource, std::to_string(user.id), action, std::nullopt,
         {{"event", event}, {"user_id", user.id}, {"username", user.username}});
}

}  // namespace mp::api
