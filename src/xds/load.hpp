// Reads a cluster's intent from the database: services, mappings with their service references,
// certificates and authorities.
// Used by xds/hub for whole clusters and single objects, and by api/ for lists and checks.
#pragma once

#include "store/store.hpp"
#include "xds/config.hpp"

#include <optional>
#include <vector>

namespace mp::xds {

// The configuration of a cluster as it is in the database now.
ClusterConfigPtr load_config(Reader& db, std::int64_t cluster_id);
// Brings one object up to date, by the noun that the change log has for it; false when it has gone.
bool reload(Reader& db, ClusterConfig& config, std::string_view noun, std::int64_t id);
// Whether a cluster's intent consists of such objects.
bool is_intent(std::string_view noun);
// Mappings with their service references, in the order of `selection`.
std::vector<Mapping> load_mappings(Reader& db, const Selection& selection);
void fill_references(Reader& db, const std::vector<Mapping*>& mappings);
// A certificate authority of the manager without its key.
std::optional<Issuer> load_issuer(Reader& db, std::int64_t id);
// A TCP mapping of the same cluster that nothing tells apart from this one: its id, or none.
std::optional<std::int64_t> find_tcp_clash(Reader& db, const Mapping& candidate);

}  // namespace mp::xds
