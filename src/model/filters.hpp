// The filters of lists that are no field of their noun. Included by the API's files that answer
// them and by marchctl, which offers them as flags.
#pragma once

#include "model/extra_filter.hpp"
#include "model/mapping.hpp"
#include "model/proxy.hpp"
#include "model/user.hpp"

namespace mp {

template <>
inline constexpr std::array extra_filters<User>{
    ExtraFilter{"cluster_id", "Only those who see this cluster.", JsonType::Integer},
};

template <>
inline constexpr std::array extra_filters<Mapping>{
    ExtraFilter{
        "source_service",
        "Only those that name this among their sources: a service, collection:<name> or any.",
        JsonType::String,
        {},
        "\"web-frontend\""},
    ExtraFilter{"dest_service",
                "Only those that name this among their destinations: a service or "
                "collection:<name>.",
                JsonType::String,
                {},
                "\"web-backend\""},
};

template <>
inline constexpr std::array extra_filters<Proxy>{
    ExtraFilter{"status", "Only those with this health.", JsonType::String, names_of<Health>},
};

}  // namespace mp
