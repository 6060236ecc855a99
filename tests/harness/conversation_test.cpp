// Every tests/api/*.http as a test of its own on each database.
#include "access/totp.hpp"
#include "match.hpp"
#include "script.hpp"
#include "stage.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>

namespace mp::test {
namespace {

namespace json = boost::json;

std::vector<std::string> script_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("tests/api")) {
    if (entry.path().extension() == ".http") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  return names;
}

std::string change_text(const ChangeEntry& entry) {
  const char* action = entry.action == Action::Create   ? "create"
                       : entry.action == Action::Update ? "update"
                                                        : "delete";
  return std::string(action) + " " + entry.resource + " " + entry.object_id + " by " +
         entry.actor.name;
}

constexpr std::string_view whence = " request ";  // of a line that tells where the change came from

std::string change_text_with_origin(const ChangeEntry& entry) {
  return change_text(entry) + " from " + entry.actor.address + std::string(whence) +
         entry.actor.request_id;
}

// As texts inside JSON: files have many lines.
Names on_one_line(Names names) {
  for (auto& [name, text] : names) {
    for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at))
      text.replace(at, 1, "\\n");
  }
  return names;
}

std::map<std::string, std::string> settings_of(const std::vector<Step>& steps) {
  std::map<std::string, std::string> settings;
  for (const Step& step : steps) {
    if (const auto* given = std::get_if<GivenSetting>(&step.what))
      settings[given->name] = given->value;
  }
  return settings;
}

constexpr std::string_view anything = "<any>";

// `text` with what stands where `wanted` allows anything written as that.
std::string with_anything(const std::string& text, const std::string& wanted) {
  const auto at = wanted.find(anything);
  const std::string begin = wanted.substr(0, at), end = wanted.substr(at + anything.size());
  const bool fits =
      text.size() >= begin.size() + end.size() && text.starts_with(begin) && text.ends_with(end);
  return fits ? wanted : text;
}

class Conversation {
 public:
  Conversation(const std::string& kind, const std::vector<Step>& steps)
      : stage_(kind, settings_of(steps)) {
    names_ = {{"password", Stage::password()},
              {"default_key", stage_.cluster_key("default")},
              {"admin_id", "1"}};
  }

  void play(const Step& step) {
    std::visit([this](const auto& what) { run(what); }, step.what);
  }

 private:
  void run(const GivenSetting&) {}  // was there from the beginning

  void run(const GivenCluster& given) {
    names_[given.name + "_id"] = std::to_string(stage_.add_cluster(given.name));
    names_[given.name + "_key"] = stage_.cluster_key(given.name);
  }

  void run(const GivenUser& given) {
    Account account{.name = given.name, .clusters = {}, .is_admin = given.is_admin};
    for (const auto& name : given.clusters) account.clusters.push_back(stage_.cluster_id(name));
    names_[given.name + "_id"] = std::to_string(stage_.add_user(account));
    stage_.token(given.name);
  }

  void run(const GivenCertificate& given) {
    const auto pem = certificates_.make(given, stage_.clock().now());
    names_[given.name + "_cert"] = pem.certificate;
    names_[given.name + "_key"] = pem.key;
  }

  void run(const GivenLicense& given) {
    stage_.license({.tier = given.tier,
                    .expires_at = stage_.clock().now() + given.time,
                    .proxies = given.proxies,
                    .clusters = given.clusters});
  }

  void run(const LicenseServerMood& given) { stage_.license_server().set(given.mood); }

  void run(const Advance& advance) { stage_.clock().advance(advance.time); }

  void run(const Restart&) { stage_.restart(); }

  void run(const TotpCode& code) {
    const std::string secret = fill(code.secret, names_);
    names_[code.name] = totp_code(parse_totp_secret(secret), stage_.clock().now() + code.away);
  }

  void run(const Exchange& exchange) {
    http::Request request{.method = exchange.method,
                          .target = fill(exchange.target, names_),
                          .headers = {},
                          .body = fill(exchange.body, on_one_line(names_)),
                          .peer = exchange.address};
    for (const auto& [name, value] : exchange.headers)
      request.headers.emplace_back(name, fill(value, names_));
    if (!exchange.parts.empty()) request.body = form_of(exchange);
    if (!request.body.empty() && request.header("Content-Type").empty()) {
      request.headers.emplace_back("Content-Type",
                                   exchange.parts.empty() ? "application/json" : form_type);
    }
    As caller = exchange.caller;
    caller.name = fill(caller.name, names_);
    if (caller.kind == As::Kind::User)
      stage_.token(caller.name);  // signs in before the changes are counted
    const std::int64_t revision = stage_.revision();
    check(stage_.ask(std::move(request), caller), exchange.expected, revision);
  }

  std::string form_of(const Exchange& exchange) const {
    std::vector<FormPart> parts = exchange.parts;
    for (FormPart& part : parts) part.content = fill(part.content, names_);
    return form_body(parts);
  }

  void check(const http::Response& response, const Expected& expected, std::int64_t revision) {
    EXPECT_EQ(response.status, expected.status) << response.body.substr(0, 2000);
    Match match(names_, stage_.clock().now());
    for (const auto& [name, value] : expected.headers) {
      match.compare_text(value, std::string(http::find_header(response.headers, name)), name);
    }
    check_body(response, expected, match);
    for (const std::string& problem : match.problems()) ADD_FAILURE() << problem;
    for (const auto& part : expected.contains) {
      const std::string wanted = fill(part, names_);
      EXPECT_NE(response.body.find(wanted), std::string::npos) << wanted << "\nis not in\n"
                                                               << response.body;
    }
    for (const auto& part : expected.lacks) {
      const std::string unwanted = fill(part, names_);
      EXPECT_EQ(response.body.find(unwanted), std::string::npos) << unwanted << "\nis in\n"
                                                                 << response.body;
    }
    if (expected.changes) check_changes(*expected.changes, revision);
  }

  void check_body(const http::Response& response, const Expected& expected, Match& match) {
    json::error_code broken;
    const json::value body = json::parse(response.body, broken);
    const bool envelope = !broken && body.is_object() && body.as_object().contains("success");
    const bool failed = envelope && !body.at("success").as_bool();
    if (!expected.code.empty()) {
      EXPECT_TRUE(failed && body.at("error").at("code").as_string() == expected.code)
          << response.body;
    }
    if (expected.body) {
      ASSERT_FALSE(broken) << response.body;
      match.compare(*expected.body,
                    !envelope ? body
                    : failed  ? body.at("error")
                              : body.at("data"),
                    "$");
    }
    if (!expected.violations) return;
    ASSERT_TRUE(failed && body.at("error").as_object().contains("violations")) << response.body;
    std::string given, wanted;
    for (const auto& each : *expected.violations)
      wanted += each.field + ": " + fill(each.issue, names_) + "\n";
    for (const auto& each : body.at("error").at("violations").as_array()) {
      given.append(each.at("field").as_string())
          .append(": ")
          .append(each.at("issue").as_string())
          .append("\n");
    }
    EXPECT_EQ(given, wanted);
  }

  void check_changes(const std::vector<std::string>& expected, std::int64_t revision) {
    std::string given, wanted;
    const auto entries = stage_.changes_after(revision);
    for (std::size_t at = 0; at < entries.size(); ++at) {
      const bool whole = at < expected.size() && expected[at].find(whence) != std::string::npos;
      std::string text = whole ? change_text_with_origin(entries[at]) : change_text(entries[at]);
      if (at < expected.size() && expected[at].find(anything) != std::string::npos)
        text = with_anything(text, fill(expected[at], names_));
      given += text + "\n";
    }
    for (const auto& line : expected) wanted += fill(line, names_) + "\n";
    EXPECT_EQ(given, wanted);
  }

  Stage stage_;
  Names names_;
  CertificateMaker certificates_;
};

class ConversationTest : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(ConversationTest, goes_as_written) {
  const auto& [file, kind] = GetParam();
  const auto steps = read_script("tests/api/" + file + ".http");
  ASSERT_FALSE(steps.empty());
  Conversation conversation(kind, steps);
  for (const Step& step : steps) {
    SCOPED_TRACE(file + ".http:" + std::to_string(step.line));
    try {
      conversation.play(step);
    } catch (const std::exception& fault) {
      FAIL() << fault.what();
    }
  }
}

std::string test_name(const testing::TestParamInfo<ConversationTest::ParamType>& parameter) {
  std::string name = std::get<0>(parameter.param) + "_" + std::get<1>(parameter.param);
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Api, ConversationTest,
                         testing::Combine(testing::ValuesIn(script_names()),
                                          testing::Values("sqlite", "postgresql")),
                         test_name);

}  // namespace
}  // namespace mp::test
