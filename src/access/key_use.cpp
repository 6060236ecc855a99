#include "access/key_use.hpp"

namespace mp {
namespace {

constexpr std::size_t most_at_once = 500;  // rows of one write, which others wait for

void write(Writer& db, const std::string& key_id, Time used) {
  db.execute(
      "UPDATE api_keys SET last_used = :used WHERE id = :id AND COALESCE(last_used, 0) < :used",
      {{"used", to_milliseconds(used)}, {"id", key_id}});
}

}  // namespace

void KeyUse::note(const std::string& key_id, Time now) {
  const std::lock_guard lock(mutex_);
  Time& noted = noted_[key_id];
  noted = std::max(noted, now);
}

std::optional<Time> KeyUse::of(const std::string& key_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = noted_.find(key_id);
  return found == noted_.end() ? std::nullopt : std::optional(found->second);
}

void KeyUse::save(Store& store) {
  Times noted;
  {
    const std::lock_guard lock(mutex_);
    noted = noted_;
  }
  auto next = noted.begin();
  while (next != noted.end()) {
    const auto first = next;
    for (std::size_t count = 0; next != noted.end() && count < most_at_once; ++count) ++next;
    store.write({.user_id = std::nullopt, .name = "manager", .address = "", .request_id = ""},
                [&](Writer& db) {
                  for (auto each = first; each != next; ++each)
                    write(db, each->first, each->second);
                });
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [key_id, used] : noted) {
    const auto found = noted_.find(key_id);
    if (found != noted_.end() && found->second == used) noted_.erase(found);
  }
}

}  // namespace mp
