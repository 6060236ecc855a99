#include "access/keys.hpp"

#include <gtest/gtest.h>

namespace mp {
namespace {

TEST(ApiKey, IsPrefixRandomLettersAndChecksum) {
  const std::string key = new_api_key().reveal();
  EXPECT_EQ(key.size(), 56u);
  EXPECT_TRUE(key.starts_with("mp_api_"));
  EXPECT_TRUE(is_api_key(key));
  EXPECT_TRUE(is_sound_api_key(key));
  EXPECT_NE(key, new_api_key().reveal());
}

// Keys that were given out must stay good: the checksum is CRC-32 in base 62, low letters first.
TEST(ApiKey, KeepsItsForm) {
  EXPECT_TRUE(is_sound_api_key("mp_api_" + std::string(43, 'k') + "KETPg2"));
}

TEST(ApiKey, KnowsEveryTypo) {
  const std::string key = new_api_key().reveal();
  for (std::size_t at = 0; at < key.size(); ++at) {
    std::string wrong = key;
    wrong[at] = key[at] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(is_sound_api_key(wrong)) << at;
    if (at > 0 && key[at] != key[at - 1]) {
      wrong = key;
      std::swap(wrong[at], wrong[at - 1]);
      EXPECT_FALSE(is_sound_api_key(wrong)) << at;
    }
  }
  EXPECT_FALSE(is_sound_api_key(key.substr(0, 55)));
  EXPECT_FALSE(is_sound_api_key(key + "x"));
  EXPECT_FALSE(is_sound_api_key("mp_api_"));
  EXPECT_FALSE(is_sound_api_key(""));
}

}  // namespace
}  // namespace mp
