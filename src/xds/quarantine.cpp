#include "xds/quarantine.hpp"

#include "base/utf8.hpp"

#include <algorithm>

namespace mp::xds {
namespace {

constexpr std::size_t longest_message = 500;
constexpr std::string_view dump_mark = "goo.gle/debug";
constexpr std::string_view dump_end = "Proto constraint validation failed";

Milliseconds pause_after(int attempts) {
  Milliseconds pause = first_retry;
  for (int n = 1; n < attempts && pause < longest_retry; ++n) pause *= 2;
  return std::min(pause, longest_retry);
}

bool starts_item(std::string_view text, std::size_t position) {
  const auto before = text.substr(0, position);
  return before.empty() || before.ends_with(", ") || before.ends_with("(s) ");
}

// Where the text speaks about the resource, or npos.
std::size_t item_of(std::string_view text, std::string_view name) {
  const std::string item = std::string(name) + ": ";
  auto at = text.find(item);
  while (at != text.npos && !starts_item(text, at)) at = text.find(item, at + 1);
  return at;
}

// A dump runs from its mark to the words that end it; there may be one for every resource blamed.
std::string without_dumps(std::string_view message) {
  std::string clean = one_line(message);
  for (auto mark = clean.find(dump_mark); mark != clean.npos; mark = clean.find(dump_mark)) {
    const auto end = clean.find(dump_end, mark);
    clean.erase(mark, end == clean.npos ? clean.npos : end - mark);
  }
  return clean;
}

}  // namespace

bool Quarantine::holds(Type type, const Resource& resource) const {
  if (entries_.empty()) return false;
  const auto found = entries_.find(Key{type, resource.name});
  return found != entries_.end() && found->second.refusal.version == resource.version;
}

bool Quarantine::blocks(Type type, const Resource& resource) const {
  return holds(type, resource) && !entries_.at(Key{type, resource.name}).released;
}

void Quarantine::refuse(Type type, const Resource& resource, std::string_view message,
                        std::int64_t revision, Time now) {
  auto& entry = entries_[Key{type, resource.name}];
  const bool again = entry.refusal.version == resource.version;
  if (again) {
    // While it waits, only what was on its way already can be refused once more: that counts as
    // one.
    if (!entry.next_try) ++entry.attempts;
    entry.refusal.message = clean_message(message);
  } else {
    entry =
        Entry{.refusal = {.type = type,
                          .resource = resource.name,
                          .version = resource.version,
                          .object = resource.origins.empty() ? Object{} : resource.origins.front(),
                          .message = clean_message(message),
                          .since = now,
                          .revision = revision},
              .attempts = 1,
              .next_try = std::nullopt,
              .released = false};
  }
  entry.released = false;
  entry.next_try = now + pause_after(entry.attempts);
  ++edition_;
}

bool Quarantine::forget(Type type, std::string_view name) {
  if (entries_.empty() || entries_.erase(Key{type, std::string(name)}) == 0) return false;
  ++edition_;
  return true;
}

void Quarantine::keep_only(Type type, const std::function<bool(std::string_view)>& keep) {
  const auto erased = std::erase_if(entries_, [&](const auto& entry) {
    return entry.first.first == type && !keep(entry.first.second);
  });
  if (erased > 0) ++edition_;
}

void Quarantine::trying(Type type, const Resource& resource) {
  if (entries_.empty()) return;
  const auto found = entries_.find(Key{type, resource.name});
  if (found == entries_.end() || found->second.refusal.version != resource.version) return;
  found->second.released = false;
  found->second.next_try = std::nullopt;
}

void Quarantine::suspect(Type type, const Resource& resource) {
  if (!holds(type, resource)) return;
  Entry& entry = entries_.at(Key{type, resource.name});
  entry.released = !entry.next_try;
}

std::vector<Type> Quarantine::release(Time now) { return release_until(now); }

std::vector<Type> Quarantine::release_all() { return release_until(std::nullopt); }

std::vector<Type> Quarantine::release_until(std::optional<Time> limit) {
  std::vector<Type> types;
  for (auto& [key, entry] : entries_) {
    if (!entry.next_try || (limit && *entry.next_try > *limit)) continue;
    entry.next_try = std::nullopt;
    entry.released = true;
    if (types.empty() || types.back() != key.first) types.push_back(key.first);
  }
  return types;
}

std::optional<Time> Quarantine::next_release() const {
  std::optional<Time> next;
  for (const auto& [key, entry] : entries_) {
    if (entry.next_try && (!next || *entry.next_try < *next)) next = entry.next_try;
  }
  return next;
}

bool Quarantine::is_blamed(Type type, std::string_view message) const {
  Resources refused;
  for (const auto& [key, entry] : entries_) {
    if (key.first != type) continue;
    auto resource = std::make_shared<Resource>();
    resource->name = key.second;
    refused.push_back(std::move(resource));
  }
  return !blamed(message, refused).empty();
}

std::vector<Refusal> Quarantine::list() const {
  std::vector<Refusal> refusals;
  for (const auto& [key, entry] : entries_) refusals.push_back(entry.refusal);
  return refusals;
}

std::string clean_message(std::string_view message) {
  std::string clean = without_dumps(message);
  // Should the mark of a dump change one day: nothing that looks like one stands before these
  // words.
  if (const auto end = clean.find(dump_end); end != clean.npos && clean.find('{') < end) {
    clean.erase(0, end);
  }
  while (clean.ends_with(' ') || clean.ends_with(',')) clean.pop_back();
  return clean.empty() ? "refused without a reason" : one_line(clean, longest_message);
}

std::vector<Blame> blamed(std::string_view message, const Resources& sent) {
  if (!message.starts_with("Error adding/updating ")) return {};
  const std::string text = without_dumps(message);
  std::vector<std::pair<std::size_t, ResourcePtr>> items;
  for (const auto& each : sent) {
    if (const auto at = item_of(text, each->name); at != text.npos) items.emplace_back(at, each);
  }
  std::ranges::sort(items, {}, [](const auto& item) { return item.first; });
  std::vector<Blame> result;
  for (std::size_t n = 0; n < items.size(); ++n) {
    const auto end = n + 1 < items.size() ? items[n + 1].first : text.size();
    result.push_back({.resource = items[n].second,
                      .message = clean_message(text.substr(items[n].first, end - items[n].first))});
  }
  return result;
}

}  // namespace mp::xds
