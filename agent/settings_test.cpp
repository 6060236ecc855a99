#include "agent/settings.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace mp::agent {
namespace {

class SettingsTest : public testing::Test {
 public:
  SettingsTest() : key_(testing::TempDir() + "agent-settings-key") {
    std::ofstream(key_) << "mp_cluster_x\n";
  }
  ~SettingsTest() override {
    for (const auto& name : variables_) unsetenv(name.c_str());
    std::filesystem::remove(key_);
  }

 protected:
  void set(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
    variables_.push_back(name);
  }

  static Command read(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "marchproxy-agent");
    return read_command(static_cast<int>(arguments.size()), arguments.data());
  }

  // The smallest complete command line, and more.
  Settings run(std::vector<const char*> more = {}) const {
    std::vector<const char*> all{"run",
                                 "--manager",
                                 "http://manager:8000",
                                 "--cluster-key-file",
                                 key_.c_str(),
                                 "--type",
                                 "egress",
                                 "--envoy",
                                 "/bin/sh"};
    all.insert(all.end(), more.begin(), more.end());
    return std::get<Settings>(read(all));
  }

  std::string refusal(std::vector<const char*> more) const {
    try {
      run(std::move(more));
    } catch (const SettingsError& error) {
      return error.what();
    }
    return "accepted";
  }

  std::string key_;
  std::vector<std::string> variables_;
};

TEST_F(SettingsTest, HasDefaultsForAllButThree) {
  const Settings settings = run();
  EXPECT_EQ(settings.manager, "http://manager:8000");
  EXPECT_EQ(settings.listen_address, "0.0.0.0");
  EXPECT_EQ(settings.admin_port, 9901);
  EXPECT_EQ(settings.drain_time, std::chrono::seconds(10));
  EXPECT_FALSE(settings.hostname.empty());
  EXPECT_TRUE(settings.state_dir.ends_with("/marchproxy-agent"));
}

TEST_F(SettingsTest, FlagsWinOverVariablesAndVariablesOverDefaults) {
  set("MARCHPROXY_AGENT_ADMIN_PORT", "1234");
  set("MARCHPROXY_AGENT_HOSTNAME", "from-variable");
  set("MARCHPROXY_AGENT_NAME", "");
  const Settings settings = run({"--hostname", "from-flag"});
  EXPECT_EQ(settings.admin_port, 1234);
  EXPECT_EQ(settings.hostname, "from-flag");
  EXPECT_EQ(settings.name, "");
}

TEST_F(SettingsTest, VariablesAloneAreEnough) {
  set("MARCHPROXY_AGENT_MANAGER", "https://manager/");
  set("MARCHPROXY_AGENT_CLUSTER_KEY_FILE", key_);
  set("MARCHPROXY_AGENT_TYPE", "ingress");
  set("MARCHPROXY_AGENT_ENVOY", "sh");
  const auto settings = std::get<Settings>(read({"run"}));
  EXPECT_EQ(settings.manager, "https://manager");
  EXPECT_EQ(settings.type, "ingress");
  EXPECT_TRUE(settings.envoy.ends_with("/sh"));
}

TEST_F(SettingsTest, FilesOfEnvoyAreAbsoluteAndComeInPairs) {
  const std::string relative = std::filesystem::relative(key_).string();
  const char* file = relative.c_str();
  const Settings settings =
      run({"--xds-ca-file", file, "--xds-certificate-file", file, "--xds-key-file", file});
  EXPECT_EQ(settings.xds_ca_file, key_);
  EXPECT_EQ(settings.xds_certificate_file, key_);
  EXPECT_EQ(settings.xds_key_file, key_);
  EXPECT_EQ(refusal({"--xds-key-file", file}),
            "--xds-certificate-file and --xds-key-file belong together");
  EXPECT_EQ(refusal({"--xds-ca-file", "/nowhere.pem"}),
            "--xds-ca-file: cannot read the file /nowhere.pem");
}

TEST_F(SettingsTest, RefusesUnknownVariables) {
  set("MARCHPROXY_AGENT_MANAGR", "x");
  EXPECT_EQ(refusal({}), "unknown environment variable MARCHPROXY_AGENT_MANAGR");
}

TEST_F(SettingsTest, NamesTheSettingThatIsWrong) {
  EXPECT_NE(refusal({"--admin-port", "65536"}).find("--admin-port"), std::string::npos);
  EXPECT_NE(refusal({"--admin-port", "x"}).find("--admin-port"), std::string::npos);
  EXPECT_NE(refusal({"--drain-time", "-1"}).find("--drain-time"), std::string::npos);
  EXPECT_NE(refusal({"--listen-address", "localhost"}).find("--listen-address"), std::string::npos);
  EXPECT_NE(refusal({"--log-level", "loud"}).find("--log-level"), std::string::npos);
  EXPECT_NE(refusal({"--ca-file", "/nowhere.pem"}).find("--ca-file"), std::string::npos);
  EXPECT_NE(refusal({"--wrong"}).find("--wrong"), std::string::npos);
}

TEST_F(SettingsTest, RefusesAddressesThatAreNoManager) {
  for (const char* url :
       {"manager:8000", "ftp://manager", "http://", "http://user:pass@manager", "http://m/?q=1"}) {
    set("MARCHPROXY_AGENT_MANAGER", url);
    EXPECT_THROW(
        read({"run", "--cluster-key-file", key_.c_str(), "--type", "egress", "--envoy", "/bin/sh"}),
        SettingsError)
        << url;
  }
}

TEST_F(SettingsTest, PrintsInsteadOfRunning) {
  EXPECT_EQ(std::get<Print>(read({"--version"})).text, "marchproxy-agent v1.0.0\n");
  EXPECT_NE(std::get<Print>(read({"run", "--help"})).text.find("MARCHPROXY_AGENT_MANAGER"),
            std::string::npos);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = std::get<Print>(read({"completion", shell})).text;
    EXPECT_NE(script.find("cluster-key-file"), std::string::npos) << shell;
    EXPECT_NE(script.find("egress ingress"), std::string::npos) << shell;
  }
  EXPECT_THROW(read({"completion", "tcsh"}), SettingsError);
  EXPECT_THROW(read({}), SettingsError);
}

}  // namespace
}  // namespace mp::agent
