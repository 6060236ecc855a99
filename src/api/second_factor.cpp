#include "model/second_factor.hpp"

#include "access/totp.hpp"
#include "api/context.hpp"
#include "api/nouns.hpp"
#include "api/proof.hpp"

namespace mp::api {
namespace {

User stored_caller(Call& call) {
  User user;
  call.read([&](Reader& db) { user = db.get<User>(call.caller.user->id); });
  return user;
}

Error is_on() { return Error(Code::Conflict, "The second factor is on; disable it first"); }

void keep(Writer& db, SecondFactor& factor) {
  if (db.find<SecondFactor>(factor.id))
    db.update(factor, Logged::No);
  else
    db.insert(factor, Logged::No);
}

SecondFactorSetup enable(Call& call, New<SecondFactorStart> body) {
  const User user = stored_caller(call);
  if (user.totp_enabled) throw is_on();
  confirm_password(call, user, body.value.password, "password");
  const Secret secret = new_totp_secret();
  const Secret uri(totp_uri(secret, user.username));
  const SecondFactorSetup setup{.secret = Secret(totp_secret_text(secret)),
                                .otpauth_uri = uri,
                                .qr_code_png = Secret(base64(qr_code_png(uri.reveal()))),
                                .backup_codes = new_backup_codes()};
  return write<SecondFactorSetup>(call, [&](Writer& db) {
    if (db.get<User>(user.id).totp_enabled) throw is_on();
    SecondFactor factor{.id = user.id, .secret = secret, .used_steps = {}, .backup_codes = {}};
    for (const Secret& code : setup.backup_codes)
      factor.backup_codes.push_back(backup_code_hash(code.reveal()));
    keep(db, factor);
    return setup;
  });
}

// The code shows that the phone has the secret. It opens nothing, so wrong ones are not counted.
Done verify(Call& call, New<SecondFactorCode> body) {
  return write<Done>(call, [&](Writer& db) {
    User user = db.get<User>(call.caller.user->id);
    if (user.totp_enabled) throw is_on();
    auto factor = db.find<SecondFactor>(user.id);
    if (!factor) throw Error(Code::Conflict, "Enable the second factor first");
    const std::string& code = body.value.totp_code.reveal();
    if (!take_totp_code(factor->secret, code, db.now(), factor->used_steps))
      throw invalid("totp_code", "Is not a current code");
    db.update(*factor, Logged::No);
    user.totp_enabled = true;
    db.update(user);
    log_credential(db, "second_factor", Action::Create, user, "2fa_enabled");
    return Done{"Signing in takes a second factor from now on"};
  });
}

Done disable(Call& call, New<SecondFactorEnd> body) {
  const User user = stored_caller(call);
  if (!user.totp_enabled) throw Error(Code::Conflict, "The second factor is not on");
  confirm_password(call, user, body.value.password, "password");
  auto attempt = begin_attempt(call, user.username, user);
  Done done;
  try {
    done = write<Done>(call, [&](Writer& db) {
      User current = db.get<User>(user.id);
      if (!current.totp_enabled) throw Error(Code::Conflict, "The second factor is not on");
      if (!take_code(db, current, body.value.totp_code.reveal()))
        throw invalid("totp_code", "Is not a current code");
      current.totp_enabled = false;
      db.update(current);
      end_second_factor(db, current);
      return Done{"Signing in takes the password alone from now on"};
    });
  } catch (const Error& error) {
    if (error.code == Code::Validation) fail_attempt(call, attempt, user, "second_factor");
    throw;
  }
  return done;
}

}  // namespace

void second_factor(Endpoints& endpoints) {
  endpoints.add({.id = "enable_second_factor",
                 .call = "POST /auth/2fa/enable",
                 .summary = "Make a second factor; it counts once its first code is verified.",
                 .rate = Rate::Authentication,
                 .errors = {Code::Conflict},
                 .through = Through::Session},
                enable);
  endpoints.add({.id = "verify_second_factor",
                 .call = "POST /auth/2fa/verify",
                 .summary = "Turn the second factor on with its first code.",
                 .rate = Rate::Authentication,
                 .errors = {Code::Conflict},
                 .through = Through::Session},
                verify);
  endpoints.add({.id = "disable_second_factor",
                 .call = "POST /auth/2fa/disable",
                 .summary = "Turn the second factor off.",
                 .rate = Rate::Authentication,
                 .errors = {Code::Conflict},
                 .through = Through::Session},
                disable);
}

}  // namespace mp::api
