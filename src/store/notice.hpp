// What a commit tells the other managers on the same PostgreSQL: the payload of a NOTIFY.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace mp {

// Of objects that a commit changed or deleted; what was created nobody can remember yet.
using Nouns = std::set<std::string>;

struct Notice {
  std::string sender;         // the Store that wrote
  std::int64_t revision = 0;  // its newest entry of the change log
  Nouns stale;
};

inline constexpr std::string_view notice_channel = "marchproxy_changes";

// "sender 42 user,session".
std::string to_text(const Notice& notice);
// nullopt for anything else, such as the word that a listener sends itself.
std::optional<Notice> parse_notice(std::string_view text);

}  // namespace mp
