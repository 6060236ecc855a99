#include "api/body.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace mp::api {
namespace {

namespace json = boost::json;

// Walks the events of a parse and stops at the first key that its object already has.
struct RepeatFinder {
  constexpr static std::size_t max_object_size = static_cast<std::size_t>(-1);
  constexpr static std::size_t max_array_size = static_cast<std::size_t>(-1);
  constexpr static std::size_t max_key_size = static_cast<std::size_t>(-1);
  constexpr static std::size_t max_string_size = static_cast<std::size_t>(-1);

  std::vector<std::set<std::string, std::less<>>> open;
  std::string key;
  std::string repeated;

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key.append(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    key.append(part);
    if (!open.back().insert(key).second) {
      repeated = key;
      error = json::error::extra_data;
      return false;
    }
    key.clear();
    return true;
  }
  bool on_object_begin(json::error_code&) {
    open.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, json::error_code&) {
    open.pop_back();
    return true;
  }
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t, json::error_code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
  bool on_double(double, json::string_view, json::error_code&) { return true; }
  bool on_bool(bool, json::error_code&) { return true; }
  bool on_null(json::error_code&) { return true; }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }
};

bool is_json(std::string_view content_type) {
  std::string type = ascii_lower(content_type.substr(0, content_type.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  return type == "application/json" || type == "application/merge-patch+json" ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

void refuse_repeats(std::string_view text, const json::parse_options& options) {
  json::basic_parser<RepeatFinder> parser(options);
  json::error_code error;
  parser.write_some(false, text.data(), text.size(), error);
  const std::string& repeated = parser.handler().repeated;
  if (!repeated.empty())
    throw invalid("body", "Has the key \"" + one_line(repeated, 100) + "\" twice in one object");
}

}  // namespace

void refuse_encoding(const http::Request& request) {
  const std::string encoding = ascii_lower(request.header("Content-Encoding"));
  if (encoding.empty() || encoding == "identity") return;
  throw Error(Code::UnsupportedMediaType, "The body must be sent without a Content-Encoding");
}

json::value parse_body(const http::Request& request) {
  refuse_encoding(request);
  const std::string_view type = request.header("Content-Type");
  if (!type.empty() && !is_json(type)) {
    Error error(Code::UnsupportedMediaType, "The body must be application/json");
    throw error;
  }
  json::parse_options options;
  options.max_depth = most_levels;
  json::error_code error;
  json::value value = json::parse(request.body, error, {}, options);
  if (error) {
    throw invalid("body", request.body.empty() ? "Must be a JSON object"
                                               : "Is not valid JSON: " + error.message());
  }
  refuse_repeats(request.body, options);
  return value;
}

}  // namespace mp::api
