#include "http/render.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <ostream>  // Beast needs it and does not include it

namespace mp::http {

namespace {

constexpr std::string_view punctuation = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2

constexpr bool is_token(unsigned char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
         (letter >= 'A' && letter <= 'Z') || punctuation.find(letter) != std::string_view::npos;
}

constexpr auto token_letters = [] {
  std::array<bool, 256> letters{};
  for (unsigned at = 0; at < letters.size(); ++at)
    letters[at] = is_token(static_cast<unsigned char>(at));
  return letters;
}();

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](unsigned char letter) { return token_letters[letter]; });
}

bool is_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](unsigned char letter) {
    return (letter < ' ' && letter != '\t') || letter == 0x7f;
  });
}

bool is_framing(std::string_view name) {
  constexpr auto same = [](std::string_view left, std::string_view right) {
    return left.size() == right.size() &&
           std::equal(left.begin(), left.end(), right.begin(), [](char one, char other) {
             return (one >= 'A' && one <= 'Z' ? one - 'A' + 'a' : one) == other;
           });
  };
  return same(name, "connection") || same(name, "content-length") || same(name, "date") ||
         same(name, "transfer-encoding");
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

}  // namespace

bool well_formed(const Response& response) {
  if (response.status < 200 || response.status > 599) return false;
  return std::all_of(response.headers.begin(), response.headers.end(), [](const auto& header) {
    return is_name(header.first) && is_value(header.second);
  });
}

void render(std::string& out, const Response& response, const Framing& framing) {
  namespace beast_http = boost::beast::http;
  const auto reason = beast_http::obsolete_reason(beast_http::int_to_status(response.status));
  out += "HTTP/1.1 ";
  append_number(out, response.status);
  out += ' ';
  out.append(reason.data(), reason.size());
  out += "\r\nDate: ";
  out += framing.date;
  for (const auto& [name, value] : response.headers) {
    if (is_framing(name)) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  const bool bodiless =
      response.status == 204 || response.status == 304;  // RFC 9110 15.3.5, 15.4.5
  if (!bodiless) {
    out += "\r\nContent-Length: ";
    append_number(out, response.body.size());
  }
  if (!framing.keep_alive) {
    out += "\r\nConnection: close";
  } else if (framing.old_version) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  if (!bodiless && !framing.without_body) out += response.body;
}

}  // namespace mp::http
