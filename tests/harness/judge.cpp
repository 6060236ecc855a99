#include "judge.hpp"

#include "api/api.hpp"
#include "api/openapi.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::test {

namespace json = boost::json;

namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    parts.emplace_back(path.substr(0, path.find('/')));
    path.remove_prefix(parts.back().size());
  }
  return parts;
}

// The path as the document writes it: /api and /api/v0 are /api/v1.
std::string canonical(std::string_view target) {
  const std::string path(target.substr(0, target.find('?')));
  if (!path.starts_with("/api/") || path.starts_with("/api/v1/")) return path;
  return "/api/v1" + path.substr(path.starts_with("/api/v0/") ? 7 : 4);
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::ranges::equal(pattern, path, [](const auto& wanted, const auto& given) {
    return wanted.starts_with('{') || wanted == given;
  });
}

bool is_json(std::string_view type) { return type.starts_with("application/json"); }

std::string lower(std::string_view text) {
  std::string letters(text);
  std::ranges::transform(letters, letters.begin(),
                         [](unsigned char letter) { return std::tolower(letter); });
  return letters;
}

// A header's text as its schema's type has it; the text itself when it is none.
json::value header_value(std::string_view text, const json::object& schema) {
  const bool number = schema.at("type").as_string() == "integer";
  const auto read = number ? from_text(JsonType::Integer, text) : std::nullopt;
  return read ? *read : json::value(text);
}

void check_request_id(const http::Request& request, const http::Response& response,
                      const json::value& body, std::vector<std::string>& found) {
  if (request.method == "HEAD" || !body.is_object()) return;
  const auto* id = body.as_object().if_contains("request_id");
  if (id &&
      id->as_string() != std::string_view(http::find_header(response.headers, "X-Request-ID"))) {
    found.push_back("request_id is not X-Request-ID");
  }
}

// All three or none.
void check_limits(const http::Response& response, std::vector<std::string>& found) {
  std::size_t count = 0;
  for (const char* name : {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}) {
    if (!http::find_header(response.headers, name).empty()) ++count;
  }
  if (count != 0 && count != 3) found.push_back("has some of the rate limit's headers only");
  if (response.status == 429 && count != 3) found.push_back("is a 429 without its headers");
}

// `details` begins with the first violation, and 400 has some.
void check_violations(const json::value& body, std::vector<std::string>& found) {
  const json::object& error = body.at("error").as_object();
  const auto* list = error.if_contains("violations");
  const bool invalid = error.at("code").as_string() == "VALIDATION_ERROR";
  if (invalid != (list != nullptr)) found.push_back("violations do not go with the code");
  if (!list || list->as_array().empty()) return;
  for (const auto& member : list->as_array().front().as_object()) {
    const auto* same = error.at("details").as_object().if_contains(member.key());
    if (!same || *same != member.value()) found.push_back("details is not the first violation");
  }
}

}  // namespace

Judge::Judge() : document_(api::openapi(api::all_endpoints().all())), schemas_(document_) {}

const Judge& the_judge() {
  static const Judge judge;
  return judge;
}

const json::object* Judge::operation(const http::Request& request) const {
  const bool known = std::ranges::all_of(
      request.method, [](char letter) { return letter >= 'A' && letter <= 'Z'; });
  if (!known) return nullptr;  // methods are case-sensitive (RFC 9110 §9.1)
  const auto path = split(canonical(request.target));
  const std::string method = request.method == "HEAD" ? "get" : lower(request.method);
  const json::object* found = nullptr;
  for (const auto& entry : document_.at("paths").as_object()) {
    const auto* operation = entry.value().as_object().if_contains(method);
    if (!operation || !fits(split(entry.key()), path)) continue;
    if (!found || entry.key().find('{') == std::string_view::npos) found = &operation->as_object();
  }
  return found;
}

void Judge::check_body(const json::object& operation, const http::Request& request,
                       const http::Response& response, std::vector<std::string>& found) const {
  const auto& responses = operation.at("responses").as_object();
  const auto* declared = responses.if_contains(std::to_string(response.status));
  if (!declared)
    return found.push_back("status " + std::to_string(response.status) + " is not declared");
  const json::value* answer = schemas_.resolve(*declared);
  if (!answer) return found.push_back("the answer is a $ref to nothing");
  check_headers(answer->as_object(), response, found);
  check_limits(response, found);
  const auto* content = answer->as_object().if_contains("content");
  if (request.method == "HEAD") return;
  if (!content) {
    if (!response.body.empty()) found.push_back("has a body that is not declared");
    return;
  }
  const std::string_view type = http::find_header(response.headers, "Content-Type");
  for (const auto& each : content->as_object()) {
    if (!type.starts_with(std::string_view(each.key()))) continue;
    if (!is_json(type)) return;
    for (auto& problem : schemas_.problems(json::parse(response.body), each.value().at("schema"))) {
      found.push_back(std::move(problem));
    }
    return;
  }
  found.push_back("content type " + std::string(type) + " is not declared");
}

// Every header is declared, those that are always there are there, and each fits its schema.
void Judge::check_headers(const json::object& answer, const http::Response& response,
                          std::vector<std::string>& found) const {
  const json::object& declared = answer.at("headers").as_object();
  for (const auto& member : declared) {
    const json::value* header = schemas_.resolve(member.value());
    if (!header) return found.push_back("a header is a $ref to nothing");
    if (header->at("required").as_bool() &&
        http::find_header(response.headers, member.key()).empty()) {
      found.push_back("lacks the header " + std::string(member.key()));
    }
  }
  for (const auto& [name, text] : response.headers) {
    if (lower(name) == "content-type") continue;  // the content's key says it
    const auto same = std::ranges::find_if(
        declared, [&](const auto& member) { return lower(member.key()) == lower(name); });
    if (same == declared.end()) {
      found.push_back("the header " + name + " is not declared");
      continue;
    }
    const json::value& schema = schemas_.resolve(same->value())->at("schema");
    for (auto& problem : schemas_.problems(header_value(text, schema.as_object()), schema))
      found.push_back(name + " " + std::move(problem));
  }
}

std::vector<std::string> Judge::problems(const http::Request& request,
                                         const http::Response& response) const {
  std::vector<std::string> found;
  if (http::find_header(response.headers, "X-API-Version") != "1.0.0")
    found.push_back("X-API-Version is missing");
  if (http::find_header(response.headers, "X-Request-ID").empty())
    found.push_back("X-Request-ID is missing");
  if (response.status == 500) found.push_back("is an internal error");
  json::value body;
  if (is_json(http::find_header(response.headers, "Content-Type")) && !response.body.empty()) {
    json::error_code error;
    body = json::parse(response.body, error);
    if (error) return {"the body is no JSON"};
  }
  check_request_id(request, response, body, found);
  if (const json::object* declared = operation(request))
    check_body(*declared, request, response, found);
  else if (response.status != 404 && response.status != 405)
    found.push_back("has no operation");
  if (response.status == 405 && http::find_header(response.headers, "Allow").empty())
    found.push_back("lacks Allow");
  const bool envelope = body.is_object() && body.as_object().contains("success");
  if (envelope && !body.at("success").as_bool()) {
    const bool invalid = response.status == 400;
    for (auto& problem : schemas_.problems(
             body, document_.at_pointer(invalid ? "/components/schemas/ValidationErrorAnswer"
                                                : "/components/schemas/ErrorAnswer"))) {
      found.push_back(std::move(problem));
    }
    if (found.empty()) check_violations(body, found);
  }
  return found;
}

}  // namespace mp::test
