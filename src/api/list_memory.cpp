#include "api/list_memory.hpp"

namespace mp::api {

ListMemory::Known ListMemory::recall(const std::string& list, std::int64_t revision,
                                     std::int64_t offset) {
  const std::lock_guard lock(mutex_);
  const auto found = lists_.find(list);
  if (found == lists_.end() || found->second.revision != revision) return {};
  const Entry& entry = found->second;
  Known known{.total = entry.total, .place = {}};
  auto place = entry.places.upper_bound(offset);
  if (place != entry.places.begin()) {
    --place;
    known.place = {.offset = place->first, .id = place->second};
  }
  return known;
}

void ListMemory::keep(const std::string& list, std::int64_t revision, std::int64_t total,
                      Place place) {
  const std::lock_guard lock(mutex_);
  if (lists_.size() >= most_lists && !lists_.contains(list)) lists_.clear();
  Entry& entry = lists_[list];
  if (entry.revision != revision || entry.places.size() >= most_places) entry.places.clear();
  entry.revision = revision;
  entry.total = total;
  if (place.id != 0) entry.places[place.offset] = place.id;
}

std::string ListMemory::name_of(const Description& description, const Selection& selection) {
  std::string name(description.plural);
  name.append("\n").append(selection.where).append("\n").append(selection.order);
  for (const auto& [parameter, value] : selection.values) {
    name.append("\n").append(parameter).append("=");
    if (const auto* integer = std::get_if<std::int64_t>(&value))
      name.append(std::to_string(*integer));
    else if (const auto* real = std::get_if<double>(&value))
      name.append(std::to_string(*real));
    else if (const auto* text = std::get_if<std::string>(&value))
      name.append(std::to_string(text->size())).append(":").append(*text);
  }
  return name;
}

}  // namespace mp::api
