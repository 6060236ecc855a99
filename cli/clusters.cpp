#include "base/utf8.hpp"
#include "cli/look.hpp"
#include "cli/names.hpp"
#include "cli/plan.hpp"
#include "model/cluster.hpp"

#include <boost/json.hpp>

namespace mp::cli {
namespace {

namespace json = boost::json;

constexpr std::int64_t first_provisional = std::int64_t{1} << 60;

}  // namespace

Clusters::Clusters(Client& client) {
  for (const auto& cluster : list_objects(client, resource_of(describe<Cluster>), {}).objects)
    ids_[text_at(cluster, "name")] = number_at(cluster, "id");
}

std::int64_t Clusters::id_of(const json::value& reference, const std::string& place) const {
  if (const auto* name = reference.if_string()) {
    if (const auto found = ids_.find(std::string(*name)); found != ids_.end()) return found->second;
  }
  if (const auto* number = reference.if_int64()) {
    for (const auto& [name, id] : ids_) {
      if (id == *number) return id;
    }
  }
  throw wrong_usage(place + ": there is no cluster " + one_line(json::serialize(reference)));
}

void Clusters::will_make(const std::string& name) {
  ids_.emplace(name, first_provisional + static_cast<std::int64_t>(ids_.size()));
}

void Clusters::made(const std::string& name, std::int64_t id) {
  if (const auto found = ids_.find(name); found != ids_.end()) real_[found->second] = id;
}

bool Clusters::is_provisional(std::int64_t id) const { return id >= first_provisional; }

std::int64_t Clusters::real(std::int64_t id) const {
  const auto found = real_.find(id);
  return found == real_.end() ? id : found->second;
}

json::value Clusters::name_of(const json::value& reference) const {
  const auto* number = reference.if_int64();
  for (const auto& [name, id] : ids_) {
    if (number && (id == *number || real(id) == *number)) return json::value(name);
  }
  return reference;
}

std::optional<std::int64_t> Clusters::only() const {
  return ids_.size() == 1 ? std::optional(ids_.begin()->second) : std::nullopt;
}

}  // namespace mp::cli
