#include "store/url.hpp"

#include "base/error.hpp"

#include <libpq-fe.h>

#include <filesystem>
#include <string_view>

namespace mp {
namespace {

// Bounds for every wait, unless the URL has its own.
constexpr std::pair<std::string_view, std::string_view> deadlines[] = {
    {"connect_timeout", "5"},      {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},  {"keepalives_count", "3"},
    {"tcp_user_timeout", "15000"}, {"application_name", "marchproxy-manager"}};

std::string quoted(std::string_view value) {
  std::string text = "'";
  for (const char letter : value) {
    if (letter == '\'' || letter == '\\') text.push_back('\\');
    text.push_back(letter);
  }
  return text.append("'");
}

// libpq's keyword form: SOCI takes URLs apart and breaks them.
std::string keyword_form(const PQconninfoOption* options) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append(text.empty() ? "" : " ").append(name).append("=").append(quoted(value));
  };
  for (const auto* option = options; option->keyword; ++option) {
    if (option->val && *option->val) add(option->keyword, option->val);
  }
  for (const auto& [name, value] : deadlines) {
    const auto* option = options;
    while (option->keyword && name != option->keyword) ++option;
    if (!option->keyword || !option->val) add(name, value);
  }
  return text;
}

}  // namespace

DatabaseUrl parse_database_url(const std::string& url, const std::string& data_dir) {
  constexpr std::string_view sqlite = "sqlite:";
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) {
    PQconninfoOption* options = PQconninfoParse(url.c_str(), nullptr);
    if (!options)
      throw invalid("database.url",
                    "Is not a PostgreSQL connection URL");  // libpq's text shows the password
    DatabaseUrl parsed{DatabaseKind::Postgresql, keyword_form(options)};
    PQconninfoFree(options);
    return parsed;
  }
  if (!url.starts_with(sqlite))
    throw invalid("database.url", "Must begin with sqlite: or postgresql://");
  std::string path = url.substr(sqlite.size());
  if (path.empty()) path = (std::filesystem::path(data_dir) / "marchproxy.db").string();
  if (path.find('"') != std::string::npos)
    throw invalid("database.url", "Must not contain a quotation mark");
  return {DatabaseKind::Sqlite, path};
}

}  // namespace mp
