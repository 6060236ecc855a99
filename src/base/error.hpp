// Errors that end a request: what went wrong (Code), one text for the client, one for the log only.
// Every layer throws mp::Error; http/api turns it into the error envelope, the xDS server into a
// gRPC status. Nothing here knows HTTP beyond the status number of a code, and nothing here logs.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mp {

enum class Code {
  Validation,
  Authentication,
  Permission,
  NotFound,
  Conflict,
  Feature,
  RateLimit,
  Internal,
  Unavailable,
  MethodNotAllowed,
  PreconditionFailed,
  PayloadTooLarge,
  UnsupportedMediaType,
};

// How one code looks to the outside. `grpc_status` is a number of google.rpc.Code.
struct CodeFacts {
  Code code;
  std::string_view name;     // "VALIDATION_ERROR"
  int http_status;           // 400
  int grpc_status;           // 3
  std::string_view message;  // default text for the client
  std::string_view meaning;  // one sentence for the error reference
};

std::span<const CodeFacts> all_codes();
const CodeFacts& facts(Code code);

// One breach of a declared rule. `field` is a path such as "auth_config.jwt_expiry" or "ports[2]";
// `provided` is absent for secrets and for fields that were not sent.
struct Violation {
  std::string field;
  std::string issue;
  std::optional<boost::json::value> provided = std::nullopt;
};

using Violations = std::vector<Violation>;

// `message` empty means the code's default text. `log` is never shown to the client.
struct Error : std::exception {
  Code code = Code::Internal;
  std::string message;
  std::string log;
  boost::json::object details;
  Violations violations;
  std::vector<std::pair<std::string, std::string>> headers;

  Error(Code code, std::string message) : code(code), message(std::move(message)) {}
  const char* what() const noexcept override {
    return message.empty() ? log.c_str() : message.c_str();
  }
};

// What the client is told.
std::string words_of(const Error& error);

// The usual ways to end a request.
Error invalid(Violations violations);
Error invalid(std::string field, std::string issue,
              std::optional<boost::json::value> provided = std::nullopt);
Error not_found(std::string_view noun);
Error conflict(std::string field, std::string issue);
Error internal(std::string log);
Error unavailable(std::string message, std::string log);

}  // namespace mp
