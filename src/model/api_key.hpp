// A user's API key: what pipelines sign their requests with instead of a session.
// This file is the only place that lists its fields.
#pragma once

#include "model/shape.hpp"

namespace mp {

// None implies another: `read` is for GET, `write` for the other methods, `admin` comes on top of
// either where an endpoint is for admins alone.
enum class Permission { Read, Write, Admin };
template <>
inline constexpr std::array names_of<Permission>{
    std::string_view("read"), std::string_view("write"), std::string_view("admin")};

struct ApiKey {
  std::string id;
  std::string name;
  std::vector<Permission> permissions;
  std::optional<Time> expires_at;
  Time created_at;
  std::optional<Time> last_used;
  std::optional<Secret> key;
  std::int64_t user_id = 0;
  std::string key_hash;
};

void check_api_key(const void* object, Violations& violations);

inline constexpr std::array api_key_fields{
    field<&ApiKey::id>("id", "Identifier.",
                       {.mode = Mode::Server, .example = "\"4h9slXGM59JqRWht\""}),
    field<&ApiKey::name>("name", "What it is for.",
                         {.mode = Mode::Fixed,
                          .min = 1,
                          .max = 255,
                          .sort = true,
                          .search = true,
                          .example = "\"ci-cd-automation\""}),
    field<&ApiKey::permissions>(
        "permissions",
        "What it may do: read is GET, write the other methods, admin what admins alone may. None "
        "implies another.",
        {.mode = Mode::Fixed, .min = 1, .max = 3, .example = R"(["read", "write"])"}),
    field<&ApiKey::expires_at>("expires_at", "When it ends; null: when it is revoked.",
                               {.mode = Mode::Fixed}),
    field<&ApiKey::created_at>("created_at", "When it was made.",
                               {.mode = Mode::Server, .sort = true}),
    field<&ApiKey::last_used>("last_used", "When it was last used, to about a minute.",
                              {.mode = Mode::Server}),
    field<&ApiKey::key>("key", "The key itself; shown this once.",
                        {.mode = Mode::Server, .kept = Kept::Once}),
    field<&ApiKey::user_id>("user_id", "Whose it is.",
                            {.mode = Mode::Hidden, .references = "user"}),
    field<&ApiKey::key_hash>("key_hash", "SHA-256 of the key.", {.mode = Mode::Hidden}),
};
template <>
inline constexpr Description describe<ApiKey> = resource<ApiKey>(
    "api_key", "api_keys", "A key that acts for its user.", api_key_fields, check_api_key);

}  // namespace mp
