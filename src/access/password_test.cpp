#include "access/password.hpp"

#include <argon2.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace mp {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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

TEST(HashGate, TellsTheRightPasswordFromOthers) {
  HashGate gate;
  const std::string hash = gate.hash(Secret("sunny-side-up-eggs"));
  EXPECT_THAT(hash, StartsWith("$argon2id$v=19$m=19456,t=2,p=1$"));
  EXPECT_TRUE(gate.verify(hash, Secret("sunny-side-up-eggs")));
  EXPECT_FALSE(gate.verify(hash, Secret("sunny-side-up-eggS")));
  EXPECT_FALSE(gate.verify(hash, Secret("")));
  EXPECT_NE(gate.hash(Secret("sunny-side-up-eggs")), hash) << "each has its own salt";
}

TEST(HashGate, NobodyHasNoPassword) {
  HashGate gate;
  EXPECT_FALSE(gate.verify("", Secret("")));
  EXPECT_FALSE(gate.verify("", Secret("sunny-side-up-eggs")));
  EXPECT_FALSE(gate.verify("not a hash", Secret("sunny-side-up-eggs")));
}

// Else the answer for a name that nobody has would come sooner.
TEST(HashGate, NobodysHashTakesTheSameWork) {
  const std::string unmet = unmet_hash();
  const std::string real = HashGate().hash(Secret("sunny-side-up-eggs"));
  EXPECT_EQ(unmet.size(), real.size());
  EXPECT_EQ(unmet.substr(0, unmet.rfind("p=1$")), real.substr(0, real.rfind("p=1$")));
  EXPECT_NE(unmet, unmet_hash());
  EXPECT_EQ(argon2id_verify(unmet.c_str(), "sunny", 5), ARGON2_VERIFY_MISMATCH)
      << "it is read, and all the work is done";
}

TEST(HashGate, KnowsOldCosts) {
  HashGate gate;
  EXPECT_FALSE(HashGate::needs_rehash(gate.hash(Secret("sunny-side-up-eggs"))));
  EXPECT_TRUE(
      HashGate::needs_rehash("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$"
                             "jSGYq3ZKRMJ2dSbVjyyxHkyMvBVJXqkFVh3Z4BWMWzk"));
}

TEST(HashGate, RefusesWhatItHasNoPlaceFor) {
  HashGate gate({.at_once = 1, .most_waiting = 1});
  std::atomic<int> served = 0;
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int at = 0; at < 12; ++at) {
    threads.emplace_back([&] {
      for (int round = 0; round < 4; ++round) {
        try {
          gate.verify("", Secret("sunny-side-up-eggs"));
          ++served;
        } catch (const Error& error) {
          EXPECT_EQ(error.code, Code::Unavailable);
          ASSERT_FALSE(error.headers.empty());
          EXPECT_EQ(error.headers.front().first, "Retry-After");
          ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served + refused, 48);
  EXPECT_GT(served, 0);
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(gate.verify("", Secret("sunny-side-up-eggs"))) << "places are given back";
}

}  // namespace
}  // namespace mp
