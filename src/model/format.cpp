#include "model/format.hpp"

#include "model/network.hpp"
#include "model/quota.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <memory>

namespace mp {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool is_letter_or_digit(char letter) {
  return is_digit(letter) || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

bool all_of(std::string_view text, std::string_view extra) {
  return std::ranges::all_of(text, [&](char letter) {
    return is_letter_or_digit(letter) || extra.find(letter) != std::string_view::npos;
  });
}

void lower(std::string& text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

// Labels of letters, digits, - and _; a last label of digits alone would look like an address.
bool is_dns_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  std::string_view rest = text, label;
  for (;;) {
    const auto dot = rest.find('.');
    label = rest.substr(0, dot);
    if (label.empty() || label.size() > 63 || !all_of(label, "-_")) return false;
    if (dot == std::string_view::npos) return !is_number(label);
    rest.remove_prefix(dot + 1);
  }
}

bool name(std::string& text) { return !text.empty() && all_of(text, "_-"); }

bool username(std::string& text) {
  return text.size() >= 3 && text.size() <= 50 && all_of(text, "_.-");
}

bool host(std::string& text) {
  if (auto address = normal_address(text)) {
    text = *std::move(address);
    return true;
  }
  if (text.size() > 1 && text.ends_with('.')) text.pop_back();
  return is_dns_name(text);
}

bool optional_host(std::string& text) { return text.empty() || host(text); }

// RFC 5321 local part as a dot-atom, and a domain of two labels or more.
bool email(std::string& text) {
  const auto at = text.rfind('@');
  if (at == std::string::npos || at == 0 || at > 64 || text.size() > 254) return false;
  const std::string_view local = std::string_view(text).substr(0, at);
  std::string domain = text.substr(at + 1);
  if (local.starts_with('.') || local.ends_with('.') || local.find("..") != std::string_view::npos)
    return false;
  if (!all_of(local, "!#$%&'*+/=?^_`{|}~.-")) return false;
  if (!is_dns_name(domain) || domain.find('.') == std::string::npos) return false;
  lower(domain);
  text.replace(at + 1, std::string::npos, domain);
  return true;
}

bool port(std::string_view text) {
  if (!is_number(text) || text.starts_with('0')) return false;
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failed == std::errc() && end == text.data() + text.size() && value >= 1 && value <= 65535;
}

bool host_port(std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || !port(std::string_view(text).substr(colon + 1))) return false;
  std::string address = text.substr(0, colon);
  const bool bracketed = address.size() > 2 && address.front() == '[' && address.back() == ']';
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (is_ipv6(address) != bracketed || !host(address)) return false;
  text = (bracketed ? "[" + address + "]" : address) + text.substr(colon);
  return true;
}

// Of a syslog server; without a scheme datagrams.
bool syslog_endpoint(std::string& text) {
  std::string scheme;
  for (const char* each : {"udp://", "tcp://", "tls://"}) {
    if (text.starts_with(each)) scheme = each;
  }
  std::string rest = text.substr(scheme.size());
  if (!host_port(rest)) return false;
  text = scheme + rest;
  return true;
}

// What a mapping answers to: one name, all names below one, or every other.
bool host_pattern(std::string& text) {
  lower(text);
  if (text == "*") return true;
  if (!text.starts_with("*.")) return host(text);
  std::string rest = text.substr(2);
  if (!host(rest) || normal_address(rest)) return false;
  text = "*." + rest;
  return true;
}

// A token of RFC 9110.
bool header_name(std::string& text) { return !text.empty() && all_of(text, "!#$%&'*+-.^_`|~"); }

bool visible(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char letter) { return letter > 0x20 && letter < 0x7f; });
}

bool path(std::string& text) {
  return text.starts_with('/') && visible(text) && text.find_first_of("#") == std::string::npos;
}

// No query, no empty, `.` or `..` segment: proxies normalise paths before they compare.
bool path_prefix(std::string& text) {
  if (!text.starts_with('/') || !visible(text) || text.find_first_of("?#%\\") != std::string::npos)
    return false;
  if (text.find("//") != std::string::npos) return false;
  std::string_view rest = std::string_view(text).substr(1);
  while (!rest.empty()) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    if (segment == "." || segment == "..") return false;
    rest.remove_prefix(std::min(rest.size(), segment.size() + 1));
  }
  return true;
}

// One certificate or more and no key; text around them, as tools print it, stays.
bool certificates(const std::string& text) {
  if (text.find("PRIVATE KEY-----") != std::string::npos) return false;
  const std::unique_ptr<BIO, decltype(&BIO_free)> source(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free);
  if (!source) throw std::bad_alloc();
  int read = 0;
  while (X509* certificate = PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)) {
    X509_free(certificate);
    ++read;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return read > 0 && at_end;
}

bool optional_certificates(std::string& text) { return text.empty() || certificates(text); }

bool version(std::string& text) {
  if (!text.starts_with('v')) return false;
  std::string_view rest = std::string_view(text).substr(1);
  for (int part = 0; part < 3; ++part) {
    const auto number = rest.substr(0, rest.find('.'));
    if (!is_number(number) || (part < 2) != (number.size() < rest.size())) return false;
    rest.remove_prefix(std::min(rest.size(), number.size() + 1));
  }
  return rest.empty();
}

bool node_id(std::string& text) { return !text.empty() && all_of(text, "-_."); }

bool hostname(std::string& text) { return !text.empty() && all_of(text, "-_.:"); }

bool address(std::string& text) {
  auto normal = normal_address(text);
  if (normal) text = *std::move(normal);
  return normal.has_value();
}

// The name of a domain below a top-level one.
bool domain(std::string& text) {
  lower(text);
  return host(text) && !normal_address(text) && text.find('.') != std::string::npos;
}

// What is inside is judged by who takes it apart.
bool pem_file(std::string& text) {
  return text.empty() || text.find("-----BEGIN ") != std::string::npos;
}

bool network(std::string& text) { return Network::parse(text).has_value(); }

bool quota(std::string& text) { return text == "off" || parse_quota(text).has_value(); }

bool anything(std::string&) { return true; }

using Ipv6 = std::array<unsigned char, 16>;

std::string hexadecimal(int value) {
  std::array<char, 4> digits{};
  const auto [end, failed] = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return {digits.data(), end};
}

// The first of the longest runs of zero groups, from two on, is written `::` (RFC 5952 §4.2).
std::pair<int, int> longest_zeros(const std::array<int, 8>& groups) {
  int first = 0, length = 1;
  for (int start = 0; start < 8; ++start) {
    int end = start;
    while (end < 8 && groups[static_cast<std::size_t>(end)] == 0) ++end;
    if (end - start > length) first = start, length = end - start;
  }
  return length > 1 ? std::pair(first, first + length) : std::pair(8, 8);
}

// RFC 5952; IPv4-mapped addresses in the mixed form of its §5.
std::string print_ipv6(const Ipv6& bytes) {
  std::array<int, 8> groups{};
  for (std::size_t at = 0; at < 8; ++at) groups[at] = bytes[2 * at] << 8 | bytes[2 * at + 1];
  const bool mapped =
      std::all_of(groups.begin(), groups.begin() + 5, [](int group) { return group == 0; });
  if (mapped && groups[5] == 0xffff) {
    std::string text = "::ffff:";
    for (std::size_t at = 12; at < 16; ++at)
      text += std::to_string(bytes[at]) + (at < 15 ? "." : "");
    return text;
  }
  const auto [first, last] = longest_zeros(groups);
  std::string text;
  for (int at = 0; at < 8; ++at) {
    if (at == first) text += "::";
    if (at >= first && at < last) continue;
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += hexadecimal(groups[static_cast<std::size_t>(at)]);
  }
  return text;
}

// PENG-XXXX-XXXX-XXXX-XXXX-XXXX
bool license_key(std::string& text) {
  constexpr std::string_view prefix = "PENG";
  constexpr std::size_t group = 5;
  if (text.size() != prefix.size() + 5 * group || !text.starts_with(prefix)) return false;
  for (std::size_t at = prefix.size(); at < text.size(); ++at) {
    const char letter = text[at];
    const bool first = (at - prefix.size()) % group == 0;
    const bool plain = (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9');
    if (first ? letter != '-' : !plain) return false;
  }
  return true;
}

// Pieces of patterns, put together when this is compiled.
template <const std::string_view&... Parts>
struct Joined {
  static constexpr auto letters = [] {
    std::array<char, (Parts.size() + ... + 0)> all{};
    auto at = all.begin();
    ((at = std::copy(Parts.begin(), Parts.end(), at)), ...);
    return all;
  }();
  static constexpr std::string_view text{letters.data(), letters.size()};
};

constexpr std::string_view begin = "^(", both = "|", end = ")$", at_most_once = ")?$";
constexpr std::string_view ipv4 =
    "((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}"
    "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
// RFC 4291 §2.2: eight groups, or fewer around one `::`, with the last two as IPv4 if wanted.
constexpr std::string_view ipv6_hex =
    "([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:|"
    "([0-9A-Fa-f]{1,4}:){1,6}:[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|"
    "([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|"
    "([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|"
    "([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6}|"
    ":(:[0-9A-Fa-f]{1,4}){1,7}|::|";
constexpr std::string_view ipv6_mixed =
    "(([0-9A-Fa-f]{1,4}:){6}|([0-9A-Fa-f]{1,4}:){1,5}:|([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4})"
    ":|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,2}:|"
    "([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,3}:|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,4}:|"
    ":(:[0-9A-Fa-f]{1,4}){1,5}:|::)";
constexpr std::string_view ipv6 = Joined<ipv6_hex, ipv6_mixed, ipv4>::text;
// The last label is not of digits alone.
constexpr std::string_view dns =
    "([A-Za-z0-9_-]{1,63}\\.)*[0-9]{0,62}[A-Za-z_-][A-Za-z0-9_-]{0,62}";
constexpr std::string_view dot_or_none = "\\.?", star = "\\*|(\\*\\.)?";
constexpr std::string_view bracket = "\\[(", closed = ")\\]|";
constexpr std::string_view port_number =
    "):([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$";
constexpr std::string_view transport = "^((udp|tcp|tls)://)?(";
constexpr std::string_view local_part =
    "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@"
    "([A-Za-z0-9_-]{1,63}\\.)+[0-9]{0,62}[A-Za-z_-][A-Za-z0-9_-]{0,62}$";
// Segments that are neither empty nor `.` nor `..`.
constexpr std::string_view segments =
    "^/((\\.?[!\"$&-\\-0->@-\\[\\]-~][!\"$&-.0->@-\\[\\]-~]*|\\.\\.[!\"$&-.0->@-\\[\\]-~]+)"
    "(/(\\.?[!\"$&-\\-0->@-\\[\\]-~][!\"$&-.0->@-\\[\\]-~]*|\\.\\.[!\"$&-.0->@-\\[\\]-~]+))*/?)?$";

constexpr std::string_view dotted =
    "^([A-Za-z0-9_-]{1,63}\\.)+[0-9]{0,62}[A-Za-z_-][A-Za-z0-9_-]{0,62}\\.?$";

constexpr std::string_view host_text = Joined<dns, dot_or_none, both, ipv4, both, ipv6>::text;

constexpr std::array formats{
    Format{"name", "^[A-Za-z0-9_-]+$", "Must consist of letters, digits, _ and -", name},
    Format{"username", "^[A-Za-z0-9_.-]{3,50}$", "Must be 3 to 50 letters, digits, _, . or -",
           username},
    Format{"email", local_part, "Must be an e-mail address", email, false, "email"},
    Format{"host", Joined<begin, host_text, end>::text, "Must be valid IP address or FQDN", host},
    Format{"optional_host", Joined<begin, host_text, at_most_once>::text,
           "Must be valid IP address or FQDN", optional_host},
    Format{"host_port",
           Joined<begin, bracket, ipv6, closed, dns, dot_or_none, both, ipv4, port_number>::text,
           "Must be host:port, an IPv6 address in brackets", host_port},
    Format{
        "syslog_endpoint",
        Joined<transport, bracket, ipv6, closed, dns, dot_or_none, both, ipv4, port_number>::text,
        "Must be host:port, an IPv6 address in brackets; before it udp://, tcp://, tls:// or "
        "nothing",
        syslog_endpoint},
    Format{"host_pattern", Joined<begin, star, dns, dot_or_none, both, ipv4, both, ipv6, end>::text,
           "Must be a host name, *.domain or *", host_pattern},
    Format{"header_name", "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "Must be the name of an HTTP header",
           header_name},
    Format{"path", "^/[!-\"$-~]*$", "Must be a path that begins with /", path},
    Format{"path_prefix", segments, "Must be a plain path that begins with /", path_prefix},
    Format{"optional_certificates", "", "Must be certificates in PEM form", optional_certificates,
           true},
    Format{"version", "^v[0-9]+\\.[0-9]+\\.[0-9]+$", "Must be a version such as v1.0.0", version},
    Format{"hostname", "^[A-Za-z0-9_.:-]+$", "Must be a host name", hostname},
    Format{"node_id", "^[A-Za-z0-9_.-]+$", "Must be letters, digits, _, . or -", node_id},
    Format{"license_key", "^PENG(-[A-Z0-9]{4}){5}$",
           "Must be PENG- and five groups of four letters A-Z or digits", license_key},
    Format{"network", "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$",
           "Must be an IP address or a block such as 10.0.0.0/8", network},
    Format{"quota", "^(off|[1-9][0-9]{0,9}/(second|minute|hour|day))$",
           "Must be off, or a number per second, minute, hour or day, such as 5/minute", quota},
    Format{"address", Joined<begin, ipv4, both, ipv6, end>::text, "Must be an IP address", address},
    Format{"comment", "", "", anything, true},
    Format{"domain", dotted, "Must be a domain such as company.com", domain},
    Format{"pem_file", "", "Must be in PEM form", pem_file, true, "binary"},
};

}  // namespace

std::span<const Format> all_formats() { return formats; }

const Format& find_format(std::string_view wanted) {
  const auto found = std::ranges::find(formats, wanted, &Format::name);
  if (found == formats.end()) std::terminate();
  return *found;
}

std::optional<std::string> normal_address(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos)
    return std::nullopt;
  const std::string copy(text);
  std::array<unsigned char, 4> ipv4{};
  if (inet_pton(AF_INET, copy.c_str(), ipv4.data()) == 1) return copy;  // it has one spelling
  Ipv6 ipv6{};
  if (inet_pton(AF_INET6, copy.c_str(), ipv6.data()) == 1) return print_ipv6(ipv6);
  return std::nullopt;
}

bool is_ipv6(std::string_view text) {
  return text.find(':') != std::string_view::npos && normal_address(text).has_value();
}

}  // namespace mp
