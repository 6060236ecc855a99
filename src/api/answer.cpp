#include "api/answer.hpp"

#include "base/outside.hpp"
#include "model/json_text.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::api {
namespace {

namespace json = boost::json;

constexpr std::size_t usual_headers = 8;
constexpr std::size_t usual_envelope = 200;  // bytes around the data

void add_common(http::Response& response, std::string_view request_id) {
  response.headers.reserve(usual_headers);
  response.headers.emplace_back("X-API-Version", api_version);
  response.headers.emplace_back("X-Request-ID", request_id);
}

void end_envelope(std::string& body, std::string_view request_id, Time now) {
  body.append(",\"timestamp\":\"").append(to_string(now));
  body.append("\",\"request_id\":\"").append(request_id).append("\"}");
}

json::object violation_json(const Violation& violation) {
  json::object entry{{"field", violation.field}, {"issue", violation.issue}};
  if (violation.provided) entry["provided"] = *violation.provided;
  return entry;
}

json::object error_json(const Error& error) {
  json::object body{{"code", facts(error.code).name}, {"message", words_of(error)}};
  json::object details = error.details;
  if (!error.violations.empty()) {
    for (auto& [key, value] : violation_json(error.violations.front())) details[key] = value;
    json::array all;
    for (const Violation& violation : error.violations) all.push_back(violation_json(violation));
    body["violations"] = std::move(all);
  }
  body["details"] = std::move(details);
  return body;
}

}  // namespace

http::Response success(const Reply& reply, std::string_view request_id, Time now) {
  http::Response response{.status = reply.status, .headers = {}, .body = ""};
  add_common(response, request_id);
  if (!reply.etag.empty()) response.headers.emplace_back("ETag", "\"" + reply.etag + "\"");
  if (!reply.content_type.empty()) {
    response.headers.emplace_back("Content-Type", reply.content_type);
    response.body = reply.text;
    return response;
  }
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body.reserve(reply.data.size() + usual_envelope);
  response.body.append("{\"success\":true,\"data\":").append(reply.data);
  response.body.append(",\"message\":");
  append_json(response.body, std::string_view(reply.message));
  end_envelope(response.body, request_id, now);
  return response;
}

http::Response failure(const Error& error, std::string_view request_id, Time now) {
  http::Response response{
      .status = facts(error.code).http_status, .headers = error.headers, .body = ""};
  add_common(response, request_id);
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = "{\"success\":false,\"error\":" + json::serialize(error_json(error));
  end_envelope(response.body, request_id, now);
  return response;
}

http::Response refusal(int status, std::string_view message, Time now) {
  const auto same = std::ranges::find(all_codes(), status, &CodeFacts::http_status);
  Error error(same == all_codes().end() ? Code::PayloadTooLarge : same->code, std::string(message));
  if (error.code == Code::Validation) error.violations.push_back({"request", error.message});
  if (error.code == Code::Unavailable) error.headers.emplace_back("Retry-After", "1");
  http::Response response = failure(error, "req_" + random_text(16), now);
  response.status = status;
  return response;
}

std::string request_id_of(const http::Request& request, RandomTexts& ids) {
  const std::string_view given = request.header("X-Request-ID");
  const bool usable =
      !given.empty() && given.size() <= 64 && std::ranges::all_of(given, [](unsigned char letter) {
        return std::isalnum(letter) != 0 || letter == '.' || letter == '_' || letter == '-';
      });
  return usable ? std::string(given) : "req_" + ids.take(16);
}

}  // namespace mp::api
