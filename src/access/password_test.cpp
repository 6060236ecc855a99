#include "access/password.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mp {
namespace {

using testing::HasSubstr;

std::string issue_of(const std::string& password, const std::string& username = "olga") {
  Violations violations;
  check_password_rules(Secret(password), username, "password", violations);
  if (violations.empty()) return "";
  EXPECT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations.front().field, "password");
  EXPECT_FALSE(violations.front().provided) << "a password is never echoed";
  return violations.front().issue;
}

TEST(PasswordRules, LengthCountsCharacters) {
  EXPECT_THAT(issue_of("kX9!mQ2#vB7"), HasSubstr("12 to 128"));
  EXPECT_EQ(issue_of("kX9!mQ2#vB7w"), "");
  EXPECT_EQ(issue_of("kX9!" + std::string(124, 'z')), "");
  EXPECT_THAT(issue_of("kX9!" + std::string(125, 'z')), HasSubstr("12 to 128"));
  EXPECT_THAT(issue_of("äöüßéèêçñøå"), HasSubstr("12 to 128"));
  EXPECT_EQ(issue_of("äöüßéèêçñøåæ"), "");
}

TEST(PasswordRules, UserNameInAnyCase) {
  EXPECT_THAT(issue_of("Olga.Petrowna", "olga.PETROWNA"), HasSubstr("user name"));
  EXPECT_EQ(issue_of("Olga.Petrowna!", "olga.petrowna"), "");
}

TEST(PasswordRules, CommonOnes) {
  for (const std::string password :
       {"password1234", "PassWord1234", "qwertyuiop123", "administrator", "1q2w3e4r5t6y",
        "correcthorsebatterystaple", "aaaaaaaaaaaa", "abcabcabcabcabc", "abababababab",
        "12341234123412", "abcdefghijkl", "zyxwvutsrqpon", "345678901234", "987654321098",
        "qwertyuiopas", "poiuytrewq0987", "1QAZ2wsx3edc", "asdfghjklzxcv"}) {
    EXPECT_THAT(issue_of(password), HasSubstr("commonest")) << password;
  }
  for (const std::string password : {"correct-horse-42", "secure_password", "Tr0ub4dor&3-again",
                                     "sunny-side-up-eggs", "marmelade.und.brot"}) {
    EXPECT_EQ(issue_of(password), "") << password;
  }
}

}  // namespace
}  // namespace mp
