// A user: somebody who signs in. And a session: what a sign-in made and a sign-out ends.
// This file is the only place that lists their fields.
#pragma once

#include "model/shape.hpp"

namespace mp {

enum class AuthProvider { Local, Saml, Oauth2, Scim };
template <>
inline constexpr std::array names_of<AuthProvider>{
    std::string_view("local"), std::string_view("saml"), std::string_view("oauth2"),
    std::string_view("scim")};

struct User {
  std::int64_t id = 0;
  std::string username;
  std::string email;
  bool is_admin = false;
  AuthProvider auth_provider = AuthProvider::Local;
  std::optional<std::string> external_id;
  std::vector<std::int64_t> clusters;
  bool totp_enabled = false;
  bool is_active = true;
  Time created_at;
  Time updated_at;
  std::optional<Time> last_login;
  std::optional<Secret> password;
  std::optional<Secret> current_password;
  std::int64_t revision = 1;
  std::string password_hash;  // Argon2id, in its own text form; empty when there is no password
};

inline constexpr std::array user_fields{
    field<&User::id>("id", "Identifier.", {.mode = Mode::Server, .sort = true}),
    field<&User::username>("username", "Name to sign in with.",
                           {.mode = Mode::Fixed,
                            .min = 3,
                            .max = 50,
                            .format = "username",
                            .sort = true,
                            .search = true,
                            .example = "\"jdoe\""}),
    field<&User::email>("email", "E-mail address; signs in as well.",
                        {.min = 3,
                         .max = 254,
                         .format = "email",
                         .sort = true,
                         .search = true,
                         .example = "\"jdoe@company.com\""}),
    field<&User::is_admin>("is_admin", "Whether the user may do everything."),
    field<&User::auth_provider>("auth_provider", "Where the user signs in.",
                                {.mode = Mode::Server}),
    field<&User::external_id>("external_id", "Identifier at that place.",
                              {.mode = Mode::Server, .example = "\"00u1a2b3c4\""}),
    field<&User::clusters>("clusters", "Clusters whose objects the user sees and edits.",
                           {.max = 1000, .references = "cluster", .example = "[1]"}),
    field<&User::totp_enabled>("totp_enabled",
                               "Whether signing in takes a second factor. The user turns it on; an "
                               "admin may turn it off."),
    field<&User::is_active>("is_active", "Whether the user may sign in."),
    field<&User::created_at>("created_at", "When the user was made.",
                             {.mode = Mode::Server, .sort = true}),
    field<&User::updated_at>("updated_at", "When the user last changed.",
                             {.mode = Mode::Server, .sort = true}),
    field<&User::last_login>("last_login", "When the user last signed in.", {.mode = Mode::Server}),
    field<&User::password>(
        "password", "A new password: 12 to 128 characters, not the user name, not a common one.",
        {.kept = Kept::Once,
         .min = 12,
         .max = 128,
         .sensitive = true,
         .example = "\"StrongPassword123!\""}),
    field<&User::current_password>(
        "current_password", "The password until now, to change one's own.",
        {.kept = Kept::Once, .min = 1, .max = 128, .change_only = true, .sensitive = true}),
    field<&User::revision>("revision", "Counts changes; the ETag.", {.mode = Mode::Hidden}),
    field<&User::password_hash>("password_hash", "Argon2id hash.", {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<User> =
    resource<User>("user", "users", "Somebody who signs in.", user_fields);

struct Session {
  std::string id;  // random, in the tokens
  std::int64_t user_id = 0;
  Time created_at;
  Time expires_at;
};

inline constexpr std::array session_fields{
    field<&Session::id>("id", "Random identifier, part of its tokens.", {.mode = Mode::Hidden}),
    field<&Session::user_id>("user_id", "Whose it is.",
                             {.mode = Mode::Hidden, .references = "user"}),
    field<&Session::created_at>("created_at", "When it began.", {.mode = Mode::Hidden}),
    field<&Session::expires_at>("expires_at", "When its refresh token ends.",
                                {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<Session> =
    resource<Session>("session", "sessions", "A sign-in that has not ended.", session_fields);

}  // namespace mp
