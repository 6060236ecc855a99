// The second factor of a user who signs in with a password and codes, and the bodies and answers
// that turn it on and off.
#pragma once

#include "model/shape.hpp"

namespace mp {

struct SecondFactor {
  std::int64_t id = 0;  // the user's
  Secret secret;
  std::vector<std::int64_t> used_steps;
  std::vector<std::string> backup_codes;
};
inline constexpr std::array second_factor_fields{
    field<&SecondFactor::id>("id", "Whose it is.", {.mode = Mode::Hidden, .references = "user"}),
    field<&SecondFactor::secret>("secret", "What its codes are made of.", {.mode = Mode::Hidden}),
    field<&SecondFactor::used_steps>("used_steps", "Time steps whose codes were used, the newest.",
                                     {.mode = Mode::Hidden}),
    field<&SecondFactor::backup_codes>("backup_codes", "SHA-256 of the codes that are left.",
                                       {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<SecondFactor> =
    resource<SecondFactor>("second_factor", "second_factors",
                           "What a user proves beside his password.", second_factor_fields);

struct SecondFactorStart {
  Secret password;
};
inline constexpr std::array second_factor_start_fields{
    field<&SecondFactorStart::password>(
        "password", "The password.",
        {.min = 1, .max = 128, .sensitive = true, .example = "\"secure_password\""}),
};
template <>
inline constexpr Description describe<SecondFactorStart> = part<SecondFactorStart>(
    "second_factor_start", "Who wants a second factor.", second_factor_start_fields);

struct SecondFactorSetup {
  Secret secret;
  Secret otpauth_uri;
  Secret qr_code_png;
  std::vector<Secret> backup_codes;
};
inline constexpr std::array second_factor_setup_fields{
    field<&SecondFactorSetup::secret>(
        "secret", "For an authenticator app, in base 32.",
        {.mode = Mode::Server, .example = "\"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\""}),
    field<&SecondFactorSetup::otpauth_uri>(
        "otpauth_uri", "The same as a link that apps open.",
        {.mode = Mode::Server,
         .example = "\"otpauth://totp/MarchProxy:admin?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
                    "&issuer=MarchProxy&algorithm=SHA1&digits=6&period=30\""}),
    field<&SecondFactorSetup::qr_code_png>("qr_code_png",
                                           "The link as a QR code: a PNG picture, in base 64.",
                                           {.mode = Mode::Server, .example = "\"iVBORw0KGgo=\""}),
    field<&SecondFactorSetup::backup_codes>(
        "backup_codes", "Each signs in once in place of a code; shown this once.",
        {.mode = Mode::Server, .example = "[\"ctyh-acdf-jy2v-yc8f\"]"}),
};
template <>
inline constexpr Description describe<SecondFactorSetup> =
    part<SecondFactorSetup>("second_factor_setup", "A second factor that waits for its first code.",
                            second_factor_setup_fields);

struct SecondFactorCode {
  Secret totp_code;
};
inline constexpr std::array second_factor_code_fields{
    field<&SecondFactorCode::totp_code>(
        "totp_code", "Six digits, from the authenticator app.",
        {.min = 6, .max = 6, .sensitive = true, .example = "\"123456\""}),
};
template <>
inline constexpr Description describe<SecondFactorCode> = part<SecondFactorCode>(
    "second_factor_code", "The first code of a second factor.", second_factor_code_fields);

struct SecondFactorEnd {
  Secret password;
  Secret totp_code;
};
inline constexpr std::array second_factor_end_fields{
    field<&SecondFactorEnd::password>(
        "password", "The password.",
        {.min = 1, .max = 128, .sensitive = true, .example = "\"secure_password\""}),
    field<&SecondFactorEnd::totp_code>(
        "totp_code", "Six digits, or a backup code.",
        {.min = 6, .max = 64, .sensitive = true, .example = "\"123456\""}),
};
template <>
inline constexpr Description describe<SecondFactorEnd> = part<SecondFactorEnd>(
    "second_factor_end", "Who gives up the second factor.", second_factor_end_fields);

}  // namespace mp
