#include "access/totp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <png.h>

#include <algorithm>
#include <set>

namespace mp {
namespace {

const Time noon = *parse_time("2026-03-01T12:00:00Z");
constexpr std::chrono::seconds step{30};

Time at(std::int64_t seconds) { return Time(std::chrono::seconds(seconds)); }

// RFC 6238, appendix B, SHA-1: the last six of the eight digits.
TEST(Totp, MakesTheCodesOfTheStandard) {
  const Secret secret("12345678901234567890");
  const std::vector<std::pair<std::int64_t, std::string>> table{
      {59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
      {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
  for (const auto& [seconds, code] : table) EXPECT_EQ(totp_code(secret, at(seconds)), code);
}

// RFC 4648, section 10.
TEST(Totp, WritesItsSecretInBase32) {
  EXPECT_EQ(totp_secret_text(Secret("foobar")), "MZXW6YTBOI");
  EXPECT_EQ(parse_totp_secret("MZXW6YTBOI").reveal(), "foobar");
  EXPECT_TRUE(parse_totp_secret("!").empty());
  EXPECT_EQ(totp_secret_text(new_totp_secret()).size(), 32u);
  EXPECT_FALSE(new_totp_secret() == new_totp_secret());
}

TEST(Totp, TakesTheCodesOfOneStepAroundNow) {
  const Secret secret = new_totp_secret();
  for (const int away : {-1, 0, 1}) {
    TotpSteps used;
    EXPECT_TRUE(take_totp_code(secret, totp_code(secret, noon + away * step), noon, used)) << away;
    EXPECT_EQ(used.size(), 1u);
  }
  for (const int away : {-20, -2, 2, 20}) {
    TotpSteps used;
    EXPECT_FALSE(take_totp_code(secret, totp_code(secret, noon + away * step), noon, used)) << away;
    EXPECT_TRUE(used.empty());
  }
  TotpSteps used;
  for (const char* code : {"", "1", "12345", "1234567", "abcdef", "      "})
    EXPECT_FALSE(take_totp_code(secret, code, noon, used)) << code;
  EXPECT_FALSE(take_totp_code(new_totp_secret(), totp_code(secret, noon), noon, used));
}

TEST(Totp, TakesEachCodeOnce) {
  const Secret secret = new_totp_secret();
  TotpSteps used;
  const auto take = [&](int which, int now) {
    return take_totp_code(secret, totp_code(secret, noon + which * step), noon + now * step, used);
  };
  EXPECT_TRUE(take(1, 0));  // a phone that is early
  EXPECT_FALSE(take(1, 0));
  EXPECT_TRUE(take(0, 0));
  EXPECT_TRUE(take(-1, 0));
  for (const int which : {-1, 0, 1}) EXPECT_FALSE(take(which, 0)) << which;
  EXPECT_FALSE(take(1, 2));
  EXPECT_TRUE(take(2, 2));
  EXPECT_LE(used.size(), 3u);
}

TEST(Totp, StaysShutWhenTheClockIsSetBack) {
  const Secret secret = new_totp_secret();
  TotpSteps used;
  const std::string old = totp_code(secret, noon);
  EXPECT_TRUE(take_totp_code(secret, old, noon, used));
  for (int later = 1; later < 10; ++later) {
    const Time now = noon + later * step;
    EXPECT_TRUE(take_totp_code(secret, totp_code(secret, now), now, used));
  }
  EXPECT_FALSE(take_totp_code(secret, old, noon, used));
}

TEST(Totp, HasALinkForApps) {
  EXPECT_EQ(totp_uri(Secret("foobar"), "j.doe_1"),
            "otpauth://totp/MarchProxy:j.doe_1?secret=MZXW6YTBOI&issuer=MarchProxy&algorithm=SHA1&"
            "digits=6&period=30");
}

TEST(QrCode, IsASquarePngWithAMargin) {
  const std::string png = qr_code_png(totp_uri(new_totp_secret(), "admin"));
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  ASSERT_EQ(png_image_begin_read_from_memory(&image, png.data(), png.size()), 1);
  image.format = PNG_FORMAT_GRAY;
  ASSERT_EQ(image.width, image.height);
  const std::size_t side = image.width;
  std::vector<png_byte> pixels(side * side);
  ASSERT_EQ(png_image_finish_read(&image, nullptr, pixels.data(), 0, nullptr), 1);
  EXPECT_THAT(std::set<int>(pixels.begin(), pixels.end()), testing::ElementsAre(0, 255));
  constexpr std::size_t edge = 24;  // 4 modules of 6 pixels
  EXPECT_TRUE(std::all_of(pixels.begin(), pixels.begin() + static_cast<long>(edge * side),
                          [](png_byte pixel) { return pixel == 255; }));
  // The corner's finder pattern (ISO/IEC 18004): seven dark modules.
  for (std::size_t x = edge; x < edge + 7 * 6; ++x) EXPECT_EQ(pixels[edge * side + x], 0) << x;
  EXPECT_EQ(pixels[edge * side + edge + 7 * 6], 255);
}

TEST(BackupCodes, AreTenAndEachWorksOnce) {
  const auto codes = new_backup_codes();
  ASSERT_EQ(codes.size(), 10u);
  std::vector<std::string> hashes;
  for (const Secret& code : codes) {
    EXPECT_THAT(code.reveal(), testing::MatchesRegex("([0-9a-z]{4}-){3}[0-9a-z]{4}"));
    hashes.push_back(backup_code_hash(code.reveal()));
  }
  EXPECT_EQ(std::set(hashes.begin(), hashes.end()).size(), 10u);
  EXPECT_FALSE(take_backup_code("", hashes));
  EXPECT_FALSE(take_backup_code("2222-2222-2222-2222", hashes));
  EXPECT_FALSE(take_backup_code(hashes.front(), hashes));  // what is kept opens nothing
  EXPECT_EQ(hashes.size(), 10u);
  EXPECT_TRUE(take_backup_code(codes[3].reveal(), hashes));
  EXPECT_FALSE(take_backup_code(codes[3].reveal(), hashes));
  EXPECT_EQ(hashes.size(), 9u);
  std::string typed = codes[7].reveal();
  std::ranges::transform(typed, typed.begin(), [](unsigned char letter) {
    return letter == '-' ? ' ' : static_cast<char>(std::toupper(letter));
  });
  EXPECT_TRUE(take_backup_code(typed, hashes));
}

}  // namespace
}  // namespace mp
