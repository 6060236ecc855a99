#include "cli/matching.hpp"

#include "cli/look.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>

namespace mp::cli {
namespace {

namespace json = boost::json;

using Objects = std::vector<json::object>;
using Matches = std::vector<std::optional<std::size_t>>;

// The index of the only object with this label; nothing for several.
std::map<std::string, std::optional<std::size_t>> by_label(const Objects& objects,
                                                           std::string_view label) {
  std::map<std::string, std::optional<std::size_t>> found;
  for (std::size_t at = 0; at < objects.size(); ++at) {
    const std::string text = text_at(objects[at], label);
    if (text.empty()) continue;
    const auto [place, is_new] = found.emplace(text, at);
    if (!is_new) place->second.reset();
  }
  return found;
}

std::string text_of(const std::vector<std::string_view>& fields, const json::object& object) {
  std::string text;
  for (const auto name : fields) {
    const auto* value = object.if_contains(name);
    text += (value ? json::serialize(*value) : "") + "\n";
  }
  return text;
}

// The first free pairs that agree in these fields.
void match_equal(const std::vector<std::string_view>& fields, const Objects& wanted,
                 const Objects& existing, Matches& matches, std::vector<char>& taken) {
  std::map<std::string, std::vector<std::size_t>> free;
  for (std::size_t other = existing.size(); other-- > 0;) {
    if (taken[other] == 0) free[text_of(fields, existing[other])].push_back(other);
  }
  for (std::size_t at = 0; at < wanted.size(); ++at) {
    if (matches[at]) continue;
    const auto found = free.find(text_of(fields, wanted[at]));
    if (found == free.end() || found->second.empty()) continue;
    matches[at] = found->second.back();
    taken[found->second.back()] = 1;
    found->second.pop_back();
  }
}

}  // namespace

Matches match_unnamed(const Resource& resource, const Objects& wanted, const Objects& existing) {
  Matches matches(wanted.size());
  std::vector<char> taken(existing.size(), 0);
  const auto there = by_label(existing, resource.particulars.label);
  for (const auto& [label, at] : by_label(wanted, resource.particulars.label)) {
    const auto found = there.find(label);
    if (!at || found == there.end() || !found->second) continue;
    matches[*at] = *found->second;
    taken[*found->second] = 1;
  }
  std::vector<std::string_view> all;
  for (const Field& field : resource.noun->fields) {
    if (field.writable()) all.push_back(field.name);
  }
  match_equal(all, wanted, existing, matches, taken);
  match_equal(words_of(resource.particulars.meaning), wanted, existing, matches, taken);
  return matches;
}

}  // namespace mp::cli
