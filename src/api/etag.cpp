#include "api/etag.hpp"

#include "base/secret.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace mp::api {
namespace {

// RFC 9110 5.6.1.2: around the commas of a list there may be spaces and tabs.
std::string_view without_space(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

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
    part = without_space(part);
    const std::string name = quoted_list_name(part);
    if (name.substr(0, name.find('-')) == current) return true;
  }
  return false;
}

bool is_status(const Field& field) {
  return field.rules.kept == Kept::Computed && field.shape->inner == &describe<Status>;
}

bool is_computed_text(const Field& field) {
  return field.rules.kept == Kept::Computed && field.shape->json_type == JsonType::String;
}

// Whether it changes without a new revision: what is computed, and what the server notes when
// somebody signs in or a proxy reports.
bool moves(const Field& field) {
  constexpr std::array noted{"last_login", "last_seen", "metrics", "status"};
  if (!field.visible() || is_status(field) || is_computed_text(field)) return false;
  return field.rules.kept == Kept::Computed ||
         (field.rules.mode == Mode::Server && std::ranges::find(noted, field.name) != noted.end());
}

boost::json::array moving_values(const Description& description, const void* object) {
  boost::json::array values;
  for (const Field& field : description.fields) {
    if (moves(field)) values.push_back(field.shape->to_json(field.of(object)));
  }
  return values;
}

// What moves as it is now, in a few letters; empty as long as it is as at first.
std::string movement(const Description& description, const void* object) {
  constexpr std::size_t letters = 12;
  const boost::json::array now = moving_values(description, object);
  if (now.empty() || now == moving_values(description, description.make().get())) return {};
  return "-" + sha256_hex(boost::json::serialize(now)).substr(0, letters);
}

std::string suffix(State state) {
  if (state == State::Idle) return {};
  return "-" + std::string(names_of<State>[static_cast<std::size_t>(state)]);
}

}  // namespace

std::string list_header(const http::Request& request, std::string_view name) {
  std::string list;
  for (const auto& header : request.headers) {
    const std::string_view value = http::find_header({&header, 1}, name);
    if (!value.empty()) list.append(list.empty() ? "" : ", ").append(value);
  }
  return list;
}

bool has_revision(const Description& description) {
  return find_field(description, "revision") != nullptr && !description.plural.empty();
}

std::string etag_of(const Description& description, const void* object) {
  if (!has_revision(description)) return {};
  const Field& revision = *find_field(description, "revision");
  std::string etag =
      std::to_string(std::get<std::int64_t>(revision.shape->to_cell(revision.of(object))));
  etag.append(movement(description, object));
  for (const Field& field : description.fields) {
    if (!field.visible()) continue;
    if (is_status(field)) {
      etag.append(suffix(static_cast<const Status*>(field.of(object))->state));
    } else if (is_computed_text(field)) {
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
  const auto found = std::ranges::find_if(description.fields, is_status);
  return found == description.fields.end() ? nullptr : &*found;
}

void check_match(const Call& call, const Description& description, const void* object) {
  const std::string wanted = list_header(call.request, "If-Match");
  const std::string unwanted = list_header(call.request, "If-None-Match");
  const std::string etag = etag_of(description, object);
  const bool holds = (wanted.empty() || wanted == "*" || names_revision(wanted, etag)) &&
                     (unwanted.empty() || (unwanted != "*" && !names_revision(unwanted, etag)));
  if (!holds) throw Error(Code::PreconditionFailed, "");
}

}  // namespace mp::api
