// Named text formats that declarations refer to: "name", "host", "email" … Each has a pattern for
// the OpenAPI document and a check that may also bring the text into its stored form.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mp {

struct Format {
  std::string_view name;
  std::string_view pattern;          // ECMA 262 regular expression, empty when none says it all
  std::string_view issue;            // "Must be valid IP address or FQDN"
  bool (*check)(std::string& text);  // true when it holds; may normalise
  bool multi_line = false;           // line breaks and tabs are part of it
  std::string_view standard{};       // "format" of OpenAPI, where it has one
};

std::span<const Format> all_formats();
const Format& find_format(
    std::string_view name);  // terminates on an unknown name: a declaration is wrong

// An IPv4 (no leading zeros) or IPv6 address without zone; IPv6 in RFC 5952 form. nullopt for
// anything else.
std::optional<std::string> normal_address(std::string_view text);
bool is_ipv6(std::string_view address);

}  // namespace mp
