#include "cli/table.hpp"

#include "base/utf8.hpp"
#include "cli/failure.hpp"
#include "cli/look.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace mp::cli {
namespace {

namespace json = boost::json;

std::string list_text(const json::array& list) {
  if (list.empty()) return "-";
  if (std::ranges::any_of(list, [](const json::value& item) { return item.is_structured(); }))
    return std::to_string(list.size());
  std::string text;
  for (const auto& item : list) text.append(text.empty() ? "" : ",").append(cell_text(item));
  return text;
}

std::string object_text(const json::object& object) {
  const auto* state = object.if_contains("state");
  if (!state || !state->is_string()) return json::serialize(object);
  return std::string(state->get_string());
}

}  // namespace

std::string Table::text(const Console& console) const {
  std::vector<std::size_t> widths;
  widths.reserve(headers_.size());
  for (const auto& header : headers_) widths.push_back(width_of(header));
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t at = 0; at < row.size(); ++at)
      widths.at(at) = std::max(widths.at(at), width_of(row[at].text));
  }
  std::string text;
  const auto add_row = [&](const std::vector<Cell>& row) {
    std::string padding;
    for (std::size_t at = 0; at < row.size(); ++at) {
      text += padding + console.tinted(row[at].text, row[at].tone);
      padding.assign(widths[at] - width_of(row[at].text) + 2, ' ');
    }
    text += '\n';
  };
  if (!headers_.empty()) {
    std::vector<Cell> first;
    for (const auto& header : headers_) first.push_back({header, Tone::Bold});
    add_row(first);
  }
  for (const auto& row : rows_) add_row(row);
  return text;
}

std::string cell_text(const json::value& value) {
  if (value.is_null()) return "-";
  if (const auto* text = value.if_string()) return text->empty() ? "-" : one_line(*text);
  if (const auto* list = value.if_array()) return list_text(*list);
  if (const auto* object = value.if_object()) return object_text(*object);
  return number_text(value);
}

Tone tone_of(std::string_view state) {
  if (state == "live" || state == "healthy" || state == "active" || state == "valid")
    return Tone::Good;
  if (state == "rejected" || state == "unhealthy" || state == "critical" || state == "expired" ||
      state == "revoked")
    return Tone::Bad;
  if (state == "pending" || state == "degraded" || state == "shadowed" || state == "unsupported" ||
      state == "warning")
    return Tone::Warning;
  return state == "idle" || state == "offline" ? Tone::Faint : Tone::Plain;
}

}  // namespace mp::cli
