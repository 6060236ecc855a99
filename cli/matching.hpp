// Which existing object a wanted one is, where objects have no name (mappings). Pure; the rule is
// docs/decisions/0035.
#pragma once

#include "cli/resource.hpp"

#include <boost/json/object.hpp>

#include <optional>

namespace mp::cli {

// For each wanted object the index of the existing one, or nothing: then it is a new one. No
// existing object is given twice. All are of one cluster, whole, and in the same form.
std::vector<std::optional<std::size_t>> match_unnamed(
    const Resource& resource, const std::vector<boost::json::object>& wanted,
    const std::vector<boost::json::object>& existing);

}  // namespace mp::cli
