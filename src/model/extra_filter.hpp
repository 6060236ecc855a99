// Filters of a list that are no field of its noun, for the API and whoever calls it. A noun's own
// stand in model/filters.hpp.
#pragma once

#include "model/field.hpp"

#include <array>

namespace mp {

struct ExtraFilter {
  std::string_view name;
  std::string_view help;
  JsonType type;
  std::span<const std::string_view> names{};  // of an enumeration
  std::string_view example{};                 // JSON text
};

template <class T>
inline constexpr std::array<ExtraFilter, 0> extra_filters{};

}  // namespace mp
