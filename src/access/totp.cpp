#include "access/totp.hpp"

#include "base/error.hpp"
#include "base/outside.hpp"

#include <liboath/oath.h>
#include <png.h>
#include <qrencode.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

namespace mp {
namespace {

constexpr std::size_t secret_bytes = 20;
constexpr unsigned step_seconds = 30;
constexpr unsigned digits = 6;
constexpr std::int64_t window = 1;  // steps before and after now
constexpr std::size_t backup_codes = 10;
constexpr std::size_t backup_letters = 16;
// No letters that are read as digits. 32 of them: 5 bits each.
constexpr std::string_view alphabet = "23456789abcdefghjkmnpqrstuvwxyz0";
static_assert(alphabet.size() == 32);

void check(int result) {
  if (result != OATH_OK) throw internal(std::string("liboath: ") + oath_strerror(result));
}

std::int64_t step_of(Time now) {
  return std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count() / step_seconds;
}

std::string code_of_step(const Secret& secret, std::int64_t step) {
  static const int ready = oath_init();
  check(ready);
  std::array<char, digits + 1> code{};
  check(oath_totp_generate(secret.reveal().data(), secret.reveal().size(),
                           static_cast<time_t>(step * step_seconds), step_seconds,
                           OATH_TOTP_DEFAULT_START_TIME, digits, code.data()));
  return code.data();
}

bool is_used(const TotpSteps& used, std::int64_t step) {
  if (used.empty()) return false;
  return step < *std::ranges::max_element(used) - 2 * window ||
         std::ranges::find(used, step) != used.end();
}

struct FreeQr {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

struct Picture {
  std::size_t side = 0;
  std::vector<png_byte> pixels;  // a byte each, 0 black
};

// Each module is a square of `scale` pixels; four modules of white around.
Picture draw(const QRcode& code) {
  constexpr std::size_t scale = 6, margin = 4;
  const auto modules = static_cast<std::size_t>(code.width);
  Picture picture{.side = (modules + 2 * margin) * scale, .pixels = {}};
  picture.pixels.assign(picture.side * picture.side, 255);
  for (std::size_t y = 0; y < modules * scale; ++y) {
    for (std::size_t x = 0; x < modules * scale; ++x) {
      if ((code.data[y / scale * modules + x / scale] & 1U) == 0) continue;
      picture.pixels[(y + margin * scale) * picture.side + x + margin * scale] = 0;
    }
  }
  return picture;
}

std::string png_of(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(picture.side);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  const int written =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.pixels.data(), 0, nullptr);
  if (written == 0) throw internal(std::string("libpng: ") + image.message);
  bytes.resize(size);
  return bytes;
}

std::string plain_letters(std::string_view code) {
  std::string letters;
  for (const char letter : code) {
    if (letter == '-' || letter == ' ') continue;
    letters.push_back(letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a')
                                                     : letter);
  }
  return letters;
}

Secret new_backup_code() {
  std::array<std::byte, backup_letters> bytes{};
  random_bytes(bytes);
  std::string code;
  for (const std::byte byte : bytes) {
    if (code.size() % 5 == 4) code.push_back('-');
    code.push_back(alphabet[static_cast<std::size_t>(byte) % alphabet.size()]);
  }
  return Secret(std::move(code));
}

}  // namespace

Secret new_totp_secret() {
  std::array<std::byte, secret_bytes> bytes{};
  random_bytes(bytes);
  return Secret(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string totp_secret_text(const Secret& secret) {
  char* text = nullptr;
  check(oath_base32_encode(secret.reveal().data(), secret.reveal().size(), &text, nullptr));
  std::string copy(text);
  std::free(text);
  std::erase(copy, '=');
  return copy;
}

Secret parse_totp_secret(std::string_view text) {
  char* bytes = nullptr;
  std::size_t size = 0;
  if (oath_base32_decode(text.data(), text.size(), &bytes, &size) != OATH_OK) return {};
  Secret secret(std::string(bytes, size));
  std::free(bytes);
  return secret;
}

std::string totp_code(const Secret& secret, Time now) { return code_of_step(secret, step_of(now)); }

bool take_totp_code(const Secret& secret, std::string_view code, Time now, TotpSteps& used) {
  const std::int64_t current = step_of(now);
  std::optional<std::int64_t> taken;
  for (std::int64_t step = current - window; step <= current + window; ++step) {
    const bool right = same_secret(code_of_step(secret, step), code);
    if (right && !is_used(used, step) && !taken) taken = step;
  }
  if (!taken) return false;
  used.push_back(*taken);
  const std::int64_t newest = *std::ranges::max_element(used);
  std::erase_if(used, [&](std::int64_t step) { return step < newest - 2 * window; });
  return true;
}

std::string totp_uri(const Secret& secret, std::string_view account) {
  return "otpauth://totp/MarchProxy:" + std::string(account) +
         "?secret=" + totp_secret_text(secret) +
         "&issuer=MarchProxy&algorithm=SHA1&digits=6&period=30";
}

std::string qr_code_png(const std::string& text) {
  const std::unique_ptr<QRcode, FreeQr> code(
      QRcode_encodeString8bit(text.c_str(), 0, QR_ECLEVEL_M));
  if (!code) throw internal("libqrencode cannot encode the text");
  return png_of(draw(*code));
}

std::vector<Secret> new_backup_codes() {
  std::vector<Secret> codes(backup_codes);
  std::ranges::generate(codes, new_backup_code);
  return codes;
}

std::string backup_code_hash(std::string_view code) { return sha256_hex(plain_letters(code)); }

bool take_backup_code(std::string_view code, std::vector<std::string>& hashes) {
  const std::string hash = backup_code_hash(code);
  auto found = hashes.end();
  for (auto each = hashes.begin(); each != hashes.end(); ++each) {
    if (same_secret(*each, hash)) found = each;
  }
  if (found == hashes.end()) return false;
  hashes.erase(found);
  return true;
}

}  // namespace mp
