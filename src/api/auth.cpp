#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/proof.hpp"
#include "api/selection.hpp"
#include "api/sessions.hpp"
#include "base/utf8.hpp"
#include "model/sign_in.hpp"

namespace mp::api {
namespace {

// One text for every way to fail, so that it does not tell which part was wrong.
Error sign_in_failed() {
  Error error(Code::Authentication, "Invalid credentials");
  error.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"marchproxy\"");
  return error;
}

// Said to those alone who know the password.
Error code_required() {
  Error error = sign_in_failed();
  error.message = "A code of the second factor is required";
  error.details["totp_required"] = true;
  return error;
}

std::optional<User> find_user(Call& call, const std::string& name) {
  std::vector<User> found;
  call.read([&](Reader& db) {
    found = db.select<User>({.where = "LOWER(username) = :name OR LOWER(email) = :name",
                             .values = {{"name", ascii_lower(name)}}});
  });
  return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

// What somebody who knows the password of `user` becomes.
struct Entrance {
  User user;
  Session session;
};

// nullopt: the code is wrong. Throws when the user was changed since the password was checked.
std::optional<Entrance> enter(Call& call, const User& user, const std::string& hash,
                              const std::optional<std::string>& code) {
  std::optional<Entrance> entrance;
  const Actor actor{.user_id = user.id,
                    .name = user.username,
                    .address = call.caller.address,
                    .request_id = call.request_id};
  call.context.store.write(actor, [&](Writer& db) {
    User current = db.get<User>(user.id);
    if (!current.is_active || current.password_hash != user.password_hash) throw sign_in_failed();
    if (current.totp_enabled && !code) throw code_required();
    if (current.totp_enabled && !take_code(db, current, *code)) return;
    const Session session = begin_session(db, current);
    keep_network(db, current, call.caller.address);
    current.last_login = db.now();
    current.password_hash = hash;
    db.update(current, Logged::No);
    entrance = Entrance{.user = std::move(current), .session = session};
  });
  return entrance;
}

LoginResponse login(Call& call, New<LoginRequest> body) {
  Context& context = call.context;
  const LoginRequest& request = body.value;
  const std::optional<User> user = find_user(call, request.username);
  auto attempt = begin_attempt(call, request.username, user);
  const auto refuse = [&](std::string_view reason) {
    fail_attempt(call, attempt, user, reason);
    return sign_in_failed();
  };
  // The hash is computed for unknown names too: the time tells nothing.
  if (!context.hashes.verify(user ? user->password_hash : "", request.password))
    throw refuse("password");
  if (!user->is_active) throw refuse("inactive");
  // Costs that were raised since the password was set reach it when it is typed again.
  const bool rehash = HashGate::needs_rehash(user->password_hash);
  const std::string hash = rehash ? context.hashes.hash(request.password) : user->password_hash;
  const auto entrance = enter(call, *user, hash, request.totp_code);
  if (!entrance) throw refuse("second_factor");
  attempt.succeed();
  const auto& [signed_in, session] = *entrance;
  const Tokens& tokens = context.tokens;
  return {.access_token = tokens.issue(TokenType::Access, signed_in.id, session.id, access_life),
          .refresh_token = tokens.issue(TokenType::Refresh, signed_in.id, session.id, refresh_life),
          .expires_in = static_cast<int>(access_life.count()),
          .user = signed_in};
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
  confirm_password(call, user, body.value.current_password, "current_password");
  Violations violations;
  check_password_rules(body.value.new_password, user.username, "new_password", violations);
  if (!violations.empty()) throw invalid(std::move(violations));
  const std::string hash = context.hashes.hash(body.value.new_password);
  const Done done = write<Done>(call, [&](Writer& db) {
    User current = db.get<User>(user.id);
    if (current.password_hash != user.password_hash)
      throw invalid("current_password", "Is not the current password");
    current.password_hash = hash;
    db.update(current);
    log_credential(db, "password", Action::Update, current, "password_changed");
    end_sessions(db, current.id, call.caller.session_id);
    return Done{"Password changed; the other sessions have ended"};
  });
  forget_initial_password(call, user);
  return done;
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
                 .through = Through::Session,
                 .effect = Effect::Nothing},
                logout);
  endpoints.add({.id = "me", .call = "GET /auth/me", .summary = "Who is signed in."}, me);
  endpoints.add({.id = "change_password",
                 .call = "POST /auth/change-password",
                 .summary = "Change one's own password; the other sessions end.",
                 .through = Through::Session},
                change_password);
}

}  // namespace mp::api
