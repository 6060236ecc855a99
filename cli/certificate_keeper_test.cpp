#include "cli/certificate_keeper.hpp"

#include "cli/failure.hpp"
#include "cli/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <deque>
#include <fstream>
#include <string>
#include <vector>

namespace mp::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct Enough {};  // thrown where a test ends a run

class CertificateKeeperTest : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(path); }

  static fs::path new_folder() {
    std::string pattern = (fs::temp_directory_path() / "keeper-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  CertificateKeeper keeper(std::string purpose = "web") {
    return {{.clock = clock,
             .issue = [this] { return issue(); },
             .pause = [this](std::chrono::milliseconds time) { sleep(time); },
             .note = [this](const std::string& line) { notes.push_back(line); },
             .tell = [this] { return tell(); }},
            folder,
            std::move(purpose)};
  }
  NewCertificate issue() {
    ++tries;
    if (!failures.empty()) {
      const auto failure = failures.front();
      failures.pop_front();
      failure();
    }
    const std::string number = std::to_string(++issued);
    return {.until = clock.now() + life,
            .ttl = ttl,
            .files = {"certificate " + number, Secret("key " + number), "ca"}};
  }
  std::string tell() {
    asked.push_back(since_start());
    if (deaf == 0) return {};
    --deaf;
    return "hook: ended with 1";
  }
  void sleep(std::chrono::milliseconds time) {
    EXPECT_GT(time, 0ms);
    EXPECT_LE(time, 60s);
    clock.advance(time);
    if (since_start() > longest) throw Enough();
  }
  std::chrono::seconds since_start() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock.now() - start);
  }
  void run(std::chrono::seconds time) {
    longest = time;
    EXPECT_THROW(keeper().run(), Enough);
  }
  std::string text(const char* name) const { return text_of_file((path / name).string()); }
  std::size_t sets() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(path))
      count += entry.is_directory() && !entry.is_symlink() ? 1 : 0;
    return count;
  }

  static void away() { throw Failure(Exit::Unreachable, "cannot reach it"); }
  static void forbidden() { throw Refused(403, {{"code", "FORBIDDEN"}, {"message", "No"}}); }
  static void busy() { throw Refused(503, {{"code", "UNAVAILABLE"}, {"message", "No"}}); }

  const Time start = *parse_time("2026-01-01T00:00:00Z");
  ManualClock clock{start};
  const fs::path path = new_folder();
  CertificateFolder folder{path};
  std::deque<void (*)()> failures;
  std::chrono::seconds life = 300s, ttl = 300s, longest{};
  std::vector<std::chrono::seconds> asked;  // when it was told that files came
  std::vector<std::string> notes;
  int tries = 0, issued = 0, deaf = 0;
};

TEST_F(CertificateKeeperTest, RenewsWhenTwoThirdsAreOver) {
  run(601s);
  EXPECT_THAT(asked, ElementsAre(0s, 200s, 400s, 600s));
  EXPECT_EQ(text("certificate.pem"), "certificate 4");
  EXPECT_EQ(text("key.pem"), "key 4");
  EXPECT_EQ(text("ca.pem"), "ca");
  EXPECT_EQ(sets(), 2U) << "the newest and the one before";
}

TEST_F(CertificateKeeperTest, TheKeyIsForItsOwnerAlone) {
  keeper().renew_when_due();
  struct stat facts{};
  ASSERT_EQ(::stat((path / "key.pem").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(CertificateKeeperTest, AStartDoesNotRenewWhatIsGood) {
  keeper().renew_when_due();
  clock.advance(199s);
  keeper().renew_when_due();
  EXPECT_EQ(issued, 1);
  keeper("another").renew_when_due();
  EXPECT_EQ(issued, 2) << "it is not what was asked for";
  clock.advance(-100s);
  keeper("another").renew_when_due();
  EXPECT_EQ(issued, 3) << "the clock was wrong before";
  fs::remove(path / "current");
  keeper("another").renew_when_due();
  EXPECT_EQ(issued, 4);
}

TEST_F(CertificateKeeperTest, WaitsLongerEachTimeWhileTheManagerIsAway) {
  failures.assign(4, away);
  run(30s);
  EXPECT_THAT(asked, ElementsAre(15s));  // 1 + 2 + 4 + 8
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes.front(), "cannot reach it; trying again in 1 s");
  failures.assign(40, busy);
  tries = 0;
  run(3600s);
  EXPECT_GE(tries, 15);
  EXPECT_LE(tries, 22) << "at most five minutes apart";
  EXPECT_EQ(text("certificate.pem"), "certificate 1") << "the old files stay";
}

TEST_F(CertificateKeeperTest, ARefusalEndsItOnceNothingGoodIsLeft) {
  failures.assign(40, forbidden);
  EXPECT_THROW(keeper().run(), Refused);
  EXPECT_EQ(tries, 1);
  failures.clear();
  keeper().renew_when_due();
  failures.assign(40, forbidden);
  longest = 3600s;
  EXPECT_THROW(keeper().run(), Refused);
  EXPECT_GE(since_start(), 300s) << "it could have been allowed again";
  EXPECT_LE(since_start(), 420s);
}

TEST_F(CertificateKeeperTest, AClockFarFromTheManagersDoesNotMakeItAskAllTheTime) {
  life = -300s;
  run(60s);
  EXPECT_LE(issued, 7);
}

TEST_F(CertificateKeeperTest, AClockBehindTheManagersDoesNotMakeItLate) {
  life = 3900s;
  run(601s);
  EXPECT_THAT(asked, ElementsAre(0s, 200s, 400s, 600s));
}

TEST_F(CertificateKeeperTest, TellsUntilItIsHeard) {
  deaf = 4;
  run(201s);
  EXPECT_THAT(asked, ElementsAre(0s, 1s, 3s, 7s, 15s, 200s));
  EXPECT_EQ(issued, 2);
  ASSERT_GE(notes.size(), 2U);
  EXPECT_EQ(notes[1], "hook: ended with 1; trying again in 1 s");
}

TEST_F(CertificateKeeperTest, WhoDoesNotHearDoesNotHoldUpTheNextOne) {
  deaf = 1000;
  run(601s);
  EXPECT_EQ(issued, 4);
  EXPECT_THAT(asked, ::testing::IsSupersetOf({200s, 201s, 400s, 401s, 600s, 601s}));
}

TEST_F(CertificateKeeperTest, TheNextProcessTellsWhatThisOneCouldNot) {
  deaf = 2;
  EXPECT_THROW(keeper().renew_when_due(), Failure);
  EXPECT_THROW(keeper().renew_when_due(), Failure);
  keeper().renew_when_due();
  keeper().renew_when_due();
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_EQ(issued, 1);
}

TEST_F(CertificateKeeperTest, FilesOfOthersStay) {
  for (const char* name : {"certificate.pem", "key.pem", "ca.pem", "current"}) {
    const std::string file = (path / name).string();
    std::ofstream(file) << "another's";
    EXPECT_THROW(keeper().renew_when_due(), Failure) << name;
    for (const auto& entry : fs::directory_iterator(path))
      EXPECT_FALSE(entry.is_symlink()) << name << ": " << entry.path();
    EXPECT_EQ(text(name), "another's");
    EXPECT_EQ(sets(), 0U);
    fs::remove(file);
  }
}

TEST_F(CertificateKeeperTest, WhatCannotBeWrittenLeavesTheFilesAsTheyWere) {
  keeper().renew_when_due();
  fs::remove(path / "ca.pem");
  fs::create_directories(path / "ca.pem" / "full");
  clock.advance(200s);
  EXPECT_THROW(keeper().renew_when_due(), Failure);
  EXPECT_EQ(text("certificate.pem"), "certificate 1");
  EXPECT_EQ(text("key.pem"), "key 1");
  EXPECT_EQ(sets(), 2U) << "the set and ca.pem";
}

TEST_F(CertificateKeeperTest, OneProcessKeepsAFolder) {
  EXPECT_THROW(CertificateFolder{path}, Failure);
}

}  // namespace
}  // namespace mp::cli
