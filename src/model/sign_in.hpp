// Bodies and answers of signing in and of the accounts of users.
#pragma once

#include "model/user.hpp"

namespace mp {

struct LoginRequest {
  std::string username;
  Secret password;
  std::optional<std::string> totp_code;
};
inline constexpr std::array login_request_fields{
    field<&LoginRequest::username>("username", "User name or e-mail address.",
                                   {.min = 1, .max = 254, .example = "\"admin\""}),
    field<&LoginRequest::password>(
        "password", "The password.",
        {.min = 1, .max = 128, .sensitive = true, .example = "\"secure_password\""}),
    field<&LoginRequest::totp_code>(
        "totp_code", "Second factor, for users who have one enabled.",
        {.min = 1, .max = 64, .sensitive = true, .example = "\"123456\""}),
};
template <>
inline constexpr Description describe<LoginRequest> =
    part<LoginRequest>("login_request", "Who signs in.", login_request_fields);

struct LoginResponse {
  Secret access_token;
  Secret refresh_token;
  int expires_in = 3600;
  User user;
};
inline constexpr std::array login_response_fields{
    field<&LoginResponse::access_token>(
        "access_token", "Sent as Authorization: Bearer.",
        {.mode = Mode::Server, .example = "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln\""}),
    field<&LoginResponse::refresh_token>(
        "refresh_token", "Makes new access tokens for 7 days.",
        {.mode = Mode::Server, .example = "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln\""}),
    field<&LoginResponse::expires_in>("expires_in", "Seconds the access token is good for.",
                                      {.mode = Mode::Server}),
    field<&LoginResponse::user>("user", "Who signed in.", {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<LoginResponse> =
    part<LoginResponse>("login_response", "A session's tokens.", login_response_fields);

struct RefreshRequest {
  Secret refresh_token;
};
inline constexpr std::array refresh_request_fields{
    field<&RefreshRequest::refresh_token>(
        "refresh_token", "From the sign-in.",
        {.min = 1,
         .max = 4096,
         .sensitive = true,
         .example = "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln\""}),
};
template <>
inline constexpr Description describe<RefreshRequest> =
    part<RefreshRequest>("refresh_request", "A session to go on with.", refresh_request_fields);

struct RefreshResponse {
  Secret access_token;
  int expires_in = 3600;
};
inline constexpr std::array refresh_response_fields{
    field<&RefreshResponse::access_token>(
        "access_token", "Sent as Authorization: Bearer.",
        {.mode = Mode::Server, .example = "\"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln\""}),
    field<&RefreshResponse::expires_in>("expires_in", "Seconds it is good for.",
                                        {.mode = Mode::Server}),
};
template <>
inline constexpr Description describe<RefreshResponse> =
    part<RefreshResponse>("refresh_response", "A new access token.", refresh_response_fields);

struct PasswordChange {
  Secret current_password;
  Secret new_password;
};
inline constexpr std::array password_change_fields{
    field<&PasswordChange::current_password>(
        "current_password", "The password until now.",
        {.min = 1, .max = 128, .sensitive = true, .example = "\"secure_password\""}),
    field<&PasswordChange::new_password>(
        "new_password", "The password from now on.",
        {.min = 12, .max = 128, .sensitive = true, .example = "\"StrongPassword123!\""}),
};
template <>
inline constexpr Description describe<PasswordChange> =
    part<PasswordChange>("password_change", "A new password for oneself.", password_change_fields);

}  // namespace mp
