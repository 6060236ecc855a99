#include "agent/state_directory.hpp"

#include "agent/settings.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mp::agent {
namespace {

class StateDirectoryTest : public testing::Test {
 public:
  StateDirectoryTest() {
    std::string pattern = testing::TempDir() + "agent-XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~StateDirectoryTest() override { std::filesystem::remove_all(root_); }

 protected:
  unsigned mode(const std::string& file) const {
    struct stat facts{};
    return stat(file.c_str(), &facts) == 0 ? facts.st_mode & 07777u : 0u;
  }

  std::string root_;
};

TEST_F(StateDirectoryTest, MakesPrivateFilesInAPrivateDirectory) {
  const StateDirectory state(root_ + "/deep/state");
  state.keep_bootstrap(read_bootstrap(R"({"node":{"id":"p"}})"));
  EXPECT_EQ(mode(root_ + "/deep/state"), 0700u);
  EXPECT_EQ(mode(state.bootstrap_file()), 0600u);
}

TEST_F(StateDirectoryTest, KeepsBootstrapAndEnvoyForTheNextAgent) {
  {
    const StateDirectory state(root_);
    state.keep_bootstrap(read_bootstrap(R"({"node":{"id":"p"}})"));
    state.keep_envoy({.process = {.pid = 77, .start_time = 88},
                      .bootstrap_sha256 = "ab",
                      .admin = "127.0.0.1:9"});
  }
  const StateDirectory state(root_);
  EXPECT_EQ(state.bootstrap()->proxy_id, "p");
  const auto record = state.envoy();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->process, (ProcessId{77, 88}));
  EXPECT_EQ(record->bootstrap_sha256, "ab");
  EXPECT_EQ(record->admin, "127.0.0.1:9");
  state.forget_envoy();
  EXPECT_FALSE(state.envoy());
}

TEST_F(StateDirectoryTest, TakesSpoiltFilesForMissing) {
  const StateDirectory state(root_);
  EXPECT_FALSE(state.bootstrap());
  EXPECT_FALSE(state.envoy());
  std::ofstream(state.bootstrap_file()) << "{\"node\":";
  std::ofstream(root_ + "/agent.json") << R"({"envoy":{"pid":1}})";
  EXPECT_FALSE(state.bootstrap());
  EXPECT_FALSE(state.envoy());
}

TEST_F(StateDirectoryTest, NamesACertificateForEnvoy) {
  const StateDirectory state(root_);
  const std::string file = state.keep_client_certificate("/run/tls/own.pem", "/run/keys/own.key");
  EXPECT_EQ(file, root_ + "/client_certificate.json");
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_EQ(
      text.str(),
      R"({"resources":[{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret","name":"client_certificate","tls_certificate":{"certificate_chain":{"filename":"/run/tls/own.pem"},"private_key":{"filename":"/run/keys/own.key"},"watched_directory":{"path":"/run/tls"}}}]})"
      "\n");
}

TEST_F(StateDirectoryTest, IsUsedByOneAgentAtATime) {
  const StateDirectory first(root_);
  EXPECT_THROW(StateDirectory{root_}, DirectoryBusy);
}

TEST_F(StateDirectoryTest, IsRefusedWhenOthersCanWriteToIt) {
  chmod(root_.c_str(), 0777);
  EXPECT_THROW(StateDirectory{root_}, SettingsError);
}

TEST_F(StateDirectoryTest, ShortensALogThatGrewTooLarge) {
  const StateDirectory state(root_);
  std::ofstream(state.log_file()) << "line\n";
  state.trim_log();
  EXPECT_EQ(std::filesystem::file_size(state.log_file()), 5u);
  std::filesystem::resize_file(state.log_file(), (16u << 20) + 1);
  state.trim_log();
  EXPECT_EQ(std::filesystem::file_size(state.log_file()), 0u);
  EXPECT_EQ(std::filesystem::file_size(state.log_file() + ".1"), (16u << 20) + 1);
}

}  // namespace
}  // namespace mp::agent
