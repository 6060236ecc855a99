// The settings as a flat list, made from their declarations: one Option for each value, with its
// names in the file, the environment and on the command line. Used only inside settings/.
#pragma once

#include "base/error.hpp"
#include "settings/settings.hpp"

#include <boost/json/value.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mp {

inline constexpr std::string_view variable_prefix = "MARCHPROXY_";
inline constexpr std::string_view config_variable = "MARCHPROXY_CONFIG";

struct Option {
  const Field* field;
  std::string name;      // "http.listen"
  std::string variable;  // "MARCHPROXY_HTTP_LISTEN"
  std::string flag;      // "--http-listen"
  std::string fallback;  // text of the default; empty when there is none
  std::string hint;      // "auto|files|off", "NUMBER", "TEXT", "LIST"
};

// In the order of the declarations.
std::vector<Option> all_options();

// A value that somebody set, and where: "environment variable MARCHPROXY_HTTP_LISTEN".
struct Given {
  std::string text;
  std::string source;
};

// By name; a later source replaces an earlier one.
using GivenValues = std::map<std::string, Given, std::less<>>;

// One line: what is wrong with a setting, and where it was set.
Error wrong_setting(const std::string& name, const std::string& issue, const std::string& source);

// The settings of these values, checked. Throws wrong_setting for the first that breaks its rules.
Settings settings_of(const GivenValues& given);

}  // namespace mp
