// The text form of a conversation, tests/api/*.http, read into steps. The grammar stands in
// tests/api/README.md. It knows nothing of the manager; conversation.hpp plays the steps.
#pragma once

#include "form.hpp"
#include "given_certificate.hpp"
#include "http/message.hpp"
#include "stage.hpp"

#include <boost/json/value.hpp>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace mp::test {

// For the manager of the whole conversation.
struct GivenSetting {
  std::string name;
  std::string value;
};

struct GivenCluster {
  std::string name;
};

struct GivenUser {
  std::string name;
  std::vector<std::string> clusters;
  bool is_admin = false;
};

struct GivenLicense {
  LicenseTier tier = LicenseTier::Enterprise;
  std::chrono::seconds time = std::chrono::hours(24 * 365);  // until it ends
  std::int64_t proxies = unlimited;
  std::int64_t clusters = unlimited;
};

struct LicenseServerMood {
  LicenseServer::Mood mood = LicenseServer::Mood::Answers;
};

struct Advance {
  std::chrono::seconds time;
};

// The manager ends and a new one starts on the same database.
struct Restart {};

// Sets a name to the code of a second factor's secret, now or some time away.
struct TotpCode {
  std::string name;
  std::string secret;
  std::chrono::seconds away{0};
};

struct Expected {
  int status = 200;
  std::string code;  // of an error; empty: not looked at
  http::Headers headers;
  std::optional<boost::json::value> body;  // `data`, `error`, or the whole document
  std::optional<Violations> violations;    // exactly these, without `provided`
  std::vector<std::string> contains;       // parts of the body's text
  std::vector<std::string> lacks;
  std::optional<std::vector<std::string>> changes;  // exactly these entries of the change log
};

struct Exchange {
  std::string method;
  std::string target;
  As caller;
  std::string address;  // of the client; empty: the usual one
  http::Headers headers;
  std::string body;
  std::vector<FormPart> parts;  // instead of a body
  Expected expected;
};

struct Step {
  int line = 0;
  std::variant<GivenSetting, GivenCluster, GivenUser, Advance, Restart, TotpCode, Exchange,
               GivenCertificate, GivenLicense, LicenseServerMood>
      what;
};

// Throws std::runtime_error with file and line of what it does not understand.
std::vector<Step> read_script(const std::filesystem::path& file);

}  // namespace mp::test
