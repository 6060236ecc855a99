#include "base/error.hpp"

#include <algorithm>
#include <array>

namespace mp {
namespace {

constexpr std::array codes{
    CodeFacts{Code::Validation, "VALIDATION_ERROR", 400, 3, "Invalid input parameters",
              "The request breaks a rule; `details` is the first breach, `violations` lists all."},
    CodeFacts{Code::Authentication, "AUTHENTICATION_REQUIRED", 401, 16,
              "Missing or invalid authentication",
              "No credential was sent, or it is wrong, expired or revoked."},
    CodeFacts{Code::Feature, "FEATURE_NOT_AVAILABLE", 402, 8, "Enterprise feature requires license",
              "The licence does not contain the feature that `details.feature` names."},
    CodeFacts{Code::Permission, "INSUFFICIENT_PERMISSIONS", 403, 7,
              "User lacks required permissions", "The caller is known but may not do this."},
    CodeFacts{Code::NotFound, "RESOURCE_NOT_FOUND", 404, 5, "Requested resource not found",
              "There is no such path or object, or the caller may not see it."},
    CodeFacts{Code::MethodNotAllowed, "METHOD_NOT_ALLOWED", 405, 12, "Method not allowed",
              "The path exists, but not with this method; `Allow` lists those that do."},
    CodeFacts{Code::Conflict, "RESOURCE_CONFLICT", 409, 6, "Resource already exists",
              "The request clashes with the present state, such as a name that is taken."},
    CodeFacts{Code::PreconditionFailed, "PRECONDITION_FAILED", 412, 9,
              "The object has changed since it was read",
              "`If-Match` names a version that is no longer the current one."},
    CodeFacts{Code::PayloadTooLarge, "PAYLOAD_TOO_LARGE", 413, 8, "Request body too large",
              "The body or the header is larger than the limit."},
    CodeFacts{Code::UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", 415, 3,
              "Unsupported media type", "The body's Content-Type is not one the endpoint reads."},
    CodeFacts{Code::RateLimit, "RATE_LIMIT_EXCEEDED", 429, 8, "Rate limit exceeded",
              "Too many requests; `Retry-After` says when to try again."},
    CodeFacts{Code::Internal, "INTERNAL_SERVER_ERROR", 500, 13, "Internal server error",
              "A fault of the server; its log has the details under the request id."},
    CodeFacts{Code::Unavailable, "SERVICE_UNAVAILABLE", 503, 14, "Service temporarily unavailable",
              "Something the request needs is away or overloaded; `Retry-After` says when to try."},
};

}  // namespace

std::span<const CodeFacts> all_codes() { return codes; }

const CodeFacts& facts(Code code) { return *std::ranges::find(codes, code, &CodeFacts::code); }

std::string words_of(const Error& error) {
  return error.message.empty() ? std::string(facts(error.code).message) : error.message;
}

Error invalid(Violations violations) {
  Error error(Code::Validation, "");
  error.violations = std::move(violations);
  return error;
}

Error invalid(std::string field, std::string issue, std::optional<boost::json::value> provided) {
  return invalid(Violations{{std::move(field), std::move(issue), std::move(provided)}});
}

Error not_found(std::string_view noun) {
  std::string message(noun);
  std::ranges::replace(message, '_', ' ');
  if (!message.empty() && message[0] >= 'a') message[0] = static_cast<char>(message[0] - 'a' + 'A');
  return Error(Code::NotFound, message + " not found");
}

Error conflict(std::string field, std::string issue) {
  Error error(Code::Conflict, issue);
  error.details["field"] = std::move(field);
  error.details["issue"] = std::move(issue);
  return error;
}

Error internal(std::string log) {
  Error error(Code::Internal, "");
  error.log = std::move(log);
  return error;
}

Error unavailable(std::string message, std::string log) {
  Error error(Code::Unavailable, std::move(message));
  error.log = std::move(log);
  error.headers.emplace_back("Retry-After", "1");
  return error;
}

}  // namespace mp
