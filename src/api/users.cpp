#include "api/context.hpp"
#include "api/draft.hpp"
#include "api/nouns.hpp"
#include "api/proof.hpp"
#include "api/selection.hpp"
#include "api/sessions.hpp"
#include "model/filters.hpp"

namespace mp::api {

namespace {

void look_for_clusters(Reader& db, const User& user, Violations& violations) {
  if (is_broken_as_a_whole(violations, "clusters")) return;
  for (std::size_t at = 0; at < user.clusters.size(); ++at) {
    const std::string place = "clusters[" + std::to_string(at) + "]";
    if (is_broken(violations, place)) continue;
    if (user.clusters[at] > 0 && db.has<Cluster>(user.clusters[at])) continue;
    violations.push_back({place, "Is not a cluster", user.clusters[at]});
  }
}

void check_clusters(Reader& db, const User& user) {
  Violations violations;
  look_for_clusters(db, user, violations);
  refuse(std::move(violations));
}

void judge_password(const User& user, Violations& violations) {
  if (user.password && !is_broken(violations, "password"))
    check_password_rules(*user.password, user.username, "password", violations);
}

bool is_last_admin(Reader& db, const User& user) {
  if (!user.is_admin || !user.is_active) return false;
  return db.count<User>({.where = "is_admin = 1 AND is_active = 1 AND id <> :id",
                         .values = {{"id", user.id}}}) == 0;
}

constexpr std::string_view turned_on_by_user = "Is turned on by the user: POST /auth/2fa/enable";

void judge_second_factor(const User& user, const User& before, Violations& violations) {
  if (user.totp_enabled && !before.totp_enabled && !is_broken(violations, "totp_enabled"))
    violations.push_back({"totp_enabled", std::string(turned_on_by_user), true});
}

Error last_admin() { return Error(Code::Conflict, "The last active administrator must stay"); }

// Admins see all users, everybody sees himself.
User load_user(Reader& db, const Caller& caller, std::int64_t id) {
  if (!caller.is_admin() && caller.user->id != id) throw not_found("user");
  return db.get<User>(id);
}

Page<User> list_users(Call& call, Listing<User> query) {
  Page<User> page;
  call.read([&](Reader& db) {
    Selection selection = selection_of(describe<User>, query);
    if (const auto* cluster = query.filter("cluster_id")) {
      narrow(selection, "REPLACE(REPLACE(clusters, '[', ','), ']', ',') LIKE :cluster");
      selection.values.emplace_back("cluster", "%," + std::to_string(cluster->as_int64()) + ",%");
    }
    page = load_page<User>(db, query, selection);
  });
  return page;
}

Created<User> create_user(Call& call, Draft<User> body) {
  User user = std::move(body.value);
  Violations& violations = body.violations;
  if (!user.password && !is_broken(violations, "password"))
    violations.push_back({"password", "Is required"});
  judge_second_factor(user, {}, violations);
  judge_password(user, violations);
  refuse_breaches(call, violations,
                  [&](Reader& db, Violations& all) { look_for_clusters(db, user, all); });
  user.password_hash = call.context.hashes.hash(*user.password);
  user.password.reset();
  return write<Created<User>>(call, [&](Writer& db) {
    User made = user;
    check_clusters(db, made);
    db.insert(made);
    return Created<User>{std::move(made)};
  });
}

User get_user(Call& call, Id<User> id) {
  User user;
  call.read([&](Reader& db) { user = load_user(db, call.caller, id.value); });
  return user;
}

// What somebody who is no admin may change of himself.
void check_own_change(const User& before, const User& after) {
  if (before.is_admin != after.is_admin || before.clusters != after.clusters ||
      before.is_active != after.is_active || before.totp_enabled != after.totp_enabled) {
    throw Error(Code::Permission, "Only email and password of oneself can be changed");
  }
}

// What proves its owner is not for a key to change.
void check_change_by_key(const User& before, const User& after) {
  if (after.password)
    throw Error(Code::Permission, "An API key may not change its owner's password; sign in");
  if (before.totp_enabled && !after.totp_enabled)
    throw Error(Code::Permission, "An API key may not end its owner's second factor; sign in");
}

// Hashes the new password before the transaction, which must not wait for it. Empty: no new
// password.
std::string hash_of_change(Call& call, const User& before, const User& after) {
  if (!after.password) return {};
  const bool self = call.caller.user->id == before.id;
  if (self) {
    if (!after.current_password)
      throw invalid("current_password", "Is required to change one's own password");
    confirm_password(call, before, *after.current_password, "current_password");
  }
  return call.context.hashes.hash(*after.password);
}

// What the request makes of the row as it is now: others may change it while a password is hashed.
User changed_user(Call& call, Reader& db, const Change<User>& change, const User& before) {
  User after = before;
  Violations violations = change.read(after);
  const bool admin = call.caller.is_admin();
  if (!admin && violations.empty()) check_own_change(before, after);
  if (call.caller.api_key && call.caller.user->id == before.id) check_change_by_key(before, after);
  judge_second_factor(after, before, violations);
  judge_password(after, violations);
  if (admin) look_for_clusters(db, after, violations);
  refuse(std::move(violations));
  return after;
}

User update_user(Call& call, Id<User> id, Change<User> change) {
  User seen, wanted;
  call.read([&](Reader& db) {
    seen = load_user(db, call.caller, id.value);
    wanted = changed_user(call, db, change, seen);
  });
  const bool self = call.caller.user->id == seen.id;
  const std::string hash = hash_of_change(call, seen, wanted);
  User saved = write<User>(call, [&](Writer& db) {
    const User before = load_user(db, call.caller, id.value);
    // The current password was checked against a hash that another request has replaced since.
    if (!hash.empty() && self && before.password_hash != seen.password_hash)
      throw invalid("current_password", "Is not the current password");
    User user = changed_user(call, db, change, before);
    user.password.reset();
    user.current_password.reset();
    if (is_last_admin(db, before) && !(user.is_admin && user.is_active)) throw last_admin();
    if (!hash.empty()) user.password_hash = hash;
    db.update(user);
    if (before.totp_enabled && !user.totp_enabled) end_second_factor(db, user);
    if (!hash.empty()) log_credential(db, "password", Action::Update, user, "password_changed");
    if (!user.is_active) {
      end_sessions(db, user.id, "");
      end_api_keys(db, user.id);
    }
    if (user.is_active && !hash.empty())
      end_sessions(db, user.id, self ? call.caller.session_id : "");
    return user;
  });
  if (!hash.empty()) forget_initial_password(call, saved);
  return saved;
}

Done delete_user(Call& call, Id<User> id) {
  return write<Done>(call, [&](Writer& db) {
    const User user = db.get<User>(id.value);
    check_match(call, describe<User>, &user);
    if (is_last_admin(db, user)) throw last_admin();
    end_sessions(db, user.id, "");
    end_api_keys(db, user.id);
    db.remove(user);
    return Done{"User deleted"};
  });
}

}  // namespace

void users(Endpoints& endpoints) {
  endpoints.add(
      {.id = "list_users", .call = "GET /users", .summary = "List users.", .needs = Needs::Admin},
      list_users);
  endpoints.add({.id = "create_user",
                 .call = "POST /users",
                 .summary = "Create a user.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                create_user);
  endpoints.add({.id = "get_user",
                 .call = "GET /users/{id}",
                 .summary = "Get a user: oneself, or any as an admin.",
                 .effort = Effort::Quick},
                get_user);
  endpoints.add({.id = "update_user",
                 .call = "PUT /users/{id}",
                 .summary = "Change a user: e-mail and password of oneself, anything as an admin.",
                 .errors = {Code::Permission, Code::Conflict}},
                update_user);
  endpoints.add({.id = "patch_user",
                 .call = "PATCH /users/{id}",
                 .summary = "Change by JSON merge patch.",
                 .errors = {Code::Permission, Code::Conflict}},
                update_user);
  endpoints.add({.id = "delete_user",
                 .call = "DELETE /users/{id}",
                 .summary = "Delete a user; never the last active admin.",
                 .needs = Needs::Admin,
                 .errors = {Code::Conflict}},
                delete_user);
}

}  // namespace mp::api
