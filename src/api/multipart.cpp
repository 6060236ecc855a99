#include "api/multipart.hpp"

#include "base/error.hpp"
#include "base/utf8.hpp"

#include <algorithm>
#include <optional>

namespace mp::api {
namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t longest_boundary = 70;  // RFC 2046 §5.1.1
constexpr std::size_t most_parts = 32;
constexpr std::size_t most_headers = 8;
constexpr std::size_t longest_header = 1024;
constexpr std::size_t longest_name = 64;

bool is_letter_or_digit(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9');
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [&](char letter) {
    return is_letter_or_digit(letter) || extra.find(letter) != std::string_view::npos;
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "form-data; name=\"a\"; filename=b": the value, and its parameters in order.
struct HeaderValue {
  std::string value;  // lower case
  std::vector<std::pair<std::string, std::string>> parameters;

  std::optional<std::string> find(std::string_view name) const {
    const auto found = std::ranges::find(
        parameters, name, [](const auto& each) { return std::string_view(each.first); });
    return found == parameters.end() ? std::nullopt : std::optional(found->second);
  }
};

// Reads a quoted string (RFC 9110 §5.6.4) from the front of `text`; nullopt when it never ends.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '"') {
      text.remove_prefix(at + 1);
      return value;
    }
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    value.push_back(text[at]);
  }
  return std::nullopt;
}

std::string take_token(std::string_view& text) {
  const auto end = std::min(text.find(';'), text.size());
  std::string value(trimmed(text.substr(0, end)));
  text.remove_prefix(end);
  return value;
}

// nullopt when it breaks the grammar or has a parameter twice.
std::optional<HeaderValue> read_value(std::string_view text) {
  HeaderValue read{.value = ascii_lower(take_token(text)), .parameters = {}};
  while (!text.empty()) {
    text = trimmed(text.substr(1));  // the semicolon
    if (text.empty()) break;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string name = ascii_lower(trimmed(text.substr(0, equals)));
    text = trimmed(text.substr(equals + 1));
    const bool quoted = text.starts_with('"');
    auto value = quoted ? take_quoted(text) : std::optional(take_token(text));
    text = trimmed(text);
    if (!value || name.empty() || read.find(name)) return std::nullopt;
    if (!text.empty() && text.front() != ';') return std::nullopt;
    read.parameters.emplace_back(std::move(name), *std::move(value));
  }
  return read;
}

Error broken(std::string issue) { return invalid("body", std::move(issue)); }

std::string boundary_of(std::string_view content_type) {
  const auto type = read_value(content_type);
  const auto boundary = type ? type->find("boundary") : std::nullopt;
  if (!boundary) throw invalid("Content-Type", "Must name the boundary of the parts, once");
  if (boundary->empty() || boundary->size() > longest_boundary || boundary->ends_with(' ') ||
      !all_of(*boundary, "'()+_,-./:=? "))
    throw invalid("Content-Type", "Has a boundary that is none (RFC 2046)");
  return *boundary;
}

std::string ordinal(std::size_t number) { return "Part " + std::to_string(number); }

class Reader {
 public:
  Reader(std::string_view body, const std::string& boundary)
      : rest_(body), delimiter_("--" + boundary) {}

  std::vector<Part> read() {
    std::vector<Part> parts;
    if (rest_.empty()) throw broken("Must be multipart/form-data, not empty");
    if (!rest_.starts_with(delimiter_))
      throw broken("Does not begin with the boundary that Content-Type names");
    rest_.remove_prefix(delimiter_.size());
    while (!at_end()) {
      if (parts.size() == most_parts)
        throw broken("Has more than " + std::to_string(most_parts) + " parts");
      parts.push_back(read_part(parts.size() + 1));
    }
    return parts;
  }

 private:
  // Behind a delimiter: the rest of its line, or the end of everything.
  bool at_end() {
    const bool last = rest_.starts_with("--");
    if (last) rest_.remove_prefix(2);
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
    if (last) {
      if (!rest_.empty() && rest_ != line_end) throw broken("Goes on after the last boundary");
      return true;
    }
    if (!rest_.starts_with(line_end)) throw broken("Has something behind a boundary in its line");
    rest_.remove_prefix(line_end.size());
    return false;
  }

  Part read_part(std::size_t number) {
    Part part;
    std::optional<HeaderValue> disposition;
    for (std::size_t count = 0;; ++count) {
      const std::string_view line = read_line(number);
      if (line.empty()) break;
      if (count == most_headers) throw broken(ordinal(number) + " has too many headers");
      read_header(line, number, disposition);
    }
    if (!disposition) throw broken(ordinal(number) + " has no Content-Disposition");
    const auto name = disposition->find("name");
    if (disposition->value != "form-data" || !name)
      throw broken(ordinal(number) + " is no form-data with a name");
    if (name->empty() || name->size() > longest_name || !all_of(*name, "_.-"))
      throw broken(ordinal(number) + " has a name of other letters than A-Z, a-z, 0-9, _, . and -");
    part.name = *name;
    part.is_file = disposition->find("filename") || disposition->find("filename*");
    part.content = read_content(part.name);
    return part;
  }

  void read_header(std::string_view line, std::size_t number,
                   std::optional<HeaderValue>& disposition) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0)
      throw broken(ordinal(number) + " has a header that is none");
    const std::string name = ascii_lower(line.substr(0, colon));
    if (name == "content-transfer-encoding") {
      const std::string encoding = ascii_lower(trimmed(line.substr(colon + 1)));
      if (encoding != "binary" && encoding != "8bit" && encoding != "7bit")
        throw broken(ordinal(number) +
                     " has a Content-Transfer-Encoding; it must be sent as it is");
    }
    if (name != "content-disposition") return;
    auto value = read_value(line.substr(colon + 1));
    if (!value || disposition)
      throw broken(ordinal(number) + " has a broken Content-Disposition, or two");
    disposition = std::move(value);
  }

  std::string_view read_line(std::size_t number) {
    const auto end = rest_.substr(0, longest_header + line_end.size()).find(line_end);
    if (end == std::string_view::npos)
      throw broken(ordinal(number) + " is cut off in its headers, or has one over 1024 bytes");
    const std::string_view line = rest_.substr(0, end);
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
      throw broken(ordinal(number) + " has a header with control characters");
    rest_.remove_prefix(end + line_end.size());
    return line;
  }

  std::string_view read_content(const std::string& name) {
    const std::string end = std::string(line_end) + delimiter_;
    // An empty part's boundary may follow its headers at once.
    if (rest_.starts_with(delimiter_)) {
      rest_.remove_prefix(delimiter_.size());
      return {};
    }
    const auto at = rest_.find(end);
    if (at == std::string_view::npos)
      throw invalid(name, "Is cut off: the boundary that ends it is missing");
    const std::string_view content = rest_.substr(0, at);
    rest_.remove_prefix(at + end.size());
    return content;
  }

  std::string_view rest_;
  std::string delimiter_;
};

}  // namespace

bool is_form_data(std::string_view content_type) {
  return ascii_lower(trimmed(content_type.substr(0, content_type.find(';')))) ==
         "multipart/form-data";
}

std::string without_boundary(std::string_view content_type, std::string_view body) {
  const std::string boundary = boundary_of(content_type);
  std::string rest;
  for (auto at = body.find(boundary); at != std::string_view::npos; at = body.find(boundary)) {
    rest.append(body.substr(0, at)).append("|");
    body.remove_prefix(at + boundary.size());
  }
  return rest.append(body);
}

std::vector<Part> parse_multipart(std::string_view content_type, std::string_view body) {
  return Reader(body, boundary_of(content_type)).read();
}

}  // namespace mp::api
