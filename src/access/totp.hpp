// One-time codes of a second factor: RFC 6238 with SHA-1, 6 digits and steps of 30 s, by liboath;
// its secrets and the QR code that hands them to a phone. Pure: the time comes in, nothing is kept.
#pragma once

#include "base/secret.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mp {

// 160 random bits, as bytes.
Secret new_totp_secret();
// RFC 4648 base 32 without padding, and back; an empty secret for a text that is none.
std::string totp_secret_text(const Secret& secret);
Secret parse_totp_secret(std::string_view text);

// The code of the step that `now` falls into.
std::string totp_code(const Secret& secret, Time now);

// The steps whose codes were used, the newest three at most: a code works once. Those before them
// count as used too, so that a clock set back opens nothing.
using TotpSteps = std::vector<std::int64_t>;

// Takes `code` when it is the one of now, of the step before or of the one after, and not used:
// adds its step to `used`. Compares in constant time. False: nothing changes.
bool take_totp_code(const Secret& secret, std::string_view code, Time now, TotpSteps& used);

// otpauth://totp/… as authenticator apps read it. `account` needs no escaping in a URI.
std::string totp_uri(const Secret& secret, std::string_view account);

// The text as a QR code: a PNG of black and white squares with the margin of ISO/IEC 18004.
std::string qr_code_png(const std::string& text);

// Ten codes for the day that the phone is lost, 80 bits each: "k3vq-9wbn-t2xz-hm4d".
std::vector<Secret> new_backup_codes();
// What is kept of one: SHA-256 of its letters; case, spaces and dashes do not count.
std::string backup_code_hash(std::string_view code);
// Takes the code out of `hashes`, when it is among them. Compares with each in constant time.
bool take_backup_code(std::string_view code, std::vector<std::string>& hashes);

}  // namespace mp
