// Proving who one is: what sign-in and the requests that ask for a password or a code again have in
// common. Every wrong one counts as a failed attempt and may be an entry of the change log.
#pragma once

#include "access/attempt.hpp"
#include "api/call.hpp"
#include "base/secret.hpp"
#include "model/user.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mp::api {

// An attempt for the account of this name, from where the caller is. `user` is the one of that
// name, when there is one. Throws RateLimit while it must wait.
Attempts::Attempt begin_attempt(Call& call, const std::string& name,
                                const std::optional<User>& user);

// Counts it. `reason` is for the log alone: "password", "second_factor", "inactive".
void fail_attempt(Call& call, Attempts::Attempt& attempt, const std::optional<User>& user,
                  std::string_view reason);

// In a session: throws a violation of `field` unless it is the caller's password. `user` is the
// caller as he is stored.
void confirm_password(Call& call, const User& user, const Secret& password,
                      const std::string& field);

// The network that the caller is in is one the user has signed in from.
void keep_network(Writer& db, const User& user, const std::string& address);

// Takes a code of the second factor or a backup code, for good. False: it is none.
bool take_code(Writer& db, const User& user, std::string_view code);

// The user signs in without a second factor from now on. The user's own row is the caller's
// business.
void end_second_factor(Writer& db, const User& user);

// An entry of the change log about the user's credentials.
void log_credential(Writer& db, std::string_view resource, Action action, const User& user,
                    std::string_view event);

}  // namespace mp::api
