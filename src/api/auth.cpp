#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/selection.hpp"
#include "api/sessions.hpp"
#include "model/sign_in.hpp"

namespace mp::api {
namespace {

// One text for every way to fail, so that it does not tell which part was wrong.
Error sign_in_failed() {
  Error error(Code::Authentication, "Invalid credentials");
  error.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"marchproxy\"");
  return error;
}

std::optional<User> find_user(Reader& db, const std::string& name) {
  auto found = db.select<User>({.where = "LOWER(username) = :name OR LOWER(email) = :name",
                                .values = {{"name", ascii_lower(name)}}});
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

LoginResponse login(Call& call, New<LoginRequest> body) {
  Context& context = call.context;
  std::optional<User> user;
  call.read([&](Reader& db) { user = find_user(db, body.value.username); });
  // The hash is computed for unknown names too: the time tells nothing.
  const bool right = context.hashes.verify(user ? user->password_hash : "", body.value.password);
  if (!user || !right || !user->is_active) throw sign_in_failed();
  call.caller.user = std::make_shared<const User>(*user);
  // Costs that were raised since the password was set reach it when it is typed again.
  const bool rehash = HashGate::needs_rehash(user->password_hash);
  const std::string hash = rehash ? context.hashes.hash(body.value.password) : user->password_hash;
  Session session;
  context.store.write(call.actor(), [&](Writer& db) {
    User current = db.get<User>(user->id);
    if (!current.is_active || current.password_hash != user->password_hash) throw sign_in_failed();
    session = begin_session(db, current);
    current.last_login = db.now();
    current.password_hash = hash;
    db.update(current, Logged::No);
    user = current;
  });
  return {
      .access_token = context.tokens.issue(TokenType::Access, user->id, session.id, access_life),
      .refresh_token = context.tokens.issue(TokenType::Refresh, user->id, session.id, refresh_life),
      .expires_in = static_cast<int>(access_life.count()),
      .user = *user};
}

RefreshResponse refresh(Call& call, New<RefreshRequest> body) {
  const auto token =
      call.context.tokens.verify(body.value.refresh_token.reveal(), TokenType::Refresh);
  if (!token) throw sign_in_failed();
  call.read([&](Reader& db) {
    const auto session = db.find<Session>(token->session_id);
    const auto user = db.find<User>(token->user_id);
    if (!session || session->expires_at <= call.context.clock.now() || !user || !user->is_active) {
      throw sign_in_failed();
    }
  });
  return {.access_token = call.context.tokens.issue(TokenType::Access, token->user_id,
                                                    token->session_id, access_life),
          .expires_in = static_cast<int>(access_life.count())};
}

Done logout(Call& call) {
  call.context.store.write(call.actor(), [&](Writer& db) {
    db.execute("DELETE FROM sessions WHERE id = :id", {{"id", call.caller.session_id}});
    db.log("session", call.caller.session_id.substr(0, 8), Action::Delete, std::nullopt,
           {{"event", "logout"},
            {"user_id", call.caller.user->id},
            {"username", call.caller.user->username}});
  });
  call.context.credentials.changed();
  return {"Signed out"};
}

User me(Call& call) {
  User user;
  call.read([&](Reader& db) { user = db.get<User>(call.caller.user->id); });
  return user;
}

Done change_password(Call& call, New<PasswordChange> body) {
  Context& context = call.context;
  User user;
  call.read([&](Reader& db) { user = db.get<User>(call.caller.user->id); });
  if (!context.hashes.verify(user.password_hash, body.value.current_password)) {
    throw invalid("current_password", "Is not the current password");
  }
  Violations violations;
  check_password_rules(body.value.new_password, user.username, "new_password", violations);
  if (!violations.empty()) throw invalid(std::move(violations));
  user.password_hash = context.hashes.hash(body.value.new_password);
  context.store.write(call.actor(), [&](Writer& db) {
    db.update(user);
    end_sessions(db, user.id, call.caller.session_id);
  });
  context.credentials.changed();
  forget_initial_password(call, user);
  return {"Password changed; the other sessions have ended"};
}

}  // namespace

void auth(Endpoints& endpoints) {
  endpoints.add({.id = "login",
                 .call = "POST /auth/login",
                 .summary = "Sign in with name or e-mail and password.",
                 .needs = Needs::Nothing,
                 .rate = Rate::Authentication,
                 .errors = {Code::Authentication}},
                login);
  endpoints.add({.id = "refresh",
                 .call = "POST /auth/refresh",
                 .summary = "Make a new access token.",
                 .needs = Needs::Nothing,
                 .rate = Rate::Authentication,
                 .errors = {Code::Authentication}},
                refresh);
  endpoints.add({.id = "logout",
                 .call = "POST /auth/logout",
                 .summary = "End this session.",
                 .through = Through::Session},
                logout);
  endpoints.add({.id = "me", .call = "GET /auth/me", .summary = "Who is signed in."}, me);
  endpoints.add({.id = "change_password",
                 .call = "POST /auth/change-password",
                 .summary = "Change one's own password; the other sessions end.",
                 .through = Through::Session},
                change_password);
}

}  // namespace mp::api
