#include "api/etag.hpp"

#include <boost/json/value.hpp>

#include <algorithm>

namespace mp::api {
namespace {

std::string quoted_list_name(std::string_view header) {
  std::string name(header);
  std::erase(name, '"');
  return name;
}

// Whether a list of entity tags names the object's revision, whatever is computed beside it.
bool names_revision(std::string_view list, std::string_view etag) {
  const std::string_view current = etag.substr(0, etag.find('-'));
  while (!list.empty()) {
    std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), part.size() + 1));
    while (part.starts_with(' ')) part.remove_prefix(1);
    const std::string name = quoted_list_name(part);
    if (name.substr(0, name.find('-')) == current) return true;
  }
  return false;
}

std::string suffix(State state) {
  if (state == State::Idle) return {};
  return "-" + std::string(names_of<State>[static_cast<std::size_t>(state)]);
}

}  // namespace

bool has_revision(const Description& description) {
  return find_field(description, "revision") != nullptr && !description.plural.empty();
}

std::string etag_of(const Description& description, const void* object) {
  if (!has_revision(description)) return {};
  const Field& revision = *find_field(description, "revision");
  std::string etag =
      std::to_string(std::get<std::int64_t>(revision.shape->to_cell(revision.of(object))));
  for (const Field& field : description.fields) {
    if (field.rules.kept != Kept::Computed || !field.visible()) continue;
    if (field.shape->inner == &describe<Status>) {
      etag.append(suffix(static_cast<const Status*>(field.of(object))->state));
    } else if (field.shape->json_type == JsonType::String) {
      const boost::json::value value = field.shape->to_json(field.of(object));
      if (value != field.shape->to_json(field.of(description.make().get())))
        etag.append("-").append(value.as_string());
    }
  }
  return etag;
}

std::string etag_in_state(std::string_view etag, std::string_view before, State state) {
  const std::string old = "-" + std::string(before);
  if (etag.ends_with(old)) etag.remove_suffix(old.size());
  return std::string(etag).append(suffix(state));
}

const Field* fleet_status(const Description& description) {
  const auto found = std::ranges::find_if(description.fields, [](const Field& field) {
    return field.rules.kept == Kept::Computed && field.shape->inner == &describe<Status>;
  });
  return found == description.fields.end() ? nullptr : &*found;
}

void check_match(const Call& call, const Description& description, const void* object) {
  const std::string_view wanted = call.request.header("If-Match");
  const std::string_view unwanted = call.request.header("If-None-Match");
  const std::string etag = etag_of(description, object);
  const bool holds = (wanted.empty() || wanted == "*" || names_revision(wanted, etag)) &&
                     (unwanted.empty() || (unwanted != "*" && !names_revision(unwanted, etag)));
  if (!holds) throw Error(Code::PreconditionFailed, "");
}

}  // namespace mp::api
