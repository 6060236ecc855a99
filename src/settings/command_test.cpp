#include "settings/command.hpp"

#include "base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace mp {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A file that goes when the test does.
class File {
 public:
  explicit File(const std::string& text)
      : path_(testing::TempDir() + "settings-" + std::to_string(::getpid()) + ".yaml") {
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const Environment home{{"HOME", "/home/olga"}};

Settings load(const std::vector<std::string>& flags, Environment environment = {}) {
  environment.insert(environment.end(), home.begin(), home.end());
  return load_settings(flags, environment);
}

Settings load_file(const std::string& text) {
  const File file(text);
  return load({"--config", file.path()});
}

// The one line that refuses these settings.
template <class Load>
std::string refusal(Load attempt) {
  try {
    attempt();
  } catch (const Error& error) {
    EXPECT_EQ(error.code, Code::Validation);
    EXPECT_THAT(error.message, Not(HasSubstr("\n")));
    return error.message;
  }
  return "(accepted)";
}

std::string refused_flags(const std::vector<std::string>& flags,
                          const Environment& environment = {}) {
  return refusal([&] { load(flags, environment); });
}

std::string refused_file(const std::string& text) {
  return refusal([&] { load_file(text); });
}

TEST(Settings, HaveTheDocumentedDefaults) {
  const Settings settings = load({});
  EXPECT_EQ(settings.http.listen, "0.0.0.0:8000");
  EXPECT_EQ(settings.xds.listen, "0.0.0.0:18000");
  EXPECT_EQ(settings.xds.tls, XdsTls::Auto);
  EXPECT_EQ(settings.database.url, "sqlite:");
  EXPECT_EQ(settings.rotation.overlap, 3600);
  EXPECT_EQ(settings.proxy.heartbeat_interval, 30);
  EXPECT_EQ(settings.rate_limit.authentication, "5/minute");
  EXPECT_EQ(settings.rate_limit.general, "1000/hour");
  EXPECT_EQ(settings.rate_limit.configuration, "100/minute");
  EXPECT_EQ(settings.trusted_proxies, std::vector<std::string>{});
  EXPECT_EQ(settings.log.level, log::Level::Info);
  EXPECT_EQ(settings.log.format, log::Format::Text);
  EXPECT_TRUE(settings.admin.password.empty());
  EXPECT_EQ(settings.data_dir,
            ::geteuid() == 0 ? "/var/lib/marchproxy" : "/home/olga/.local/share/marchproxy");
}

TEST(Settings, TakeListsWithCommasOrAsYaml) {
  const std::vector<std::string> both{"10.0.0.0/8", "2001:db8::1"};
  EXPECT_EQ(load({"--trusted-proxies", "10.0.0.0/8, 2001:db8::1"}).trusted_proxies, both);
  EXPECT_EQ(load_file("trusted_proxies: 10.0.0.0/8,2001:db8::1").trusted_proxies, both);
  EXPECT_EQ(load_file("trusted_proxies: [10.0.0.0/8, '2001:db8::1']").trusted_proxies, both);
  EXPECT_EQ(load_file("trusted_proxies: []").trusted_proxies, std::vector<std::string>{});
  EXPECT_THAT(refused_flags({"--trusted-proxies", "10.0.0.0/8,lb.example"}),
              AllOf(HasSubstr("trusted_proxies: "), HasSubstr("lb.example"),
                    HasSubstr("--trusted-proxies")));
  EXPECT_THAT(refused_file("trusted_proxies: [[10.0.0.1]]"), HasSubstr("plain values"));
}

TEST(Settings, RefuseRateLimitsThatAreNone) {
  for (const char* text : {"0/minute", "5/week", "five", "5", "-1/day"}) {
    EXPECT_THAT(refused_flags({"--rate-limit-authentication", text}),
                AllOf(HasSubstr("rate_limit.authentication"), HasSubstr("5/minute")))
        << text;
  }
  EXPECT_EQ(load({"--rate-limit-general", "off"}).rate_limit.general, "off");
}

TEST(Settings, FlagWinsOverEnvironmentWinsOverFile) {
  const File file(
      "http:\n  listen: 127.0.0.1:1\nxds:\n  listen: 127.0.0.1:2\nlog:\n  level: debug\n");
  const Environment environment{{"MARCHPROXY_HTTP_LISTEN", "127.0.0.1:3"},
                                {"MARCHPROXY_XDS_LISTEN", "127.0.0.1:4"},
                                {"MARCHPROXY_CONFIG", file.path()}};
  const Settings settings = load({"--http-listen", "127.0.0.1:5"}, environment);
  EXPECT_EQ(settings.http.listen, "127.0.0.1:5");
  EXPECT_EQ(settings.xds.listen, "127.0.0.1:4");
  EXPECT_EQ(settings.log.level, log::Level::Debug);
}

TEST(Settings, ConfigFlagWinsOverItsVariable) {
  const File file("rotation: {overlap: 7}\n");
  EXPECT_EQ(load({"--config", file.path()}, {{"MARCHPROXY_CONFIG", "/nowhere"}}).rotation.overlap,
            7);
}

TEST(Settings, EveryKindOfValueIsRead) {
  const Settings settings =
      load({"--xds-tls=off", "--rotation-overlap=2", "--data-dir=some/place", "--log-format=json"},
           {{"MARCHPROXY_ADMIN_PASSWORD", "a \"quoted\" password"},
            {"MARCHPROXY_CLUSTER_KEY", "mp_cluster_" + std::string(32, 'k')},
            {"MARCHPROXY_DATABASE_URL", "postgresql://u:p@db/marchproxy"}});
  EXPECT_EQ(settings.xds.tls, XdsTls::Off);
  EXPECT_EQ(settings.rotation.overlap, 2);
  EXPECT_EQ(settings.log.format, log::Format::Json);
  EXPECT_EQ(settings.data_dir, std::filesystem::current_path() / "some/place");
  EXPECT_EQ(settings.admin.password.reveal(), "a \"quoted\" password");
  EXPECT_EQ(settings.cluster.key.reveal().size(), 43U);
  EXPECT_EQ(settings.database.url, "postgresql://u:p@db/marchproxy");
}

TEST(Settings, EmptyVariableCountsAsUnset) {
  EXPECT_EQ(load({}, {{"MARCHPROXY_HTTP_LISTEN", ""}}).http.listen, "0.0.0.0:8000");
}

TEST(Settings, WrongValueNamesSettingAndSource) {
  EXPECT_THAT(refused_flags({"--http-listen", "somewhere"}),
              AllOf(HasSubstr("http.listen: must be an IP address and a port"),
                    HasSubstr("\"somewhere\""), HasSubstr("flag --http-listen")));
  EXPECT_THAT(refused_flags({}, {{"MARCHPROXY_ROTATION_OVERLAP", "soon"}}),
              AllOf(HasSubstr("rotation.overlap: must be a whole number"),
                    HasSubstr("environment variable MARCHPROXY_ROTATION_OVERLAP")));
  EXPECT_THAT(refused_file("log:\n  format: text\n  level: loud\n"),
              AllOf(HasSubstr("log.level: must be one of debug, info, warning, error"),
                    HasSubstr("line 3")));
  EXPECT_THAT(refused_flags({"--proxy-heartbeat-interval=0"}),
              HasSubstr("proxy.heartbeat_interval"));
}

TEST(Settings, ListenAddressesAreAddresses) {
  for (const std::string good : {"127.0.0.1:0", "0.0.0.0:65535", "[::]:8000", "[::1]:0"}) {
    EXPECT_EQ(load({"--http-listen", good}).http.listen, good);
    EXPECT_EQ(load({"--xds-listen", good}).xds.listen, good);
  }
  for (const std::string bad :
       {"localhost:8000", ":8000", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
        "[127.0.0.1]:80", "127.0.0.1:80x", "127.0.0.1:", "127.1:80"}) {
    EXPECT_THAT(refused_flags({"--http-listen", bad}), HasSubstr("http.listen")) << bad;
  }
}

TEST(Settings, AdvertiseIsAHostWithOrWithoutPort) {
  for (const std::string good :
       {"manager.example.com", "manager.example.com:18000", "10.0.0.7", "[2001:db8::1]:443"}) {
    EXPECT_EQ(load({"--xds-advertise", good}).xds.advertise, std::vector{good});
  }
  const std::vector<std::string> several{"a.example:1", "b.example"};
  EXPECT_EQ(load({"--xds-advertise", "a.example:1,b.example"}).xds.advertise, several);
  for (const std::string bad :
       {"https://manager", "a b", "host:0", "host:port", "good.example,bad:x"}) {
    EXPECT_THAT(refused_flags({"--xds-advertise", bad}), HasSubstr("xds.advertise")) << bad;
  }
}

TEST(Settings, HalfATlsPairIsRefused) {
  EXPECT_THAT(refused_flags({"--tls-certificate=c.pem"}),
              HasSubstr("tls.key: must be set together"));
  EXPECT_THAT(refused_flags({"--tls-key=k.pem"}),
              HasSubstr("tls.certificate: must be set together"));
  EXPECT_THAT(refused_flags({"--xds-tls=files"}),
              HasSubstr("xds.certificate: must be set when xds.tls is files"));
  EXPECT_THAT(refused_flags({"--xds-certificate=c", "--xds-key=k"}),
              HasSubstr("counts only when xds.tls is files"));
  EXPECT_EQ(load({"--xds-tls=files", "--xds-certificate=c", "--xds-key=k"}).xds.tls, XdsTls::Files);
}

TEST(Settings, SecretsAreNotRepeated) {
  EXPECT_THAT(refused_flags({}, {{"MARCHPROXY_CLUSTER_KEY", "hush-hush"}}),
              AllOf(HasSubstr("cluster.key"), Not(HasSubstr("hush"))));
  EXPECT_THAT(refused_flags({}, {{"MARCHPROXY_ADMIN_PASSWORD", std::string(129, 'q')}}),
              AllOf(HasSubstr("admin.password"), Not(HasSubstr("qq"))));
  EXPECT_THAT(refused_flags({"--database-url", "mysql://u:hush@h"}),
              AllOf(HasSubstr("database.url"), Not(HasSubstr("hush"))));
  EXPECT_THAT(refused_flags({"--admin-pasword=hush"}),
              AllOf(HasSubstr("--admin-pasword"), Not(HasSubstr("hush"))));
  EXPECT_THAT(refused_flags({"--admin-pasword", "hush"}),
              AllOf(HasSubstr("--admin-pasword"), Not(HasSubstr("hush"))));
}

TEST(Settings, UnknownVariableIsRefused) {
  EXPECT_THAT(refused_flags({}, {{"MARCHPROXY_HTTP_LISTN", "x"}}),
              HasSubstr("MARCHPROXY_HTTP_LISTN: unknown environment variable"));
  EXPECT_NO_THROW(load(
      {}, {{"MARCHPROXY_AGENT_TYPE", "egress"}, {"MARCHPROXY_TEST_BIN", "x"}, {"PATH", "/bin"}}));
  EXPECT_NO_THROW(
      load({}, {{"MARCHPROXY_SERVER", "http://127.0.0.1:1"}, {"MARCHPROXY_TOKEN", "x"}}));
}

TEST(Settings, UnknownFlagIsRefused) {
  EXPECT_THAT(refused_flags({"--http-lisen", "0.0.0.0:1"}), HasSubstr("unknown flag --http-lisen"));
  EXPECT_THAT(refused_flags({"stray"}), HasSubstr("unexpected argument stray"));
  EXPECT_NE(refused_flags({"--http-listen"}), "(accepted)");
  EXPECT_NE(refused_flags({"--http-listen=0.0.0.0:1", "--http-listen=0.0.0.0:2"}), "(accepted)");
}

TEST(SettingsFile, MayBeEmpty) {
  EXPECT_EQ(load_file("").http.listen, "0.0.0.0:8000");
  EXPECT_EQ(load_file("# nothing\nhttp:\n").http.listen, "0.0.0.0:8000");
}

TEST(SettingsFile, IsReadBySection) {
  const Settings settings =
      load_file("data_dir: /srv/x\nxds:\n  tls: off\nrotation:\n  overlap: 60\n");
  EXPECT_EQ(settings.data_dir, "/srv/x");
  EXPECT_EQ(settings.xds.tls, XdsTls::Off);
  EXPECT_EQ(settings.rotation.overlap, 60);
}

TEST(SettingsFile, WrongShapesAreRefusedWithTheirLine) {
  EXPECT_THAT(refused_file("http:\n  lisen: x\n"),
              AllOf(HasSubstr("http.lisen: unknown setting"), HasSubstr("line 2")));
  EXPECT_THAT(refused_file("web:\n  listen: x\n"), HasSubstr("web: unknown setting"));
  EXPECT_THAT(refused_file("http.listen: 0.0.0.0:1\n"), HasSubstr("http.listen: unknown setting"));
  EXPECT_THAT(refused_file("log:\n  level: info\n  level: debug\n"),
              HasSubstr("log.level: is set twice"));
  EXPECT_THAT(refused_file("log: {}\nlog: {}\n"), HasSubstr("log: is set twice"));
  EXPECT_THAT(refused_file("http:\n  listen: [a, b]\n"),
              HasSubstr("http.listen: must be one plain value"));
  EXPECT_THAT(refused_file("http:\n  listen: {a: b}\n"),
              HasSubstr("http.listen: must be one plain value"));
  EXPECT_THAT(refused_file("http:\n  listen:\n"), HasSubstr("http.listen: has no value"));
  EXPECT_THAT(refused_file("http: 0.0.0.0:1\n"), HasSubstr("http: must hold names and values"));
  EXPECT_THAT(refused_file("- http\n"), HasSubstr("config: must hold names and values"));
  EXPECT_THAT(refused_file("? [a]\n: b\n"), HasSubstr("a key that is no name"));
  EXPECT_THAT(refused_file("http: [\n"), HasSubstr("is not YAML"));
  EXPECT_THAT(refused_file("log: {}\n---\nlog: {}\n"), HasSubstr("several documents"));
  EXPECT_NE(refused_file(",["), "(accepted)");  // on which yaml-cpp never ends
  EXPECT_NE(refused_file("a: &a [*a]\n"), "(accepted)");
  EXPECT_NE(refused_file(std::string(20000, '[')), "(accepted)");
}

TEST(SettingsFile, MustBeThereAndOfSensibleSize) {
  EXPECT_THAT(refused_flags({"--config", "/nowhere/x.yaml"}),
              AllOf(HasSubstr("/nowhere/x.yaml"), HasSubstr("cannot read")));
  EXPECT_THAT(refused_flags({"--config", testing::TempDir()}), HasSubstr("is a directory"));
  EXPECT_THAT(refused_file("#" + std::string(70000, 'x')), HasSubstr("longer than 64 KiB"));
}

const Program program{"marchproxy-manager",
                      "v1.0.0",
                      "The manager.",
                      {{"shout", "Print a word", [] { return "HEY\n"; }}}};

std::string printed(const std::vector<std::string>& arguments) {
  return std::get<Print>(read_command(program, arguments, home)).text;
}

TEST(Command, ServeGivesSettings) {
  const auto command = read_command(program, {"serve", "--log-level", "error"}, home);
  EXPECT_EQ(std::get<Settings>(command).log.level, log::Level::Error);
}

TEST(Command, OthersPrint) {
  EXPECT_EQ(printed({"--version"}), "marchproxy-manager v1.0.0\n");
  EXPECT_EQ(printed({"shout"}), "HEY\n");
  EXPECT_THAT(printed({"--help"}),
              AllOf(HasSubstr("serve"), HasSubstr("settings"), HasSubstr("shout")));
  EXPECT_THAT(printed({"serve", "--help"}),
              AllOf(HasSubstr("--http-listen"), HasSubstr("(0.0.0.0:8000)")));
}

TEST(Command, WrongCommandsAreRefused) {
  EXPECT_NE(refusal([] { read_command(program, {}, home); }), "(accepted)");
  EXPECT_NE(refusal([] { read_command(program, {"dance"}, home); }), "(accepted)");
  EXPECT_NE(refusal([] { read_command(program, {"settings", "--format", "xml"}, home); }),
            "(accepted)");
}

TEST(Command, ListsEverySetting) {
  const auto list = boost::json::parse(printed({"settings", "--format", "json"})).as_array();
  const std::string table = printed({"settings"});
  const std::string markdown = printed({"settings", "--format", "markdown"});
  EXPECT_GE(list.size(), 18U);
  for (const auto& entry : list) {
    const std::string name(entry.at("name").as_string());
    const std::string variable(entry.at("environment").as_string());
    EXPECT_THAT(table, AllOf(HasSubstr(name), HasSubstr(variable)));
    EXPECT_THAT(markdown, HasSubstr("| `" + name + "` |"));
    // What is listed is what is read.
    EXPECT_THAT(refused_flags({}, {{variable, "\n"}}), HasSubstr(name + ": ")) << variable;
  }
}

}  // namespace
}  // namespace mp
